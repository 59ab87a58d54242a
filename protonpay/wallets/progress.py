"""How far a transfer that was seen is from being credited, for who waits for it.

Its network decides when it is final, not a number of blocks (``finality``). What can be told is how
many stand on it, beside how many stand on the newest block that would be credited: where the first
is no smaller than the second, the network has come to it. Both move, so the second is never a
promise. Nothing is credited by this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from protonpay.store import beats
from protonpay.store.db import db
from protonpay.wallets import finality
from protonpay.wallets.models import Incoming

_FRESH_SECONDS = 30
"""Heads are noted every five; one that is older says how it was."""


@dataclass(frozen=True, slots=True)
class Confirmations:
    """How many blocks stand on a transfer, its own with them.

    Attributes:
        required: how many stand on the newest block that its network calls good enough for it now.
        count: at most ``required``.
    """

    count: int
    required: int


def confirmations(incoming_id: str | None) -> Confirmations | None:
    """Return how far a transfer is; None if it is not waiting, or its network's head is unknown."""
    transfer = db.session.get(Incoming, incoming_id) if incoming_id else None
    if transfer is None or transfer.state != "SEEN":
        return None
    head = _fresh_head(transfer.network)
    large = finality.is_large(transfer.network, transfer.amount_micro)
    good_enough = head and head.get("finalized" if large else "small")
    if head is None or good_enough is None:
        return None
    required = head["latest"] - good_enough + 1
    # The head may have been noted before the transfer's block was made.
    count = max(head["latest"] - transfer.block, 0) + 1
    return Confirmations(min(count, required), required)


def since_final_block(network: str) -> timedelta | None:
    """Return how long ago a network made its newest final block; None if that is not known."""
    head = _fresh_head(network)
    if head is None:
        return None
    return timedelta(seconds=max(0, head["seenAt"] - head["finalizedAt"] + head["age"]))


def _fresh_head(network: str) -> Mapping[str, Any] | None:
    head = beats.known_heads().get(network)
    return head if head is not None and head["age"] <= _FRESH_SECONDS else None
