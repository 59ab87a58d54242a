"""What became of deliveries, and having them made again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from protonpay.kernel import clock, events
from protonpay.kernel.errors import Conflict, Invalid, Limited, NotFound
from protonpay.store import db
from protonpay.store import events as log
from protonpay.store.db import transaction
from protonpay.store.lists import NEWEST_FIRST, WINDOW, Part
from protonpay.webhooks import lanes, service
from protonpay.webhooks.lanes import headers
from protonpay.webhooks.models import WebhookEndpoint
from protonpay.webhooks.samples import sample
from protonpay.webhooks.states import DELIVERY

MOST_AT_ONCE = 10_000
LONGEST_SPAN = timedelta(days=14)
MOST_TESTS_AN_HOUR = 10

_LISTED = """
    SELECT event_id AS id, event_at AS created_at, state, attempts, ended_at, endpoint_id,
           greatest(due_at, (SELECT probe_at FROM webhook_lanes AS lane
                             WHERE lane.endpoint_id = webhook_deliveries.endpoint_id)) AS due_at,
           (SELECT name FROM events WHERE events.id = event_id AND happened_at = event_at) AS name
    FROM webhook_deliveries
"""
_DELIVERIES = f"""
    SELECT id, created_at, name, state, attempts, due_at, ended_at
    FROM ({_LISTED}) AS deliveries
    WHERE endpoint_id = %(endpoint)s AND {WINDOW}
      AND (%(status)s::text IS NULL OR state = %(status)s)
      AND (%(event)s::text IS NULL OR name = %(event)s)
    {NEWEST_FIRST}
"""  # noqa: S608 - of constants alone
_ONE = """
    SELECT d.event_id, d.event_at, e.name, d.state, d.attempts, greatest(d.due_at, lane.probe_at),
           d.ended_at, d.id, e.core
    FROM webhook_deliveries AS d
    LEFT JOIN webhook_lanes AS lane ON lane.endpoint_id = d.endpoint_id
    JOIN events AS e ON e.id = d.event_id AND e.happened_at = d.event_at
    WHERE d.endpoint_id = %(endpoint)s AND d.event_id = %(event)s
"""
# In the event's month, by the event, or by each of the few endpoints of its owner.
_OF_EVENT = """
    SELECT endpoint.id, endpoint.url, d.event_id, d.event_at, %(name)s::text, d.state, d.attempts,
           greatest(d.due_at, lane.probe_at), d.ended_at
    FROM webhook_deliveries AS d
    JOIN webhook_endpoints AS endpoint
      ON endpoint.id = d.endpoint_id AND endpoint.user_id = %(user)s
     AND endpoint.deleted_at IS NULL
    LEFT JOIN webhook_lanes AS lane ON lane.endpoint_id = d.endpoint_id
    WHERE d.event_id = %(event)s AND d.event_at = %(at)s
    ORDER BY endpoint.created_at DESC, endpoint.id DESC
"""
_ATTEMPTS = """
    SELECT number, began_at, milliseconds, status, outcome, answer_head, url, signature, manual
    FROM webhook_attempts
    WHERE delivery_id = %(delivery)s ORDER BY id
"""
# What is on its way is left alone; the schedule begins anew for the rest.
_AGAIN = """
    UPDATE webhook_deliveries
    SET state = 'PENDING', tries_before = attempts, due_at = %(now)s, ended_at = NULL
    WHERE endpoint_id = %(endpoint)s AND state <> 'PENDING'
"""
# One try, whatever becomes of it; what was to come comes all the same.
_RESEND = """
    UPDATE webhook_deliveries
    SET state = 'PENDING', due_at = %(first)s, resent_from = state, resent_due_at = due_at
    WHERE endpoint_id = %(endpoint)s AND event_id = %(event)s AND resent_from IS NULL
      AND (leased_until IS NULL OR leased_until < %(now)s)
"""
# Which events an endpoint should have been told of, and was not: it was disabled, or unknown.
_NEVER = """
    INSERT INTO webhook_deliveries (event_id, event_at, endpoint_id, state, attempts, due_at)
    SELECT event.id, event.happened_at, endpoint.id, 'PENDING', 0, %(now)s
    FROM ({wanted}) AS event
    JOIN webhook_endpoints AS endpoint
      ON endpoint.id = %(endpoint)s AND event.name = ANY (endpoint.events)
    WHERE event.audience IS NULL OR event.audience = endpoint.id
    ON CONFLICT (event_id, endpoint_id, event_at) DO NOTHING
"""
# Limited to what is missing: what was delivered in between takes nobody's place.
_MISSED = """
    SELECT e.* FROM events AS e JOIN webhook_endpoints AS asking ON asking.id = %(endpoint)s
    WHERE e.user_id = %(user)s AND e.sequence IS NOT NULL
    AND e.happened_at >= %(since)s AND e.happened_at < %(until)s
    AND e.name = ANY (asking.events) AND (e.audience IS NULL OR e.audience = asking.id)
    AND NOT EXISTS (
        SELECT FROM webhook_deliveries AS d WHERE d.event_id = e.id AND d.event_at = e.happened_at
        AND d.endpoint_id = asking.id)
    ORDER BY e.sequence LIMIT %(most)s
"""
_GIVEN_UP = f"""
    {_AGAIN} AND state = 'EXHAUSTED' AND (id, event_at) IN (
        SELECT id, event_at FROM webhook_deliveries
        WHERE endpoint_id = %(endpoint)s AND state = 'EXHAUSTED'
        AND event_at >= %(since)s AND event_at < %(until)s
        ORDER BY event_at, event_id LIMIT %(most)s)
"""  # noqa: S608 - of constants alone
_ABOVE = """
    SELECT * FROM events WHERE user_id = %(user)s AND sequence > %(after)s
    ORDER BY sequence LIMIT %(most)s
"""
_UP_TO = f"SELECT max(sequence) FROM ({_ABOVE}) AS event"  # noqa: S608 - of constants alone
_REPLAY = f"""
    {_AGAIN} AND (event_id, event_at) IN (SELECT id, happened_at FROM ({_ABOVE}) AS event)
"""  # noqa: S608 - of constants alone


@dataclass(frozen=True, slots=True)
class Delivered:
    """One event's delivery to one endpoint, as its owner sees it.

    Attributes:
        id: of the event: the ``webhook-id`` of every attempt.
        created_at: when the event happened.
        next_attempt_at: None once it has ended.
    """

    id: str
    created_at: datetime
    event: str
    status: str
    attempts: int
    next_attempt_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveredTo(Delivered):
    """The same, and to which endpoint of several.

    Attributes:
        url: where that listens now.
    """

    webhook_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Attempted:
    """What one attempt met.

    Attributes:
        outcome: ``delivered``, or a code of what went wrong.
        response: the first 2 KiB of the answer.
        request: where it went, and its headers; None of attempts that kept neither.
        trigger: ``auto``, or ``manual``: its owner asked for it.
    """

    number: int
    began_at: datetime
    milliseconds: int
    status: int | None
    outcome: str
    response: str
    request: Mapping[str, Any] | None
    trigger: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay has queued.

    Attributes:
        up_to: the last number it came to: go on after it, if the log goes on.
    """

    queued: int
    up_to: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A delivery with all that was said.

    Attributes:
        body: what was sent, but for its ``signature``, which each attempt makes.
    """

    delivery: Delivered
    body: str
    tries: Sequence[Attempted]


def deliveries(
    user_id: str,
    endpoint_id: str,
    part: Part,
    *,
    status: str | None = None,
    event: str | None = None,
) -> Sequence[Delivered]:
    """Return a part of an endpoint's deliveries, newest event first.

    Args:
        user_id: whose endpoint.
        endpoint_id: which.
        part: which of them.
        status: only those in this state.
        event: only those of events of this name.

    Raises:
        NotFound: there is no such endpoint, or it is somebody else's.
    """
    service.get(user_id, endpoint_id)
    wanted = {"endpoint": endpoint_id, "status": status, "event": event}
    rows = db.execute(_DELIVERIES, {**wanted, **part.as_parameters()})
    return [_delivered(row) for row in rows]


def deliveries_of(user_id: str, event_id: str) -> Sequence[DeliveredTo]:
    """Return an event's deliveries to the endpoints that there are, newest endpoint first.

    Raises:
        NotFound: there is no such event, or it is somebody else's.
    """
    event = log.find(user_id, event_id)
    if event is None:
        raise NotFound("not_found", "There is no such event.")
    wanted = {
        "user": user_id,
        "event": event.id,
        "at": event.happened_at,
        "name": event.name,
    }
    return [
        DeliveredTo(**asdict(_delivered(told)), webhook_id=endpoint_id, url=url)
        for endpoint_id, url, *told in db.execute(_OF_EVENT, wanted)
    ]


def delivery(user_id: str, endpoint_id: str, event_id: str) -> Opened:
    """Return one delivery with every attempt.

    Raises:
        NotFound: there is no such endpoint or no such delivery, or it is somebody else's.
    """
    service.get(user_id, endpoint_id)
    row = db.execute(_ONE, {"endpoint": endpoint_id, "event": event_id}).fetchone()
    if row is None:
        raise _missing()
    *listed, number, core = row
    tries = [_attempted(event_id, row) for row in db.execute(_ATTEMPTS, {"delivery": number})]
    return Opened(_delivered(listed), bytes(core).decode(), tries)


def resend(user_id: str, endpoint_id: str, event_id: str) -> Opened:
    """Have one attempt made now, whatever became of a delivery.

    It is not repeated if it fails, and changes nothing about those that come by themselves.

    Raises:
        NotFound: as ``delivery``.
        Conflict: one is being made, or was asked for already (``state_conflict``), or the
            endpoint hears nothing (``webhook_disabled``).
    """
    with transaction():
        _hearing(user_id, endpoint_id)
        now = clock.now()
        parameters = {
            "now": now,
            "first": now - lanes.EARLIEST,
            "endpoint": endpoint_id,
            "event": event_id,
        }
        if not db.execute(_RESEND, parameters).rowcount:
            if db.execute(_ONE, {"endpoint": endpoint_id, "event": event_id}).fetchone() is None:
                raise _missing()
            raise Conflict("state_conflict", "This delivery is on its way already.")
        db.after_commit(service.ring)
    return delivery(user_id, endpoint_id, event_id)


def recover(
    user_id: str, endpoint_id: str, *, since: datetime, until: datetime | None = None
) -> int:
    """Have everything delivered that an endpoint missed in a span; return how much that is.

    That is what was given up, and what happened while it was disabled; 10,000 at once, and what
    is left the next time.

    Args:
        user_id: whose endpoint.
        endpoint_id: which.
        since: events from then on; at most 14 days before ``until``.
        until: and before then; now if None.

    Raises:
        NotFound: there is no such endpoint, or it is somebody else's.
        Invalid: no span, or too long a one (``invalid_span``).
        Conflict: the endpoint hears nothing (``webhook_disabled``).
    """
    end = until or clock.now()
    if not timedelta(0) < end - since <= LONGEST_SPAN:
        raise Invalid("invalid_span", "The span must be above zero and of at most 14 days.")
    wanted = _wanted(user_id, endpoint_id, since=since, until=end)
    with transaction():
        _hearing(user_id, endpoint_id)
        count = db.execute(_GIVEN_UP, wanted).rowcount
        wanted["most"] = MOST_AT_ONCE - count
        count += db.execute(_NEVER.format(wanted=_MISSED), wanted).rowcount
        db.after_commit(service.ring)
    return count


def replay(user_id: str, endpoint_id: str, *, after: int) -> Replayed:
    """Have the events above a number delivered once more, the next 10,000 of the log.

    Raises:
        NotFound: there is no such endpoint, or it is somebody else's.
        Conflict: the endpoint hears nothing (``webhook_disabled``).
    """
    wanted = _wanted(user_id, endpoint_id, after=after)
    with transaction():
        _hearing(user_id, endpoint_id)
        (up_to,) = db.execute(_UP_TO, wanted).fetchone() or (None,)
        count = db.execute(_REPLAY, wanted).rowcount
        count += db.execute(_NEVER.format(wanted=_ABOVE), wanted).rowcount
        db.after_commit(service.ring)
    return Replayed(count, after if up_to is None else up_to)


def send_test(user_id: str, endpoint_id: str, *, event: str) -> str:
    """Send an endpoint an event that did not happen; its data says ``"test": true``.

    It is delivered to this endpoint alone, whatever events that asks for.

    Returns:
        The event's id.

    Raises:
        NotFound: there is no such endpoint, or it is somebody else's.
        Conflict: the endpoint hears nothing (``webhook_disabled``).
        Invalid: there is no such event (``validation_error``).
        Limited: ten within the hour (``too_many_tests``).
    """
    if event not in events.NAMES:
        raise Invalid("validation_error", "Unknown event: {name}.", name=event)
    with transaction():
        _hearing(user_id, endpoint_id)
        lately = log.count_for(user_id, endpoint_id, clock.now() - timedelta(hours=1))
        if lately >= MOST_TESTS_AN_HOUR:
            said = "At most {limit} test events an hour."
            raise Limited("too_many_tests", said, retry_after=3600, limit=MOST_TESTS_AN_HOUR)
        return log.publish(event, user_id, sample(event, user_id), audience=endpoint_id)


def _wanted(user_id: str, endpoint_id: str, **which: object) -> dict[str, Any]:
    return {
        "now": clock.now(),
        "user": user_id,
        "endpoint": endpoint_id,
        "most": MOST_AT_ONCE,
        **which,
    }


def _hearing(user_id: str, endpoint_id: str) -> WebhookEndpoint:
    endpoint = service.locked(user_id, endpoint_id)
    if not endpoint.enabled:
        raise Conflict("webhook_disabled", "This endpoint is disabled. Enable it first.")
    # Before its deliveries, as everybody does: who takes them has the lane first.
    lanes.lock([endpoint_id])
    lanes.try_now(endpoint_id)
    return endpoint


def _attempted(event_id: str, row: Sequence[Any]) -> Attempted:
    number, began_at, milliseconds, status, outcome, head, url, signature, manual = row
    request, trigger = None, "manual" if manual else "auto"
    if url is not None and signature is not None:
        request = {"url": url, "headers": headers(event_id, began_at, signature)}
    return Attempted(number, began_at, milliseconds, status, outcome, head, request, trigger)


def _delivered(row: Sequence[Any]) -> Delivered:
    event_id, happened_at, name, state, attempts, due_at, ended_at = row
    waits = state == DELIVERY.initial
    # What goes before everything else is due before anything was.
    due, end = (max(due_at, happened_at), None) if waits else (None, ended_at)
    return Delivered(event_id, happened_at, name, state, attempts, due, end)


def _missing() -> NotFound:
    return NotFound("not_found", "There is no such delivery.")
