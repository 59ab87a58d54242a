"""Write down what attempts met, many at once, and what follows for the endpoint."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from protonpay.kernel import clock
from protonpay.store import db
from protonpay.store.db import transaction
from protonpay.telemetry import metrics
from protonpay.webhooks import failing, lanes, schedule
from protonpay.webhooks.failing import Trouble
from protonpay.webhooks.lanes import Parcel
from protonpay.wire.outbound import Outcome

WIDEST = 5
SLOW_MILLISECONDS = 2000
_GONE = 410
_WARN_AT = 4
_SHORTEST_PAUSE, _LONGEST_PAUSE = "5 s", "5 min"

_ATTEMPTS = """
    INSERT INTO webhook_attempts
        (delivery_id, number, began_at, milliseconds, status, outcome, answer_head, url, signature,
         manual)
    SELECT * FROM unnest(
        %(ids)s::bigint[], %(numbers)s::int[], %(began)s::timestamptz[], %(milliseconds)s::int[],
        %(statuses)s::int[], %(outcomes)s::text[], %(heads)s::text[], %(urls)s::text[],
        %(signatures)s::text[], %(manual)s::bool[])
"""
# Who lost the lease has lost the right to say how it ended. A try that its owner asked for, and
# that failed, leaves everything as it was.
_DELIVERIES = """
    UPDATE webhook_deliveries AS delivery
    SET leased_until = NULL, resent_from = NULL, resent_due_at = NULL,
        state = CASE WHEN met.in_vain THEN delivery.resent_from ELSE met.state END,
        ended_at = CASE WHEN met.in_vain THEN delivery.ended_at ELSE met.ended_at END,
        due_at = coalesce(CASE WHEN met.in_vain THEN delivery.resent_due_at ELSE met.due_at END,
                          delivery.due_at),
        tries_before = delivery.tries_before + met.in_vain::int
    FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[], %(numbers)s::int[],
                %(states)s::text[], %(ends)s::timestamptz[], %(dues)s::timestamptz[],
                %(in_vain)s::bool[])
         AS met (id, event_at, number, state, ended_at, due_at, in_vain)
    WHERE delivery.id = met.id AND delivery.event_at = met.event_at
      AND delivery.attempts = met.number AND delivery.state = 'PENDING'
"""
# The pause before a broken endpoint grows with the time it has been so.
_LANES = f"""
    UPDATE webhook_lanes AS lane SET width = met.width, slow = met.slow, failures = met.failures,
        probe_at = CASE WHEN met.failures >= {lanes.BROKEN_AFTER} THEN %(now)s + least(greatest(
            (%(now)s - coalesce(lane.failing_since, met.failing)) / 4,
            interval '{_SHORTEST_PAUSE}'), interval '{_LONGEST_PAUSE}') END,
        warned_at = CASE WHEN met.cleared THEN NULL ELSE lane.warned_at END,
        failing_since = CASE WHEN met.cleared THEN met.failing
                             ELSE coalesce(lane.failing_since, met.failing) END,
        blocked_since = CASE WHEN met.unblocked THEN met.blocked
                             ELSE coalesce(lane.blocked_since, met.blocked) END
    FROM (SELECT endpoint_id, now.width, now.slow, cleared, failing, unblocked, blocked,
                 now.failures + CASE WHEN cleared THEN 0 ELSE before.failures END AS failures
          FROM unnest(%(endpoints)s::text[], %(widths)s::int[], %(slows)s::bool[],
                      %(cleared)s::bool[], %(failing)s::timestamptz[], %(unblocked)s::bool[],
                      %(blocked)s::timestamptz[], %(failures)s::int[])
               AS now (endpoint_id, width, slow, cleared, failing, unblocked, blocked, failures)
          JOIN webhook_lanes AS before USING (endpoint_id)) AS met
    WHERE lane.endpoint_id = met.endpoint_id
    RETURNING lane.endpoint_id, lane.failures
"""  # noqa: S608 - of constants alone


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
    failures: int = 0

    def learn(self, met: Met) -> None:
        """Take in one more."""
        outcome = met.outcome
        self.slow = outcome.milliseconds > SLOW_MILLISECONDS
        calm = outcome.delivered and not self.slow
        self.width = min(2 * met.width, WIDEST) if calm else 1
        if outcome.delivered:
            self.cleared, self.failing, self.failures = True, None, 0
        else:
            self.failing, self.failures = self.failing or met.began_at, self.failures + 1
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
        rows = db.execute(_LANES, {"now": now, **_of_lanes(paces)}).fetchall()
        db.execute(_ATTEMPTS, _of_attempts(batch))
        db.execute(_DELIVERIES, _of_deliveries(batch, now))
    _count(batch)
    broken = {endpoint_id for endpoint_id, failures in rows if failures >= lanes.BROKEN_AFTER}
    failing.judge(_worth_a_look(batch, broken), now)


def _count(batch: Iterable[Met]) -> None:
    for met in batch:
        outcome = met.outcome
        status = "none" if outcome.status is None else f"{str(outcome.status)[0]}xx"
        metrics.WEBHOOK_ATTEMPTS.labels(outcome.code, status).inc()
        seconds = timedelta(milliseconds=outcome.milliseconds).total_seconds()
        metrics.WEBHOOK_ATTEMPT_SECONDS.observe(seconds)


def _worth_a_look(batch: Iterable[Met], broken: Collection[str]) -> dict[str, Trouble]:
    """Name the endpoints that somebody may have to be told of, and why."""
    found: dict[str, Trouble] = {}
    for met in batch:
        trouble = Trouble(
            exhausted=not met.parcel.manual and schedule.is_last(met.parcel.turn),
            worth_a_warning=met.parcel.turn == _WARN_AT,
            blocked=met.outcome.code == failing.BLOCKED,
            broken=met.parcel.endpoint_id in broken,
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
        "failures": [pace.failures for pace in each],
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
        "manual": [met.parcel.manual for met in batch],
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
        "in_vain": [met.parcel.manual and not met.outcome.delivered for met in batch],
    }


def _end(met: Met, now: datetime) -> tuple[str, datetime | None]:
    if met.outcome.delivered:
        return "DELIVERED", None
    wait = schedule.wait(met.parcel.turn, met.outcome)
    return ("EXHAUSTED", None) if wait is None else ("PENDING", now + wait)
