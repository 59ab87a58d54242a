"""Invoices end in time, and refunds as their payouts end."""

from protonpay.invoices import cards, receiving, refunding
from protonpay.store.jobs import Later
from workers.job import job


@job("invoices.expire")
def expire(invoice_id: str) -> Later | None:
    """End an invoice that nobody has paid in time."""
    return receiving.expire(invoice_id)


@job("invoices.follow_refund")
def follow_refund(refund_id: str) -> Later | None:
    """Look how the payout of a refund ended."""
    return refunding.follow(refund_id)


@job("invoices.follow_card")
def follow_card(deposit_id: str) -> None:
    """Do what follows from how a card deposit for an invoice stands."""
    cards.follow(deposit_id)
