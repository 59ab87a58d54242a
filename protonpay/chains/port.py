"""What every network can do for us, and how much each answer proves.

A send is one transaction that makes one payment or several. It is made in steps that may
each run twice: read the terms (network), sign (pure), store, broadcast the same bytes as
often as needed (network), ask what became of each payment (network). Only LANDED, FAILED
and LOST are final; ``NoAnswer`` of the wire means unknown at every step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from protonpay.kernel.money import Usdc

Terms = Mapping[str, str | int]
"""Facts read from the network before signing, and what the signature is bound to.

Whole numbers and text only, so that they survive JSON: fees, blockhash, expiry.
"""


class PayeeRefused(Exception):
    """The destination can never be paid by this order; nothing was signed for it.

    Attributes:
        code: stable reason (``payee_blacklisted``, ``payee_not_a_wallet`` …).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class NotReady(Exception):
    """Our side or the network cannot send now: the order waits, it does not fail.

    Attributes:
        code: stable reason (``treasury_short``, ``gas_short``, ``usdc_paused`` …).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class AlreadySent(NotReady):
    """The chain bears the payout's mark: an earlier send of it landed, nothing may be signed.

    A kind of NotReady, so that whoever does not know it waits instead of paying or failing.

    Attributes:
        tx_hash: the send that landed, or None while the chain does not name it as final.
    """

    def __init__(self, tx_hash: str | None, detail: str) -> None:
        super().__init__("already_sent", detail)
        self.tx_hash = tx_hash


@dataclass(frozen=True, slots=True)
class SendOrder:
    """One payment out of the treasury.

    Attributes:
        payout_id: makes the on-chain idempotency mark, so that even two sends of
            one payout move money once.
        to: canonical wallet address, as ``check_address`` returned it.
    """

    payout_id: str
    to: str
    amount: Usdc


Hindrance = PayeeRefused | NotReady
"""Why an order is not paid now (NotReady, AlreadySent among them) or never (PayeeRefused)."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What one look at the network says of some orders.

    Attributes:
        terms: what the payable ones are to be signed under; empty if there are none.
        payable: those that one transaction can pay now, in the order given.
        hindered: payout id → what stands in its way.
        further: transactions of their own for those that found no room in it, nobody hindered.
            An order that is nowhere found no room in those either.
    """

    terms: Terms
    payable: Sequence[SendOrder]
    hindered: Mapping[str, Hindrance]
    further: Sequence["Prospect"] = ()


@dataclass(frozen=True, slots=True)
class SignedSend:
    """Signed bytes, ready to be broadcast any number of times.

    Attributes:
        payout_ids: the payments in it.
        tx_hash: the network's name for these bytes (hash or first signature).
        sequence: the sender's nonce on EVM networks; None elsewhere.
        terms: the terms it was signed under, expiry included.
        earlier: names of bytes with the same payments and nonce that it outbids: any of them
            may be the one that lands.
    """

    payout_ids: tuple[str, ...]
    raw: bytes
    tx_hash: str
    sequence: int | None
    terms: Terms
    earlier: tuple[str, ...] = ()


class SendState(StrEnum):
    """What is known of a payment in a signed send."""

    WAITING = "WAITING"
    """Not final: it may still land. ``seen`` tells whether the node knows it."""
    LANDED = "LANDED"
    """Final: the money moved."""
    FAILED = "FAILED"
    """Final: these bytes can never move the money, and this payment was refused on chain."""
    LOST = "LOST"
    """Final: these bytes never paid it and can never pay it; a new send may be signed."""


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """The answer to "what became of this payment".

    Attributes:
        seen: the node knows the bytes (pool or block); if not, broadcast them again.
        reason: stable code of an on-chain refusal, with FAILED and sometimes WAITING.
        fee: network fee of the whole transaction in the smallest native unit (wei,
            lamports), once known.
        sequence_used: False with LOST when the sender's nonce is still free, so that
            the next send must take the same one.
        tx_hash: with LANDED, the send that moved the money if it is not this one: an earlier
            send of the same payout, found by its mark.
    """

    state: SendState
    seen: bool = True
    reason: str | None = None
    fee: int | None = None
    sequence_used: bool = True
    tx_hash: str | None = None


MOST_LOOKED_AT = 128
"""How many sends are asked about together: half of what Solana takes in one question."""


@dataclass(frozen=True, slots=True)
class ChainHead:
    """How far a node is, in what a transfer's block is told in: heights, on Solana slots.

    Attributes:
        small: its newest block that is good enough for a small deposit; final where a network
            has no such thing.
        finalized_at: when its newest final block was made, in Unix seconds.
    """

    latest: int
    small: int
    finalized: int
    finalized_at: int


@dataclass(frozen=True, slots=True)
class Network:
    """A network as data; an adapter is made from it.

    Attributes:
        name: as the API document spells it (``Solana``).
        family: which adapter speaks it (``evm`` or ``solana``).
        chain_id: EIP-155 id; None on Solana.
        usdc: contract or mint address of native USDC.
        by_account: deposits are found by asking about each account, not by scanning blocks.
        small_at: the node's tag at which a small deposit is credited; a large one, and every one
            where accounts are asked about, waits for ``finalized``.
        refused: addresses no payout may go to (token contracts, programs …).
        withdrawal_fee: flat, where a plan does not name one; None: a plan must.
        options: what only its adapter reads (EIP-712 name, fee floors …).
    """

    name: str
    family: str
    usdc: str
    chain_id: int | None = None
    by_account: bool = False
    small_at: str = "finalized"
    refused: frozenset[str] = frozenset()
    withdrawal_fee: Usdc | None = None
    options: Mapping[str, str | int] = field(default_factory=dict)


class Chain(Protocol):
    """One network, reached through one node. Holds keys only when made with a keyring."""

    network: Network
    sender: str
    """The wallet whose nonces order the sends (gas wallet on EVM, fee payer on Solana)."""
    treasury: str
    """The wallet that holds the USDC which payouts come out of."""

    most_in_one: int
    """The most payments that are ever put into one transaction."""
    most_together: int
    """The most payments that are looked at together; they may leave by several transactions."""

    def read_terms(self, orders: Sequence[SendOrder]) -> Prospect:
        """Read what must be known before signing, and look which orders can be paid now.

        Args:
            orders: at most ``most_together``, the most urgent one first.

        Raises:
            NotReady: nothing at all can be sent now: ask again later.
            NoAnswer: unknown; ask again.
        """

    def next_sequence(self) -> int | None:
        """Return the nonce after the last final one, or None where there are none.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def sign(
        self,
        orders: Sequence[SendOrder],
        terms: Terms,
        sequence: int | None,
        replaces: SignedSend | None,
    ) -> SignedSend:
        """Sign one send. Pure: no network, the same arguments give the same bytes.

        Args:
            orders: what to pay, some or all of one ``Prospect.payable``; each ``payout_id``
                becomes an on-chain mark.
            terms: what ``read_terms`` answered with them.
            sequence: the nonce to use, where the network has them.
            replaces: the lost send whose free nonce is taken again: fees must beat its fees.
        """

    def broadcast(self, send: SignedSend) -> None:
        """Hand the bytes to the node; harmless any number of times.

        A node's error is logged and proves nothing: the outcome is asked for next.

        Raises:
            NoAnswer: it may or may not have taken them.
        """

    def outbid(self, send: SignedSend) -> SignedSend | None:
        """Sign the same payments under the same nonce for higher fees, if that would help now.

        Returns:
            None where fees cannot be raised so, while earlier nonces are not mined, once this
            one is, and above what we are ready to pay.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def outcomes(self, *sends: SignedSend) -> Mapping[str, SendOutcome]:
        """Say what became of each payment of some sends, by final state only.

        Args:
            sends: at most ``MOST_LOOKED_AT``; no payout is in two of them.

        Returns:
            Payout id → its outcome, for every one of the sends' ``payout_ids``.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def balance(self, address: str) -> Usdc:
        """Return a wallet's USDC at the newest final block.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def head(self) -> ChainHead:
        """Return how far the node is.

        Raises:
            NoAnswer: the node does not answer.
        """
