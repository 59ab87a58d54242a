"""Ask Telegram what was written to the bot, and deal with each of it once.

The other way, a webhook, needs an address that Telegram reaches; a machine behind a router has
none. Who asks holds a lock in the database: a second one would take Telegram's answers away from
the first (409).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from sqlalchemy import Connection, NullPool, create_engine, text

from protonpay.kernel import clock
from protonpay.kernel.errors import Unavailable
from protonpay.store import db as store
from protonpay.store.db import db, release, transaction
from protonpay.telegram import service, words
from protonpay.telegram.bot import Bot, NotTaken, Update
from protonpay.telegram.service import Started, line
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_LOCKED = {"lock": 0x54454C45}  # "TELE"
# After a week without any, the next number is any (Bot API, Update); 24 hours are kept there.
_NUMBERS_KEPT = timedelta(days=6)
_MOVE = """
    INSERT INTO telegram_positions AS stood (bot_id, next, moved_at)
    VALUES (%(bot)s, %(next)s, %(now)s)
    ON CONFLICT (bot_id) DO UPDATE SET next = EXCLUDED.next, moved_at = EXCLUDED.moved_at
    WHERE stood.next < EXCLUDED.next OR stood.moved_at < %(kept)s
"""
_PLACE = "SELECT next FROM telegram_positions WHERE bot_id = %(bot)s AND moved_at >= %(kept)s"


class Turn:
    """Whether this process is the one who asks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._mine = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), _LOCKED))

    def holds(self) -> bool:
        """Tell whether it still is; raises if the line that holds the lock is lost."""
        return self._mine and bool(self._connection.scalar(text("SELECT true")))

    def end(self) -> None:
        """Let somebody else ask."""
        if self._mine:
            self._connection.execute(text("SELECT pg_advisory_unlock(:lock)"), _LOCKED)


@contextmanager
def alone() -> Iterator[Turn]:
    """Be the one who asks, as long as the block lasts, unless somebody else is."""
    # A line of its own: those of the pool are counted, and this one is held for days.
    role = {"options": f"-c role={store.APPLICATION_ROLE}"}
    engine = create_engine(db.engine.url, poolclass=NullPool, connect_args=role)
    with engine.connect() as connection:
        turn = Turn(connection.execution_options(isolation_level="AUTOCOMMIT"))
        try:
            yield turn
        finally:
            turn.end()


def listen() -> int:
    """Wait for what is written to the bot, deal with it, and return how much it was.

    Raises:
        NoAnswer: Telegram does not say.
    """
    bot = line.bot
    if bot is None:
        return 0
    offset = _place(bot)
    release()
    found = bot.updates(offset)
    for update in found:
        _take(bot, update)
    return len(found)


def _place(bot: Bot) -> int | None:
    row = store.execute(_PLACE, _asked(bot)).fetchone()
    return int(row[0]) if row else None


def _take(bot: Bot, update: Update) -> None:
    answer = None
    try:
        with transaction():
            if _move(bot, update):
                answer = _deal_with(update)
    except Unavailable:
        raise
    except Exception:
        # A mistake of ours in one; those after it are dealt with all the same.
        log.exception("telegram_update_failed", update=update.id)
        with transaction():
            _move(bot, update)
    release()
    if answer is not None and update.chat_id is not None:
        _say(bot, update.chat_id, words.answer(answer, update.language))


def _move(bot: Bot, update: Update) -> bool:
    """Step over an update; return whether nobody has yet."""
    return store.execute(_MOVE, _asked(bot) | {"next": update.id + 1}).rowcount == 1


def _deal_with(update: Update) -> str | None:
    """Do what somebody wants, and return the name of the answer."""
    if update.chat_id is None:
        return None
    if update.blocked:
        service.end_of_chat(update.chat_id)
    return None if update.text is None else _obey(update.chat_id, update.text, update.username)


def _obey(chat_id: int, said: str, username: str | None) -> str:
    command, _, code = said.strip().partition(" ")
    if command == "/stop":
        return "stopped" if service.end_of_chat(chat_id) else "help"
    if command == "/start" and code:
        return service.start(code.strip(), chat_id, username)
    return "help" if service.account_of(chat_id) is None else Started.LINKED


def _say(bot: Bot, chat_id: int, answer: str) -> None:
    try:
        bot.send(chat_id, answer)
    except (NoAnswer, NotTaken) as error:
        # What matters is written down, and the portal shows it.
        log.info("telegram_answer_lost", error=str(error))


def _asked(bot: Bot) -> dict[str, object]:
    now = clock.now()
    return {"bot": bot.id, "now": now, "kept": now - _NUMBERS_KEPT}
