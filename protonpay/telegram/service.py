"""Link a chat to an account: by a code that its owner asks for here and sends there."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict
from protonpay.mail import service as mail
from protonpay.mail.service import office
from protonpay.store.db import current, db, transaction
from protonpay.telegram.bot import Bot
from protonpay.telegram.models import TelegramChat, TelegramCode
from protonpay.users import service as users
from protonpay.users.service import User

LIFE = timedelta(minutes=10)
_BYTES = 24  # 32 characters of base64url; a link takes 64


class Line:
    """The bot of this installation, bound by create_app.

    Attributes:
        bot: None if there is none: nobody is told anything in Telegram then.
    """

    def __init__(self) -> None:
        self.bot: Bot | None = None
        self._page = ""

    def bind(self, bot: Bot | None, page: str) -> None:
        """Set the bot, and the page that opens a chat with it (``https://t.me/<name>``)."""
        self.bot, self._page = bot, page

    def link(self, code: str) -> str:
        """Return the address that opens the chat and has ``/start <code>`` sent there."""
        return f"{self._page}?start={code}"


line = Line()


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands with Telegram.

    Attributes:
        available: whether this installation has a bot.
        linked: whether the account has a chat.
        username: as its owner was called when it was linked, if they had a name.
    """

    available: bool
    linked: bool
    username: str | None
    linked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Link:
    """What links a chat: to be opened once, in Telegram, before it ends."""

    url: str
    expires_at: datetime


class Started(StrEnum):
    """What came of a code that was sent to the bot."""

    LINKED = "linked"
    NO_CODE = "no_code"
    """It was used or replaced, its time is over, or it never was: not told which."""
    CHAT_TAKEN = "chat_taken"
    """The chat has an account already."""
    ACCOUNT_TAKEN = "account_taken"
    """The account has a chat already."""


def standing(user_id: str) -> Standing:
    """Return how an account stands with Telegram."""
    found = db.session.get(TelegramChat, user_id, populate_existing=True)
    if line.bot is None or found is None:
        return Standing(line.bot is not None, False, None, None)  # noqa: FBT003
    return Standing(True, True, found.username, found.linked_at)  # noqa: FBT003


def ask(user_id: str) -> Link:
    """Return a new link; the one before it is void.

    Raises:
        Conflict: there is no bot (``telegram_not_set_up``), or the account has a chat
            (``telegram_linked``).
    """
    check_available()
    code, ends = secrets.token_urlsafe(_BYTES), clock.now() + LIFE
    with transaction() as session:
        users.lock(user_id)
        if chat_of(user_id) is not None:
            said = "A Telegram chat is linked already. Unlink it first."
            raise Conflict("telegram_linked", said)
        made = {"digest": _digest(code), "expires_at": ends}
        session.execute(
            insert(TelegramCode)
            .values(user_id=user_id, **made)
            .on_conflict_do_update(index_elements=["user_id"], set_=made)
        )
    return Link(line.link(code), ends)


def end(user_id: str) -> None:
    """Unlink the chat of an account, and void its code; what waits for the chat is not sent."""
    with transaction():
        drop(users.lock(user_id))


def drop(user: User) -> None:
    """Unlink, in the caller's transaction, which has the user locked; its owner is written to."""
    session = current()
    session.execute(delete(TelegramCode).where(TelegramCode.user_id == user.id))
    gone = session.execute(
        delete(TelegramChat).where(TelegramChat.user_id == user.id).returning(TelegramChat.user_id)
    )
    if gone.first() is not None:
        _write(user, "telegram_unlinked")


def start(code: str, chat_id: int, username: str | None) -> Started:
    """Link a chat to the account that asked for a code, and write so to its owner by mail.

    Args:
        code: as it came from Telegram: anything.
        chat_id: where it came from.
        username: of who sent it.
    """
    with transaction() as session:
        found = session.scalar(select(TelegramCode).where(TelegramCode.digest == _digest(code)))
        if found is None:
            return Started.NO_CODE
        user = users.lock(found.user_id)
        # Whoever had the lock before may have used it up, or replaced it.
        still = session.scalar(
            select(TelegramCode)
            .where(TelegramCode.digest == found.digest, TelegramCode.expires_at > clock.now())
            .execution_options(populate_existing=True)
        )
        if still is None:
            return Started.NO_CODE
        if account_of(chat_id) is not None:
            return Started.CHAT_TAKEN
        if chat_of(user.id) is not None:
            return Started.ACCOUNT_TAKEN
        session.delete(still)
        session.add(
            TelegramChat(user_id=user.id, chat_id=chat_id, username=username, linked_at=clock.now())
        )
        session.flush()
        _write(user, "telegram_linked", chat=f"@{username}" if username else str(chat_id))
    return Started.LINKED


def end_of_chat(chat_id: int) -> bool:
    """Unlink a chat that wants nothing any more; return whether it was linked."""
    with transaction():
        owner_id = account_of(chat_id)
        if owner_id is None:
            return False
        user = users.lock(owner_id)
        if account_of(chat_id) != owner_id:
            return False
        drop(user)
    return True


def chat_of(user_id: str) -> int | None:
    """Return the chat of an account."""
    return db.session.scalar(select(TelegramChat.chat_id).where(TelegramChat.user_id == user_id))


def account_of(chat_id: int) -> str | None:
    """Return whose a chat is."""
    return db.session.scalar(select(TelegramChat.user_id).where(TelegramChat.chat_id == chat_id))


def check_available() -> None:
    """Refuse where there is no bot.

    Raises:
        Conflict: ``telegram_not_set_up``: to ask again later would not help.
    """
    if line.bot is None:
        raise Conflict("telegram_not_set_up", "Telegram is not set up here.")


def _write(user: User, template: str, **values: str) -> None:
    mail.post(
        template,
        to=user.email,
        language=user.language,
        useful_for=mail.USEFUL_FOR,
        name=user.name,
        link=office.address("/app/notifications/preferences"),
        **values,
    )


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
