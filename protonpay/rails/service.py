"""Pause and resume a rail; the same row is locked by who is about to use it.

A switch that was moved is therefore in force when its command returns: a signature that was
being made has been stored by then, and the next one finds the rail paused.
"""

import time
from collections.abc import Sequence

import structlog
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from protonpay.kernel import clock
from protonpay.rails.models import RailChange, RailSwitch
from protonpay.store.db import LOCK, after_commit, current, db, transaction

__all__ = [
    "SIGN_UPS",
    "WRITES",
    "Paused",
    "RailSwitch",
    "changes",
    "check",
    "pause",
    "paused",
    "paused_lately",
    "resume",
    "switches",
]

SIGN_UPS = "sign-ups"
"""Whether new accounts are opened."""
WRITES = "writes"
"""Whether clients change anything; what was asked for before goes on to its end."""
_LATELY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Paused(Exception):
    """The rail is closed for now: what would use it waits.

    Attributes:
        reason: why, in the words of who paused it.
    """

    def __init__(self, rail: str, reason: str) -> None:
        super().__init__(f"{rail} is paused: {reason}")
        self.reason = reason


def check(rail: str) -> None:
    """Hold a rail's switch until the caller's transaction ends, and refuse if it is paused.

    Users of one rail follow each other here, in the order in which they came; so does whoever
    moves the switch.

    Raises:
        Paused: it is.
        RuntimeError: no transaction is open.
    """
    switch = _locked(rail)
    if switch.paused:
        raise Paused(rail, switch.reason or "")


def paused(rail: str) -> bool:
    """Tell whether a rail is paused now; a moment later it may not be."""
    found = select(RailSwitch.paused).where(RailSwitch.rail == rail)
    return bool(db.session.scalar(found))


def paused_lately(rail: str) -> bool:
    """Tell whether a rail was paused a second ago at most: for what every request asks."""
    return _lately.paused(rail)


class _Lately:
    """What this process has read of switches within the last second."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[float, bool]] = {}

    def paused(self, rail: str) -> bool:
        at, known = self._read.get(rail, (0.0, False))
        now = time.monotonic()
        if now - at >= _LATELY_SECONDS:
            known = paused(rail)
            self._read[rail] = (now, known)
        return known

    def forget(self) -> None:
        self._read.clear()


_lately = _Lately()


def pause(rail: str, *, reason: str, by: str) -> bool:
    """Close a rail before its next use; return False if it was closed, and leave that as it is."""
    return _move(rail, paused=True, reason=reason, by=by)


def resume(rail: str, *, reason: str, by: str) -> bool:
    """Open a rail again; return False if it was open. What waited goes on by itself."""
    return _move(rail, paused=False, reason=reason, by=by)


def switches() -> Sequence[RailSwitch]:
    """Return every switch."""
    return db.session.scalars(
        select(RailSwitch).order_by(RailSwitch.rail), execution_options={"populate_existing": True}
    ).all()


def changes(limit: int = 50) -> Sequence[RailChange]:
    """Return the last moves of all switches, newest first."""
    return db.session.scalars(select(RailChange).order_by(RailChange.id.desc()).limit(limit)).all()


def _move(rail: str, *, paused: bool, reason: str, by: str) -> bool:
    said = {"paused": paused, "reason": reason, "changed_by": by, "changed_at": clock.now()}
    with transaction() as session:
        # Behind everybody who is using the rail at this moment, however many there are.
        for limit in ("lock_timeout", "statement_timeout"):
            session.execute(text(f"SET LOCAL {limit} = '30s'"))
        switch = _locked(rail)
        if switch.paused is paused:
            return False
        for name, value in said.items():
            setattr(switch, name, value)
        session.add(RailChange(rail=rail, **said))
        after_commit(_lately.forget)
    log.warning("rail_paused" if paused else "rail_resumed", rail=rail, reason=reason, by=by)
    return True


def _locked(rail: str) -> RailSwitch:
    found = select(RailSwitch).where(RailSwitch.rail == rail).with_for_update(**LOCK)
    again = {"populate_existing": True}
    switch: RailSwitch | None = current().scalar(found, execution_options=again)
    if switch is None:
        new = insert(RailSwitch).values(rail=rail, paused=False)
        current().execute(new.on_conflict_do_nothing())
        switch = current().scalars(found, execution_options=again).one()
    return switch
