"""The steps of a sweep, one job each, and the round that asks for them."""

from protonpay.store.jobs import Later
from protonpay.treasury import service, sweeping
from workers.job import job, periodic


@periodic("treasury.look")
def look() -> None:
    """Ask for sweeps where there is something to sweep."""
    service.look()


@job("treasury.sign")
def sign(network: str, everything: int = 0) -> Later | None:
    """Plan, check, sign and store."""
    sweeping.sign(network, everything)
    return None


@job("treasury.broadcast")
def broadcast(batch_id: int) -> Later | None:
    """Hand the bytes to the node."""
    sweeping.broadcast(batch_id)
    return None


@job("treasury.confirm")
def confirm(batch_id: int) -> Later | None:
    """End sweeps on a final answer."""
    return sweeping.confirm(batch_id)
