"""Keep the pool of deposit addresses full: for the process that holds the keyring."""

import structlog
from sqlalchemy import func, insert, select

from protonpay.chains.keyring import Keyring
from protonpay.chains.registry import NETWORKS, chains
from protonpay.kernel import clock
from protonpay.store.db import current, db, transaction
from protonpay.wallets.models import NUMBERS, DepositAddress, WatchMark
from protonpay.wallets.service import free_addresses

log = structlog.get_logger(__name__)

_FREE = 500
"""How many wait for a holder: what a busy minute claims, and refilled every second."""


def fill(most: int = 250) -> int:
    """Derive and sign up to so many addresses of each family; return how many were made.

    Raises:
        RuntimeError: this process has no keyring.
    """
    keys, unwatched = chains.keyring(), _unwatched_families()
    made = 0
    for family, free in free_addresses().items():
        missing = min(_FREE - free, most)
        if family in unwatched:
            log.warning("pool_waits_for_watch", family=family)
        elif missing > 0:
            _make(keys, family, missing)
            made += missing
    return made


def _unwatched_families() -> set[str]:
    """Name the families with a network whose watch has no beginning yet.

    Nobody may be paid in a block that no watch will ever read, so nothing is handed out.
    """
    begun = set(db.session.scalars(select(WatchMark.network)))
    return {of.family for name, of in NETWORKS.items() if name not in begun}


def _make(keys: Keyring, family: str, count: int) -> None:
    with transaction() as session:
        rows = []
        for number in _numbers(count):
            address, proof = keys.deposit_address(family, number)
            rows.append({"family": family, "number": number, "address": address, "proof": proof})
        session.execute(insert(DepositAddress).values(made_at=clock.now()), rows)


def _numbers(count: int) -> list[int]:
    """Take derivation indexes: a sequence gives none twice, whatever becomes of the taker."""
    taken = select(func.nextval(NUMBERS.name)).select_from(func.generate_series(1, count))
    return list(current().scalars(taken))
