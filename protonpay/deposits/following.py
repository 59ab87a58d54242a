"""Let the room of an invoice know that a card deposit for it has changed."""

from protonpay.deposits.models import Deposit
from protonpay.store import outbox


def changed(deposit: Deposit) -> None:
    """Order the look of who follows a deposit, in the transaction that changes it."""
    if deposit.invoice_id is not None:
        outbox.add("invoices.follow_card", deposit_id=deposit.id)
