"""The tree: any number of leaves, each provable, no sum hidden, no place telling whose it is."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protonpay.kernel.money import MAX_MICRO, Usdc
from protonpay.proofs import tree
from protonpay.proofs.tree import NODE_BYTES, PADDING, Node

SECRET = bytes(range(32))


def _nodes(level: bytes) -> list[Node]:
    return [
        Node.unpacked(level[start : start + NODE_BYTES])
        for start in range(0, len(level), NODE_BYTES)
    ]


def _climb(made: tree.Tree, user: str, balance: Usdc) -> tuple[bytes, int]:
    """Compute the root from one leaf, as the module's docstring says it."""
    salt = tree.salt(SECRET, user)
    packed = balance.micro.to_bytes(8, "big")
    digest, total = hashlib.sha256(b"\x00" + salt + user.encode() + packed).digest(), balance.micro
    place = made.places[user]
    for level in made.levels[:-1]:
        row = [*_nodes(level), PADDING]
        beside = row[place ^ 1].packed()
        own = digest + total.to_bytes(8, "big")
        pair = beside + own if place & 1 else own + beside
        total += int.from_bytes(beside[32:], "big")
        digest, place = hashlib.sha256(b"\x01" + pair).digest(), place >> 1
    return digest, total


@given(st.lists(st.integers(0, 10**12), max_size=40))
def test_every_leaf_leads_to_the_root_and_the_root_holds_the_sum(amounts: list[int]):
    balances = {f"c{number}": Usdc(micro) for number, micro in enumerate(amounts)}
    made = tree.build(SECRET, balances)
    assert made.root.total == Usdc(sum(amounts))
    assert len(made.levels) == tree.depth(len(amounts)) + 1
    assert sorted(made.places.values()) == list(range(len(amounts)))
    for user, balance in balances.items():
        assert _climb(made, user, balance) == (made.root.hash, sum(amounts))


def test_leaves_stand_by_their_salted_hashes():
    balances = {f"c{number:03}": Usdc(1) for number in range(100)}
    one, other = tree.build(SECRET, balances), tree.build(bytes(32), balances)
    hashes = [node.hash for node in _nodes(one.levels[0])]
    assert hashes == sorted(hashes)
    assert list(one.places) != list(other.places)
    assert one.root.hash != other.root.hash
    assert one.root.total == other.root.total


def test_an_odd_leaf_is_not_paired_with_itself():
    three = tree.build(SECRET, {name: Usdc(5) for name in "abc"})
    four = tree.build(SECRET, {name: Usdc(5) for name in "abcd"})
    assert three.root.total == Usdc(15)
    last = _nodes(three.levels[0])[2].packed()
    doubled = hashlib.sha256(b"\x01" + last + last).digest()
    padded = hashlib.sha256(b"\x01" + last + PADDING.packed()).digest()
    assert _nodes(three.levels[1])[1] == Node(padded, Usdc(5))
    assert padded != doubled
    assert three.root.hash != four.root.hash


def test_nobody_and_one():
    assert tree.build(SECRET, {}).root == PADDING
    alone = tree.build(SECRET, {"c1": Usdc(7)})
    assert alone.root == tree.leaf(tree.salt(SECRET, "c1"), "c1", Usdc(7))
    assert [tree.depth(count) for count in (0, 1, 2, 3, 4, 5, 8, 9)] == [0, 0, 1, 2, 2, 3, 3, 4]


def test_a_leaf_is_no_node_and_a_node_no_leaf():
    one, other = Node(b"\x03" * 32, Usdc(1)), Node(b"\x04" * 32, Usdc(2))
    node = hashlib.sha256(b"\x01" + one.packed() + other.packed()).digest()
    # The bytes of a node, told as a leaf of somebody whose name they spell.
    told = tree.leaf(b"\x03" * 32, "x" * 40, Usdc(2)).hash
    assert told != node
    assert PADDING.hash not in (node, told)


@pytest.mark.parametrize("micro", [-1, -(10**18), MAX_MICRO + 1])
def test_a_balance_below_zero_or_beyond_counting_makes_no_tree(micro: int):
    with pytest.raises(ValueError, match="user b has"):
        tree.build(SECRET, {"a": Usdc(10), "b": Usdc(micro)})


def test_sums_never_wrap_around():
    with pytest.raises(ValueError, match="larger than can be counted"):
        tree.build(SECRET, {"a": Usdc(MAX_MICRO), "b": Usdc(1)})
