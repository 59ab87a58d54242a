"""What is sent back ends as its payout ends."""

from protonpay.holds import service as holds
from protonpay.store.jobs import Later
from workers.job import job


@job("holds.follow_return")
def follow_return(kind: str, hold_id: str) -> Later | None:
    """Look how the payout that sends something back ended."""
    return holds.follow_return(kind, hold_id)
