"""A Merkle-sum tree: one hash and one sum that hold every user's balance. Pure.

========  =========================================================================
leaf      SHA-256(``00`` ‖ salt ‖ user id ‖ balance), with its balance as its sum
node      SHA-256(``01`` ‖ left hash ‖ left sum ‖ right hash ‖ right sum)
padding   SHA-256(``02``), with the sum 0
========  =========================================================================

A salt is 32 bytes, a sum 8 bytes, big-endian, unsigned and below 2⁶³. Sums are hashed, so none
can be changed above a node without being changed in it: both of them, not only their total, which
would let a sum be shifted between siblings (Chalkias, Chatzigiannis, Ji, "Broken Proofs of
Solvency in Blockchain Custodial Wallets and Exchanges", 2022).
An odd node is paired with padding and not with itself, which would let two different lists of
leaves have one root (CVE-2012-2459). Leaves stand in the order of their salted hashes: a place
tells nothing of whose it is.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protonpay.kernel.money import MAX_MICRO, ZERO, Usdc

NODE_BYTES = 40
_HASH_BYTES = 32
_SUM_BYTES = 8


@dataclass(frozen=True, slots=True)
class Node:
    """A place of the tree."""

    hash: bytes
    total: Usdc

    def packed(self) -> bytes:
        """Return hash and sum as they are hashed and stored: 40 bytes."""
        return self.hash + self.total.micro.to_bytes(_SUM_BYTES, "big")

    @classmethod
    def unpacked(cls, packed: bytes) -> "Node":
        """Read what ``packed`` wrote."""
        return cls(packed[:_HASH_BYTES], Usdc(int.from_bytes(packed[_HASH_BYTES:], "big")))


PADDING = Node(hashlib.sha256(b"\x02").digest(), ZERO)


@dataclass(frozen=True, slots=True)
class Tree:
    """All of it.

    Attributes:
        places: user → place among the leaves.
        levels: from the leaves up to the root, each level's packed nodes one after the other.
    """

    places: Mapping[str, int]
    levels: Sequence[bytes]

    @property
    def root(self) -> Node:
        """Return the node that holds all."""
        return Node.unpacked(self.levels[-1])


def salt(secret: bytes, user_id: str) -> bytes:
    """Return the 32 bytes that keep a leaf from being guessed: HMAC-SHA-256 of the user's id."""
    return hmac.digest(secret, user_id.encode(), hashlib.sha256)


def leaf(salt_: bytes, user_id: str, balance: Usdc) -> Node:
    """Make a user's leaf.

    Raises:
        ValueError: a balance below zero, which would hide what somebody else is owed.
    """
    if not 0 <= balance.micro <= MAX_MICRO:
        raise ValueError(f"user {user_id} has {balance}")
    packed = balance.micro.to_bytes(_SUM_BYTES, "big")
    return Node(hashlib.sha256(b"\x00" + salt_ + user_id.encode() + packed).digest(), balance)


def build(secret: bytes, balances: Mapping[str, Usdc]) -> Tree:
    """Make the tree of everybody's balances.

    Args:
        secret: what salts are made of; another one for each tree.
        balances: user → balance.

    Raises:
        ValueError: a balance is below zero, or they are together more than can be counted.
    """
    leaves = sorted(
        (leaf(salt(secret, user), user, balance).packed(), user)
        for user, balance in balances.items()
    )
    level = b"".join(packed for packed, _ in leaves) or PADDING.packed()
    levels = [level]
    while len(level) > NODE_BYTES:
        level = _above(level)
        levels.append(level)
    return Tree({user: place for place, (_, user) in enumerate(leaves)}, levels)


def depth(leaves: int) -> int:
    """Return how many steps a tree of so many leaves has from a leaf to the root."""
    return max(leaves - 1, 0).bit_length()


def _above(level: bytes) -> bytes:
    if len(level) % (2 * NODE_BYTES):
        level += PADDING.packed()
    nodes = []
    for start in range(0, len(level), 2 * NODE_BYTES):
        pair = level[start : start + 2 * NODE_BYTES]
        total = _sum(pair[_HASH_BYTES:NODE_BYTES]) + _sum(pair[NODE_BYTES + _HASH_BYTES :])
        if total > MAX_MICRO:
            raise ValueError("the sum is larger than can be counted")
        nodes.append(hashlib.sha256(b"\x01" + pair).digest() + total.to_bytes(_SUM_BYTES, "big"))
    return b"".join(nodes)


def _sum(packed: bytes) -> int:
    return int.from_bytes(packed, "big")
