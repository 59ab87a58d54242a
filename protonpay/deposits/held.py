"""Deposits on hold: their sender is listed, and an operator decides."""

from collections.abc import Sequence

import structlog
from sqlalchemy import select

from protonpay.deposits import crypto
from protonpay.deposits.models import Deposit
from protonpay.deposits.states import DEPOSIT
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.store.db import LOCK, current, db, transaction

log = structlog.get_logger(__name__)

_ON_HOLD = "ON_HOLD"


def waiting(limit: int = 200) -> Sequence[Deposit]:
    """Return the deposits on hold, oldest first."""
    found = select(Deposit).where(Deposit.state == _ON_HOLD).order_by(Deposit.created_at)
    again = {"populate_existing": True}
    return db.session.scalars(found.limit(limit), execution_options=again).all()


def release(deposit_id: str, reason: str) -> None:
    """Credit a deposit to its user after all.

    Raises:
        NotFound: there is no such deposit.
        Conflict: it is not on hold (any more), or on its way back.
    """
    with transaction():
        deposit = locked(deposit_id)
        crypto.release(deposit)
        deposit.reason = f"{deposit.reason}; released: {reason}"
    log.warning("deposit_released", deposit_id=deposit_id, reason=reason)


def locked(deposit_id: str) -> Deposit:
    """Return a deposit that is on hold and not on its way back, in the caller's transaction.

    Raises:
        NotFound: there is no such deposit.
        Conflict: it is not on hold (any more), or on its way back.
    """
    deposit = current().get(Deposit, deposit_id, with_for_update=LOCK, populate_existing=True)
    if deposit is None:
        raise NotFound("not_found", "There is no such deposit.")
    if deposit.state != _ON_HOLD or deposit.return_payout_id is not None:
        raise Conflict("state_conflict", "This deposit is not on hold.")
    return deposit


def returning(deposit: Deposit, payout_id: str, reason: str) -> None:
    """Note which payout sends a deposit back, in the caller's transaction."""
    deposit.return_payout_id = payout_id
    deposit.reason = f"{deposit.reason}; sent back: {reason}"
    current().flush()


def end_return(deposit_id: str, payout_id: str, *, arrived: bool) -> None:
    """Note how the way back of a deposit ended: if it did not arrive, it is on hold again.

    Of a payout that does not send it back any more, nothing: who comes late may have looked at one
    after whose end somebody has sent it once more.
    """
    with transaction() as session:
        deposit = session.get_one(Deposit, deposit_id, with_for_update=LOCK, populate_existing=True)
        if deposit.state != _ON_HOLD or deposit.return_payout_id != payout_id:
            return
        if arrived:
            DEPOSIT.check(deposit.state, "RETURNED")
            deposit.state, deposit.ended_at = "RETURNED", clock.now()
        else:
            deposit.return_payout_id = None
            log.error("deposit_not_sent_back", deposit_id=deposit_id)


def return_of(deposit_id: str) -> tuple[str, str | None]:
    """Return whose a deposit is, and the payout that sends it back."""
    deposit = db.session.get_one(Deposit, deposit_id, populate_existing=True)
    return deposit.user_id, deposit.return_payout_id
