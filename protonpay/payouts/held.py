"""Payouts on hold: an operator lets them go on, or gives their money back."""

from collections.abc import Sequence

import structlog
from sqlalchemy import select

from protonpay.kernel.errors import Conflict, NotFound
from protonpay.payouts import ending
from protonpay.payouts.models import Payout
from protonpay.payouts.states import PAYOUT
from protonpay.store import outbox
from protonpay.store.db import db, transaction

log = structlog.get_logger(__name__)

_ON_HOLD = "ON_HOLD"


def waiting(limit: int = 200) -> Sequence[Payout]:
    """Return the payouts on hold, oldest first."""
    found = select(Payout).where(Payout.state == _ON_HOLD).order_by(Payout.created_at).limit(limit)
    return db.session.scalars(found, execution_options={"populate_existing": True}).all()


def release(payout_id: str, reason: str) -> None:
    """Let a payout go on; it is not held for its payee again.

    Raises:
        NotFound: there is no such payout.
        Conflict: it is not on hold (any more).
    """
    with transaction():
        payout = _locked(payout_id)
        PAYOUT.check(payout.state, PAYOUT.initial)
        payout.state, payout.cleared = PAYOUT.initial, True
        payout.hold_reason = f"{payout.hold_reason}; released: {reason}"
        outbox.add("payouts.sign", payout_id=payout_id)
    log.warning("payout_released", payout_id=payout_id, reason=reason)


def refund(payout_id: str, reason: str) -> None:
    """End a payout and give back what it had set aside.

    Raises:
        NotFound: there is no such payout.
        Conflict: it is not on hold (any more).
    """
    with transaction():
        payout = _locked(payout_id)
        payout.hold_reason = f"{payout.hold_reason}; refunded: {reason}"
        ending.fail(payout_id, "refused_on_review")
    log.warning("payout_refunded", payout_id=payout_id, reason=reason)


def _locked(payout_id: str) -> Payout:
    payout = db.session.get(Payout, payout_id, with_for_update=True, populate_existing=True)
    if payout is None:
        raise NotFound("not_found", "There is no such payout.")
    if payout.state != _ON_HOLD:
        raise Conflict("state_conflict", "This payout is not on hold.")
    return payout
