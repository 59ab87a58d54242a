"""The rows of attempts: a nonce for each, its bytes, and how each payout in it ended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.port import Chain, SendOutcome, SignedSend
from protonpay.kernel import clock
from protonpay.payouts.models import AttemptedPayout, OutbidSend, Payout, PayoutAttempt, SendLane
from protonpay.payouts.states import ATTEMPT
from protonpay.store.db import current, db, release

_BEST_FIRST = ("LANDED", "FAILED", "LOST")


def free_sequence(chain: Chain) -> SignedSend | None:
    """Return the ended send with the lowest nonce still free: the next send must take it.

    Whatever its end: a payment handed in by somebody else has landed and left our nonce free.
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
        .with_for_update(skip_locked=True)
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


def store(chain: Chain, send: SignedSend) -> int:
    """Write down signed bytes and whom they pay; return the attempt's id."""
    attempt = PayoutAttempt(
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
    session = current()
    session.add(attempt)
    session.flush()
    parts = [
        {"attempt_id": attempt.id, "payout_id": payout_id, "state": ATTEMPT.initial}
        for payout_id in send.payout_ids
    ]
    session.execute(insert(AttemptedPayout), parts)
    return attempt.id


def read_open(attempt_id: int, *where_they_stand: str) -> tuple[str, SignedSend] | None:
    """Return an open attempt's network and send, with those of its payouts that are open.

    Args:
        attempt_id: which.
        where_they_stand: the states of payouts that count.

    Returns:
        None if it has ended, or none of its payouts stands there.
    """
    attempt = db.session.get(PayoutAttempt, attempt_id, populate_existing=True)
    theirs = (
        select(AttemptedPayout.payout_id)
        .join(Payout, Payout.id == AttemptedPayout.payout_id)
        .where(
            AttemptedPayout.attempt_id == attempt_id,
            AttemptedPayout.state == "OPEN",
            Payout.state.in_(where_they_stand),
        )
        .order_by(AttemptedPayout.payout_id)
    )
    open_ones = db.session.scalars(theirs).all()
    if attempt is None or not open_ones:
        release()
        return None
    earlier = db.session.scalars(
        select(OutbidSend.tx_hash).filter_by(attempt_id=attempt_id).order_by(OutbidSend.outbid_at)
    ).all()
    found = attempt.network, replace(as_send(attempt, open_ones), earlier=tuple(earlier))
    release()
    return found


def stuck(attempt_id: int, since: timedelta) -> bool:
    """Tell whether an attempt's newest bytes are so old."""
    newest = func.coalesce(func.max(OutbidSend.outbid_at), PayoutAttempt.created_at)
    stored_at = db.session.scalar(
        select(newest)
        .select_from(PayoutAttempt)
        .join(OutbidSend, OutbidSend.attempt_id == PayoutAttempt.id, isouter=True)
        .where(PayoutAttempt.id == attempt_id)
        .group_by(PayoutAttempt.id)
    )
    release()
    return stored_at is not None and clock.now() - stored_at >= since


def outbid(attempt_id: int, send: SignedSend) -> bool:
    """Store bytes that outbid an open attempt's own, and keep those; in a transaction.

    Returns:
        False if the attempt has ended, or other bytes were stored meanwhile.
    """
    attempt = current().get_one(
        PayoutAttempt, attempt_id, with_for_update=True, populate_existing=True
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


def end(attempt_id: int, outcomes: Mapping[str, SendOutcome]) -> set[str]:
    """Move payouts' parts in an attempt to their ends; of two who do it the second waits.

    Returns:
        Those payouts whose end this is, and not somebody else's before.
    """
    session = current()
    session.get_one(PayoutAttempt, attempt_id, with_for_update=True, populate_existing=True)
    alike = defaultdict[tuple[str, str | None], list[str]](list)
    for payout_id, outcome in outcomes.items():
        alike[outcome.state.value, outcome.reason].append(payout_id)
    ended = set[str]()
    for (state, reason), payout_ids in alike.items():
        ATTEMPT.check("OPEN", state)
        ended |= set(
            session.scalars(
                update(AttemptedPayout)
                .where(
                    AttemptedPayout.attempt_id == attempt_id,
                    AttemptedPayout.payout_id.in_(payout_ids),
                    AttemptedPayout.state == "OPEN",
                )
                .values(state=state, reason=reason, ended_at=clock.now())
                .returning(AttemptedPayout.payout_id)
            )
        )
    return ended


def close(attempt_id: int, *, sequence_used: bool) -> None:
    """End an attempt all of whose payouts have ended, with the best of their ends.

    Args:
        attempt_id: which.
        sequence_used: whether its nonce is used, as of the look that ended the last of them.
    """
    attempt = current().get_one(
        PayoutAttempt, attempt_id, with_for_update=True, populate_existing=True
    )
    parts = current().execute(
        select(AttemptedPayout.state, AttemptedPayout.reason).where(
            AttemptedPayout.attempt_id == attempt_id
        )
    )
    reasons: dict[str, str | None] = dict(parts.all())
    if attempt.state != "OPEN" or "OPEN" in reasons:
        return
    best = next(state for state in _BEST_FIRST if state in reasons)
    ATTEMPT.check(attempt.state, best)
    attempt.state, attempt.reason = best, reasons[best]
    attempt.sequence_used, attempt.ended_at = sequence_used, clock.now()
    current().flush()


def as_send(attempt: PayoutAttempt, payout_ids: Sequence[str]) -> SignedSend:
    """Return stored bytes as what a chain takes."""
    return SignedSend(
        tuple(payout_ids), attempt.raw, attempt.tx_hash, attempt.sequence, attempt.terms
    )
