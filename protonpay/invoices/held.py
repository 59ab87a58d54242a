"""Payments of invoices on hold: their sender is listed, and an operator decides."""

from collections.abc import Sequence

import structlog
from sqlalchemy import select

from protonpay.invoices import receiving
from protonpay.invoices.models import Invoice, InvoicePayment
from protonpay.invoices.reckoning import locked as locked_invoice
from protonpay.invoices.states import PAYMENT
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.store.db import current, db, transaction

log = structlog.get_logger(__name__)

_ON_HOLD = "ON_HOLD"


def waiting(limit: int = 200) -> Sequence[InvoicePayment]:
    """Return the payments on hold, oldest first."""
    found = select(InvoicePayment).where(InvoicePayment.state == _ON_HOLD)
    again = {"populate_existing": True}
    found = found.order_by(InvoicePayment.created_at).limit(limit)
    return db.session.scalars(found, execution_options=again).all()


def release(payment_id: str, reason: str) -> None:
    """Credit a payment to the invoice's owner after all; the invoice becomes what it makes of it.

    Raises:
        NotFound: there is no such payment.
        Conflict: it is not on hold (any more), or on its way back.
    """
    with transaction():
        invoice, payment = _locked(payment_id)
        receiving.release(invoice, payment)
        payment.hold_reason = f"{payment.hold_reason}; released: {reason}"
    log.warning("payment_released", payment_id=payment_id, reason=reason)


def locked(payment_id: str) -> InvoicePayment:
    """Return a payment that is on hold and not on its way back, in the caller's transaction.

    Raises:
        NotFound: there is no such payment.
        Conflict: it is not on hold (any more), or on its way back.
    """
    return _locked(payment_id)[1]


def returning(payment: InvoicePayment, payout_id: str, reason: str) -> None:
    """Note which payout sends a payment back, in the caller's transaction."""
    payment.return_payout_id = payout_id
    payment.hold_reason = f"{payment.hold_reason}; sent back: {reason}"
    current().flush()


def end_return(payment_id: str, payout_id: str, *, arrived: bool) -> None:
    """Note how the way back of a payment ended: if it did not arrive, it is on hold again.

    Of a payout that does not send it back any more, nothing, as of a deposit's.
    """
    with transaction():
        payment = current().get_one(InvoicePayment, payment_id, populate_existing=True)
        locked_invoice(payment.invoice_id)
        current().refresh(payment)
        if payment.state != _ON_HOLD or payment.return_payout_id != payout_id:
            return
        if arrived:
            PAYMENT.check(payment.state, "RETURNED")
            payment.state = "RETURNED"
        else:
            payment.return_payout_id = None
            log.error("payment_not_sent_back", payment_id=payment_id)


def return_of(payment_id: str) -> tuple[str, str | None]:
    """Return whose a payment was to be, and the payout that sends it back."""
    payment = db.session.get_one(InvoicePayment, payment_id, populate_existing=True)
    return payment.owner_id, payment.return_payout_id


def _locked(payment_id: str) -> tuple[Invoice, InvoicePayment]:
    payment = current().get(InvoicePayment, payment_id, populate_existing=True)
    if payment is None:
        raise NotFound("not_found", "There is no such payment.")
    # A payment moves under the lock of its invoice.
    invoice = locked_invoice(payment.invoice_id)
    current().refresh(payment)
    if payment.state != _ON_HOLD or payment.return_payout_id is not None:
        raise Conflict("state_conflict", "This payment is not on hold.")
    return invoice, payment
