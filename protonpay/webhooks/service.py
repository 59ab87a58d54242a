"""Register endpoints, and say which of them an event concerns."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from protonpay.kernel import clock, events, ids
from protonpay.kernel.errors import Conflict, Invalid
from protonpay.store import db, queue
from protonpay.store.db import transaction
from protonpay.store.jobs import PERIODIC
from protonpay.store.secrets import safe
from protonpay.users import service as users
from protonpay.webhooks.models import WebhookEndpoint
from protonpay.webhooks.states import DELIVERY
from protonpay.wire.guard import BadTarget, targets

MOST_ENDPOINTS = 20
SECRET_PURPOSE = "webhook endpoint secret"  # noqa: S105 - says what it is for

_DISPATCH = """
    WITH waiting AS (
        SELECT id, user_id, name FROM events WHERE dispatched_at IS NULL
        ORDER BY happened_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
    told AS (
        UPDATE events SET dispatched_at = %(now)s FROM waiting WHERE events.id = waiting.id),
    made AS (
        INSERT INTO webhook_deliveries (event_id, endpoint_id, state, attempts, due_at)
        SELECT waiting.id, endpoint.id, %(state)s, 0, %(now)s
        FROM waiting JOIN webhook_endpoints AS endpoint
          ON endpoint.user_id = waiting.user_id AND waiting.name = ANY (endpoint.events)
         AND endpoint.disabled_at IS NULL
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM made)
"""


@dataclass(frozen=True, slots=True)
class Registered:
    """A new endpoint, and its secret: shown this once."""

    id: str
    url: str
    events: Sequence[str]
    secret: str


def register(user_id: str, *, url: str, events: Sequence[str]) -> Registered:
    """Add an endpoint for some events.

    Raises:
        Invalid: an address we will not send to, or an unknown or repeated event.
        Conflict: the address is registered already, or there are 20 (``duplicate``,
            ``too_many_webhooks``).
    """
    _check_events(events)
    try:
        target = targets.check(url)
    except BadTarget as bad:
        raise Invalid("invalid_url", bad.said) from bad
    secret = ids.new_webhook_secret()
    with transaction() as session:
        users.lock(user_id)
        mine = select(WebhookEndpoint).where(WebhookEndpoint.user_id == user_id)
        if session.scalar(mine.where(WebhookEndpoint.url == target.url)) is not None:
            raise Conflict("duplicate", "This address is registered already.")
        count = select(func.count()).select_from(mine.subquery())
        if session.scalars(count).one() >= MOST_ENDPOINTS:
            raise Conflict("too_many_webhooks", f"At most {MOST_ENDPOINTS} endpoints.")
        endpoint = WebhookEndpoint(
            id=ids.new_id(),
            user_id=user_id,
            url=target.url,
            events=list(events),
            secret=safe.seal(secret, SECRET_PURPOSE),
            created_at=clock.now(),
        )
        session.add(endpoint)
    return Registered(endpoint.id, endpoint.url, endpoint.events, secret)


def dispatch(limit: int = 500) -> int:
    """Write down a delivery for every endpoint each waiting event concerns.

    Returns:
        How many events were dispatched; as many as ``limit`` means there may be more.
    """
    parameters = {"now": clock.now(), "limit": limit, "state": DELIVERY.initial}
    with transaction():
        row = db.execute(_DISPATCH, parameters).fetchone()
        events_taken, deliveries_made = row or (0, 0)
        if deliveries_made:
            db.after_commit(_ring)
    return int(events_taken)


def _ring() -> None:
    queue.ring("webhooks.deliver", PERIODIC["webhooks.deliver"])


def _check_events(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in events.NAMES]
    if unknown:
        raise Invalid("validation_error", f"Unknown event: {unknown[0]}.")
    if len(set(names)) != len(names):
        raise Invalid("validation_error", "An event is named twice.")
