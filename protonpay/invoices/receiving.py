"""Money for an invoice that came on chain, and the end of the time in which it may.

Every change of a transfer is a job, and jobs may come late, twice or in any order. Each
reads how the transfer stands now, under the lock of the invoice. Whatever the invoice has
become by then, a final transfer is credited once: it is its owner's money.
"""

from collections.abc import Callable

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.registry import network as named_network
from protonpay.invoices.models import Invoice, InvoicePayment
from protonpay.invoices.reckoning import locked, settle
from protonpay.invoices.states import CLOSED, OPEN, PAYMENT
from protonpay.kernel import clock, ids
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Entry
from protonpay.plans import service as plans
from protonpay.screening.service import screening
from protonpay.store.db import LOCK, current, transaction
from protonpay.store.jobs import Later
from protonpay.users import service as users
from protonpay.wallets import service as wallets
from protonpay.wallets.service import Incoming

log = structlog.get_logger(__name__)

HOLDER = "invoice"
_VANISHED = "VANISHED"
_DONE = ("CREDITED", "ON_HOLD", "RETURNED")
"""What follows from the transfer has followed."""


def follow(incoming_id: str) -> None:
    """Do what follows from how a transfer to an invoice's address stands now.

    Raises:
        NotFound: there is no such transfer, or no such invoice.
    """
    with transaction():
        invoice = locked(wallets.incoming(incoming_id).holder_id)
        if invoice.state in OPEN and invoice.is_over(clock.now()):
            # What came in time decides first, whichever job is the first to come.
            catch_up(invoice)
        _take(invoice, wallets.incoming(incoming_id))


def expire(invoice_id: str) -> Later | None:
    """End an invoice whose time has passed, unless money for it was there in time.

    Raises:
        NotFound: there is no such invoice.
    """
    with transaction():
        invoice = locked(invoice_id)
        now = clock.now()
        if not invoice.is_over(now):
            left = invoice.expires_at - now
            return Later(int(left.total_seconds()) + 2, "not yet")
        catch_up(invoice)
    return None


def catch_up(invoice: Invoice) -> None:
    """Let a locked invoice know all that has reached it and how late it is by now.

    A transfer may have been seen a moment before the end, and its job not have come yet.
    """
    for transfer in wallets.transfers(HOLDER, invoice.id):
        _take(invoice, transfer)
    settle(invoice)


def _take(invoice: Invoice, transfer: Incoming) -> None:
    payment = _payment_of(invoice, transfer)
    if payment is None or payment.state in _DONE:
        return
    if transfer.state == _VANISHED:
        if payment.state != _VANISHED:
            _move(payment, _VANISHED)
        settle(invoice)
        return
    # A reorg may have changed what the transaction does, before it is final.
    if payment.invoice_id != invoice.id:
        _take_away(payment, invoice)
    payment.amount_micro, payment.sender = transfer.amount_micro, transfer.sender
    if payment.state == _VANISHED:
        _move(payment, PAYMENT.initial)
    if transfer.state == "FINAL" and not _hold(payment, transfer):
        credit = entries.inside_credit if transfer.inside else entries.chain_credit
        _credit(invoice, payment, credit)
    else:
        settle(invoice)


def _take_away(payment: InvoicePayment, invoice: Invoice) -> None:
    before = locked(payment.invoice_id)
    payment.invoice_id, payment.owner_id = invoice.id, invoice.user_id
    settle(before)


def _payment_of(invoice: Invoice, transfer: Incoming) -> InvoicePayment | None:
    """Return the locked payment of a transfer; of one that vanished unfollowed there is none."""
    if transfer.state != _VANISHED:
        row = {
            "id": ids.new_id(),
            "invoice_id": invoice.id,
            "owner_id": invoice.user_id,
            "method": "CRYPTO",
            "incoming_id": transfer.id,
            "network": transfer.network,
            "tx_hash": transfer.tx_hash,
            "sender": transfer.sender,
            "amount_micro": transfer.amount_micro,
            "state": PAYMENT.initial,
            "late": invoice.state in CLOSED or invoice.is_over(transfer.seen_at),
            "created_at": transfer.seen_at,
        }
        current().execute(insert(InvoicePayment).values(row).on_conflict_do_nothing())
    return current().scalar(
        select(InvoicePayment)
        .where(InvoicePayment.incoming_id == transfer.id)
        .with_for_update(**LOCK),
        execution_options={"populate_existing": True},
    )


def release(invoice: Invoice, payment: InvoicePayment) -> None:
    """Credit a payment that was on hold, in the caller's transaction, which holds both rows."""
    _credit(invoice, payment, entries.suspense_release)


def _hold(payment: InvoicePayment, transfer: Incoming) -> bool:
    """Keep what a listed address has sent apart; the invoice is not paid by it."""
    why = screening.hit(named_network(transfer.network).family, transfer.sender, *transfer.payers)
    if why is None:
        return False
    _move(payment, "ON_HOLD")
    payment.hold_reason = why
    ledger.post(entries.chain_suspend(transfer.id, transfer.network, transfer.amount_micro))
    log.error("payment_on_hold", payment_id=payment.id, listed=why)
    return True


def _credit(
    invoice: Invoice, payment: InvoicePayment, entry: Callable[[str, str, str, Usdc, Usdc], Entry]
) -> None:
    if payment.late:
        # The end came before it, and is told before it.
        settle(invoice)
    # As of the moment it was seen, like any other deposit.
    terms = plans.terms_at(users.get(invoice.user_id).plan, payment.created_at)
    amount = payment.amount_micro
    payment.commission_micro = terms.deposit_commission(amount)
    payment.credited_at = clock.now()
    _move(payment, "CREDITED")
    ledger.post(
        entry(
            payment.incoming_id or "",
            payment.network or "",
            invoice.user_id,
            amount - payment.commission_micro,
            payment.commission_micro,
        )
    )
    settle(invoice, payment)


def _move(payment: InvoicePayment, state: str) -> None:
    PAYMENT.check(payment.state, state)
    payment.state = state
    current().flush()
