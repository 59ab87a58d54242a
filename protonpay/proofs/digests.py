"""What is hashed of a head and of its reserves: JSON arrays of texts, as of an entry."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc

NOTHING = bytes(32)
"""What stands before the first head."""
_HEAD = "Proton Pay head 1"


@dataclass(frozen=True, slots=True)
class Reserve:
    """What one address held.

    Attributes:
        role: ``treasury`` or ``deposit``.
        block: height (slot on Solana) of the final block it was read at; None with ``amount``.
        amount: None if it is not known, which is no zero.
    """

    network: str
    address: str
    role: str
    block: int | None
    amount: Usdc | None


@dataclass(frozen=True, slots=True)
class NetworkTotal:
    """What the addresses of a network held together.

    Attributes:
        addresses_unknown: of how many addresses it is not known.
        first_block: the lowest block that one was read at; None if none was.
        last_block: the highest.
        amount: of those that are known.
    """

    network: str
    addresses: int
    addresses_unknown: int
    first_block: int | None
    last_block: int | None
    amount: Usdc


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What a head says, its own hash left out."""

    number: int
    day: date
    taken_at: datetime
    position: int
    chain_hash: bytes
    root: bytes
    leaves: int
    total: Usdc
    debts: Usdc
    reserves: Sequence[NetworkTotal]
    reserves_hash: bytes
    previous_hash: bytes

    @property
    def hash(self) -> bytes:
        """Return the hash of all of it."""
        return hash_head(self)


def reserve_line(reserve: Reserve) -> str:
    """Print an address's reserve as it is hashed and exported."""
    amount = None if reserve.amount is None else reserve.amount.micro
    return _array(reserve.network, reserve.address, reserve.role, reserve.block, amount)


def hash_reserves(reserves: Iterable[Reserve]) -> bytes:
    """Hash the list of reserves: each line and a newline, ordered by network and address."""
    ordered = sorted(reserves, key=lambda each: (each.network, each.address))
    return hashlib.sha256("".join(f"{reserve_line(each)}\n" for each in ordered).encode()).digest()


def hash_head(head: HeadFacts) -> bytes:
    """Hash all that a head says, the head before it included."""
    totals = [
        part
        for of in head.reserves
        for part in (
            *(of.network, of.addresses, of.addresses_unknown, of.first_block, of.last_block),
            of.amount.micro,
        )
    ]
    text = _array(
        _HEAD,
        head.number,
        head.day.isoformat(),
        clock.to_text(head.taken_at),
        head.position,
        head.chain_hash.hex(),
        head.root.hex(),
        head.leaves,
        head.total.micro,
        head.debts.micro,
        head.reserves_hash.hex(),
        head.previous_hash.hex(),
        *totals,
    )
    return hashlib.sha256(text.encode()).digest()


def _array(*parts: str | int | None) -> str:
    texts = ["" if part is None else str(part) for part in parts]
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
