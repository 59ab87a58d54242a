"""Take a head each day, publish it when its reserves are read, forget old trees.

A head is of one position of the book's chain: every balance in it is what the entries up to
there make of it. It is taken in one transaction and published in another; between the two its
reserves are read, at a time that the node decides.
"""

import secrets
from dataclasses import asdict
from datetime import date, timedelta

import structlog
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict
from protonpay.ledger import seals
from protonpay.ledger.seals import Cut
from protonpay.proofs import reserves
from protonpay.proofs.digests import NOTHING, HeadFacts, NetworkTotal, hash_head, hash_reserves
from protonpay.proofs.models import SALTS, Head, NodePart, ReserveRow
from protonpay.proofs.queries import NODES_IN_PART
from protonpay.proofs.tree import NODE_BYTES, Tree, build
from protonpay.store import db
from protonpay.store.db import LOCK, transaction
from protonpay.store.secrets import safe

log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=30)
"""How long reserves are waited for; then a head says of which addresses they are unknown."""
_KEPT = 3
"""How many published heads keep their trees."""
_ROWS = 10_000
_LOCK = 0x50524F4F46  # "PROOF"
_LEAVES = """
    INSERT INTO proof_leaves (head, user_id, place, balance_micro)
    SELECT %(head)s, u.user_id, u.place, u.micro
    FROM unnest(%(users)s::text[], %(places)s::bigint[], %(micros)s::bigint[])
         AS u (user_id, place, micro)
"""
_FORGET_LEAVES = """
    DELETE FROM proof_leaves WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM proof_leaves WHERE head < %(oldest)s LIMIT %(rows)s))
"""
_FORGET_NODES = "DELETE FROM proof_nodes WHERE head < %(oldest)s"


def take_daily() -> int | None:
    """Take the head of the day that ended last, if there is none yet; return its number.

    Raises:
        Unavailable: the book could not be sealed to its end now (``sealing_busy``).
        ValueError: a balance is below zero: nothing is published of such a book.
    """
    wanted = select(Head.number).filter_by(day=_ended(), daily=True)
    if db.db.session.scalar(wanted) is not None:
        return None
    return take(daily=True)


def take(*, daily: bool = False) -> int:
    """Take a head of the book as it is now; return its number.

    Raises:
        Conflict: another one was taken at the same time (``head_taken``).
        Unavailable: the book could not be sealed to its end now (``sealing_busy``).
        ValueError: a balance is below zero: nothing is published of such a book.
    """
    seals.seal_all()
    cut, secret = seals.cut(), secrets.token_bytes(32)
    tree = build(secret, cut.balances)
    with transaction() as session:
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        day = _ended()
        before = session.execute(
            select(Head.number, Head.position).order_by(Head.number.desc()).limit(1)
        ).first()
        taken = select(Head.number).filter_by(day=day, daily=True)
        older = before is not None and before.position > cut.position
        if older or (daily and session.scalar(taken) is not None):
            raise Conflict("head_taken", "Another head was taken at the same time.")
        number = before.number + 1 if before else 1
        head = _head(number, day, cut, tree, daily=daily)
        session.add(head)
        head.salt = safe.seal(secret.hex(), SALTS)
        session.flush()
        _keep_tree(number, tree, cut)
        _await_reserves(session, number)
    log.info("head_taken", head=number, position=cut.position, total=str(tree.root.total))
    return number


def publish(patience: timedelta = PATIENCE) -> list[int]:
    """Publish what was taken and waits no longer for reserves, in order; return the numbers."""
    published = []
    while (number := _publish_next(patience)) is not None:
        published.append(number)
    return published


def forget() -> int:
    """Delete a part of the trees of old heads; return how many leaves."""
    with transaction() as session:
        kept = (
            select(Head.number)
            .where(Head.published_at.is_not(None))
            .order_by(Head.number.desc())
            .limit(_KEPT)
            .subquery()
        )
        oldest = session.scalar(select(func.min(kept.c.number))) or 0
        db.execute(_FORGET_NODES, {"oldest": oldest})
        return db.execute(_FORGET_LEAVES, {"oldest": oldest, "rows": _ROWS}).rowcount


def _ended() -> date:
    return clock.now().date() - timedelta(days=1)


def _head(number: int, day: date, cut: Cut, tree: Tree, *, daily: bool) -> Head:
    return Head(
        number=number,
        day=day,
        daily=daily,
        # Whole seconds: what is hashed is what is shown.
        taken_at=clock.second(clock.now()),
        position=cut.position,
        chain_hash=cut.hash,
        root=tree.root.hash,
        leaves=len(tree.places),
        total_micro=tree.root.total,
        debts_micro=cut.debts,
    )


def _keep_tree(number: int, tree: Tree, cut: Cut) -> None:
    users = list(tree.places)
    for start in range(0, len(users), _ROWS):
        some = users[start : start + _ROWS]
        rows = {
            "users": some,
            "places": [tree.places[user] for user in some],
            "micros": [cut.balances[user].micro for user in some],
        }
        db.execute(_LEAVES, {"head": number, **rows})
    size = NODES_IN_PART * NODE_BYTES
    for level, packed in enumerate(tree.levels):
        parts = [
            {
                "head": number,
                "level": level,
                "part": start // size,
                "nodes": packed[start : start + size],
            }
            for start in range(0, len(packed), size)
        ]
        db.current().execute(insert(NodePart), parts)


def _await_reserves(session: Session, number: int) -> None:
    rows = [
        {"head": number, "network": of.network, "address": of.address, "role": of.role}
        for of in reserves.wanted()
    ]
    for start in range(0, len(rows), _ROWS):
        session.execute(insert(ReserveRow), rows[start : start + _ROWS])


def _publish_next(patience: timedelta) -> int | None:
    with transaction() as session:
        head = session.scalar(
            select(Head)
            .where(Head.published_at.is_(None))
            .order_by(Head.number)
            .limit(1)
            .with_for_update(**LOCK)
        )
        if head is None:
            return None
        held = reserves.of_head(head.number)
        totals = reserves.totals(held)
        waits = any(total.addresses_unknown for total in totals)
        if waits and head.taken_at + patience > clock.now():
            return None
        before = session.scalar(select(Head.hash).filter_by(number=head.number - 1))
        _seal_head(head, totals, hash_reserves(held), before or NOTHING)
        unknown = sum(total.addresses_unknown for total in totals)
    log.info("head_published", head=head.number, hash=(head.hash or b"").hex(), unknown=unknown)
    return head.number


def _seal_head(
    head: Head, totals: list[NetworkTotal], reserves_hash: bytes, previous: bytes
) -> None:
    facts = HeadFacts(
        number=head.number,
        day=head.day,
        taken_at=head.taken_at,
        position=head.position,
        chain_hash=head.chain_hash,
        root=head.root,
        leaves=head.leaves,
        total=head.total_micro,
        debts=head.debts_micro,
        reserves=totals,
        reserves_hash=reserves_hash,
        previous_hash=previous,
    )
    head.published_at = clock.now()
    head.reserves = [{**asdict(total), "amount": total.amount.micro} for total in totals]
    head.reserves_hash = reserves_hash
    head.previous_hash = previous
    head.hash = hash_head(facts)
