"""Payouts on hold: operators let them go on, or give their money back.

One may be on hold for its payee, for its size, or for both: it goes on after the last decision.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import ColumnElement, select

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.payouts import approval, ending
from protonpay.payouts.models import Payout
from protonpay.payouts.states import PAYOUT
from protonpay.store import outbox
from protonpay.store.db import LOCK, db, transaction

__all__ = ["Payout", "approve", "get", "large", "refund", "refuse", "release", "waiting"]

log = structlog.get_logger(__name__)

_ON_HOLD = "ON_HOLD"


def waiting(limit: int = 200) -> Sequence[Payout]:
    """Return the payouts on hold for their payee, oldest first."""
    return _waiting(limit, Payout.hold_reason.is_not(None), Payout.cleared.is_(False))


def large(limit: int = 200) -> Sequence[Payout]:
    """Return the payouts that wait for a second person, oldest first."""
    return _waiting(limit, Payout.approval == approval.WAITING)


def get(payout_id: str) -> Payout:
    """Return a payout of whomever.

    Raises:
        NotFound: there is none.
    """
    payout = db.session.get(Payout, payout_id, populate_existing=True)
    if payout is None:
        raise NotFound("not_found", "There is no such payout.")
    return payout


def approve(payout_id: str) -> Payout:
    """Let a large payout go on, in the caller's transaction.

    Raises:
        NotFound: there is no such payout.
        Conflict: it does not wait for that (any more).
    """
    payout = _locked(payout_id)
    _check_large(payout)
    payout.approval = approval.GIVEN
    _go_on(payout)
    return payout


def refuse(payout_id: str) -> Payout:
    """End a large payout and give back what it had set aside, in the caller's transaction.

    Raises:
        NotFound, Conflict: as ``approve``.
    """
    payout = _locked(payout_id)
    _check_large(payout)
    ending.fail(payout_id, "refused_on_review")
    return payout


def release(payout_id: str, reason: str) -> None:
    """Let a payout go on; it is not held for its payee again.

    Raises:
        NotFound: there is no such payout.
        Conflict: it is not on hold (any more).
    """
    with transaction():
        payout = _locked(payout_id)
        _check_screened(payout)
        payout.cleared = True
        payout.hold_reason = f"{payout.hold_reason}; released: {reason}"
        _go_on(payout)
    log.warning("payout_released", payout_id=payout_id, reason=reason)


def refund(payout_id: str, reason: str) -> None:
    """End a payout and give back what it had set aside.

    Raises:
        NotFound: there is no such payout.
        Conflict: it is not on hold (any more).
    """
    with transaction():
        payout = _locked(payout_id)
        _check_screened(payout)
        payout.hold_reason = f"{payout.hold_reason}; refunded: {reason}"
        ending.fail(payout_id, "refused_on_review")
    log.warning("payout_refunded", payout_id=payout_id, reason=reason)


def _go_on(payout: Payout) -> None:
    if payout.approval == approval.WAITING or not (payout.cleared or payout.hold_reason is None):
        return  # the other decision is still to come
    PAYOUT.check(payout.state, PAYOUT.initial)
    payout.state, payout.approved_at = PAYOUT.initial, clock.now()
    outbox.add("payouts.sign", payout_id=payout.id)


def _check_screened(payout: Payout) -> None:
    if payout.cleared or payout.hold_reason is None:
        raise Conflict("state_conflict", "This payout is not on hold.")


def _check_large(payout: Payout) -> None:
    if payout.approval != approval.WAITING:
        raise Conflict("state_conflict", "This payout is not on hold.")


def _waiting(limit: int, *which: ColumnElement[bool]) -> Sequence[Payout]:
    found = select(Payout).where(Payout.state == _ON_HOLD, *which)
    oldest = found.order_by(Payout.created_at).limit(limit)
    return db.session.scalars(oldest, execution_options={"populate_existing": True}).all()


def _locked(payout_id: str) -> Payout:
    payout = db.session.get(Payout, payout_id, with_for_update=LOCK, populate_existing=True)
    if payout is None:
        raise NotFound("not_found", "There is no such payout.")
    if payout.state != _ON_HOLD:
        raise Conflict("state_conflict", "This payout is not on hold.")
    return payout
