"""What one transaction did, asked by name: for people who want to know where money went.

Nothing is credited by this. It knows more than a watch, which reads transfers of USDC alone:
other tokens, native coins, transactions that failed.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

NATIVE = "native"
USDC = "USDC"


class Standing(StrEnum):
    """How far a transaction has come, as its node tells."""

    MISSING = "MISSING"
    PENDING = "PENDING"
    FAILED = "FAILED"
    SEEN = "SEEN"
    FINAL = "FINAL"


@dataclass(frozen=True, slots=True)
class Touch:
    """What a transaction gave to one address.

    Attributes:
        address: in canonical form; on Solana the wallet, not its token account.
        asset: ``USDC`` for the network's own, ``native`` for its coin, else the token's contract
            or mint.
        named: what an unknown token calls itself, which anybody may choose; None unless it says.
        amount: in the asset's smallest units; 0 is a transfer of nothing.
        sender: who gave it, where the network says it.
    """

    address: str
    asset: str
    amount: int
    sender: str | None
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Inspected:
    """A transaction as its node shows it.

    Attributes:
        block: height (EVM) or slot (Solana), None in no block.
        touches: what arrived where; coins that contracts passed on inside are not listed by EVM
            nodes and so are not here.
    """

    standing: Standing
    block: int | None = None
    touches: tuple[Touch, ...] = ()


class Inspector(Protocol):
    """A network asked about one transaction, or about one address."""

    def is_contract(self, address: str) -> bool:
        """Tell whether a program stands at an address that a payout may go to, and not only a key.

        Raises:
            NoAnswer: unknown; ask again.
        """

    def canonical(self, tx_hash: str) -> str | None:
        """Return a transaction's name as this network's rows have it; None if it is no name."""

    def inspect(self, tx_hash: str) -> Inspected:
        """Return what a transaction did.

        Raises:
            NoAnswer: unknown; ask again.
        """
