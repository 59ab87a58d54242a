"""Sign-ins that failed, as the owner of the account reads them.

What strangers do is counted, not copied: in ten minutes there is a row for each address and reason,
and no more than so many of them, however many try from wherever.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import structlog

from protonpay.auth.devices import Device
from protonpay.auth.models import FailedSignIn
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Forbidden, Refusal, Unavailable
from protonpay.store import db, expired
from protonpay.store.db import transaction
from protonpay.store.lists import Part, newest_first

log = structlog.get_logger(__name__)

PASSWORD, CODE, PASSKEY, SUSPENDED = "wrong_password", "wrong_code", "wrong_passkey", "suspended"
REASONS = (PASSWORD, CODE, PASSKEY, SUSPENDED)
MOST_ROWS = 20
"""Of ten minutes; what comes from further addresses is one row without an address."""
KEPT = timedelta(days=90)
_SPAN = timedelta(minutes=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of nobody it writes nothing, and takes as long: an address is not found out by it.
_NOTE = """
    INSERT INTO failed_sign_ins AS row (
        id, user_id, reason, address, agent, count, created_at, last_at, slot, expires_at)
    SELECT %(id)s, owner.id, %(reason)s,
           CASE WHEN near.known OR near.rows < %(most)s THEN %(address)s ELSE '' END,
           %(agent)s, 1, %(now)s, %(now)s, %(slot)s, %(expires)s
    FROM users AS owner, LATERAL (
        SELECT count(*) AS rows,
               coalesce(bool_or(address = %(address)s AND reason = %(reason)s), false) AS known
        FROM failed_sign_ins WHERE user_id = owner.id AND slot = %(slot)s) AS near
    WHERE owner.id = %(user)s
    ON CONFLICT (user_id, slot, address, reason) DO UPDATE
    SET count = row.count + 1, last_at = excluded.last_at, agent = excluded.agent
"""


def note(user_id: str | None, reason: str, device: Device) -> None:
    """Write down that a sign-in failed, in a transaction of its own; never in the way.

    Args:
        user_id: whose account; None of an address that has none.
        reason: one of ``REASONS``.
        device: where it came from.
    """
    now = clock.now()
    told = {
        "id": ids.new_id(),
        "user": user_id,
        "reason": reason,
        "address": device.address,
        "agent": device.agent,
        "now": now,
        "slot": now - (now - _EPOCH) % _SPAN,
        "expires": now + KEPT,
        "most": MOST_ROWS,
    }
    try:
        with transaction():
            db.commit_without_waiting()
            expired.drop(FailedSignIn)
            db.execute(_NOTE, told)
    except Unavailable as error:
        log.warning("failed_sign_in_not_noted", error=repr(error))


@contextmanager
def noted(user_id: str, reason: str, device: Device, *codes: str) -> Iterator[None]:
    """Note it if the block refuses with one of these codes, or because of a suspension."""
    try:
        yield
    except Refusal as refusal:
        if isinstance(refusal, Forbidden):
            note(user_id, SUSPENDED, device)
        elif refusal.code in codes:
            note(user_id, reason, device)
        raise


def listed(user_id: str, part: Part) -> Sequence[FailedSignIn]:
    """Return a part of the sign-ins to an account that failed, newest first."""
    return newest_first(FailedSignIn, part, FailedSignIn.user_id == user_id)
