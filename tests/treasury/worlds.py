"""Real chains with real USDC for sweeps: who pays, who looks, and what a node may do wrong."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from sqlalchemy import func, select

from protonpay.chains.registry import NETWORKS, chains
from protonpay.kernel import clock, ids
from protonpay.kernel.money import Usdc
from protonpay.sandbox import evm_outside
from protonpay.sandbox.evm.rpc import Rpc
from protonpay.sandbox.solana import outside as solana_outside
from protonpay.store.db import db, transaction
from protonpay.store.jobs import Later
from protonpay.treasury import sweeping
from protonpay.treasury.models import Sweep, SweepBatch
from protonpay.wallets import service as wallets
from protonpay.wallets import watching
from protonpay.wallets.models import Incoming, WatchedAccount
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc
from tests.chains.conftest import free_port

GAS = {"evm": 10**19, "solana": 10**10}


class World:
    """One network: its node, and the hands of the outside world. Blocks come when asked for."""

    outside: ModuleType

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url, self.network = name, url, NETWORKS[name]

    def fund(self, treasury: str, sweeper: str) -> None:
        self.act("send_native", sweeper, GAS[self.network.family])
        self.act("send_usdc", self.network.usdc, treasury, 10**9)
        self.finalise()

    def pay(self, address: str, micro: int) -> None:
        self.act("send_usdc", self.network.usdc, address, micro)

    def freeze(self, address: str) -> None:
        self.act("freeze", self.network.usdc, address)

    def usdc(self, address: str) -> int:
        return int(self.outside.usdc_balance(self.url, self.network.usdc, address))

    def native(self, address: str) -> int:
        return int(self.outside.native_balance(self.url, address))

    def act(self, verb: str, *words: Any) -> Any:
        return getattr(self.outside, verb)(self.url, *words)

    def finalise(self) -> None:
        raise NotImplementedError

    def expire(self) -> None:
        raise NotImplementedError

    def reorganise(self) -> None:
        """Put what waits into a block, and put another chain in its place."""
        raise NotImplementedError

    def forget(self) -> None:
        """Lose what waits in the node's pool."""


class EvmNetwork(World):
    """Base, Polygon, or one that the settings add."""

    outside = evm_outside

    def act(self, verb: str, *words: Any) -> Any:
        with self.mining():
            return super().act(verb, *words)

    @contextmanager
    def mining(self) -> Iterator[None]:
        """Have each transaction put into a block at once."""
        rpc = Rpc(self.url)
        rpc("evm_setAutomine", True)  # noqa: FBT003 - the node's own parameter
        try:
            yield
        finally:
            rpc("evm_setAutomine", False)  # noqa: FBT003

    def finalise(self) -> None:
        for _ in range(3):
            Rpc(self.url)("evm_mine")

    def expire(self) -> None:
        Rpc(self.url)("evm_increaseTime", 1000)
        self.finalise()

    def reorganise(self) -> None:
        rpc = Rpc(self.url)
        rpc("evm_mine")
        rpc("anvil_reorg", 1, [])

    def forget(self) -> None:
        Rpc(self.url)("anvil_dropAllTransactions")


class SolanaNetwork(World):
    """Solana."""

    outside = solana_outside

    def finalise(self) -> None:
        self._warp(40)

    def expire(self) -> None:
        self._warp(250)

    def reorganise(self) -> None:
        self._warp(2)
        solana_outside._call(self.url, "sandbox_rollback", 3)

    def _warp(self, slots: int) -> None:
        solana_outside._call(self.url, "sandbox_warp", slots)


@contextmanager
def evm_process(name: str) -> Iterator[str]:
    """Run a chain of its own for an EVM network."""
    of, listen = NETWORKS[name], f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "protonpay.sandbox.evm", "--listen", listen]
    command += ["--chain-id", str(of.chain_id), "--usdc", of.usdc, "--no-state", "--interval", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield f"http://{listen}"
        finally:
            process.terminate()


class Spoiler:
    """Stands between a sweeper and its node.

    Attributes:
        sends: what becomes of the next sends: ``drop`` says taken and loses it, ``lie`` takes
            it and gives no answer, ``deaf`` neither; without one the node is honest.
        asked: every method, in order.
    """

    SENDS = ("eth_sendRawTransaction", "sendTransaction")

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc
        self.sends: list[str] = []
        self.asked: list[str] = []
        self.dumb = False

    def call(self, method: str, *params: Any) -> Any:
        assert not db.session().in_transaction(), f"{method} inside a transaction"
        self.asked.append(method)
        fault = self.sends.pop(0) if method in self.SENDS and self.sends else ""
        if fault == "drop":
            return "0x"
        if fault == "deaf":
            raise NoAnswer("deaf")
        told = self._rpc.call(method, *params)
        if fault == "lie":
            raise NoAnswer("it took them and said nothing")
        return told

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        assert not db.session().in_transaction(), "a question inside a transaction"
        self.asked += [method for method, _ in calls]
        if self.dumb:
            raise NoAnswer("dumb")
        return self._rpc.batch(calls)


class House:
    """Our side of one network: addresses, deposits found, and sweeps driven step by step."""

    def __init__(self, world: World, fill: Callable[[int], None]) -> None:
        self.world, self.name = world, world.name
        self._fill = fill
        self.treasury = chains.addresses().treasury[world.network.family]
        self.sweeper = chains.addresses().sweeper[world.network.family]
        adapter: Any = chains.sweeper(world.name)
        self.node = Spoiler(adapter._rpc)
        adapter._rpc = self.node
        if hasattr(adapter, "_node"):
            adapter._node._rpc = self.node

    def addresses(self, count: int) -> list[str]:
        """Hand out addresses to so many users, who need not exist for a sweep."""
        self._fill(count)
        given = []
        for _ in range(count):
            with transaction():
                given.append(wallets.assign("user", ids.new_id())[self.name])
        return given

    def deposit(self, *payments: tuple[str, int]) -> None:
        """Pay addresses, and find the payments final."""
        for address, micro in payments:
            self.world.pay(address, micro)
        self.world.finalise()
        self.watch()

    def watch(self) -> None:
        with transaction() as session:
            session.query(WatchedAccount).update({"due_at": clock.now()})
        watching.watch(self.name)

    def paid(self, count: int, micro: int = 20_000_000) -> list[str]:
        """Return so many addresses with a final deposit each; no two amounts are the same."""
        given = self.addresses(count)
        self.deposit(*((address, micro + place) for place, address in enumerate(given)))
        return given

    def go(self, everything: int = 0) -> None:
        """Drive one transaction from its plan to its end."""
        sweeping.sign(self.name, everything)
        batch = self.open_batch()
        if batch is not None:
            self.finish(batch.id)

    def finish(self, batch_id: int) -> None:
        sweeping.broadcast(batch_id)
        assert isinstance(sweeping.confirm(batch_id), Later), "it is in no final block yet"
        self.world.finalise()
        assert sweeping.confirm(batch_id) is None

    def batches(self) -> list[SweepBatch]:
        found = select(SweepBatch).where(SweepBatch.network == self.name).order_by(SweepBatch.id)
        return list(db.session.scalars(found, execution_options={"populate_existing": True}))

    def open_batch(self) -> SweepBatch | None:
        open_ones = [one for one in self.batches() if one.state in ("SIGNED", "SENT")]
        assert len(open_ones) <= 1
        return open_ones[0] if open_ones else None

    def sweeps(self, *addresses: str) -> list[Sweep]:
        found = select(Sweep).where(Sweep.network == self.name).order_by(Sweep.id)
        rows = db.session.scalars(found, execution_options={"populate_existing": True}).all()
        return [row for row in rows if not addresses or row.address in addresses]

    def states(self, *addresses: str) -> list[str]:
        return [row.state for row in self.sweeps(*addresses)]

    def recorded(self) -> int:
        """Count the transfers that were ever written down."""
        counted = select(func.count()).select_from(Incoming)
        return db.session.scalar(counted.where(Incoming.network == self.name)) or 0

    def on_chain(self, addresses: Sequence[str]) -> Usdc:
        """Add up what the treasury and these addresses have."""
        return Usdc(sum(self.world.usdc(at) for at in (self.treasury, *addresses)))
