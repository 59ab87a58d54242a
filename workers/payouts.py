"""The steps of a payout, one job each."""

from protonpay.payouts import payees, paying, sending, waits
from protonpay.store.jobs import Later
from workers.job import job, periodic


@job("payouts.sign")
def sign(payout_id: str) -> Later | None:
    """Sign, store and hand in."""
    return paying.pay(payout_id)


@job("payouts.broadcast")
def broadcast(attempt_id: int) -> None:
    """Hand the bytes to the node."""
    sending.broadcast(attempt_id)


@job("payouts.outbid")
def outbid(attempt_id: int) -> Later | None:
    """Raise the fees of what is not mined."""
    return sending.outbid(attempt_id)


@job("payouts.confirm")
def confirm(attempt_id: int) -> Later | None:
    """Settle, release or sign anew."""
    return sending.confirm(attempt_id)


@job("payouts.look_at_payee")
def look_at_payee(network: str, address: str) -> None:
    """Ask what stands at an address that somebody means to pay."""
    payees.find_out(network, address)


@periodic("chains.heads")
def look_at_heads() -> None:
    """Note how far each network is."""
    sending.look_at_heads()


@periodic("payouts.waits")
def look_at_waits() -> None:
    """Shout if payouts wait too long for money of ours."""
    waits.alarm.look()
