"""What a network tells about money that came in, and how much each answer proves.

A watch keeps no state and holds no key: whoever asks remembers how far it was. What it
answers of blocks that are not final may be taken back by a reorg. ``NoAnswer`` of the wire
means unknown everywhere: a node that errs, lags or has forgotten proves nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from protonpay.kernel.money import Usdc


@dataclass(frozen=True, slots=True)
class Point:
    """A block: its height, and when it was made in Unix seconds."""

    height: int
    time: int


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one node is: its newest block, and its newest final one.

    Attributes:
        small: its newest block that is good enough for a small deposit; final where a network
            has no such thing.
    """

    latest: Point
    small: Point
    final: Point


@dataclass(frozen=True, slots=True)
class Arrival:
    """One transfer of native USDC, as a block has it.

    Attributes:
        address: who was paid, in canonical form; on Solana the wallet, not its token account.
        sender: who paid, where the network says it.
        ordinal: which transfer of its transaction; the same wherever a reorg puts that.
        block: height of the block (slot on Solana).
        payers: everybody who paid, where several did at once: then nobody is the ``sender``.
    """

    address: str
    sender: str | None
    amount: Usdc
    tx_hash: str
    ordinal: int
    block: int
    block_hash: str | None
    payers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paid:
    """Whom the blocks of a range paid.

    Attributes:
        up_to: the last block this speaks of: as far as one answer reaches.
        addresses: transaction → the addresses that it paid.
    """

    up_to: Point
    addresses: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Movement:
    """What one transaction did to one account.

    Attributes:
        name: the transaction, for ``movements`` to go on after.
        change: what it made of the balance, in 10⁻⁶ USDC; negative when it took.
        final: no reorg can take it back.
        arrival: the transfer, if the account gained.
    """

    name: str
    change: int
    final: bool
    arrival: Arrival | None


class BlockWatch(Protocol):
    """A network whose blocks are scanned: the cost does not depend on how many are watched."""

    def reach(self) -> Reach:
        """Return how far the node is.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def paid(self, first: int, last: int, most: int | None = None) -> Paid:
        """Return whom the blocks from ``first`` on paid, as far as one answer reaches.

        Args:
            first: the first block.
            last: the last one wanted.
            most: how many transfers are enough, by how many there were in a block before.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def arrivals(self, tx_hashes: Sequence[str]) -> list[Arrival]:
        """Return every transfer of transactions that stand in the node's chain now.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def is_gone(self, tx_hash: str, block: int, block_hash: str) -> bool:
        """Tell whether a transaction is proved to be no longer where it was seen.

        False says nothing. Asked of what ``arrivals`` does not have.

        Raises:
            NoAnswer: unknown; ask again.
        """


class AccountWatch(Protocol):
    """A network whose blocks are too large to scan: each account is asked about by itself."""

    def final_slot(self) -> int:
        """Return the newest slot that no reorg can take back.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def balances(self, addresses: Sequence[str]) -> Mapping[str, int]:
        """Return what each address has now, in 10⁻⁶ USDC, not all of it final.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def movements(self, address: str, after: str | None) -> list[Movement]:
        """Return what happened to an account after a final transaction, oldest first.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def is_gone(self, tx_hash: str, block: int) -> bool:
        """Tell whether a transaction is proved to be in no block up to the final one.

        False says nothing.

        Raises:
            NoAnswer: unknown; ask again.
        """
