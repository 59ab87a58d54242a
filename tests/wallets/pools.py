"""A pool of addresses for tests: made by the tests' keyring, as the chain worker would."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.keyring import Keyring
from protonpay.chains.registry import NETWORKS, chains
from protonpay.kernel import clock
from protonpay.store.db import transaction
from protonpay.wallets import pool
from protonpay.wallets.models import WatchMark


def begin_watches(height: int = 0) -> None:
    """Let every network's watch have a beginning."""
    row = {"height": height, "seen_height": height, "looked_at": clock.now()}
    with transaction() as session:
        rows = [{"network": name, **row} for name in NETWORKS]
        session.execute(insert(WatchMark).values(rows).on_conflict_do_nothing())


def fill(keyring_path: Path, passphrase: str, count: int = 4) -> None:
    """Make addresses of each family in this process, which then forgets the keys again."""
    bound = chains._bound()
    begin_watches()
    chains._settings = replace(bound, keyring=Keyring.open(keyring_path, passphrase))
    try:
        pool.fill(count)
    finally:
        chains._settings = bound
