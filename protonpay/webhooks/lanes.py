"""Lanes: what stands before an endpoint, in the hands of one process at a time.

A lane is due when a delivery of it is; the database sees to that (``webhook_lane_is_due``). So
finding work costs as much as there are endpoints with some, however long the queue before one
of them is, and nobody else's queue is in the way (ADR 22).
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from protonpay.kernel import clock
from protonpay.store import db
from protonpay.store.db import transaction

LEASE = timedelta(seconds=45)
"""How long a lane stays with a process that says nothing; a delivery is never begun later than
leaves time for its end."""
LONGEST_ATTEMPT = timedelta(seconds=20)
BROKEN_AFTER = 10
"""So many failures in a row, and one attempt is made at a time, with pauses, until one succeeds."""
EARLIEST = timedelta(days=14)
"""How long ago what somebody waits for is due: it goes before all that waits by itself."""

_CLAIM = """
    WITH free AS (
        SELECT lane.endpoint_id, endpoint.user_id, endpoint.throttle_per_second
        FROM webhook_lanes AS lane JOIN webhook_endpoints AS endpoint
          ON endpoint.id = lane.endpoint_id
        WHERE lane.due_at <= %(now)s AND lane.slow = %(slow)s AND endpoint.disabled_at IS NULL
          AND (lane.leased_until IS NULL OR lane.leased_until < %(now)s)
          AND (lane.paced_until IS NULL OR lane.paced_until <= %(now)s)
          AND (lane.probe_at IS NULL OR lane.probe_at <= %(now)s)
        ORDER BY greatest(lane.due_at, lane.served_at) LIMIT %(limit)s
        FOR NO KEY UPDATE OF lane SKIP LOCKED)
    UPDATE webhook_lanes AS lane SET leased_until = %(until)s, fence = lane.fence + 1
    FROM free WHERE lane.endpoint_id = free.endpoint_id
    RETURNING lane.endpoint_id, free.user_id, lane.fence, lane.width, lane.slow,
              free.throttle_per_second, lane.failures
"""
_KEEP = """
    UPDATE webhook_lanes AS lane SET leased_until = %(until)s
    FROM unnest(%(endpoints)s::text[], %(fences)s::int[]) AS mine (endpoint_id, fence)
    WHERE lane.endpoint_id = mine.endpoint_id AND lane.fence = mine.fence
    RETURNING lane.endpoint_id, lane.paced_until
"""
_PACE = """
    UPDATE webhook_lanes AS lane
    SET paced_until = greatest(coalesce(lane.paced_until, %(now)s), %(now)s) + paced.pause
    FROM unnest(%(paced)s::text[], %(pauses)s::interval[]) AS paced (endpoint_id, pause)
    WHERE lane.endpoint_id = paced.endpoint_id
"""
_TAKE = """
    WITH due AS (
        SELECT each.id, each.event_at
        FROM unnest(%(endpoints)s::text[], %(wanted)s::int[]) AS lane (endpoint_id, wanted)
        CROSS JOIN LATERAL (
            SELECT id, event_at FROM webhook_deliveries AS delivery
            WHERE delivery.endpoint_id = lane.endpoint_id AND state = 'PENDING'
              AND due_at <= %(now)s AND (leased_until IS NULL OR leased_until < %(now)s)
            ORDER BY due_at, id LIMIT lane.wanted) AS each),
    taken AS (
        UPDATE webhook_deliveries AS delivery
        SET attempts = delivery.attempts + 1, leased_until = %(until)s
        FROM due WHERE delivery.id = due.id AND delivery.event_at = due.event_at
          AND delivery.state = 'PENDING'
        RETURNING delivery.*)
    SELECT taken.id, taken.event_at, taken.attempts, taken.endpoint_id, endpoint.url,
           endpoint.secret, event.id, event.core, taken.tries_before,
           ARRAY(SELECT secret FROM webhook_retiring_secrets AS old
                 WHERE old.endpoint_id = taken.endpoint_id AND old.ends_at > %(now)s
                 ORDER BY old.retired_at),
           taken.resent_from IS NOT NULL
    FROM taken JOIN webhook_endpoints AS endpoint ON endpoint.id = taken.endpoint_id
    JOIN events AS event ON event.id = taken.event_id AND event.happened_at = taken.event_at
    ORDER BY taken.due_at, taken.id
"""
_GIVE_BACK = """
    UPDATE webhook_deliveries AS delivery
    SET attempts = delivery.attempts - 1, leased_until = NULL
    FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[], %(numbers)s::int[])
         AS mine (id, event_at, number)
    WHERE delivery.id = mine.id AND delivery.event_at = mine.event_at
      AND delivery.attempts = mine.number AND delivery.state = 'PENDING'
"""
_LOCK = """
    SELECT endpoint_id FROM webhook_lanes WHERE endpoint_id = ANY(%(endpoints)s)
    ORDER BY endpoint_id FOR NO KEY UPDATE
"""
# A delivery in the hands of one who died comes back when that lease is over, at the latest.
_LET_GO = """
    UPDATE webhook_lanes AS lane SET leased_until = NULL, served_at = %(now)s, due_at = coalesce(
        (SELECT greatest(due_at, lane.paced_until, lane.probe_at)
         FROM webhook_deliveries AS delivery
         WHERE delivery.endpoint_id = lane.endpoint_id AND state = 'PENDING'
           AND (delivery.leased_until IS NULL OR delivery.leased_until < %(now)s)
         ORDER BY due_at, id LIMIT 1),
        (SELECT %(until)s::timestamptz WHERE EXISTS (
            SELECT FROM webhook_deliveries AS delivery
            WHERE delivery.endpoint_id = lane.endpoint_id AND state = 'PENDING')))
    FROM unnest(%(endpoints)s::text[], %(fences)s::int[]) AS mine (endpoint_id, fence)
    WHERE lane.endpoint_id = mine.endpoint_id AND lane.fence = mine.fence
"""
_FORGIVE = """
    UPDATE webhook_lanes SET failing_since = NULL, blocked_since = NULL, warned_at = NULL,
        failures = 0
    WHERE endpoint_id = %(endpoint)s
"""
_TRY_NOW = """
    UPDATE webhook_lanes SET probe_at = NULL,
        due_at = CASE WHEN due_at IS NOT NULL THEN least(due_at, %(now)s) END
    WHERE endpoint_id = %(endpoint)s AND probe_at IS NOT NULL
"""
# What was delivered once and is tried once more stays delivered.
CANCELLED = """
    state = CASE resent_from WHEN 'DELIVERED' THEN 'DELIVERED' ELSE 'CANCELLED' END,
    ended_at = CASE resent_from WHEN 'DELIVERED' THEN ended_at ELSE %(now)s END,
    resent_from = NULL, resent_due_at = NULL
"""
_CANCEL = f"""
    UPDATE webhook_deliveries SET {CANCELLED}
    WHERE endpoint_id = ANY(%(endpoints)s) AND state = 'PENDING'
"""  # noqa: S608 - of constants alone


@dataclass(frozen=True, slots=True)
class Claimed:
    """A lane in our hands.

    Attributes:
        fence: tells our holding it from every other.
        width: how many attempts at once it has borne well.
        slow: its receiver let us wait the last time.
        throttle: how many attempts a second it wants at most, if it said so.
        failures: in a row, up to now.
    """

    endpoint_id: str
    user_id: str
    fence: int
    width: int
    slow: bool
    throttle: int | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything one attempt needs, read before the database is let go.

    Attributes:
        begin_before: on the monotonic clock; afterwards it may be somebody else's.
        number: of this attempt, from 1; also the fence of its end.
        secret: as it is kept; ``old_secrets``: those that still verify, the oldest first.
        tries_before: attempts that do not count: its owner has asked for it anew since.
        manual: its owner asked for this one try.
    """

    begin_before: float
    delivery_id: int
    event_at: datetime
    number: int
    endpoint_id: str
    url: str
    secret: bytes
    event_id: str
    core: bytes
    tries_before: int = 0
    old_secrets: Sequence[bytes] = ()
    manual: bool = False

    @property
    def turn(self) -> int:
        """Which attempt of its schedule this is, from 1."""
        return self.number - self.tries_before


def headers(event_id: str, began_at: datetime, signature: str) -> dict[str, str]:
    """Return the headers of an attempt (Standard Webhooks)."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "ProtonPay-Webhooks/1.0",
        "webhook-id": event_id,
        "webhook-timestamp": str(clock.to_epoch_ms(began_at) // 1000),
        "webhook-signature": signature,
    }


def claim(limit: int, *, slow: bool) -> list[Claimed]:
    """Take up to ``limit`` lanes that are due, those that waited longest for us first.

    Those that somebody else has in hand are left to them: nobody is waited for.
    """
    now = clock.now()
    parameters = {"now": now, "until": now + LEASE, "limit": limit, "slow": slow}
    with transaction():
        rows = db.execute(_CLAIM, parameters).fetchall()
    return [Claimed(*row) for row in rows]


def take(wanted: Mapping[Claimed, int]) -> list[Parcel]:
    """Lease what is due of our lanes, so many of each, and count the attempt before it is made.

    Their rows are locked by the caller, as ``lock`` does it, or have just been claimed.

    Of one that wants no more than so many a second no more are taken, and then none for as long
    as that many take: whoever serves it next finds the same pause in its row.
    """
    now = clock.now()
    begin_before = time.monotonic() + (LEASE - LONGEST_ATTEMPT).total_seconds()
    parameters = {**_mine(list(wanted)), "now": now, "until": now + LEASE}
    with transaction():
        kept = dict(db.execute(_KEEP, parameters).fetchall())
        ours = {
            lane.endpoint_id: _allowed(lane, most, kept[lane.endpoint_id], now)
            for lane, most in wanted.items()
            if lane.endpoint_id in kept
        }
        parameters.update(endpoints=list(ours), wanted=list(ours.values()))
        rows = db.execute(_TAKE, parameters).fetchall()
        parcels = [Parcel(begin_before, *row) for row in rows]
        _pace([lane for lane in wanted if lane.throttle], parcels, now)
    return parcels


def give_back(parcels: Sequence[Parcel]) -> None:
    """Return what was taken and not begun: it was no attempt."""
    parameters = {
        "ids": [parcel.delivery_id for parcel in parcels],
        "moments": [parcel.event_at for parcel in parcels],
        "numbers": [parcel.number for parcel in parcels],
    }
    with transaction():
        lock(sorted({parcel.endpoint_id for parcel in parcels}))
        db.execute(_GIVE_BACK, parameters)


def let_go(lanes: Sequence[Claimed]) -> None:
    """Give lanes back, due when their first delivery is.

    Their rows are locked by the caller, as ``lock`` does it: the look for what is due must see all
    that was written before they were ours alone.
    """
    now = clock.now()
    parameters = {**_mine(lanes), "now": now, "until": now + LEASE}
    with transaction():
        db.execute(_LET_GO, parameters)


def lock(endpoint_ids: Sequence[str]) -> None:
    """Lock lanes for the caller's transaction, in the order everybody does."""
    db.execute(_LOCK, {"endpoints": list(endpoint_ids)})


def pause(count: int, throttle: int) -> timedelta:
    """Return how long so many attempts take at so many a second."""
    return timedelta(seconds=1) * count // throttle


def forgive(endpoint_id: str) -> None:
    """Forget how long an endpoint has failed, in the caller's transaction: it begins anew."""
    try_now(endpoint_id)
    db.execute(_FORGIVE, {"endpoint": endpoint_id})


def try_now(endpoint_id: str) -> None:
    """End the pause before a broken endpoint, in the caller's transaction: somebody waits."""
    db.execute(_TRY_NOW, {"endpoint": endpoint_id, "now": clock.now()})


def cancel(endpoint_ids: Sequence[str], now: datetime) -> None:
    """Cancel all that waits for endpoints, in the caller's transaction."""
    lock(endpoint_ids)
    db.execute(_CANCEL, {"endpoints": list(endpoint_ids), "now": now})


def _allowed(lane: Claimed, most: int, paced_until: datetime | None, now: datetime) -> int:
    if lane.throttle is None:
        return most
    return 0 if paced_until is not None and paced_until > now else min(most, lane.throttle)


def _pace(throttled: Sequence[Claimed], parcels: Sequence[Parcel], now: datetime) -> None:
    taken = Counter(parcel.endpoint_id for parcel in parcels)
    pauses = {
        lane.endpoint_id: pause(taken[lane.endpoint_id], lane.throttle)
        for lane in throttled
        if lane.throttle and taken[lane.endpoint_id]
    }
    if pauses:
        asked = {"paced": list(pauses), "pauses": list(pauses.values()), "now": now}
        db.execute(_PACE, asked)


def _mine(lanes: Sequence[Claimed]) -> dict[str, list[str] | list[int]]:
    return {
        "endpoints": [lane.endpoint_id for lane in lanes],
        "fences": [lane.fence for lane in lanes],
    }
