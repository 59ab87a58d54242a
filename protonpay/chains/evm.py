"""EVM networks: payouts by EIP-3009, signed by the treasury, handed in by the gas wallet.

The node must hold the state of its finalized block: on Base that is some 20 minutes old,
more than a pruned geth keeps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from eth_account import Account

from protonpay.chains import evm_fees as fees
from protonpay.chains import evm_terms as terms_of
from protonpay.chains import evm_token
from protonpay.chains import evm_transaction as transaction
from protonpay.chains import evm_usdc as usdc
from protonpay.chains.evm_node import Node, ask_block, quantity, read_block
from protonpay.chains.evm_outcome import VALID_SECONDS, Outlook
from protonpay.chains.keyring import EVM, Keyring, PublicAddresses
from protonpay.chains.port import (
    ChainHead,
    Network,
    NotReady,
    Prospect,
    SendOrder,
    SendOutcome,
    SignedSend,
    Terms,
)
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.wire.jsonrpc import JsonRpc, RpcError


class Evm:
    """One EVM network through one node (``chains.port.Chain``)."""

    most_in_one = 100
    # Two transactions after one look, and one commit, for what is signed in them.
    most_together = 200

    def __init__(
        self, network: Network, rpc: JsonRpc, addresses: PublicAddresses, keyring: Keyring | None
    ) -> None:
        self.network = network
        self.treasury = addresses.treasury[EVM]
        self.sender = addresses.gas[EVM]
        self._rpc = rpc
        self._node = Node(rpc)
        self._outlook = Outlook(self._node, network, self.sender)
        self._keyring = keyring
        self._recognised = False
        self._insisted = False
        self._bundles = False
        if keyring is not None:
            _check_keys(keyring, [self.treasury, self.sender])

    def read_terms(self, orders: Sequence[SendOrder]) -> Prospect:
        """Read fees and the payments' last moment, and look which of them can be made.

        Hindered are orders by ``payee_blacklisted`` (refused), a used mark (already sent),
        ``usdc_paused``, ``treasury_blacklisted`` and ``treasury_short``, and all others by
        ``fees_high`` and ``gas_short``.

        Raises:
            NotReady: ``wrong_chain``, ``wrong_token``.
            NoAnswer: unknown; ask again.
        """
        if not self._recognised:
            terms_of.recognise(self._node, self.network)
            self._bundles = terms_of.takes_bundles(self._node, self.network)
            self._recognised = True
        latest, final = terms_of.read_heads(self._node)
        # The clock as well: an idle chain's newest block may be old. A clock that is wrong
        # only makes a lost payment wait longer.
        now = max(latest.time, clock.to_epoch_ms(clock.now()) // 1000)
        valid_before = now + VALID_SECONDS
        payments = [self._payment(order, valid_before) for order in orders]
        found = terms_of.hindrances(self._node, self.network, payments, final)
        looked = list(zip(orders, found, strict=True))
        hindered = {order.payout_id: why for order, why in looked if why is not None}
        payable = [order for order, why in looked if why is None]
        if not payable:
            return Prospect({}, (), hindered)
        size = self.most_in_one if self._bundles else 1
        starts = range(0, len(payable), size)[: self.most_together // self.most_in_one]
        bundles = [payable[start : start + size] for start in starts]
        try:
            price = fees.suggest(self.network, latest.base_fee, self._suggested_tip())
            bundles = bundles[: self._covered(price, bundles)]
        except NotReady as why:
            hindered |= {order.payout_id: why for order in payable}
            return Prospect({}, (), hindered)
        terms = {"valid_before": valid_before, "from_block": final.number, **price.as_terms()}
        first, *further = [Prospect(terms, bundle, {}) for bundle in bundles]
        return replace(first, hindered=hindered, further=further)

    def next_sequence(self) -> int:
        """Return how many sends of the gas wallet are final, which is its next nonce.

        Raises:
            NoAnswer: unknown; ask again.
        """
        asked = ("eth_getTransactionCount", [self.sender, terms_of.FINAL])
        return quantity(self._node.ask(asked)[0])

    def sign(
        self,
        orders: Sequence[SendOrder],
        terms: Terms,
        sequence: int | None,
        replaces: SignedSend | None,
    ) -> SignedSend:
        """Sign each payment with the treasury's key and their transaction with the gas wallet's.

        The answered terms carry the fees really signed, so that a later send can outbid them.
        """
        if self._keyring is None or sequence is None:
            raise RuntimeError("only the process with the keys signs, and under a nonce")
        price = fees.Fees.of(terms)
        if replaces is not None:
            price = price.outbidding(fees.Fees.of(replaces.terms))
        key = self._keyring.treasury[EVM]
        payments = [self._payment(order, int(terms["valid_before"])) for order in orders]
        call = usdc.hand_in(
            self.network, [usdc.pay(self.network, payment, key) for payment in payments]
        )
        raw, tx_hash = transaction.sign(
            self.network, self._keyring.gas[EVM], call, sequence, fees.gas_limit(len(orders)), price
        )
        return SignedSend(
            payout_ids=tuple(order.payout_id for order in orders),
            raw=raw,
            tx_hash=tx_hash,
            sequence=sequence,
            terms={**terms, **price.as_terms()},
        )

    def broadcast(self, send: SignedSend) -> None:
        """Hand the bytes to the node; "already known", "nonce too low" and the like are logged.

        Raises:
            NoAnswer: it may or may not have taken them.
        """
        transaction.broadcast(self._rpc, self.network, send.raw, send.tx_hash)

    def outbid(self, send: SignedSend) -> SignedSend | None:
        """Sign the same payments for fees that a node replaces the old ones by, if none is mined.

        Raises:
            NoAnswer: unknown; ask again.
        """
        if self._keyring is None:
            raise RuntimeError("only the process with the keys signs")
        asked = ("eth_getTransactionCount", [self.sender, terms_of.LATEST])
        if quantity(self._node.ask(asked)[0]) != send.sequence:
            return None
        latest, _ = terms_of.read_heads(self._node)
        try:
            price = fees.suggest(self.network, latest.base_fee, self._suggested_tip())
        except NotReady:
            return None
        price = price.outbidding(fees.Fees.of(send.terms))
        if price.most > int(self.network.options["max_fee_wei"]):
            return None
        raw, tx_hash = transaction.dearer(self.network, self._keyring.gas[EVM], send.raw, price)
        return replace(
            send,
            raw=raw,
            tx_hash=tx_hash,
            terms={**send.terms, **price.as_terms()},
            earlier=(*send.earlier, send.tx_hash),
        )

    def outcomes(self, *sends: SignedSend) -> Mapping[str, SendOutcome]:
        """Say what became of each payment; ``evm_outcome`` says what is proof.

        Raises:
            NoAnswer: unknown; ask again.
        """
        return self._outlook.look(sends)

    def balance(self, address: str) -> Usdc:
        """Return a wallet's USDC at the newest final block.

        Raises:
            NoAnswer: unknown; ask again.
        """
        asked = usdc.ask(self.network, terms_of.FINAL, "balanceOf(address)", address)
        return Usdc(usdc.decode("uint256", self._node.ask(asked)[0]))

    def head(self) -> ChainHead:
        """Return how far the node is.

        Raises:
            NoAnswer: the node does not answer, or it or the token is not that of the settings.
        """
        if not self._insisted:
            evm_token.insist(self._node, self.network)
            self._insisted = True
        tags = ("latest", self.network.small_at, "finalized")
        latest, small, final = map(read_block, self._node.ask(*map(ask_block, tags)))
        # A node that just started may know what is final before it knows what is safe.
        good_enough = max(small.number, final.number)
        return ChainHead(latest.number, good_enough, final.number, final.time)

    def _payment(self, order: SendOrder, valid_before: int) -> usdc.Payment:
        return usdc.Payment(
            payer=self.treasury,
            payee=order.to,
            amount=order.amount.micro,
            valid_before=valid_before,
            mark=usdc.mark_of(order.payout_id),
        )

    def _suggested_tip(self) -> int:
        try:
            return quantity(self._rpc.call("eth_maxPriorityFeePerGas"))
        except RpcError:
            return 0  # not every node has an opinion; the network's floor holds anyway

    def _covered(self, price: fees.Fees, bundles: Sequence[Sequence[SendOrder]]) -> int:
        """Return how many transactions, from the first on, the gas wallet can pay for.

        Raises:
            NotReady: ``gas_short``: not even one.
        """
        asked = ("eth_getBalance", [self.sender, terms_of.LATEST])
        held = quantity(self._node.ask(asked)[0])
        # Twice: room for a replacement, and for Base's L1 fee, which is not in gas times price.
        needed = accumulate(2 * fees.gas_limit(len(each)) * price.most for each in bundles)
        covered = sum(each <= held for each in needed)
        if not covered:
            raise NotReady("gas_short", f"the gas wallet {self.sender} needs native coin")
        return covered


def _check_keys(keyring: Keyring, addresses: list[str]) -> None:
    keys = keyring.treasury[EVM], keyring.gas[EVM]
    if [Account.from_key(key).address for key in keys] != addresses:
        raise ValueError("the keyring's keys do not belong to our public addresses")
