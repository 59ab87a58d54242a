"""Write down what operators do, in the transaction that does it, and prove that nothing is missing.

Each entry's hash covers the one before it. Who changes or removes one in the database breaks the
chain at that place; who cuts off its end has another head than the one that was noted elsewhere.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import func, select

from protonpay.audit.models import AuditEntry
from protonpay.kernel import clock
from protonpay.kernel.errors import Invalid, Refusal
from protonpay.store.db import current, db, transaction

__all__ = [
    "AuditEntry",
    "Checked",
    "Operator",
    "attempted",
    "check",
    "entries",
    "looked",
    "recorded",
]

LONGEST_REASON = 500
NOTHING = b"\0" * 32
_LOCK = 0x4155444954  # "AUDIT"
_AT_ONCE = 1000

log = structlog.get_logger(__name__)

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts, and from where."""

    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at the whole chain found.

    Attributes:
        count: entries that follow from each other.
        head: the hash of the last of them.
        broken_at: the number at which the chain does not go on; None if it is whole.
    """

    count: int
    head: bytes
    broken_at: int | None


@contextmanager
def recorded(
    by: Operator, action: str, subject: str, reason: str, look: Any = None
) -> Iterator[None]:
    """Do something and write it down, both or neither; what changed nothing is no act.

    Args:
        by: who.
        action: what, as ``users.freeze``.
        subject: to what, as ``user cm…``.
        reason: why, in their words.
        look: returns what an operator sees of the subject; asked before and after.

    Raises:
        Invalid: no reason, or too long a one (``validation_error``).
    """
    why = _said(reason)
    with transaction():
        before = _seen(look)
        yield
        current().flush()
        after = _seen(look)
        if look is not None and after == before:
            return  # a repetition: nothing was done
        _append(by, action, subject, why, before, after)
    log.warning("operator_acted", action=action, subject=subject, actor=by.name, reason=why)


def looked(by: Operator, action: str, subject: str, reason: str, seen: Facts) -> None:
    """Write down that somebody sees what nobody sees unnoticed, before it is shown.

    Args:
        by: who.
        action: what, as ``kyc.documents.look``.
        subject: whose, as ``user cm…``.
        reason: why, in their words.
        seen: names it; never what it holds.

    Raises:
        Invalid: as ``recorded``.
    """
    why = _said(reason)
    with transaction():
        _append(by, action, subject, why, {}, seen)
    log.warning("operator_looked", action=action, subject=subject, actor=by.name, reason=why)


@contextmanager
def attempted(by: Operator, action: str, subject: str, reason: str) -> Iterator[None]:
    """Write down that something begins, do it, and write down how it ended.

    For what has more than one commit, or asks somebody outside: whatever happens in its middle,
    that it was begun is written.

    Args:
        by: who.
        action: what.
        subject: to what.
        reason: why.

    Raises:
        Invalid: as ``recorded``.
    """
    why = _said(reason)

    def note(outcome: str) -> None:
        with transaction():
            _append(by, action, subject, why, {}, {"outcome": outcome})

    note("begun")
    try:
        yield
    except Refusal as refusal:
        note(refusal.code)
        raise
    note("done")
    log.warning("operator_acted", action=action, subject=subject, actor=by.name, reason=why)


def _said(reason: str) -> str:
    why = reason.strip()
    if not why or len(why) > LONGEST_REASON or "\0" in why:
        said = "Say why, in at most {limit} characters."
        raise Invalid("validation_error", said, limit=LONGEST_REASON)
    return why


def entries(*, subject: str | None = None, limit: int = 50) -> Sequence[AuditEntry]:
    """Return the last entries, newest first; with a subject, those of it."""
    found = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(limit)
    if subject is not None:
        found = found.where(AuditEntry.subject == subject)
    return db.session.scalars(found).all()


def check() -> Checked:
    """Follow the whole chain."""
    number, head = 0, NOTHING
    while True:
        following = select(AuditEntry).where(AuditEntry.number > number)
        some = db.session.scalars(
            following.order_by(AuditEntry.number).limit(_AT_ONCE),
            execution_options={"populate_existing": True},
        ).all()
        for entry in some:
            follows = entry.number == number + 1 and entry.previous_hash == head
            if not follows or entry.hash != _hash(entry):
                return Checked(number, head, number + 1)
            number, head = entry.number, entry.hash
        if len(some) < _AT_ONCE:
            return Checked(number, head, None)


def _append(
    by: Operator, action: str, subject: str, reason: str, before: Facts, after: Facts
) -> None:
    # One at a time: each follows from the one before, and numbers have no gaps.
    current().execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = current().scalar(select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1))
    entry = AuditEntry(
        number=last.number + 1 if last else 1,
        at=clock.now(),
        actor=by.name,
        origin=by.origin,
        action=action,
        subject=subject,
        reason=reason,
        before=before,
        after=after,
        previous_hash=last.hash if last else NOTHING,
    )
    entry.hash = _hash(entry)
    current().add(entry)
    current().flush()


def _seen(look: Any) -> Facts:
    # As JSON has it: what is hashed is what is read back.
    seen: Facts = json.loads(json.dumps(look() if look else {}, default=str))
    return seen


def _hash(entry: AuditEntry) -> bytes:
    facts = {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "origin": entry.origin,
        "action": entry.action,
        "subject": entry.subject,
        "reason": entry.reason,
        "before": entry.before,
        "after": entry.after,
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(entry.previous_hash + text.encode()).digest()
