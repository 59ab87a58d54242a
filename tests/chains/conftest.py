"""A real EVM chain for the adapter's tests: blocks come only when a test asks for them."""

import itertools
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from protonpay.chains.evm import Evm
from protonpay.chains.keyring import Keyring, PublicAddresses
from protonpay.chains.port import Network, SendOrder, SignedSend
from protonpay.chains.registry import BASE
from protonpay.kernel.money import Usdc
from protonpay.sandbox import evm_outside
from protonpay.sandbox.evm.rpc import Rpc
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc
from tests.chains.single import terms_of

HASHES_ONLY = False


class EvmWorld:
    """One chain, the adapter in front of it, and the hands of the outside world."""

    def __init__(self, url: str, network: Network = BASE) -> None:
        self.url = url
        self.rpc = Rpc(url)
        self.network = network
        self.usdc = network.usdc
        self.keyring = Keyring({"evm": b"\x11" * 32}, {"evm": b"\x22" * 32})
        treasury, gas = (Account.from_key(k["evm"]).address for k in self.keys)
        self.addresses = PublicAddresses({"evm": treasury}, {"evm": gas})
        self.json_rpc = JsonRpc(Wire(url))
        self.chain = self.adapter(self.json_rpc, network)
        self._numbers = itertools.count(1)

    @property
    def keys(self):
        return self.keyring.treasury, self.keyring.gas

    def adapter(self, rpc: JsonRpc, network=BASE) -> Evm:
        return Evm(network, rpc, self.addresses, self.keyring)

    def outside(self, verb: Callable[..., str], *arguments) -> str:
        """Let somebody outside act, in blocks of his own."""
        self.rpc("evm_setAutomine", True)  # noqa: FBT003 - the node's own parameter
        try:
            return verb(self.url, *arguments)
        finally:
            self.rpc("evm_setAutomine", False)  # noqa: FBT003

    def mine(self, blocks: int = 1, after_seconds: int = 0) -> None:
        if after_seconds:
            self.rpc("evm_increaseTime", after_seconds)
        for _ in range(blocks):
            self.rpc("evm_mine")

    def expire(self, send: SignedSend) -> None:
        """Let time pass until the payment's last moment is final."""
        left = int(send.terms["valid_before"]) - self.time()
        self.mine(3, after_seconds=max(left, 0) + 1)

    def order(self, micro: int = 5_000_000) -> SendOrder:
        number = next(self._numbers)
        payee = Account.from_key(number.to_bytes(32, "big")).address
        return SendOrder(f"cpayout{number:08}", payee, Usdc(micro))

    def sign(self, order: SendOrder, replaces: SignedSend | None = None) -> SignedSend:
        terms = terms_of(self.chain, order)
        sequence = replaces.sequence if replaces else self.chain.next_sequence()
        return self.chain.sign([order], terms, sequence, replaces)

    def sent(self, order: SendOrder) -> SignedSend:
        send = self.sign(order)
        self.chain.broadcast(send)
        return send

    def held(self, address: str) -> int:
        return evm_outside.usdc_balance(self.url, self.usdc, address)

    def block(self, name: str) -> dict:
        return self.rpc("eth_getBlockByNumber", name, HASHES_ONLY)

    def time(self) -> int:
        return int(self.block("latest")["timestamp"], 16)

    def fields(self, send: SignedSend) -> dict:
        return TypedTransaction.from_bytes(HexBytes(send.raw)).as_dict()

    def fee_of(self, tx_hash: str) -> int:
        receipt = self.rpc("eth_getTransactionReceipt", tx_hash)
        return int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)

    def hand_in(self, send: SignedSend) -> str:
        """Let a stranger hand in the payment that he saw in a send."""
        order = {"from": self.rpc("eth_accounts")[7], "to": self.usdc, "gas": hex(200_000)}
        data = "0x" + bytes(self.fields(send)["data"]).hex()
        return self.rpc("eth_sendTransaction", {**order, "data": data})

    def reverted(self, send: SignedSend) -> bool:
        return self.rpc("eth_getTransactionReceipt", send.tx_hash)["status"] == "0x0"

    @contextmanager
    def hindered(self, how: str):
        """Let the contract or the treasury stand in the way of payments, and no more."""
        treasury = self.chain.treasury
        if how == "paused":
            with self.paused():
                yield
        elif how == "frozen":
            self.outside(evm_outside.freeze, self.usdc, treasury)
            yield
            self.outside(evm_outside.unfreeze, self.usdc, treasury)
        else:
            self.sent(self.order(1))
            self.mine(3)
            yield
            self.outside(evm_outside.send_usdc, self.usdc, treasury, 1)

    @contextmanager
    def paused(self):
        self.outside(evm_outside.pause, self.usdc)
        try:
            yield
        finally:
            self.outside(evm_outside.unpause, self.usdc)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def evm_node(network: Network) -> Iterator[str]:
    """Run a network's chain, whose blocks come only when they are asked for."""
    listen = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "protonpay.sandbox.evm", "--listen", listen, "--no-state"]
    command += ["--chain-id", str(network.chain_id), "--usdc", network.usdc, "--interval", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    yield f"http://{listen}"
    process.terminate()
    process.communicate(timeout=10)


def funded(world: EvmWorld) -> EvmWorld:
    """Fund our wallets on a chain."""
    world.outside(evm_outside.send_usdc, world.usdc, world.chain.treasury, 10**15)
    world.outside(evm_outside.send_native, world.chain.sender, 10**19)
    world.mine(2)
    return world


@pytest.fixture(scope="session")
def evm_url():
    with evm_node(BASE) as url:
        yield url


@pytest.fixture(scope="session")
def evm_funded(evm_url):
    return funded(EvmWorld(evm_url))


@pytest.fixture
def evm(evm_funded):
    """The chain at rest: nothing waits in its pool, everything mined is final."""
    evm_funded.rpc("anvil_dropAllTransactions")
    evm_funded.mine(3)
    return evm_funded
