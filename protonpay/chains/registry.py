"""The only way to an adapter, and to the networks that they are made from.

Adapters are named by dotted path and imported on first use: web3 and solders cost
seconds and tens of megabytes, and only the chain workers need them.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from protonpay.chains.inspection import Inspector
from protonpay.chains.keyring import Keyring, PublicAddresses
from protonpay.chains.networks import (
    BASE,
    BUILT_IN,
    NETWORKS,
    POLYGON,
    SOLANA,
    network,
    unsupported,
)
from protonpay.chains.port import Chain, Network
from protonpay.chains.snapshot import Snapshot
from protonpay.chains.sweep import Sweeper
from protonpay.chains.watch import AccountWatch, BlockWatch
from protonpay.kernel.money import ZERO, Usdc
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc

__all__ = [
    "BASE",
    "BUILT_IN",
    "NETWORKS",
    "POLYGON",
    "SOLANA",
    "ChainSettings",
    "Chains",
    "Network",
    "chains",
    "network",
    "unsupported",
]

_ADAPTERS = {
    "evm": "protonpay.chains.evm:Evm",
    "solana": "protonpay.chains.solana:Solana",
}
_WATCHES = {
    "evm": "protonpay.chains.evm_watch:EvmWatch",
    "solana": "protonpay.chains.solana_watch:SolanaWatch",
}
_SWEEPERS = {
    "evm": "protonpay.chains.evm_sweep:EvmSweeper",
    "solana": "protonpay.chains.solana_sweep:SolanaSweeper",
}
_SNAPSHOTS = {
    "evm": "protonpay.chains.evm_snapshot:EvmSnapshot",
    "solana": "protonpay.chains.solana_snapshot:SolanaSnapshot",
}
_INSPECTORS = {
    "evm": "protonpay.chains.evm_inspection:EvmInspector",
    "solana": "protonpay.chains.solana_inspection:SolanaInspector",
}
_WATCH_SECONDS = 8
_NODE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Where the nodes are and whose wallets are ours.

    Attributes:
        rpc_urls: network name → JSON-RPC address.
        addresses: our wallets' public addresses, known to every process.
        keyring: the keys, in the process that signs; None everywhere else.
        second_urls: network name → a node of somebody else's, who must agree to large deposits.
        large: network name → above how much a deposit is large.
    """

    rpc_urls: Mapping[str, str]
    addresses: PublicAddresses
    keyring: Keyring | None = None
    second_urls: Mapping[str, str] = field(default_factory=dict)
    large: Mapping[str, Usdc] = field(default_factory=dict)


class Chains:
    """The adapters of one process, each made on first use."""

    def __init__(self) -> None:
        self._settings: ChainSettings | None = None
        self._made: dict[str, Chain] = {}
        self._watches: dict[str, BlockWatch | AccountWatch] = {}
        self._sweepers: dict[str, Sweeper] = {}
        self._seconds: dict[str, BlockWatch] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._inspectors: dict[str, Inspector] = {}

    def bind(self, settings: ChainSettings) -> None:
        """Give the process its settings; forgets adapters made before."""
        self._settings = settings
        self._made = {}
        self._watches = {}
        self._sweepers = {}
        self._seconds = {}
        self._snapshots = {}
        self._inspectors = {}

    def lock(self) -> None:
        """Let go of the keys, in a process that was forked from one that has them."""
        if self._bound().keyring is not None:
            self.bind(replace(self._bound(), keyring=None))

    def addresses(self) -> PublicAddresses:
        """Return our wallets' public addresses."""
        return self._bound().addresses

    def own_wallets(self, of: Network) -> frozenset[str]:
        """Return the canonical addresses of our own wallets on a network: nobody else's."""
        addresses = self.addresses()
        wallets = (addresses.treasury, addresses.gas, addresses.sweeper)
        return frozenset(each[of.family] for each in wallets if of.family in each)

    def keyring(self) -> Keyring:
        """Return the keys, in the process that has them.

        Raises:
            RuntimeError: this process has none.
        """
        keys = self._bound().keyring
        if keys is None:
            raise RuntimeError("only the process with the keyring does this")
        return keys

    def rpc_url(self, name: str) -> str:
        """Return the address of a network's node.

        Raises:
            Invalid: there is no such network.
        """
        return self._bound().rpc_urls[network(name).name]

    def get(self, name: str) -> Chain:
        """Return the adapter of a network.

        Raises:
            Invalid: there is no such network.
        """
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(network(name))
        return made

    def sweeper(self, name: str) -> Sweeper:
        """Return what moves a network's deposits to the treasury.

        Raises:
            Invalid: there is no such network.
        """
        made = self._sweepers.get(name)
        if made is None:
            of = network(name)
            made = self._sweepers[name] = cast("Sweeper", self._adapter(_SWEEPERS, of))
        return made

    def block_watch(self, name: str) -> BlockWatch:
        """Return the watch of a network whose blocks are scanned.

        Raises:
            Invalid: there is no such network.
        """
        return cast("BlockWatch", self._watch(name))

    def account_watch(self, name: str) -> AccountWatch:
        """Return the watch of a network whose accounts are asked about one by one.

        Raises:
            Invalid: there is no such network.
        """
        return cast("AccountWatch", self._watch(name))

    def second_watch(self, name: str) -> BlockWatch | None:
        """Return the watch through another provider's node; None where there is none.

        Raises:
            Invalid: there is no such network.
        """
        url = self._bound().second_urls.get(network(name).name)
        if name not in self._seconds and url:
            self._seconds[name] = cast("BlockWatch", self._make_watch(name, url))
        return self._seconds.get(name)

    def large(self, name: str) -> Usdc:
        """Return above how much a deposit is large: without a word about it, all are."""
        return self._bound().large.get(name, ZERO)

    def snapshot(self, name: str) -> Snapshot:
        """Return what looks at all we hold on a network.

        Raises:
            Invalid: there is no such network.
        """
        made = self._snapshots.get(name)
        if made is None:
            of, bound = network(name), self._bound()
            wire = Wire(bound.rpc_urls[of.name], read_seconds=_WATCH_SECONDS, max_bytes=64_000_000)
            adapter = _load(_SNAPSHOTS[of.family])
            made = self._snapshots[name] = adapter(of, JsonRpc(wire), bound.addresses)
        return made

    def inspector(self, name: str) -> Inspector:
        """Return what is asked about one transaction of a network.

        Raises:
            Invalid: there is no such network.
        """
        made = self._inspectors.get(name)
        if made is None:
            of = network(name)
            wire = Wire(self._bound().rpc_urls[of.name], read_seconds=_NODE_SECONDS)
            made = self._inspectors[name] = _load(_INSPECTORS[of.family])(of, JsonRpc(wire))
        return made

    def _watch(self, name: str) -> BlockWatch | AccountWatch:
        made = self._watches.get(name)
        if made is None:
            url = self._bound().rpc_urls[network(name).name]
            made = self._watches[name] = self._make_watch(name, url)
        return made

    def _make_watch(self, name: str, url: str) -> BlockWatch | AccountWatch:
        of = network(name)
        wire = Wire(url, read_seconds=_WATCH_SECONDS, max_bytes=64_000_000)
        return cast("BlockWatch | AccountWatch", _load(_WATCHES[of.family])(of, JsonRpc(wire)))

    def _make(self, of: Network) -> Chain:
        return cast("Chain", self._adapter(_ADAPTERS, of))

    def _adapter(self, paths: Mapping[str, str], of: Network) -> Any:
        settings = self._bound()
        wire = Wire(settings.rpc_urls[of.name], read_seconds=_NODE_SECONDS, max_bytes=64_000_000)
        adapter = _load(paths[of.family])
        return adapter(of, JsonRpc(wire), settings.addresses, settings.keyring)

    def _bound(self) -> ChainSettings:
        if self._settings is None:
            raise RuntimeError("chains are bound by create_app")
        return self._settings


def _load(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


chains = Chains()
