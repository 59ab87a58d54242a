"""Addresses to hand out, and networks that pay them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from protonpay.chains.evm_watch import EvmWatch
from protonpay.chains.registry import BASE, SOLANA, chains
from protonpay.chains.solana_watch import SolanaWatch
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc
from tests.actors import Actor
from tests.chains.conftest import EvmWorld, evm, evm_funded, evm_url
from tests.chains.solana.conftest import node, solana_process
from tests.chains.solana.local_node import LocalNode
from tests.conftest import PASSPHRASE
from tests.wallets import pools
from tests.wallets.pools import Careful, Meddler

__all__ = ["evm", "evm_funded", "evm_url", "node", "solana_process"]


@pytest.fixture
def fill(house: Flask, keyring_path: Path) -> Callable[..., None]:
    """What fills the pool with so many addresses of each family."""
    return lambda count=4: pools.fill(keyring_path, PASSPHRASE, count)


@pytest.fixture
def base(house: Flask, evm: EvmWorld) -> Iterator[SimpleNamespace]:
    """Base, a real chain, whose answers a test may spoil; blocks come only when asked for."""
    rpc = Meddler(evm.json_rpc)
    chains._watches["Base"] = Careful(EvmWatch(BASE, rpc))  # type: ignore[assignment, arg-type]
    pools.begin_watches(int(evm.block("finalized")["number"], 16))
    yield SimpleNamespace(world=evm, rpc=rpc, mine=evm.mine)
    chains._watches.clear()


@pytest.fixture
def solana(house: Flask, node: LocalNode) -> Iterator[SimpleNamespace]:
    """Solana, a real node, whose answers a test may spoil; slots pass only when asked for."""
    rpc = Meddler(JsonRpc(Wire(node.url, read_seconds=5)))
    chains._watches["Solana"] = Careful(SolanaWatch(SOLANA, rpc))  # type: ignore[assignment, arg-type]
    pools.begin_watches()
    yield SimpleNamespace(node=node, rpc=rpc)
    chains._watches.clear()


@pytest.fixture
def payee(fill: Callable[..., None], alice: Actor) -> SimpleNamespace:
    """Alice, and where she is paid."""
    fill()
    asked = {
        network: alice.post("/client/deposit/crypto", {"network": network}).get_json()["deposit"]
        for network in ("Solana", "Base")
    }
    addresses = {network: shown["address"] for network, shown in asked.items()}
    return SimpleNamespace(actor=alice, **{name.lower(): at for name, at in addresses.items()})
