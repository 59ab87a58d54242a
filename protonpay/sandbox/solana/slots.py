"""Slots, heights, block times and block hashes: computed, not stored, so that idling is free."""

import bisect
import hashlib
import secrets
from typing import Any

from solders.hash import Hash

from protonpay.kernel import clock

GENESIS_SLOT = 400_000_000
BLOCKHASH_AGE = 150
"""How many blocks a block hash stays good for (Agave: MAX_PROCESSING_AGE)."""
_SKIP_EVERY = 16
_REMEMBERED_SLOTS = 512
# One for every start and warp; without an end to them, keeping them would cost more each time.
_MOST_ANCHORS = 1000


def skipped(slot: int) -> bool:
    """Tell whether no leader made a block in this slot.

    One slot in sixteen, so that a height is never equal to a slot and readers
    meet holes, as on every cluster.
    """
    return slot % _SKIP_EVERY == _SKIP_EVERY - 1


def block_at(slot: int) -> int:
    """Return the slot of the newest block up to this slot."""
    return slot - 1 if skipped(slot) else slot


def height(slot: int) -> int:
    """Return the block height: how many blocks lie before this slot's."""
    return slot - (slot + 1) // _SKIP_EVERY


def last_valid_height(slot: int) -> int:
    """Return the last height at which this slot's block hash may be used."""
    return height(slot) + BLOCKHASH_AGE


class Timeline:
    """The chain's clock, kept as anchors (slot, Unix ms, ms per slot) and forks.

    Args:
        facts: what ``facts()`` returned before a restart, or None for a new chain.
        slot_ms: length of a slot; 0 stops the clock, which then moves by ``warp`` only.
    """

    def __init__(self, facts: dict[str, Any] | None, slot_ms: int) -> None:
        kept = facts or {"seed": secrets.token_hex(32), "anchors": [], "forks": []}
        self._seed = bytes.fromhex(kept["seed"])
        self._anchors = [tuple(anchor) for anchor in kept["anchors"]]
        self._forks = [tuple(fork) for fork in kept["forks"]]
        self._recent: dict[Hash, int] = {}
        self._remembered = 0
        self._latest = GENESIS_SLOT + 1
        self._slot_ms = slot_ms
        # Slots of another length than before the restart begin where the old ones end.
        self._anchor(self._by_the_clock())

    def facts(self) -> dict[str, Any]:
        """Return what must be kept to compute the same chain again."""
        return {"seed": self._seed.hex(), "anchors": self._anchors, "forks": self._forks}

    def slot(self) -> int:
        """Return the slot of the newest block; never less than before."""
        self._latest = max(self._latest, block_at(self._by_the_clock()))
        return self._latest

    def not_before(self, slot: int) -> None:
        """Begin no earlier than a slot that was used before, whatever the wall clock says."""
        if slot > self.slot():
            self._anchor(slot)

    def warp(self, slots: int) -> int:
        """Let slots pass at once and return the new one."""
        # From the clock's own slot: counted from the last block, a step of one would never
        # leave a hole behind.
        self._anchor(max(self._by_the_clock(), self.slot()) + slots)
        return self.slot()

    def fork(self, slot: int) -> None:
        """Give every block after this slot another hash: they are another fork's."""
        number = max((number for _, number in self._forks), default=0) + 1
        self._forks = [fork for fork in self._forks if fork[0] <= slot] + [(slot + 1, number)]
        self._recent = {known: at for known, at in self._recent.items() if at <= slot}
        self._remembered = min(self._remembered, slot)

    def block_time(self, slot: int) -> int:
        """Return when a slot's block was made, in Unix seconds."""
        index = max(bisect.bisect_right(self._anchors, slot, key=lambda a: a[0]) - 1, 0)
        at, began_ms, slot_ms = self._anchors[index]
        moment = began_ms + (slot - at) * slot_ms
        if index + 1 < len(self._anchors):
            moment = min(moment, self._anchors[index + 1][1])
        return int(moment) // 1000

    def blockhash(self, slot: int) -> Hash:
        """Return the hash of a slot's block on the present fork."""
        fork = next((number for start, number in reversed(self._forks) if start <= slot), 0)
        text = self._seed + fork.to_bytes(8, "big") + slot.to_bytes(8, "big")
        return Hash(hashlib.sha256(text).digest())

    def slot_of(self, blockhash: Hash) -> int | None:
        """Return the recent slot that has this hash, or None."""
        newest = self.slot()
        oldest = newest - _REMEMBERED_SLOTS
        for slot in range(max(self._remembered + 1, oldest), newest + 1):
            if not skipped(slot):
                self._recent[self.blockhash(slot)] = slot
        self._remembered = newest
        while self._recent and next(iter(self._recent.values())) < oldest:
            del self._recent[next(iter(self._recent))]
        return self._recent.get(blockhash)

    def _by_the_clock(self) -> int:
        if not self._anchors:
            return GENESIS_SLOT + 1
        slot, began_ms, slot_ms = self._anchors[-1]
        passed = (_now_ms() - began_ms) // slot_ms if slot_ms else 0
        return int(slot + max(passed, 0))

    def _anchor(self, slot: int) -> None:
        self._anchors.append((slot, _now_ms(), self._slot_ms))
        del self._anchors[:-_MOST_ANCHORS]


def _now_ms() -> int:
    return clock.to_epoch_ms(clock.now())
