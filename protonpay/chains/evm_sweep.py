"""Sweeps on EVM networks: EIP-3009 by each deposit key, handed in together by the sweeper.

What proves what, all in the state of one final block F, asked for by its hash:

* a sweep's mark is used: its money moved. Only our key signs for the address, and it signs
  one amount to one payee under one mark, so whichever bytes were handed in did the same;
* its mark is not used, and F is not earlier than the signature's last moment: it can never
  be used any more. Until then whoever saw the bytes may hand them in, also after the
  transaction's nonce was used, so nothing else ends a sweep.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from eth_account import Account

from protonpay.chains import evm_fees as fees
from protonpay.chains import evm_terms as terms_of
from protonpay.chains import evm_transaction as transaction
from protonpay.chains import evm_usdc as usdc
from protonpay.chains.evm_node import Block, Node, Question, Receipt, octets, quantity, read_receipt
from protonpay.chains.evm_outcome import find_payment
from protonpay.chains.keyring import EVM, Keyring, PublicAddresses
from protonpay.chains.port import Network, NotReady, SendState, Terms
from protonpay.chains.sweep import (
    Holding,
    KeyDiffers,
    Moved,
    SignedSweeps,
    SweepItem,
    SweepsOutcome,
)
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc, RpcError

log = structlog.get_logger(__name__)

MOST = 100
"""Sweeps in one transaction: 4.5 M gas and 55 kB, well below Base's 16,777,216 gas."""
VALID_SECONDS = 900
_QUESTIONS = 50  # what every provider takes at once
# Measured (``benchmarks.sweeps``): 81.4 k gas for one, 45.4 k for each of a hundred, after a
# refund of a fifth at the most, which the limit does not know.
_GAS_BASE = 80_000
_GAS_EACH = 75_000


class EvmSweeper:
    """One EVM network through one node (``chains.sweep.Sweeper``)."""

    most = MOST

    def __init__(
        self, network: Network, rpc: JsonRpc, addresses: PublicAddresses, keyring: Keyring | None
    ) -> None:
        self.network = network
        self.treasury = addresses.treasury[EVM]
        self.sender = addresses.sweeper[EVM]
        self._rpc = rpc
        self._node = Node(rpc)
        self._keyring = keyring
        self._recognised = False
        if keyring is not None:
            _check_keys(keyring, [self.treasury, self.sender])

    def holdings(self, addresses: Sequence[str]) -> Mapping[str, Holding]:
        """Return what each address has at the final block, and whether Circle blocks it now.

        Raises:
            NoAnswer: unknown; ask again.
        """
        final = self._node.block(terms_of.FINAL)
        balances = [
            usdc.ask(self.network, final.state, "balanceOf(address)", at) for at in addresses
        ]
        blocks = [
            usdc.ask(self.network, terms_of.LATEST, "isBlacklisted(address)", at)
            for at in addresses
        ]
        told = self._ask([*balances, *blocks])
        count = len(addresses)
        return {
            at: Holding(Usdc(usdc.decode("uint256", has)), usdc.decode("bool", blocked))
            for at, has, blocked in zip(addresses, told[:count], told[count:], strict=True)
        }

    def read_terms(self, count: int) -> Terms:
        """Read fees and the signatures' last moment, and look whether sweeps can be made.

        Raises:
            NotReady: ``wrong_chain``, ``wrong_token``, ``no_multicall``, ``usdc_paused``,
                ``treasury_blocked``, ``gas_short``, ``fees_high``.
            NoAnswer: unknown; ask again.
        """
        if not self._recognised:
            terms_of.recognise(self._node, self.network)
            self._recognised = True
        latest, final = terms_of.read_heads(self._node)
        code, paused, blocked, native = self._node.ask(
            usdc.ask_for_multicall(self.network),
            usdc.ask(self.network, terms_of.LATEST, "paused()"),
            usdc.ask(self.network, terms_of.LATEST, "isBlacklisted(address)", self.treasury),
            ("eth_getBalance", [self.sender, terms_of.LATEST]),
        )
        if count > 1 and not octets(code):
            raise NotReady("no_multicall", "no contract that takes many sweeps at once")
        if usdc.decode("bool", paused):
            raise NotReady("usdc_paused", "Circle has paused the token")
        if usdc.decode("bool", blocked):
            raise NotReady("treasury_blocked", "Circle blocks our treasury")
        price = fees.suggest(self.network, latest.base_fee, self._suggested_tip())
        gas = _GAS_BASE + _GAS_EACH * count
        # A half more: room for a replacement, and for Base's L1 fee, not in gas times price.
        if quantity(native) < gas * price.most * 3 // 2:
            raise NotReady("gas_short", f"the sweeper {self.sender} needs native coin")
        now = max(latest.time, clock.to_epoch_ms(clock.now()) // 1000)
        return {
            "valid_before": now + VALID_SECONDS,
            "from_block": final.number,
            "gas": gas,
            **price.as_terms(),
        }

    def next_sequence(self) -> int:
        """Return how many transactions of the sweeper are final, which is its next nonce.

        Raises:
            NoAnswer: unknown; ask again.
        """
        asked = ("eth_getTransactionCount", [self.sender, terms_of.FINAL])
        return quantity(self._node.ask(asked)[0])

    def sign(
        self,
        items: Sequence[SweepItem],
        terms: Terms,
        sequence: int | None,
        replaces: SignedSweeps | None,
    ) -> SignedSweeps:
        """Sign every sweep with its deposit key and the transaction with the sweeper's.

        Raises:
            KeyDiffers: a number's key does not make its address; nothing was signed.
        """
        if self._keyring is None or sequence is None:
            raise RuntimeError("only the process with the keys signs, and under a nonce")
        price = fees.Fees.of(terms)
        if replaces is not None:
            price = price.outbidding(fees.Fees.of(replaces.terms))
        keys = [self._key(self._keyring, item) for item in items]
        calls = [
            usdc.pay(self.network, self._payment(item, terms), key)
            for item, key in zip(items, keys, strict=True)
        ]
        call = usdc.hand_in(self.network, calls)
        raw, tx_hash = transaction.sign(
            self.network, self._keyring.sweeper[EVM], call, sequence, int(terms["gas"]), price
        )
        return SignedSweeps(
            raw=raw,
            tx_hash=tx_hash,
            sequence=sequence,
            terms={**terms, **price.as_terms()},
        )

    def broadcast(self, signed: SignedSweeps) -> None:
        """Hand the bytes to the node; its refusals are logged and prove nothing.

        Raises:
            NoAnswer: it may or may not have taken them.
        """
        transaction.broadcast(self._rpc, self.network, signed.raw, signed.tx_hash)

    def outcome(self, signed: SignedSweeps, items: Sequence[SweepItem]) -> SweepsOutcome:
        """Say what became of a transaction and of each of its sweeps.

        Raises:
            NoAnswer: unknown; ask again.
        """
        final = self._node.block(terms_of.FINAL)
        payments = [self._payment(item, signed.terms) for item in items]
        raw_receipt, transaction, *used = self._ask(
            [
                ("eth_getTransactionReceipt", [signed.tx_hash]),
                ("eth_getTransactionByHash", [signed.tx_hash]),
                *(usdc.ask_if_used(self.network, final.state, payment) for payment in payments),
            ]
        )
        receipt = read_receipt(raw_receipt)
        own = receipt if receipt and self._node.is_final(receipt, final) else None
        paid = [
            payment
            for payment, answer in zip(payments, used, strict=True)
            if usdc.decode("bool", answer)
        ]
        moved = self._where_moved(paid, own, int(signed.terms["from_block"]), final)
        if len(moved) == len(items) or final.time >= int(signed.terms["valid_before"]):
            return _ended(moved, own)
        seen = receipt is not None or transaction is not None
        return SweepsOutcome(SendState.WAITING, seen=seen, moved=moved)

    def _ask(self, questions: Sequence[Question]) -> list[Any]:
        """Ask in parts: what they speak of is named by its block, so they fit together."""
        told: list[Any] = []
        for start in range(0, len(questions), _QUESTIONS):
            told += self._node.ask(*questions[start : start + _QUESTIONS])
        return told

    def _where_moved(
        self, paid: Sequence[usdc.Payment], own: Receipt | None, first: int, final: Block
    ) -> Mapping[str, Moved]:
        """Name the transaction that made each payment.

        Raises:
            NoAnswer: the node does not show one whose mark is used.
        """
        moved: dict[str, Moved] = {}
        for payment in paid:
            if own and usdc.moved(self.network, payment, own.logs):
                moved[payment.payer] = Moved(own.tx_hash, own.block_number)
                continue
            # Handed in by somebody else, who may.
            found = find_payment(self._node, self.network, payment, first, final)
            if found is None:
                log.error("mark_used_otherwise", network=self.network.name, payer=payment.payer)
                raise NoAnswer(f"the mark of {payment.payer} is used, and nothing shows by what")
            moved[payment.payer] = Moved(found.tx_hash, found.block_number)
        return moved

    def _payment(self, item: SweepItem, terms: Terms) -> usdc.Payment:
        named = f"sweep:{self.network.chain_id}:{item.address}:{item.turn}"
        return usdc.Payment(
            payer=item.address,
            payee=self.treasury,
            amount=item.amount.micro,
            valid_before=int(terms["valid_before"]),
            mark=usdc.mark_of(named),
        )

    def _key(self, keyring: Keyring, item: SweepItem) -> bytes:
        key = keyring.deposit_key(EVM, item.number)
        if _address(key) != item.address:
            raise KeyDiffers(f"{EVM} {item.number} is not {item.address}")
        return key

    def _suggested_tip(self) -> int:
        try:
            return quantity(self._rpc.call("eth_maxPriorityFeePerGas"))
        except (RpcError, NoAnswer):
            return 0  # not every node has an opinion; the network's floor holds anyway


def _check_keys(keyring: Keyring, addresses: list[str]) -> None:
    # The treasury's as well, which signs nothing here: all money goes there.
    if [_address(keyring.treasury[EVM]), _address(keyring.sweeper[EVM])] != addresses:
        raise ValueError("the keyring's keys do not belong to our public addresses")


def _address(key: bytes) -> str:
    return str(Account.from_key(key).address)


def _ended(moved: Mapping[str, Moved], own: Receipt | None) -> SweepsOutcome:
    fee = own.fee if own else None
    if moved:
        return SweepsOutcome(SendState.LANDED, moved=moved, fee=fee)
    if own is None:
        return SweepsOutcome(SendState.LOST, reason="expired")
    return SweepsOutcome(SendState.FAILED, reason="refused_on_chain", fee=fee)
