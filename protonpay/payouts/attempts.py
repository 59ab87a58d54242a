"""The rows of attempts: a nonce for each, its bytes, and how each payout in it ended."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.port import Chain, SendOutcome, SignedSend
from protonpay.kernel import clock
from protonpay.payouts.models import AttemptedPayout, OutbidSend, Payout, PayoutAttempt, SendLane
from protonpay.payouts.states import ATTEMPT
from protonpay.store.db import LOCK, current, db, execute, release

# One statement, whatever the size of a bundle.
_STORE_PARTS = """
    INSERT INTO attempted_payouts (attempt_id, payout_id, state)
    SELECT attempt_id, payout_id, %(state)s
    FROM unnest(%(attempts)s::bigint[], %(payouts)s::text[]) AS part (attempt_id, payout_id)
"""
_BEST_FIRST = ("LANDED", "FAILED", "LOST")


def free_sequence(chain: Chain) -> SignedSend | None:
    """Return the ended send with the lowest nonce still free: the next send must take it.

    Whatever its end: a payment handed in by somebody else has landed and left our nonce free. The
    caller holds the network's switch, so that no two take one at the same time.
    """
    ended = current().scalar(
        select(PayoutAttempt)
        .where(
            PayoutAttempt.network == chain.network.name,
            PayoutAttempt.sender == chain.sender,
            PayoutAttempt.state != "OPEN",
            PayoutAttempt.sequence_used.is_(False),
        )
        .order_by(PayoutAttempt.sequence)
        .limit(1)
        .with_for_update(**LOCK, skip_locked=True)
    )
    if ended is None:
        return None
    ended.sequence_used = True
    return as_send(ended, ())


def take_sequence(chain: Chain, first: int | None, replaced: SignedSend | None) -> int | None:
    """Return the nonce of the next send; None where there are none.

    Args:
        chain: whose wallet sends.
        first: the nonce after the last final one.
        replaced: the ended send whose nonce is still free.
    """
    if first is None:
        return None
    if replaced is not None:
        return replaced.sequence
    lane = {"network": chain.network.name, "sender": chain.sender}
    current().execute(insert(SendLane).values(**lane, next_sequence=first).on_conflict_do_nothing())
    taken = current().scalar(
        update(SendLane)
        .filter_by(**lane)
        # Never below what the chain itself has seen used.
        .values(next_sequence=func.greatest(SendLane.next_sequence, first) + 1)
        .returning(SendLane.next_sequence)
    )
    return int(taken or 0) - 1


def store(chain: Chain, sends: Sequence[SignedSend]) -> Sequence[int]:
    """Write down signed bytes and whom they pay; return the attempts' ids."""
    rows = [
        PayoutAttempt(
            network=chain.network.name,
            sender=chain.sender,
            sequence=send.sequence,
            sequence_used=True,
            raw=send.raw,
            tx_hash=send.tx_hash,
            terms=dict(send.terms),
            state=ATTEMPT.initial,
            created_at=clock.now(),
        )
        for send in sends
    ]
    session = current()
    session.add_all(rows)
    session.flush()
    parts = [
        (row.id, payout_id)
        for row, send in zip(rows, sends, strict=True)
        for payout_id in send.payout_ids
    ]
    paying, paid = map(list, zip(*parts, strict=True))
    execute(_STORE_PARTS, {"attempts": paying, "payouts": paid, "state": ATTEMPT.initial})
    return [row.id for row in rows]


@dataclass(frozen=True, slots=True, eq=False)
class OpenSend:
    """An attempt that has not ended, with those of its payouts that are open.

    Attributes:
        since: when its newest bytes were stored.
    """

    attempt_id: int
    network: str
    since: datetime
    send: SignedSend


def read_open(attempt_id: int, *where_they_stand: str) -> OpenSend | None:
    """Return an open attempt.

    Args:
        attempt_id: which.
        where_they_stand: the states of payouts that count.

    Returns:
        None if it has ended, or none of its payouts stands there.
    """
    return next(iter(read_all_open([attempt_id], *where_they_stand)), None)


def read_all_open(attempt_ids: Sequence[int], *where_they_stand: str) -> list[OpenSend]:
    """Return the open ones of some attempts in the order given; see ``read_open``."""
    theirs = (
        select(AttemptedPayout.attempt_id, AttemptedPayout.payout_id)
        .join(Payout, Payout.id == AttemptedPayout.payout_id)
        .where(
            AttemptedPayout.attempt_id.in_(attempt_ids),
            AttemptedPayout.state == "OPEN",
            Payout.state.in_(where_they_stand),
        )
        .order_by(AttemptedPayout.payout_id)
    )
    payouts = defaultdict[int, list[str]](list)
    for attempt_id, payout_id in db.session.execute(theirs):
        payouts[attempt_id].append(payout_id)
    if not payouts:
        release()
        return []
    outbid = select(OutbidSend).where(OutbidSend.attempt_id.in_([*payouts]))
    earlier = defaultdict[int, list[OutbidSend]](list)
    for send in db.session.scalars(outbid.order_by(OutbidSend.outbid_at)):
        earlier[send.attempt_id].append(send)
    wanted = select(PayoutAttempt).where(PayoutAttempt.id.in_([*payouts]))
    rows = db.session.scalars(wanted, execution_options={"populate_existing": True})
    by_id = {row.id: _as_open(row, payouts[row.id], earlier[row.id]) for row in rows}
    release()
    return [by_id[each] for each in attempt_ids if each in by_id]


def _as_open(
    row: PayoutAttempt, payout_ids: Sequence[str], earlier: Sequence[OutbidSend]
) -> OpenSend:
    send = replace(as_send(row, payout_ids), earlier=tuple(each.tx_hash for each in earlier))
    since = earlier[-1].outbid_at if earlier else row.created_at
    return OpenSend(row.id, row.network, since, send)


def outbid(attempt_id: int, send: SignedSend) -> bool:
    """Store bytes that outbid an open attempt's own, and keep those; in a transaction.

    Returns:
        False if the attempt has ended, or other bytes were stored meanwhile.
    """
    attempt = current().get_one(
        PayoutAttempt, attempt_id, with_for_update=LOCK, populate_existing=True
    )
    if attempt.state != "OPEN" or attempt.tx_hash != send.earlier[-1]:
        return False
    current().add(
        OutbidSend(
            attempt_id=attempt_id,
            tx_hash=attempt.tx_hash,
            raw=attempt.raw,
            terms=attempt.terms,
            outbid_at=clock.now(),
        )
    )
    attempt.raw, attempt.tx_hash, attempt.terms = send.raw, send.tx_hash, dict(send.terms)
    current().execute(
        update(Payout)
        .where(Payout.id.in_(send.payout_ids), Payout.state == "SENT")
        .values(tx_hash=send.tx_hash)
    )
    current().flush()
    return True


def end(outcomes: Mapping[int, Mapping[str, SendOutcome]]) -> set[str]:
    """Move payouts' parts in attempts to their ends; of two who do it the second waits.

    Args:
        outcomes: attempt id → payout id → how its part in that attempt ended.

    Returns:
        Those payouts whose end this is, and not somebody else's before.
    """
    _lock(outcomes)
    alike = defaultdict[tuple[str, str | None], list[tuple[int, str]]](list)
    for attempt_id, found in outcomes.items():
        for payout_id, outcome in found.items():
            alike[outcome.state.value, outcome.reason].append((attempt_id, payout_id))
    ended = set[str]()
    for (state, reason), parts in alike.items():
        ATTEMPT.check("OPEN", state)
        ended |= set(
            current().scalars(
                update(AttemptedPayout)
                .where(
                    tuple_(AttemptedPayout.attempt_id, AttemptedPayout.payout_id).in_(parts),
                    AttemptedPayout.state == "OPEN",
                )
                .values(state=state, reason=reason, ended_at=clock.now())
                .returning(AttemptedPayout.payout_id)
            )
        )
    return ended


def close(sequence_used: Mapping[int, bool]) -> None:
    """End those of some attempts all of whose payouts have ended, with the best of their ends.

    Args:
        sequence_used: attempt id → whether its nonce is used, as of the look that ended the last
            of them.
    """
    found = _lock(sequence_used)
    reasons = defaultdict[int, dict[str, str | None]](dict)
    parts = select(AttemptedPayout.attempt_id, AttemptedPayout.state, AttemptedPayout.reason)
    for attempt_id, state, reason in current().execute(
        parts.where(AttemptedPayout.attempt_id.in_([*sequence_used])).distinct()
    ):
        reasons[attempt_id][state] = reason
    for attempt in found:
        ends = reasons[attempt.id]
        if attempt.state != "OPEN" or "OPEN" in ends:
            continue
        best = next(state for state in _BEST_FIRST if state in ends)
        ATTEMPT.check(attempt.state, best)
        attempt.state, attempt.reason = best, ends[best]
        attempt.sequence_used, attempt.ended_at = sequence_used[attempt.id], clock.now()
    current().flush()


def _lock(attempt_ids: Collection[int]) -> Sequence[PayoutAttempt]:
    locked = select(PayoutAttempt).where(PayoutAttempt.id.in_(attempt_ids))
    return (
        current()
        .scalars(
            locked.order_by(PayoutAttempt.id).with_for_update(**LOCK),
            execution_options={"populate_existing": True},
        )
        .all()
    )


def as_send(attempt: PayoutAttempt, payout_ids: Sequence[str]) -> SignedSend:
    """Return stored bytes as what a chain takes."""
    return SignedSend(
        tuple(payout_ids), attempt.raw, attempt.tx_hash, attempt.sequence, attempt.terms
    )
