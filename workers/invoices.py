"""Invoices end in time, refunds as their payouts end, and payers are told where their money is."""

from protonpay.invoices import cards, lookups, receiving, refunding
from protonpay.reconciliation import explaining
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


@job("invoices.look_up")
def look_up(lookup_id: str) -> Later | None:
    """Ask a network about a transaction that a payer has named."""
    asked = lookups.asked(lookup_id)
    if asked is None:
        return None
    found = explaining.explain(*asked)
    told = [lookups.Told(one.verdict, one.holder, one.asset) for one in found.lines]
    return lookups.take(lookup_id, found.network, told)
