"""A network under test: its own local chain, and every port that the registry makes for it."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from eth_account import Account
from solders.keypair import Keypair

from protonpay.chains import further
from protonpay.chains.keyring import Keyring, PublicAddresses
from protonpay.chains.networks import NETWORKS
from protonpay.chains.port import Chain, SendOrder, SendOutcome, SignedSend
from protonpay.chains.registry import Chains, ChainSettings
from protonpay.chains.sweep import SignedSweeps, SweepItem
from protonpay.chains.watch import Arrival
from protonpay.kernel import ids
from protonpay.kernel.money import Usdc
from tests.chains.solana.local_node import running
from tests.treasury.worlds import GAS, EvmNetwork, SolanaNetwork, World, evm_process

ADDED = """[{"name": "Sepolia", "chainId": 84532, "rpcUrl": "http://127.0.0.1:9",
    "usdc": "0x036CbD53842c5426634e7929541eC2318f3dCF7e"}]"""
NOWHERE = "http://127.0.0.1:9"


class Stage:
    """One network: its chain, whose blocks come when asked for, and our side of it."""

    def __init__(self, world: World, addresses: PublicAddresses, keys: Keyring) -> None:
        self.world, self.name = world, world.name
        self._addresses, self._keys = addresses, keys
        self._numbers = itertools.count(1000)
        self.ports = self._ports(world.url, keys)
        self.chain = self.ports.get(self.name)

    def without_node(self) -> Chain:
        return self.silent_ports().get(self.name)

    def without_keys(self) -> Chain:
        return self._ports(self.world.url, None).get(self.name)

    def silent_ports(self) -> Chains:
        return self._ports(NOWHERE, self._keys)

    def deposits(self, *micros: int) -> list[SweepItem]:
        """Return deposit addresses of the keyring, each never used before, that hold so much."""
        family, items = self.world.network.family, []
        for micro in micros:
            number = next(self._numbers)
            address, _ = self._keys.deposit_address(family, number)
            self.world.pay(address, micro)
            items.append(SweepItem(number, address, Usdc(micro), turn=1))
        self.world.finalise()
        return items

    def sign_sweeps(
        self, items: Sequence[SweepItem], replaces: SignedSweeps | None = None
    ) -> SignedSweeps:
        sweeper = self.ports.sweeper(self.name)
        terms = sweeper.read_terms(len(items))
        sequence = replaces.sequence if replaces else sweeper.next_sequence()
        return sweeper.sign(items, terms, sequence, replaces)

    def _ports(self, url: str, keys: Keyring | None) -> Chains:
        made = Chains()
        made.bind(ChainSettings({self.name: url}, self._addresses, keys))
        return made

    def wallet(self) -> str:
        if self.world.network.family == "solana":
            return str(Keypair().pubkey())
        return str(Account.create().address)

    def order(self, micro: int = 5_000_000) -> SendOrder:
        return SendOrder(ids.new_id(), self.wallet(), Usdc(micro))

    def sign(self, *orders: SendOrder, replaces: SignedSend | None = None) -> SignedSend:
        """Sign what one look finds payable, all of it."""
        prospect = self.chain.read_terms(orders)
        assert (list(prospect.payable), prospect.hindered) == (list(orders), {})
        sequence = replaces.sequence if replaces else self.chain.next_sequence()
        return self.chain.sign(prospect.payable, prospect.terms, sequence, replaces)

    def sent(self, *orders: SendOrder) -> SignedSend:
        send = self.sign(*orders)
        self.chain.broadcast(send)
        return send

    def landed(self, *orders: SendOrder) -> SignedSend:
        send = self.sent(*orders)
        self.world.finalise()
        return send

    def outcome(self, send: SignedSend) -> SendOutcome:
        (outcome,) = self.chain.outcomes(send).values()
        return outcome

    def held(self, order: SendOrder) -> int:
        return self.world.usdc(order.to)

    def arrivals(self, address: str, tx_hash: str, since: int) -> list[Arrival]:
        """Return what the network's watch finds of a payment, asked as it is asked in the house."""
        if self.world.network.by_account:
            watch = self.ports.account_watch(self.name)
            movements = watch.movements(address, None)
            assert [one.final for one in movements] == [True] * len(movements)
            assert watch.balances([address])[address] == sum(one.change for one in movements)
            return [one.arrival for one in movements if one.arrival]
        blocks = self.ports.block_watch(self.name)
        paid = blocks.paid(since, blocks.reach().final.height)
        assert [tx for tx, to in paid.addresses.items() if address in to] == [tx_hash]
        return [one for one in blocks.arrivals([tx_hash]) if one.address == address]

    def landed_from_outside(self, address: str, micro: int) -> str:
        """Let somebody else pay, and return the transaction once it is final."""
        before = self.world.usdc(address)
        tx_hash = self.world.act("send_usdc", self.world.network.usdc, address, micro)
        self.world.finalise()
        assert self.world.usdc(address) == before + micro
        return str(tx_hash)

    def final_height(self) -> int:
        if self.world.network.by_account:
            return self.ports.account_watch(self.name).final_slot()
        return self.ports.block_watch(self.name).reach().final.height

    def no_name(self) -> str:
        """Return a transaction's name that nobody has given."""
        return "0x" + "ab" * 32 if self.world.network.family == "evm" else "1" * 64


QUESTIONS: Mapping[str, Callable[[Stage], object]] = {
    "terms": lambda of: of.without_node().read_terms([of.order()]),
    "broadcast": lambda of: of.without_node().broadcast(of.sign(of.order())),
    "outcomes": lambda of: of.without_node().outcomes(of.sign(of.order())),
    "balance": lambda of: of.without_node().balance(of.wallet()),
    "head": lambda of: of.without_node().head(),
    "holdings": lambda of: of.silent_ports().sweeper(of.name).holdings([of.wallet()]),
    "terms of sweeps": lambda of: of.silent_ports().sweeper(of.name).read_terms(1),
    "transaction": lambda of: of.silent_ports().inspector(of.name).inspect(of.no_name()),
    "contract": lambda of: of.silent_ports().inspector(of.name).is_contract(of.wallet()),
}
"""What is asked of a node that does not answer, of every port."""


@contextmanager
def staged(name: str, addresses: PublicAddresses, keys: Keyring) -> Iterator[Stage]:
    """Run a network's local chain, with funded wallets of ours on it."""
    NETWORKS.bind(further.read(ADDED).networks)
    try:
        with _world(name) as world:
            family = world.network.family
            world.fund(addresses.treasury[family], addresses.sweeper[family])
            world.act("send_native", addresses.gas[family], GAS[family])
            world.finalise()
            yield Stage(world, addresses, keys)
    finally:
        NETWORKS.bind([])


@contextmanager
def _world(name: str) -> Iterator[World]:
    if NETWORKS[name].family == "solana":
        with running() as node:
            yield SolanaNetwork(name, node.url)
    else:
        with evm_process(name) as url:
            yield EvmNetwork(name, url)
