"""What card providers told us, and what they did not."""

from protonpay.deposits import settling
from protonpay.store.jobs import Later
from workers.job import job, periodic


@job("deposits.card_callback")
def take(provider: str, provider_ref: str) -> Later | None:
    """Ask the provider about the payment a callback named."""
    return settling.ask_about(provider, provider_ref)


@job("deposits.card_check")
def check(deposit_id: str) -> Later | None:
    """Look after a deposit whose callback may never come."""
    return settling.check(deposit_id)


@periodic("cards.beat")
def beat() -> None:
    """Show that this queue is served."""
