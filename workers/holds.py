"""Deposits that are sent back end as their payouts end."""

from protonpay.holds import service as holds
from protonpay.store.jobs import Later
from workers.job import job


@job("holds.follow_return")
def follow_return(deposit_id: str) -> Later | None:
    """Look how the payout that sends a deposit back ended."""
    return holds.follow_return(deposit_id)
