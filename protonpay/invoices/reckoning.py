"""What an invoice becomes by the money that came: the one place that moves it.

Joins the caller's transaction, which holds the invoice's row: whoever decides about an
invoice decides alone.
"""

from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, select

from protonpay.invoices.models import Invoice, InvoicePayment, InvoiceRefund
from protonpay.invoices.states import INVOICE, OPEN, REFUND, Received, become
from protonpay.kernel import clock, events
from protonpay.kernel.errors import NotFound
from protonpay.kernel.money import ZERO, Usdc
from protonpay.store.db import LOCK, current, db
from protonpay.store.events import publish

log = structlog.get_logger(__name__)

CURRENCY = "USDC"


def locked(invoice_id: str) -> Invoice:
    """Take an invoice's row until the transaction ends. Taken before a user's and the ledger's.

    Raises:
        NotFound: there is none.
    """
    mine = select(Invoice).where(Invoice.id == invoice_id).with_for_update(**LOCK)
    found: Invoice | None = current().scalar(mine, execution_options={"populate_existing": True})
    if found is None:
        raise NotFound("not_found", "There is no such invoice.")
    return found


def settle(invoice: Invoice, credited: InvoicePayment | None = None) -> None:
    """Bring an invoice to where its money and the time put it, and tell what happened.

    Args:
        invoice: locked.
        credited: a payment that this transaction credits.
    """
    current().flush()
    before, received = invoice.state, _received(invoice.id)
    invoice.received_micro = received.total
    over = invoice.is_over(clock.now())
    after = become(before, invoice.terms, received, invoice.refunded_micro, over=over)
    if credited is not None and before != "PAID":
        invoice.late = invoice.late or credited.late
    if after != before:
        move(invoice, after)
    current().flush()
    if credited is not None:
        _tell_payment(invoice, credited, before)
    if invoice.state == "EXPIRED" != before:
        tell(events.INVOICE_EXPIRED, invoice)


def move(invoice: Invoice, state: str) -> None:
    """Move a locked invoice along its table."""
    INVOICE.check(invoice.state, state)
    invoice.state = state
    now = clock.now()
    if state == "PAID":
        invoice.paid_at = now
    if state not in OPEN and invoice.ended_at is None:
        invoice.ended_at = now


def give_back(invoice: Invoice, row: InvoiceRefund) -> None:
    """End a refund of a locked invoice: its money has gone back."""
    REFUND.check(row.state, "COMPLETED")
    row.state, row.ended_at = "COMPLETED", clock.now()
    current().flush()
    # A bank may take back what its owner's own refund was already carrying to a wallet.
    refunded = invoice.refunded_micro + row.amount_micro
    invoice.refunded_micro = min(invoice.received_micro, refunded)
    if refunded > invoice.received_micro:
        beyond = str(refunded - invoice.received_micro)
        log.error("refund_beyond_invoice", invoice_id=invoice.id, refund_id=row.id, beyond=beyond)
    settle(invoice)
    tell(
        events.INVOICE_REFUNDED,
        invoice,
        refundId=row.id,
        refundAmount=str(row.amount_micro),
        payoutId=row.payout_id,
    )


def left(invoice: Invoice, method: str) -> Usdc:
    """Return what came for an invoice in a way and neither went back nor is about to.

    Args:
        invoice: locked, if what follows depends on it.
        method: ``BALANCE``, or ``CRYPTO`` for all that goes back to a wallet: cards, too.
    """
    balance = method == "BALANCE"
    came = (InvoicePayment.method == "BALANCE") == balance
    went = InvoiceRefund.payer_id.is_not(None) == balance
    return max(ZERO, _came(invoice.id, came) - _went(invoice.id, went))


def claimable(invoice: Invoice) -> Usdc:
    """Return how much its payer may ask back: what the owner's invoice does not ask for.

    Of a paid one that is what came beyond its amount; of one that was not paid, all of it. Only
    what came on chain: a card's money goes back to the card, a balance's to the balance.
    """
    net = _came(invoice.id) - _went(invoice.id)
    earned = ZERO if invoice.paid_at is None else invoice.amount_micro
    on_chain = _came(invoice.id, InvoicePayment.method == "CRYPTO") - _went(
        invoice.id, InvoiceRefund.payout_id.is_not(None)
    )
    return max(ZERO, min(net - earned, on_chain))


def _came(invoice_id: str, *which: ColumnElement[bool]) -> Usdc:
    came = select(func.sum(InvoicePayment.amount_micro)).where(
        InvoicePayment.invoice_id == invoice_id, InvoicePayment.state == "CREDITED", *which
    )
    return db.session.scalar(came) or ZERO


def _went(invoice_id: str, *which: ColumnElement[bool]) -> Usdc:
    went = select(func.sum(InvoiceRefund.amount_micro)).where(
        InvoiceRefund.invoice_id == invoice_id, InvoiceRefund.state != "FAILED", *which
    )
    return db.session.scalar(went) or ZERO


def tell(event: str, invoice: Invoice, **more: str | None) -> None:
    """Publish what happened to an invoice, to its owner."""
    data: dict[str, Any] = {
        "id": invoice.id,
        "userId": invoice.user_id,
        "amount": str(invoice.amount_micro),
        "currency": CURRENCY,
        "status": invoice.state,
        "amountPaid": str(invoice.received_micro),
        "amountDue": str(invoice.due),
        "amountRefunded": str(invoice.refunded_micro),
        "underpaidWithinTolerance": invoice.is_short,
        "overpaid": bool(invoice.over),
        "overpaidAmount": str(invoice.over),
        "late": invoice.late,
        "metadata": dict(invoice.attached),
        **more,
    }
    publish(event, invoice.user_id, data)


def _tell_payment(invoice: Invoice, payment: InvoicePayment, before: str) -> None:
    event = _event_of_payment(invoice, before)
    if event is not None:
        tell(
            event,
            invoice,
            paymentId=payment.id,
            paymentAmount=str(payment.amount_micro),
            method=payment.method,
            network=payment.network,
            txHash=payment.tx_hash,
        )


def _event_of_payment(invoice: Invoice, before: str) -> str | None:
    if before == "PAID":
        return events.INVOICE_OVERPAID if invoice.over else None
    if invoice.state == "PAID":
        return events.INVOICE_PAID
    return events.INVOICE_PARTIALLY_PAID if before in OPEN else events.INVOICE_LATE_PAYMENT


def _received(invoice_id: str) -> Received:
    amount, late = func.sum(InvoicePayment.amount_micro), InvoicePayment.late
    credited = InvoicePayment.state == "CREDITED"
    sums = select(
        amount.filter(credited, ~late),
        amount.filter(credited, late),
        amount.filter(InvoicePayment.state == "SEEN", ~late),
    ).where(InvoicePayment.invoice_id == invoice_id)
    return Received(*(_amount(one) for one in current().execute(sums).one()))


def _amount(found: Usdc | None) -> Usdc:
    return ZERO if found is None else found
