"""Deposit addresses are made, networks watched, and what arrived is followed."""

from collections.abc import Callable, Mapping

from protonpay.deposits import crypto
from protonpay.invoices import receiving
from protonpay.store.jobs import Later
from protonpay.wallets import pool, watching
from protonpay.wallets import service as wallets
from workers.job import job, periodic

FOLLOWERS: Mapping[str, Callable[[str], Later | None]] = {
    "user": crypto.follow,
    "invoice": receiving.follow,
}
"""Who does what follows from a transfer, by the kind of its address's holder."""


@job("wallets.incoming_changed")
def incoming_changed(incoming_id: str) -> Later | None:
    """Tell the holder's room that a transfer was seen, became final or vanished."""
    return FOLLOWERS[wallets.incoming(incoming_id).holder_kind](incoming_id)


@periodic("wallets.fill_pool")
def fill_pool() -> None:
    """Make deposit addresses ahead of need."""
    pool.fill()


@periodic("wallets.watch_accounts")
def watch_accounts(network: str) -> None:
    """Look at the accounts that are due."""
    watching.watch(network)


@periodic("wallets.watch_blocks")
def watch_blocks(network: str) -> None:
    """Read new blocks."""
    watching.watch(network)
