"""Card providers, real chains and a book that may be broken, behind the real application."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from protonpay.chains.evm_snapshot import EvmSnapshot
from protonpay.chains.registry import BASE, SOLANA, chains
from protonpay.chains.solana_snapshot import SolanaSnapshot
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.store.db import transaction
from tests.committed import open_house
from tests.deposits.conftest import market, played, till
from tests.wallets.conftest import (
    base,
    evm,
    evm_funded,
    evm_url,
    fill,
    node,
    payee,
    solana,
    solana_process,
)
from tests.wallets.pools import Careful

__all__ = [
    "base",
    "evm",
    "evm_funded",
    "evm_url",
    "fill",
    "market",
    "node",
    "open_house",
    "payee",
    "played",
    "solana",
    "solana_process",
    "till",
]


@pytest.fixture
def base_seen(base: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """Base, looked at as a whole through the same node that a test may spoil."""
    seen = EvmSnapshot(BASE, base.rpc, chains.addresses())
    chains._snapshots["Base"] = Careful(seen)  # type: ignore[assignment] # stands before it
    base.snapshot = seen
    # What earlier tests have put in is the house's own.
    base.capital = base.world.held(chains.addresses().treasury["evm"])
    if base.capital:
        with transaction():
            ledger.post(entries.capital("of earlier tests", "Base", Usdc(base.capital)))
    yield base
    chains._snapshots.clear()


@pytest.fixture
def solana_seen(solana: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """Solana, in the same way."""
    seen = SolanaSnapshot(SOLANA, solana.rpc, chains.addresses())
    chains._snapshots["Solana"] = Careful(seen)  # type: ignore[assignment] # stands before it
    solana.snapshot = seen
    yield solana
    chains._snapshots.clear()
