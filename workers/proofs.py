"""Heads of the book are taken, their reserves read, and both published."""

from protonpay.proofs import reserves as reading
from protonpay.proofs import service as proofs
from workers.job import drain, periodic


@periodic("proofs.heads")
def heads() -> None:
    """Take the head of the day that ended, publish what is ready, forget old trees."""
    proofs.take_daily()
    proofs.publish()
    drain(proofs.forget, 1)


@periodic("proofs.reserves")
def reserves() -> None:
    """Go on reading what our addresses hold, for heads that wait for it."""
    reading.read()
