"""What every network can do to move USDC from deposit addresses to the treasury.

A deposit address signs and pays nothing: the sweeper, a wallet of its own, hands in many
sweeps as one transaction and pays for it. Signed bytes hold for many sweeps and are sent
as payouts are: read terms, sign, store, broadcast the same bytes, ask for the outcome.
``NoAnswer`` of the wire means unknown at every step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from protonpay.chains.port import Network, SendState, Terms
from protonpay.kernel.money import Usdc


class KeyDiffers(Exception):
    """The key made from a number does not belong to the address written beside it."""


@dataclass(frozen=True, slots=True)
class SweepItem:
    """One deposit address to be emptied of a fixed amount.

    Attributes:
        number: derivation index of its key.
        address: in canonical form; on Solana the wallet, not its token account.
        turn: which sweep of this address on this network. Where a network has marks (EIP-3009's
            nonce) it makes one with the address, so that a sweep moves money once, whatever is
            signed for it; elsewhere nothing is signed anew before the bytes are proved dead.
    """

    number: int
    address: str
    amount: Usdc
    turn: int


@dataclass(frozen=True, slots=True)
class Holding:
    """What a deposit address has.

    Attributes:
        final: USDC at the newest final block.
        blocked: Circle lets nothing leave it now.
    """

    final: Usdc
    blocked: bool


@dataclass(frozen=True, slots=True)
class SignedSweeps:
    """One transaction's signed bytes.

    Attributes:
        sequence: the sweeper's nonce on EVM networks; None elsewhere.
    """

    raw: bytes
    tx_hash: str
    sequence: int | None
    terms: Terms


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a sweep's money moved: the final transaction, and its block (slot on Solana)."""

    tx_hash: str
    block: int


@dataclass(frozen=True, slots=True)
class SweepsOutcome:
    """What became of a transaction, and of each of its sweeps.

    Attributes:
        state: WAITING as long as anything in it is not settled. Any other state is final:
            what is not in ``moved`` can never be moved by these bytes.
        seen: the node knows the bytes; if not, broadcast them again.
        moved: address → the transaction that emptied it, which another may have handed in;
            final, whatever the state is.
        fee: in the smallest native unit, once known.
    """

    state: SendState
    seen: bool = True
    reason: str | None = None
    fee: int | None = None
    moved: Mapping[str, Moved] = field(default_factory=dict)


class Sweeper(Protocol):
    """One network's sweeps, through one node. Signs only when made with a keyring."""

    network: Network
    sender: str
    """The wallet that pays for sweeps and, on EVM networks, orders them."""
    treasury: str
    """Where the money goes."""
    most: int
    """How many sweeps fit into one transaction."""

    def holdings(self, addresses: Sequence[str]) -> Mapping[str, Holding]:
        """Return what each address has, and whether it may leave.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def read_terms(self, count: int) -> Terms:
        """Read what must be known before so many sweeps are signed as one transaction.

        Raises:
            NotReady: ``gas_short``, ``fees_high``, ``usdc_paused``, ``treasury_blocked`` …:
                ask again later.
            NoAnswer: unknown; ask again.
        """

    def next_sequence(self) -> int | None:
        """Return the sweeper's nonce after the last final one, or None where there are none.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def sign(
        self,
        items: Sequence[SweepItem],
        terms: Terms,
        sequence: int | None,
        replaces: SignedSweeps | None,
    ) -> SignedSweeps:
        """Sign sweeps as one transaction. Pure: the same arguments give the same bytes.

        Args:
            items: what to move, ``most`` at the most, each address once.
            terms: what ``read_terms`` answered.
            sequence: the nonce to use, where the network has them.
            replaces: what was signed under this nonce before: its fees must be beaten.

        Raises:
            KeyDiffers: a number's key does not make its address; nothing was signed.
        """

    def broadcast(self, signed: SignedSweeps) -> None:
        """Hand the bytes to the node; harmless any number of times.

        Raises:
            NoAnswer: it may or may not have taken them.
        """

    def outcome(self, signed: SignedSweeps, items: Sequence[SweepItem]) -> SweepsOutcome:
        """Say what became of signed sweeps, by final state only.

        Raises:
            NoAnswer: unknown; ask again.
        """
