"""Finding people, and making new ones."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from protonpay.kernel import clock, ids, notices, zones
from protonpay.kernel.errors import Conflict, Forbidden, NotFound
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.store import db
from protonpay.users.models import User
from protonpay.users.states import STANDING

__all__ = [
    "Party",
    "User",
    "check_may_spend",
    "choose_told",
    "create",
    "email_key",
    "find_by_email",
    "find_parties",
    "freeze",
    "freeze_withdrawals",
    "get",
    "lock",
    "lock_all",
    "prefer",
    "search",
    "set_email",
    "set_standing",
    "thaw",
    "time_zone",
    "wants_letter",
    "wants_message",
]

DEFAULT_ROLE = "USER"
LANGUAGES = ("en", "ru")
"""What letters and statements are written in."""

_PARTIES = """
    SELECT s.id, s.email, s.public_id, s.plan, s.name,
           r.id, r.email, r.public_id, r.plan, r.name, s.withdrawals_frozen_at
    FROM users s LEFT JOIN users r ON r.{column} = %(key)s AND r.standing = 'ACTIVE'
    WHERE s.id = %(sender)s AND s.standing = 'ACTIVE'
"""
_BY_EMAIL = _PARTIES.format(column="email_key")
_BY_PUBLIC_ID = _PARTIES.format(column="public_id")


@dataclass(frozen=True, slots=True)
class Party:
    """What a payment must know of one of its sides."""

    user_id: str
    email: str
    public_id: str
    plan: str
    name: str


def email_key(email: str) -> str:
    """Return what an address is found by: any case, one form of each character."""
    return unicodedata.normalize("NFKC", email).casefold()


def create(*, name: str, email: str, password_hash: str, plan: str, language: str) -> User:
    """Make a user with empty ledger accounts, in the caller's transaction.

    Raises:
        Conflict: the address has an account already (``email_taken``).
    """
    session = db.current()
    user = User(
        id=ids.new_id(),
        public_id=ids.new_public_id(),
        name=name,
        email=email,
        email_key=email_key(email),
        password_hash=password_hash,
        role=DEFAULT_ROLE,
        standing=STANDING.initial,
        plan=plan,
        language=language,
        time_zone=zones.UTC_NAME,
        created_at=clock.now(),
    )
    with _email_is_free(), session.begin_nested():
        session.add(user)
    ledger.open_accounts(chart.of_user(user.id))
    return user


def set_email(user: User, email: str) -> None:
    """Give an account another address, which its owner has proved, in the caller's transaction.

    Raises:
        Conflict: the address has an account (``email_taken``).
    """
    with _email_is_free(), db.current().begin_nested():
        user.email, user.email_key = email, email_key(email)
        user.email_verified_at = clock.now()


def prefer(user_id: str, *, language: str | None = None, time_zone: str | None = None) -> User:
    """Set how an account wants to be told things; what is None stays.

    Args:
        user_id: whose.
        language: one of ``LANGUAGES``.
        time_zone: one of ``zones.NAMES``.

    Raises:
        NotFound: there is no such user.
    """
    with db.transaction():
        user = lock(user_id)
        user.language = language or user.language
        user.time_zone = time_zone or user.time_zone
    return user


def wants_letter(user: User, kind: str) -> bool:
    """Tell whether an account wants letters of a kind, one of ``notices.LETTERS``."""
    return user.letters.get(kind, notices.LETTERS[kind])


def wants_message(user: User, kind: str) -> bool:
    """Tell whether an account wants messages in Telegram of a kind, likewise."""
    return user.messages.get(kind, notices.LETTERS[kind])


def choose_told(user_id: str, *, letters: Mapping[str, bool], messages: Mapping[str, bool]) -> User:
    """Set of which kinds an account wants letters, and messages; what is not named stays.

    Args:
        user_id: whose.
        letters: kinds of ``notices.LETTERS``.
        messages: likewise.

    Raises:
        NotFound: there is no such user.
    """
    with db.transaction():
        user = lock(user_id)
        user.letters = {**user.letters, **letters}
        user.messages = {**user.messages, **messages}
    return user


def time_zone(user_id: str) -> ZoneInfo:
    """Return the zone of an account.

    Raises:
        NotFound: there is no such user.
    """
    return zones.zone(get(user_id).time_zone)


def freeze_withdrawals(user: User) -> None:
    """Let nothing leave an account until an operator thaws it; a repeat changes nothing."""
    if user.withdrawals_frozen_at is None:
        user.withdrawals_frozen_at = clock.now()


def freeze(user_id: str) -> None:
    """Let nothing leave an account, as an operator.

    Raises:
        NotFound: there is no such user.
    """
    with db.transaction():
        freeze_withdrawals(lock(user_id))


def thaw(user_id: str) -> None:
    """Let money leave an account again, as an operator; payouts that waited are sent.

    Raises:
        NotFound: there is no such user.
    """
    with db.transaction():
        lock(user_id).withdrawals_frozen_at = None


def check_may_spend(user: User) -> None:
    """Refuse to let money leave an account.

    Raises:
        Forbidden: it is frozen, or suspended (``withdrawals_frozen``, ``account_suspended``).
    """
    if user.standing != STANDING.initial:
        raise Forbidden("account_suspended", "This account is suspended.")
    if user.withdrawals_frozen_at is not None:
        raise _frozen()


def get(user_id: str) -> User:
    """Return a user.

    Raises:
        NotFound: there is none.
    """
    user = db.db.session.get(User, user_id)
    if user is None:
        raise NotFound("not_found", "There is no such user.")
    return user


def find_by_email(email: str) -> User | None:
    """Return the user of an address, whatever its case."""
    return db.db.session.scalar(select(User).where(User.email_key == email_key(email)))


def search(words: str, limit: int = 20) -> Sequence[User]:
    """Return the users of an id, of a public id, or whose address begins so; by address."""
    beginning = User.email_key.startswith(email_key(words), autoescape=True)
    found = select(User).where(or_(User.id == words, User.public_id == words, beginning))
    return db.db.session.scalars(found.order_by(User.email_key).limit(limit)).all()


def find_parties(sender_id: str, identifier: str) -> tuple[Party, Party | None]:
    """Return a payment's sender and the active user behind an e-mail address or public id.

    Raises:
        Forbidden: the sender may not act, or not send (``account_suspended``,
            ``withdrawals_frozen``).
    """
    if ids.PUBLIC_ID_PATTERN.fullmatch(identifier):
        query, key = _BY_PUBLIC_ID, identifier
    else:
        query, key = _BY_EMAIL, email_key(identifier)
    row = db.execute(query, {"sender": sender_id, "key": key}).fetchone()
    if row is None:
        raise Forbidden("account_suspended", "This account is suspended.")
    if row[10] is not None:
        raise _frozen()
    return Party(*row[:5]), Party(*row[5:10]) if row[5] else None


def lock(user_id: str) -> User:
    """Take the user's row until the transaction ends: one money decision at a time.

    Taken before any lock of the ledger, never after.

    Raises:
        NotFound: there is no such user.
    """
    locked = select(User).where(User.id == user_id).with_for_update(**db.LOCK)
    # As the row is now: what this session read of it before may be old.
    user = db.current().scalar(locked, execution_options={"populate_existing": True})
    if user is None:
        raise NotFound("not_found", "There is no such user.")
    return user


def lock_all(user_ids: Collection[str]) -> Mapping[str, User]:
    """Take the rows of several users as ``lock`` takes one, in the order of their ids."""
    locked = select(User).where(User.id.in_(user_ids))
    # Not by the database's own collation, which may sort otherwise than whoever locks one by one.
    locked = locked.order_by(User.id.collate("C")).with_for_update(**db.LOCK)
    found = db.current().scalars(locked, execution_options={"populate_existing": True})
    return {user.id: user for user in found}


def set_standing(user_id: str, standing: str) -> None:
    """Let an account act, or not, in the caller's transaction; a repeat changes nothing.

    Raises:
        NotFound: there is no such user.
    """
    user = lock(user_id)
    if user.standing != standing:
        STANDING.check(user.standing, standing)
        user.standing = standing


def _frozen() -> Forbidden:
    said = "Withdrawals are frozen, as the owner of this account asked. Write to support."
    return Forbidden("withdrawals_frozen", said)


@contextmanager
def _email_is_free() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        # Of the two unique keys only the address can be somebody else's choice.
        raise Conflict("email_taken", "This e-mail address has an account already.") from error
