"""Write down what attempts met, many at once, and what follows for the endpoint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protonpay.kernel import clock
from protonpay.store import db
from protonpay.store.db import transaction
from protonpay.webhooks import failing, lanes, schedule
from protonpay.webhooks.failing import Trouble
from protonpay.webhooks.lanes import Parcel
from protonpay.wire.outbound import Outcome

WIDEST = 5
SLOW_MILLISECONDS = 2000
_GONE = 410
_WARN_AT = 4

_ATTEMPTS = """
    INSERT INTO webhook_attempts
        (delivery_id, number, began_at, milliseconds, status, outcome, answer_head, url, signature)
    SELECT * FROM unnest(
        %(ids)s::bigint[], %(numbers)s::int[], %(began)s::timestamptz[], %(milliseconds)s::int[],
        %(statuses)s::int[], %(outcomes)s::text[], %(heads)s::text[], %(urls)s::text[],
        %(signatures)s::text[])
"""
# Who lost the lease has lost the right to say how it ended.
_DELIVERIES = """
    UPDATE webhook_deliveries AS delivery
    SET leased_until = NULL, state = met.state, ended_at = met.ended_at,
        due_at = coalesce(met.due_at, delivery.due_at)
    FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[], %(numbers)s::int[],
                %(states)s::text[], %(ends)s::timestamptz[], %(dues)s::timestamptz[])
         AS met (id, event_at, number, state, ended_at, due_at)
    WHERE delivery.id = met.id AND delivery.event_at = met.event_at
      AND delivery.attempts = met.number AND delivery.state = 'PENDING'
"""
_LANES = """
    UPDATE webhook_lanes AS lane SET width = met.width, slow = met.slow,
        warned_at = CASE WHEN met.cleared THEN NULL ELSE lane.warned_at END,
        failing_since = CASE WHEN met.cleared THEN met.failing
                             ELSE coalesce(lane.failing_since, met.failing) END,
        blocked_since = CASE WHEN met.unblocked THEN met.blocked
                             ELSE coalesce(lane.blocked_since, met.blocked) END
    FROM unnest(%(endpoints)s::text[], %(widths)s::int[], %(slows)s::bool[], %(cleared)s::bool[],
                %(failing)s::timestamptz[], %(unblocked)s::bool[], %(blocked)s::timestamptz[])
         AS met (endpoint_id, width, slow, cleared, failing, unblocked, blocked)
    WHERE lane.endpoint_id = met.endpoint_id
"""


@dataclass(frozen=True, slots=True)
class Met:
    """What one attempt met.

    Attributes:
        width: of its lane when it was begun.
        signature: what its header said; None if it came to none.
    """

    parcel: Parcel
    began_at: datetime
    outcome: Outcome
    width: int = 1
    signature: str | None = None


@dataclass(slots=True)
class Pace:
    """What the attempts of one batch say of an endpoint, in the order they ended."""

    width: int = 1
    slow: bool = False
    cleared: bool = False
    failing: datetime | None = None
    unblocked: bool = False
    blocked: datetime | None = None

    def learn(self, met: Met) -> None:
        """Take in one more."""
        outcome = met.outcome
        self.slow = outcome.milliseconds > SLOW_MILLISECONDS
        calm = outcome.delivered and not self.slow
        self.width = min(2 * met.width, WIDEST) if calm else 1
        if outcome.delivered:
            self.cleared, self.failing = True, None
        else:
            self.failing = self.failing or met.began_at
        if outcome.code == failing.BLOCKED:
            self.blocked = self.blocked or met.began_at
        else:
            self.unblocked, self.blocked = True, None


def record(batch: Sequence[Met]) -> None:
    """Write down a batch of attempts, how their deliveries stand now, and how the endpoints do."""
    now = clock.now()
    paces: dict[str, Pace] = {}
    for met in batch:
        paces.setdefault(met.parcel.endpoint_id, Pace()).learn(met)
    gone = {met.parcel.endpoint_id for met in batch if met.outcome.status == _GONE}
    with transaction():
        # Endpoints first, then lanes, deliveries last: the order of everybody's hand.
        failing.cancel_gone(sorted(gone), now)
        lanes.lock(sorted(paces))
        db.execute(_LANES, _of_lanes(paces))
        db.execute(_ATTEMPTS, _of_attempts(batch))
        db.execute(_DELIVERIES, _of_deliveries(batch, now))
    failing.judge(_worth_a_look(batch), now)


def _worth_a_look(batch: Iterable[Met]) -> dict[str, Trouble]:
    """Name the endpoints that somebody may have to be told of, and why."""
    found: dict[str, Trouble] = {}
    for met in batch:
        trouble = Trouble(
            exhausted=schedule.is_last(met.parcel.turn),
            worth_a_warning=met.parcel.turn == _WARN_AT,
            blocked=met.outcome.code == failing.BLOCKED,
        )
        if not met.outcome.delivered and any(vars(trouble).values()):
            known = found.get(met.parcel.endpoint_id, trouble)
            found[met.parcel.endpoint_id] = known.joined(trouble)
    return found


def _of_lanes(paces: dict[str, Pace]) -> dict[str, Any]:
    each = paces.values()
    return {
        "endpoints": list(paces),
        "widths": [pace.width for pace in each],
        "slows": [pace.slow for pace in each],
        "cleared": [pace.cleared for pace in each],
        "failing": [pace.failing for pace in each],
        "unblocked": [pace.unblocked for pace in each],
        "blocked": [pace.blocked for pace in each],
    }


def _of_attempts(batch: Sequence[Met]) -> dict[str, Any]:
    return {
        "ids": [met.parcel.delivery_id for met in batch],
        "numbers": [met.parcel.number for met in batch],
        "began": [met.began_at for met in batch],
        "milliseconds": [met.outcome.milliseconds for met in batch],
        "statuses": [met.outcome.status for met in batch],
        "outcomes": [met.outcome.code for met in batch],
        "heads": [met.outcome.head for met in batch],
        "urls": [met.parcel.url for met in batch],
        "signatures": [met.signature for met in batch],
    }


def _of_deliveries(batch: Sequence[Met], now: datetime) -> dict[str, Any]:
    ends = [_end(met, now) for met in batch]
    return {
        "ids": [met.parcel.delivery_id for met in batch],
        "moments": [met.parcel.event_at for met in batch],
        "numbers": [met.parcel.number for met in batch],
        "states": [state for state, _ in ends],
        "ends": [None if due else now for _, due in ends],
        "dues": [due for _, due in ends],
    }


def _end(met: Met, now: datetime) -> tuple[str, datetime | None]:
    if met.outcome.delivered:
        return "DELIVERED", None
    wait = schedule.wait(met.parcel.turn, met.outcome)
    return ("EXHAUSTED", None) if wait is None else ("PENDING", now + wait)
