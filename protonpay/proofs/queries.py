"""The newest published head, and the path from one user's leaf to its root."""

from dataclasses import dataclass

from sqlalchemy import select

from protonpay.kernel.errors import NotFound
from protonpay.kernel.money import Usdc
from protonpay.proofs import tree
from protonpay.proofs.digests import HeadFacts, NetworkTotal
from protonpay.proofs.models import SALTS, Head, Leaf
from protonpay.proofs.tree import NODE_BYTES, PADDING, Node
from protonpay.store import db
from protonpay.store.secrets import safe

NODES_IN_PART = 4096
"""How many nodes a row of ``proof_nodes`` holds."""
_SIBLINGS = """
    SELECT s.level, substring(n.nodes FROM (s.place %% {nodes} * {size} + 1)::integer FOR {size})
    FROM (SELECT level, (%(place)s::bigint >> level) # 1 AS place
          FROM generate_series(0, %(depth)s::integer - 1) AS l (level)) AS s
    JOIN proof_nodes n ON n.head = %(head)s AND n.level = s.level AND n.part = s.place / {nodes}
""".replace("{nodes}", str(NODES_IN_PART)).replace("{size}", str(NODE_BYTES))


@dataclass(frozen=True, slots=True)
class Step:
    """One step up: the node beside the one that is known.

    Attributes:
        side: where that stands: ``LEFT`` or ``RIGHT``.
    """

    side: str
    hash: bytes
    sum: Usdc


@dataclass(frozen=True, slots=True)
class Proof:
    """That a user's balance is in a head.

    Attributes:
        salt: what the leaf was made with, for its owner alone.
        path: from the leaf up; the root is reached with its end.
    """

    head: HeadFacts
    user_id: str
    balance: Usdc
    salt: bytes
    path: list[Step]


def facts(head: Head) -> HeadFacts:
    """Return what a published head says.

    Raises:
        RuntimeError: it is not published, or it no longer says what was published.
    """
    told = HeadFacts(
        number=head.number,
        day=head.day,
        taken_at=head.taken_at,
        position=head.position,
        chain_hash=head.chain_hash,
        root=head.root,
        leaves=head.leaves,
        total=head.total_micro,
        debts=head.debts_micro,
        reserves=[
            NetworkTotal(**{**total, "amount": Usdc(total["amount"])})
            for total in head.reserves or ()
        ],
        reserves_hash=head.reserves_hash or b"",
        previous_hash=head.previous_hash or b"",
    )
    if told.hash != head.hash:
        raise RuntimeError(f"head {head.number} is not what was published")
    return told


def newest() -> Head:
    """Return the newest published head.

    Raises:
        NotFound: there is none yet (``no_head_yet``).
    """
    published = select(Head).where(Head.published_at.is_not(None))
    found: Head | None = db.db.session.scalar(published.order_by(Head.number.desc()).limit(1))
    if found is None:
        raise NotFound("no_head_yet", "No proof of liabilities has been published yet.")
    return found


def prove(user_id: str) -> Proof:
    """Return the proof that a user's balance is in the newest published head.

    Raises:
        NotFound: there is no head yet (``no_head_yet``), or the account is younger than the
            newest one (``not_in_head``).
        RuntimeError: the head no longer says what was published.
    """
    head = newest()
    leaf = db.db.session.get(Leaf, (head.number, user_id))
    if leaf is None:
        said = "The newest proof of liabilities is older than this account. The next one has it."
        raise NotFound("not_in_head", said)
    salt = tree.salt(bytes.fromhex(safe.open(head.salt, SALTS)), user_id)
    return Proof(facts(head), user_id, leaf.balance_micro, salt, _path(head, leaf.place))


def _path(head: Head, place: int) -> list[Step]:
    depth = tree.depth(head.leaves)
    asked = {"head": head.number, "place": place, "depth": depth}
    found = {
        level: Node.unpacked(packed) for level, packed in db.execute(_SIBLINGS, asked) if packed
    }
    steps = []
    for level in range(depth):
        # A node beyond the end of its level is padding, and is not stored.
        node = found.get(level, PADDING)
        steps.append(Step("LEFT" if place >> level & 1 else "RIGHT", node.hash, node.total))
    return steps
