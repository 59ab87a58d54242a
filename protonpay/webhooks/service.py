"""Register endpoints, and say which of them an event concerns."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from protonpay.kernel import clock, events, ids
from protonpay.kernel.errors import Conflict, Invalid
from protonpay.store import db, queue
from protonpay.store.db import current, transaction
from protonpay.store.events import EventRow
from protonpay.store.jobs import PERIODIC
from protonpay.store.secrets import safe
from protonpay.users import service as users
from protonpay.webhooks.models import WebhookDelivery, WebhookEndpoint
from protonpay.webhooks.states import DELIVERY
from protonpay.wire.guard import BadTarget, targets

MOST_ENDPOINTS = 20
SECRET_PURPOSE = "webhook endpoint secret"  # noqa: S105 - says what it is for


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
    with transaction() as session:
        waiting = session.scalars(
            select(EventRow)
            .where(EventRow.dispatched_at.is_(None))
            .order_by(EventRow.happened_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        if not waiting:
            return 0
        now = clock.now()
        subscribers = _subscribers({event.user_id for event in waiting})
        rows = [
            _delivery(event, endpoint, now)
            for event in waiting
            for endpoint in subscribers.get(event.user_id, ())
            if event.name in endpoint.events
        ]
        if rows:
            session.execute(insert(WebhookDelivery).on_conflict_do_nothing(), rows)
            db.after_commit(_ring)
        for event in waiting:
            event.dispatched_at = now
    return len(waiting)


def _ring() -> None:
    queue.ring("webhooks.deliver", PERIODIC["webhooks.deliver"])


def _subscribers(user_ids: Collection[str]) -> Mapping[str, list[WebhookEndpoint]]:
    """Return the enabled endpoints of some users, by user."""
    found: dict[str, list[WebhookEndpoint]] = {}
    enabled = select(WebhookEndpoint).where(
        WebhookEndpoint.user_id.in_(user_ids), WebhookEndpoint.disabled_at.is_(None)
    )
    for endpoint in current().scalars(enabled):
        found.setdefault(endpoint.user_id, []).append(endpoint)
    return found


def _delivery(event: EventRow, endpoint: WebhookEndpoint, now: datetime) -> dict[str, Any]:
    return {
        "event_id": event.id,
        "endpoint_id": endpoint.id,
        "state": DELIVERY.initial,
        "attempts": 0,
        "due_at": now,
    }


def _check_events(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in events.DOCUMENTED]
    if unknown:
        raise Invalid("validation_error", f"Unknown event: {unknown[0]}.")
    if len(set(names)) != len(names):
        raise Invalid("validation_error", "An event is named twice.")
