"""Whether payouts of a network may be signed now."""

from protonpay.chains.port import NotReady
from protonpay.rails import service as rails


def check(network: str) -> None:
    """Refuse to sign while the network's payouts are paused, in the caller's transaction.

    Until that ends nobody can pause them: a pause is in force before the next signature.

    Raises:
        NotReady: they are (``payouts_paused``).
    """
    try:
        rails.check(network)
    except rails.Paused as paused:
        raise NotReady("payouts_paused", paused.reason) from paused
