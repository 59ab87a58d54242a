"""Every rail compared with the book, all the time."""

from protonpay.cards.registry import PROVIDERS
from protonpay.chains.registry import NETWORKS
from protonpay.reconciliation import service as reconciliation
from workers.job import drain, periodic


@periodic("reconciliation.networks")
def networks() -> None:
    """Go on with the addresses of each network."""
    for name in NETWORKS:
        drain(lambda rail=name: reconciliation.step(rail), 1)  # type: ignore[misc] # bound now


@periodic("reconciliation.providers")
def providers() -> None:
    """Ask each provider about some payments: callbacks wait behind this, so not about many."""
    for name in reconciliation.rails():
        if name in PROVIDERS:
            reconciliation.step(name)


@periodic("reconciliation.ledger")
def ledger() -> None:
    """Compare the book with itself."""
    drain(lambda: reconciliation.step(reconciliation.LEDGER), 1)
