"""The rest of an invoice that ended when only a part of it was paid.

Its addresses are closed, so nothing more may be sent to them. Whoever has its page may ask for an
invoice for the rest; its owner decides, and the old page leads to the new one (ADR 33).
"""

from datetime import timedelta

from sqlalchemy import select

from protonpay.invoices import letters, receiving
from protonpay.invoices.models import Invoice
from protonpay.invoices.reckoning import locked
from protonpay.invoices.states import INVOICE
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict
from protonpay.store.db import db, transaction

_ANSWERS_WITHIN = timedelta(days=1)
"""For so long an owner is not written to again."""


def ask(invoice_id: str) -> None:
    """Write to the owner of an invoice that its payer would pay the rest.

    Raises:
        NotFound: there is no such invoice.
        Conflict: nothing is missing, it is still open, was asked within the day, or the invoice
            for the rest is there (``state_conflict``).
    """
    with transaction():
        invoice = locked(invoice_id)
        receiving.catch_up(invoice)
        if not may_ask(invoice):
            raise Conflict("state_conflict", "The rest of this invoice cannot be asked for now.")
        invoice.rest_asked_at = clock.now()
        letters.tell_of_rest(invoice)


def may_ask(invoice: Invoice) -> bool:
    """Tell whether its payer may ask for an invoice for the rest now."""
    asked = invoice.rest_asked_at
    lately = asked is not None and clock.now() - asked < _ANSWERS_WITHIN
    return is_short(invoice) and not lately and issued(invoice) is None


def is_short(invoice: Invoice) -> bool:
    """Tell whether an invoice ended with a part of it paid and none given back."""
    part = bool(invoice.received_micro and invoice.missing) and not invoice.refunded_micro
    return invoice.state == "EXPIRED" and part


def issued(invoice: Invoice) -> Invoice | None:
    """Return the newest invoice for the rest of one that ended, while it can be paid."""
    if not is_short(invoice):
        return None
    found = select(Invoice).where(
        Invoice.rest_of_id == invoice.id,
        Invoice.state == INVOICE.initial,
        ~Invoice.is_over(clock.now()),
    )
    newest = found.order_by(Invoice.created_at.desc(), Invoice.id.desc()).limit(1)
    return db.session.scalar(newest, execution_options={"populate_existing": True})
