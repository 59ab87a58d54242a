"""What we hold on a network as of a final block: for comparing it with the book.

Read only, without keys. Nothing that is told here can be taken back by a reorg; ``NoAnswer`` of
the wire means unknown, as everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from protonpay.kernel.money import Usdc


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """A block that is final: its height (slot on Solana), when it was made in Unix seconds.

    Attributes:
        name: its hash, where the past can be asked about; None where only the present can.
    """

    height: int
    time: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Balances:
    """What addresses hold as of one final block, in 10⁻⁶ USDC.

    Attributes:
        height: of that block; where only the present can be asked about, not below the one
            that was asked for.
    """

    height: int
    micro: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Treasury:
    """What the treasury holds, and which payouts have left it, both as of one final block."""

    height: int
    balance: Usdc
    paid: frozenset[str]


class Snapshot(Protocol):
    """One network, looked at from outside of the payouts and watches."""

    at_once: int
    """How many addresses one question holds."""

    def block(self, height: int | None) -> FinalBlock:
        """Return a block by its height, or the newest final one.

        Raises:
            NoAnswer: unknown, or it is not final as this node sees it.
        """

    def balances(self, at: FinalBlock, addresses: Sequence[str]) -> Balances:
        """Return what each address holds; 0 where there is nothing.

        Raises:
            NoAnswer: unknown, for all of them.
        """

    def treasury(self, at: FinalBlock, payout_ids: Sequence[str]) -> Treasury:
        """Return what the treasury holds, and whose marks of these payouts are on the chain.

        Raises:
            NoAnswer: unknown.
        """
