"""Write a message down with what it tells of, send it later: at least once, if it is useful still.

A message whose answer did not come may have been taken, and is sent again: Telegram has no name for
a message that would keep it from being shown twice (ADR 43).
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, func, or_, select, update

from protonpay.kernel import clock, ids
from protonpay.mail import writing
from protonpay.mail.service import office
from protonpay.store import outbox
from protonpay.store.db import current, db, release, transaction
from protonpay.store.jobs import Later
from protonpay.store.secrets import safe
from protonpay.telegram import service
from protonpay.telegram.bot import NotTaken
from protonpay.telegram.models import PURPOSE, TelegramMessage
from protonpay.telegram.service import line
from protonpay.telegram.states import MESSAGE
from protonpay.users import service as users
from protonpay.users.service import User
from protonpay.wire.http import NoAnswer, Throttled

log = structlog.get_logger(__name__)

USEFUL_FOR = timedelta(days=1)
_KEPT = timedelta(days=90)
_SOONEST_SECONDS, _LATEST_SECONDS = 10, 6 * 3600
_LONGEST_PATIENCE_SECONDS = 3600
_NO_BOT_SECONDS = 60


def post(user: User, template: str, **values: str) -> bool:
    """Write a message to the chat of an account, in the caller's transaction.

    Args:
        user: whose; without a chat nothing is written.
        template: one of ``mail/templates``, of which the short form is said.
        values: what it names; a ``link`` leads to a page that asks who somebody is.

    Returns:
        Whether there is a chat.
    """
    chat_id = service.chat_of(user.id) if line.bot is not None else None
    if chat_id is None:
        return False
    now = clock.now()
    row = TelegramMessage(
        id=ids.new_id(),
        user_id=user.id,
        chat_id=chat_id,
        template=template,
        language=user.language,
        content=safe.seal(json.dumps(values), PURPOSE),
        state=MESSAGE.initial,
        created_at=now,
        useful_until=now + USEFUL_FOR,
    )
    current().add(row)
    current().flush()
    outbox.add("telegram.send", message_id=row.id)
    return True


def copy(user_id: str, template: str, values: Mapping[str, str]) -> None:
    """Write what a letter tells an account, in the caller's transaction, if it has a chat."""
    post(users.get(user_id), template, **values)


def send(message_id: str) -> Later | None:
    """Send a message that waits; say when to come back if nobody knows whether it was taken."""
    row = db.session.get(TelegramMessage, message_id, populate_existing=True)
    if row is None or row.state != MESSAGE.initial:
        return None
    over = _over(row)
    if over is not None:
        _end(message_id, over, None)
        return None
    if line.bot is None:
        return Later(_NO_BOT_SECONDS, "telegram_not_set_up")
    bot, chat_id, text, age = line.bot, row.chat_id, _text(row), clock.now() - row.created_at
    release()
    try:
        bot.send(chat_id, text)
    except NotTaken as refusal:
        _refused(message_id, chat_id, refusal)
    except NoAnswer as error:
        return _later(error, age)
    else:
        _end(message_id, "SENT", None)
    return None


def counts(since: datetime) -> Mapping[str, int]:
    """Count the messages that wait, and those that ended since a moment, by their state."""
    asked = select(TelegramMessage.state, func.count()).where(
        or_(TelegramMessage.ended_at.is_(None), TelegramMessage.ended_at >= since)
    )
    rows = db.session.execute(asked.group_by(TelegramMessage.state))
    return {state: count for state, count in rows}  # noqa: C416 - a row is no pair to mypy


def prune(limit: int = 1000) -> int:
    """Forget messages that ended long ago; return how many."""
    old = select(TelegramMessage.id).where(TelegramMessage.ended_at < clock.now() - _KEPT)
    with transaction() as session:
        gone = session.execute(
            delete(TelegramMessage)
            .where(TelegramMessage.id.in_(old.limit(limit)))
            .returning(TelegramMessage.id)
        )
        return len(gone.all())


def _over(row: TelegramMessage) -> str | None:
    """Return how a message ends that nobody wants any more."""
    if row.useful_until <= clock.now():
        return "EXPIRED"
    return None if service.chat_of(row.user_id) == row.chat_id else "DROPPED"


def _later(error: NoAnswer, age: timedelta) -> Later:
    if isinstance(error, Throttled):
        seconds = min(error.seconds, _LONGEST_PATIENCE_SECONDS)
        return Later(seconds, "telegram_asks_for_patience")
    log.warning("telegram_silent", error=str(error))
    # As long again as it has waited: one that is taken and never answered comes a few times.
    seconds = int(age.total_seconds())
    return Later(min(max(seconds, _SOONEST_SECONDS), _LATEST_SECONDS), "telegram_silent")


def _refused(message_id: str, chat_id: int, refusal: NotTaken) -> None:
    with transaction():
        _end(message_id, "REFUSED", refusal.reason)
        if refusal.gone:
            service.end_of_chat(chat_id)
    if not refusal.gone:
        log.error("telegram_refused", message=message_id, reason=refusal.reason)


def _text(row: TelegramMessage) -> str:
    values: Mapping[str, str] = json.loads(safe.open(row.content, PURPOSE))
    return writing.short(row.template, row.language, values, test=office.test)


def _end(message_id: str, state: str, reason: str | None) -> None:
    with transaction() as session:
        session.execute(
            update(TelegramMessage)
            .where(TelegramMessage.id == message_id, TelegramMessage.state == MESSAGE.initial)
            .values(state=state, reason=reason, ended_at=clock.now(), content=b"")
        )
