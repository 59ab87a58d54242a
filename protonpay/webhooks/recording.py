"""Write down what attempts met, many at once, and what follows for the endpoint."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
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
    SELECT * FROM json_to_recordset(%(attempts)s) AS met (
        id bigint, number int, began timestamptz, milliseconds int, status int, outcome text,
        head text, url text, signature text, manual bool)
"""
_WRITTEN = """
    SELECT attempt.delivery_id, attempt.number, attempt.began_at
    FROM json_to_recordset(%(attempts)s) AS met (id bigint, number int, began timestamptz)
    JOIN webhook_attempts AS attempt ON attempt.delivery_id = met.id
     AND attempt.number = met.number AND attempt.began_at = met.began
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
    FROM json_to_recordset(%(deliveries)s) AS met (
        id bigint, event_at timestamptz, number int, state text, ended_at timestamptz,
        due_at timestamptz, in_vain bool)
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
          FROM json_to_recordset(%(paces)s) AS now (
              endpoint_id text, width int, slow bool, cleared bool, failing timestamptz,
              unblocked bool, blocked timestamptz, failures int)
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


_PACE = tuple(field.name for field in fields(Pace))


def record(batch: Sequence[Met], *, again: bool = False) -> dict[str, Trouble]:
    """Write down a batch of attempts, how their deliveries stand now, and how the endpoints do.

    Args:
        batch: what they met, in the order they ended.
        again: it was given before, and whether it was written down is not known: what was, is
            left as it is.

    Returns:
        Endpoints that somebody may have to be told of, and why: ``failing.judge`` says.
    """
    now = clock.now()
    new = _unwritten(batch) if again else batch
    paces: dict[str, Pace] = {}
    for met in new:
        paces.setdefault(met.parcel.endpoint_id, Pace()).learn(met)
    gone = {met.parcel.endpoint_id for met in new if met.outcome.status == _GONE}
    with transaction():
        # Endpoints first, then lanes, deliveries last: the order of everybody's hand.
        failing.cancel_gone(sorted(gone), now)
        with db.pipelined():
            if not gone:
                # Forgotten, it is delivered again (ADR 31).
                db.commit_without_waiting()
            lanes.lock(sorted(paces))
            told = {"now": now, "paces": _rows(_pace(*each) for each in paces.items())}
            lane_rows = db.execute(_LANES, told)
            db.execute(_ATTEMPTS, {"attempts": _rows(_attempt(met) for met in new)})
            db.execute(_DELIVERIES, {"deliveries": _rows(_ended(met, now) for met in new)})
    _count(new)
    rows = lane_rows.fetchall()
    broken = {endpoint_id for endpoint_id, failures in rows if failures >= lanes.BROKEN_AFTER}
    return _worth_a_look(batch, broken)


def _unwritten(batch: Sequence[Met]) -> Sequence[Met]:
    rows = db.execute(_WRITTEN, {"attempts": _rows(_attempt(met) for met in batch)}).fetchall()
    written = set(rows)
    return [met for met in batch if _key(met) not in written]


def _key(met: Met) -> tuple[int, int, datetime]:
    return met.parcel.delivery_id, met.parcel.number, met.began_at


def _count(batch: Iterable[Met]) -> None:
    ends = Counter((met.outcome.code, met.outcome.status) for met in batch)
    for (code, status), count in ends.items():
        said = "none" if status is None else f"{str(status)[0]}xx"
        metrics.WEBHOOK_ATTEMPTS.labels(code, said).inc(count)
    for met in batch:
        seconds = timedelta(milliseconds=met.outcome.milliseconds).total_seconds()
        metrics.WEBHOOK_ATTEMPT_SECONDS.observe(seconds)


def _worth_a_look(batch: Iterable[Met], broken: Collection[str]) -> dict[str, Trouble]:
    """Name the endpoints that somebody may have to be told of, and why."""
    found: dict[str, Trouble] = {}
    for met in batch:
        if met.outcome.delivered:
            continue
        trouble = Trouble(
            exhausted=not met.parcel.manual and schedule.is_last(met.parcel.turn),
            worth_a_warning=met.parcel.turn == _WARN_AT,
            blocked=met.outcome.code == failing.BLOCKED,
            broken=met.parcel.endpoint_id in broken,
        )
        if any(vars(trouble).values()):
            known = found.get(met.parcel.endpoint_id, trouble)
            found[met.parcel.endpoint_id] = known.joined(trouble)
    return found


def _rows(told: Iterable[Mapping[str, Any]]) -> str:
    # One text for all: arrays, which are written element by element, cost as much as the posting.
    return json.dumps(list(told), default=datetime.isoformat)


def _pace(endpoint_id: str, pace: Pace) -> Mapping[str, Any]:
    # Not asdict, which copies each value deeply.
    return {"endpoint_id": endpoint_id} | {name: getattr(pace, name) for name in _PACE}


def _attempt(met: Met) -> Mapping[str, Any]:
    return {
        "id": met.parcel.delivery_id,
        "number": met.parcel.number,
        "began": met.began_at,
        "milliseconds": met.outcome.milliseconds,
        "status": met.outcome.status,
        "outcome": met.outcome.code,
        "head": met.outcome.head,
        "url": met.parcel.url,
        "signature": met.signature,
        "manual": met.parcel.manual,
    }


def _ended(met: Met, now: datetime) -> Mapping[str, Any]:
    state, due = _end(met, now)
    return {
        "id": met.parcel.delivery_id,
        "event_at": met.parcel.event_at,
        "number": met.parcel.number,
        "state": state,
        "ended_at": None if due else now,
        "due_at": due,
        "in_vain": met.parcel.manual and not met.outcome.delivered,
    }


def _end(met: Met, now: datetime) -> tuple[str, datetime | None]:
    if met.outcome.delivered:
        return "DELIVERED", None
    wait = schedule.wait(met.parcel.turn, met.outcome)
    return ("EXHAUSTED", None) if wait is None else ("PENDING", now + wait)
