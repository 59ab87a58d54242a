"""What an owner does about an invoice: let it last longer, take less, note something.

In a sandbox, where nobody has to wait for it, its time is over when they say so.
"""

from datetime import datetime, timedelta

from protonpay.invoices import receiving
from protonpay.invoices.models import Invoice
from protonpay.invoices.reckoning import locked, settle, tell
from protonpay.invoices.service import LONGEST_SECONDS, check_open
from protonpay.kernel import clock, events
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.store.db import transaction


def prolong(user_id: str, invoice_id: str, expires_at: datetime) -> Invoice:
    """Let an invoice be payable for longer; how often its payer may have more time stays.

    Args:
        user_id: the invoice's owner.
        invoice_id: which.
        expires_at: its new end; the one that it has, to the second, changes nothing.

    Raises:
        NotFound: there is no such invoice, or it is somebody else's.
        Conflict: it cannot be paid any more, or a payment is on its way (``state_conflict``).
        Invalid: that is before its end, or later than an invoice can last (``validation_error``).
    """
    with transaction():
        invoice = _locked(user_id, invoice_id)
        receiving.catch_up(invoice)
        check_open(invoice)
        end, new_end = clock.second(invoice.expires_at), clock.second(expires_at)
        if new_end < end:
            raise _no_end("It can be paid until later than that already.")
        if expires_at > invoice.created_at + timedelta(seconds=LONGEST_SECONDS):
            raise _no_end("It can be paid for 90 days at most, from when it was made.")
        if new_end > end:
            invoice.expires_at = expires_at
    return invoice


def run_out(user_id: str, invoice_id: str) -> Invoice:
    """End an invoice as its time would, now; what was seen before counts as in time.

    Raises:
        NotFound: there is no such invoice, or it is somebody else's.
        Conflict: it has ended, or a payment is on its way (``state_conflict``).
    """
    with transaction():
        invoice = _locked(user_id, invoice_id)
        receiving.catch_up(invoice)
        check_open(invoice)
        # The second that is told as its end counts whole: the one before this is over.
        invoice.expires_at = clock.second(clock.now()) - timedelta(microseconds=1)
        receiving.catch_up(invoice)
    return invoice


def accept(user_id: str, invoice_id: str) -> Invoice:
    """Count an invoice as paid by what has come: too little, or too late.

    Raises:
        NotFound: there is none, or it is somebody else's.
        Conflict: nothing has come, a payment is on its way, or it is decided already
            (``state_conflict``).
    """
    with transaction():
        invoice = _locked(user_id, invoice_id)
        receiving.catch_up(invoice)
        if invoice.state not in ("PENDING", "EXPIRED") or not invoice.received_micro:
            raise Conflict("state_conflict", "There is nothing to accept now.")
        invoice.accepted_at = clock.now()
        settle(invoice)
        tell(events.INVOICE_PAID, invoice)
    return invoice


def annotate(user_id: str, invoice_id: str, note: str | None) -> Invoice:
    """Write a note about an invoice, in place of the one before; None takes it away.

    Raises:
        NotFound: there is no such invoice, or it is somebody else's.
    """
    with transaction():
        invoice = _locked(user_id, invoice_id)
        invoice.note = note
    return invoice


def _locked(user_id: str, invoice_id: str) -> Invoice:
    invoice = locked(invoice_id)
    if invoice.user_id != user_id:
        raise NotFound("not_found", "There is no such invoice.")
    return invoice


def _no_end(said: str) -> Invalid:
    return Invalid("validation_error", said, fields={"json": {"expiresAt": [said]}})
