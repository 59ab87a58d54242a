"""After sending: what became of a payment, by the state of the node's final block only.

The contract lets a payment's mark be used once, and only in blocks earlier than its
``valid_before``; block times never go back. So in the state of a final block F:

* mark used, and a final receipt shows our very payment: it is made, whoever handed it in;
* mark not used, and F is not earlier than ``valid_before``: it can never be made any more;
* anything else, a reverted transaction included, is not final: whoever saw the bytes may
  still hand the payment in.

F's state is asked for by F's hash, so a node that lags or forked answers with an error
instead of an older truth. What is asked without it (receipt, pool, newest nonce) never
decides whether money moved.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from protonpay.chains import evm_usdc as usdc
from protonpay.chains.evm_node import (
    At,
    Block,
    Node,
    Receipt,
    ask_block,
    quantity,
    read_block,
    read_receipt,
)
from protonpay.chains.port import Network, SendOutcome, SendState, SignedSend
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

VALID_SECONDS = 900
"""How long a signed payment is good, and so how long a lost one keeps its payout waiting."""
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a node says about a send without being asked about its payments.

    Attributes:
        receipt: of these very bytes, or of those that they outbid; or None.
        known: the node has the bytes, in a block or in its pool.
    """

    receipt: Receipt | None
    known: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a node says about a send.

    Attributes:
        used: the marks of its payments that are used in the final state.
        final_count: nonces that the sender has used in the final state.
        latest_count: the same in the newest state.
        receipt: of these very bytes, or of those that they outbid; or None.
        final_receipt: the same, if its block is final.
        known: the node has the bytes, in a block or in its pool.
    """

    used: frozenset[bytes]
    final_count: int
    latest_count: int
    receipt: Receipt | None
    final_receipt: Receipt | None
    known: bool


class Outlook:
    """Looks what became of sends.

    It remembers which bytes it saw made in a block. While their nonce is used in the newest state
    and not in the final one, nothing about them can have ended, and what a node would tell of them
    (a hundred kilobytes for a bundle) is not read again. It is only saved work: another process,
    or one begun anew, reads once more.

    Args:
        sender: the gas wallet, whose nonces the sends have.
    """

    def __init__(self, node: Node, network: Network, sender: str) -> None:
        self._node = node
        self._network = network
        self._sender = sender
        self._seen_made = OrderedDict[str, None]()

    def look(self, sends: Sequence[SignedSend]) -> Mapping[str, SendOutcome]:
        """Say what became of each payment of sends that are asked about together.

        Returns:
            Payout id → outcome.

        Raises:
            NoAnswer: unknown; ask again.
        """
        told, final_count, latest_count = self._node.ask(
            ask_block("finalized"),
            ("eth_getTransactionCount", [self._sender, "finalized"]),
            ("eth_getTransactionCount", [self._sender, "latest"]),
        )
        final = read_block(told)
        between = range(quantity(final_count), quantity(latest_count))
        found = dict[str, SendOutcome]()
        asked = []
        for send in sends:
            if self._is_known_to_wait(send, between, final):
                found |= dict.fromkeys(send.payout_ids, SendOutcome(SendState.WAITING))
            else:
                asked.append(send)
        for send, sight in zip(asked, self._see(asked), strict=True):
            if _is_on_its_way(send, sight, final):
                found |= dict.fromkeys(send.payout_ids, SendOutcome(SendState.WAITING))
                if sight.receipt is not None:
                    self._remember(send)
            else:
                inquiry = Inquiry(self._node, self._network, self._sender, send)
                found |= inquiry.outcomes(final, sight)
        return found

    def _is_known_to_wait(self, send: SignedSend, between: range, final: Block) -> bool:
        still_good = final.time < int(send.terms["valid_before"])
        return send.tx_hash in self._seen_made and send.sequence in between and still_good

    def _remember(self, send: SignedSend) -> None:
        self._seen_made[send.tx_hash] = None
        if len(self._seen_made) > _REMEMBERED:
            self._seen_made.popitem(last=False)

    def _see(self, sends: Sequence[SignedSend]) -> list[_Sight]:
        names = [tx_hash for send in sends for tx_hash in (send.tx_hash, *send.earlier)]
        asked = [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in names]
        told = self._node.ask(*asked) if asked else []
        receipts = dict(zip(names, map(read_receipt, told), strict=True))
        of = [
            next((each for name in (send.tx_hash, *send.earlier) if (each := receipts[name])), None)
            for send in sends
        ]
        # Bytes that are in a block are known; the whole of them is asked for only otherwise.
        unmined = [send.tx_hash for send, receipt in zip(sends, of, strict=True) if not receipt]
        asked = [("eth_getTransactionByHash", [tx_hash]) for tx_hash in unmined]
        told = self._node.ask(*asked) if asked else []
        pooled = {name for name, known in zip(unmined, told, strict=True) if known is not None}
        return [
            _Sight(receipt, known=receipt is not None or send.tx_hash in pooled)
            for send, receipt in zip(sends, of, strict=True)
        ]


def _is_on_its_way(send: SignedSend, sight: _Sight, final: Block) -> bool:
    """Tell whether the final state can say nothing of a send's payments yet that would end them.

    It is in a block without an error that is not final and the payments are still good; or in the
    pool, and the final block is from before they were signed.
    """
    valid_before = int(send.terms["valid_before"])
    if sight.receipt is None:
        return sight.known and final.time < valid_before - VALID_SECONDS
    above = sight.receipt.block_number > final.number
    return sight.receipt.succeeded and above and final.time < valid_before


class Inquiry:
    """One look at one send.

    Args:
        sender: the gas wallet, whose nonce the send has.
    """

    def __init__(self, node: Node, network: Network, sender: str, send: SignedSend) -> None:
        if send.sequence is None:
            raise ValueError("a send on an EVM network has a nonce")
        self._node = node
        self._network = network
        self._sender = sender
        self._send = send
        self._sequence = send.sequence
        paid = usdc.payments_in(send.raw)
        self._is_bundle = len(paid) > 1
        self._payments = {each: paid[usdc.mark_of(each)] for each in send.payout_ids}

    def outcomes(self, final: Block, sight: _Sight) -> Mapping[str, SendOutcome]:
        """Say what became of each of its payments.

        Args:
            final: the node's final block.
            sight: what it says of the bytes.

        Raises:
            NoAnswer: unknown; ask again.
        """
        facts = self._read_facts(final, sight)
        return {
            payout_id: self._outcome(payment, facts, final)
            for payout_id, payment in self._payments.items()
        }

    def _outcome(self, payment: usdc.Payment, facts: _Facts, final: Block) -> SendOutcome:
        if payment.mark in facts.used:
            return self._paid(payment, facts, final)
        if final.time < payment.valid_before:
            return self._waiting(payment, facts)
        return self._expired(payment, facts, final)

    def _read_facts(self, final: Block, sight: _Sight) -> _Facts:
        payments = list(self._payments.values())
        final_count, latest_count, *used = self._node.ask(
            ("eth_getTransactionCount", [self._sender, final.state]),
            ("eth_getTransactionCount", [self._sender, "latest"]),
            *(usdc.ask_if_used(self._network, final.state, payment) for payment in payments),
        )
        receipt = sight.receipt
        return _Facts(
            used=frozenset(
                payment.mark
                for payment, answer in zip(payments, used, strict=True)
                if usdc.decode("bool", answer)
            ),
            final_count=quantity(final_count),
            latest_count=quantity(latest_count),
            receipt=receipt,
            final_receipt=receipt if receipt and self._node.is_final(receipt, final) else None,
            known=sight.known,
        )

    def _paid(self, payment: usdc.Payment, facts: _Facts, final: Block) -> SendOutcome:
        own = facts.final_receipt
        if own and usdc.moved(self._network, payment, own.logs):
            other = own.tx_hash if own.tx_hash != self._send.tx_hash else None
            return SendOutcome(SendState.LANDED, fee=own.fee, tx_hash=other)
        first = int(self._send.terms["from_block"])
        found = find_payment(self._node, self._network, payment, first, final)
        if found is None:
            # Cancelled by the treasury's key, or paid otherwise: nothing we ever sign.
            return self._unexplained("mark_used_otherwise")
        other = found.tx_hash if found.tx_hash != self._send.tx_hash else None
        return SendOutcome(
            SendState.LANDED,
            fee=own.fee if own else None,
            tx_hash=other,
            sequence_used=facts.final_count > self._sequence,
        )

    def _waiting(self, payment: usdc.Payment, facts: _Facts) -> SendOutcome:
        reason = None
        if self._was_refused(facts):
            blocked, _ = self._read_hindrances(payment, "latest")
            reason = "payee_blacklisted" if blocked else "reverted"
        elif not facts.known and facts.latest_count > self._sequence:
            reason = "sequence_taken"
        return SendOutcome(SendState.WAITING, seen=facts.known, reason=reason)

    def _was_refused(self, facts: _Facts) -> bool:
        """Tell whether the transaction was mined without making a payment whose mark is free.

        One that hands in several may succeed and yet have one of them refused; that is known
        only once the marks are asked for in a state that includes it.
        """
        if facts.receipt is not None and not facts.receipt.succeeded:
            return True
        return self._is_bundle and facts.final_receipt is not None

    def _expired(self, payment: usdc.Payment, facts: _Facts, final: Block) -> SendOutcome:
        receipt = facts.receipt
        if receipt is not None and receipt.succeeded and not self._is_bundle:
            return self._unexplained("succeeded_without_mark")
        if facts.final_receipt is not None:
            return self._refused(payment, facts.final_receipt, final)
        if facts.final_count > self._sequence:
            return SendOutcome(SendState.LOST, reason="expired")
        if facts.latest_count > self._sequence:
            # Too late to pay, but whether its nonce is used is settled in a moment.
            return SendOutcome(SendState.WAITING, seen=facts.known, reason="expired")
        return SendOutcome(SendState.LOST, reason="expired", sequence_used=False)

    def _unexplained(self, reason: str) -> SendOutcome:
        log.error(reason, network=self._network.name, tx_hash=self._send.tx_hash)
        return SendOutcome(SendState.WAITING, reason=reason)

    def _refused(self, payment: usdc.Payment, receipt: Receipt, final: Block) -> SendOutcome:
        """Tell a refusal of this payee from one that a new send may not meet.

        What hindered it may be over by now: a treasury that was short is filled by sweeps.
        """
        mined = self._node.block(hex(receipt.block_number))
        blocked, ours = self._read_hindrances(payment, final.state)
        if not blocked and not ours and mined.time < payment.valid_before:
            blocked, ours = self._read_past_hindrances(payment, mined)
        if blocked:
            return SendOutcome(SendState.FAILED, reason="payee_blacklisted", fee=receipt.fee)
        if ours or mined.time >= payment.valid_before:
            return SendOutcome(SendState.LOST, reason="expired", fee=receipt.fee)
        return SendOutcome(SendState.FAILED, reason="reverted", fee=receipt.fee)

    def _read_hindrances(self, payment: usdc.Payment, at: At) -> tuple[bool, bool]:
        """Return whether the payee is blocked, and whether the contract or treasury hinders."""
        blocked, paused, payer_blocked, balance = self._node.ask(
            usdc.ask(self._network, at, "isBlacklisted(address)", payment.payee),
            usdc.ask(self._network, at, "paused()"),
            usdc.ask(self._network, at, "isBlacklisted(address)", payment.payer),
            usdc.ask(self._network, at, "balanceOf(address)", payment.payer),
        )
        stopped = usdc.decode("bool", paused) or usdc.decode("bool", payer_blocked)
        short = usdc.decode("uint256", balance) < payment.amount
        return usdc.decode("bool", blocked), stopped or short

    def _read_past_hindrances(self, payment: usdc.Payment, mined: Block) -> tuple[bool, bool]:
        try:
            return self._read_hindrances(payment, mined.state)
        except NoAnswer:
            # A node may have forgotten that state. Unknown is no refusal: the payment has expired
            # and may be signed anew, after a look that says what hinders it.
            return False, True


def find_payment(
    node: Node, network: Network, payment: usdc.Payment, first: int, final: Block
) -> Receipt | None:
    """Return the final transaction, anybody's, that made a payment since a block.

    Raises:
        NoAnswer: unknown.
    """
    topics = usdc.topics_of_use(payment)
    for tx_hash in node.find_logs(network.usdc, topics, first, final.number):
        receipt = node.receipt(tx_hash)
        if usdc.moved(network, payment, receipt.logs) and node.is_final(receipt, final):
            return receipt
    return None
