"""Register, change and remove endpoints, and say which of them an event concerns."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, func, select

from protonpay.kernel import clock, events, ids
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.store import db, queue
from protonpay.store import events as log
from protonpay.store.db import LOCK, transaction
from protonpay.store.jobs import PERIODIC
from protonpay.store.lists import Part, newest_first
from protonpay.store.secrets import safe
from protonpay.users import service as users
from protonpay.webhooks import lanes
from protonpay.webhooks.models import (
    SECRET_PURPOSE,
    RetiringSecret,
    WebhookEndpoint,
)
from protonpay.webhooks.states import DELIVERY
from protonpay.wire.guard import BadTarget, targets

MOST_ENDPOINTS = 20
_BY_OWNER = "by_owner"

# The share makes a removal wait until it can see what it must cancel.
# Endpoints first, in the order of everybody's hand; then what is written has the events' order.
_DISPATCH = """
    WITH event AS (
        SELECT * FROM unnest(
            %(ids)s::text[], %(users)s::text[], %(names)s::text[], %(moments)s::timestamptz[],
            %(audiences)s::text[])
        WITH ORDINALITY AS each (id, user_id, name, happened_at, audience, place)),
    hearing AS MATERIALIZED (
        SELECT id, user_id, events FROM webhook_endpoints
        WHERE user_id = ANY(%(users)s) AND disabled_at IS NULL ORDER BY id FOR SHARE)
    INSERT INTO webhook_deliveries (event_id, event_at, endpoint_id, state, attempts, due_at)
    SELECT event.id, event.happened_at, endpoint.id, %(state)s, 0,
           CASE WHEN event.audience IS NULL THEN %(now)s ELSE %(first)s END
    FROM event JOIN hearing AS endpoint
      ON endpoint.user_id = event.user_id
     AND CASE WHEN event.audience IS NULL THEN event.name = ANY (endpoint.events)
              ELSE endpoint.id = event.audience END
    ORDER BY event.place
"""


def register(
    user_id: str,
    *,
    url: str,
    events: Sequence[str],
    description: str | None = None,
    throttle_per_second: int | None = None,
) -> tuple[WebhookEndpoint, str]:
    """Add an endpoint for some events; return it with its secret, which is shown this once.

    Raises:
        Invalid: an address we will not send to, or an unknown or repeated event.
        Conflict: the address is registered already, or there are 20 (``duplicate``,
            ``too_many_webhooks``).
    """
    _check_events(events)
    address = _address(url)
    secret = ids.new_webhook_secret()
    with transaction() as session:
        users.lock(user_id)
        _check_is_new(user_id, address)
        count = select(func.count()).select_from(_standing(user_id).subquery())
        if session.scalars(count).one() >= MOST_ENDPOINTS:
            said = "At most {limit} endpoints."
            raise Conflict("too_many_webhooks", said, limit=MOST_ENDPOINTS)
        endpoint = WebhookEndpoint(
            id=ids.new_id(),
            user_id=user_id,
            url=address,
            events=list(events),
            description=description,
            throttle_per_second=throttle_per_second,
            secret=safe.seal(secret, SECRET_PURPOSE),
            created_at=clock.now(),
        )
        session.add(endpoint)
    return endpoint, secret


def endpoints(user_id: str, part: Part) -> Sequence[WebhookEndpoint]:
    """Return a part of a user's endpoints, newest first."""
    mine, stands = WebhookEndpoint.user_id == user_id, WebhookEndpoint.deleted_at.is_(None)
    return newest_first(WebhookEndpoint, part, mine, stands)


def get(user_id: str, endpoint_id: str) -> WebhookEndpoint:
    """Return an endpoint of a user.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return _found(user_id, endpoint_id)


def change(user_id: str, endpoint_id: str, **changes: Any) -> WebhookEndpoint:
    """Change what is named of an endpoint.

    That is ``url``, ``events``, ``description``, ``enabled`` and ``throttle_per_second``.
    One that is disabled is told of nothing new; what was on its way to it waits, and goes on
    once it is enabled again.

    Raises:
        NotFound: there is none, or it is somebody else's.
        Invalid: an address we will not send to, or an unknown or repeated event.
        Conflict: another endpoint has the address (``duplicate``).
    """
    _check_events(changes.get("events", ()))
    if "url" in changes:
        changes["url"] = _address(changes["url"])
    with transaction():
        users.lock(user_id)
        endpoint = _found(user_id, endpoint_id, lock=True)
        if changes.get("url", endpoint.url) != endpoint.url:
            _check_is_new(user_id, changes["url"])
            lanes.forgive(endpoint_id)
        enabled = changes.pop("enabled", endpoint.enabled)
        if enabled != endpoint.enabled:
            endpoint.disabled_at = None if enabled else clock.now()
            endpoint.disabled_reason = None if enabled else _BY_OWNER
            lanes.forgive(endpoint_id)
        for name, value in changes.items():
            setattr(endpoint, name, value)
    return endpoint


def remove(user_id: str, endpoint_id: str) -> None:
    """Remove an endpoint, and forget its secrets; what was still to be delivered is cancelled.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    now = clock.now()
    with transaction() as session:
        users.lock(user_id)
        endpoint = _found(user_id, endpoint_id, lock=True)
        endpoint.deleted_at, endpoint.disabled_at, endpoint.secret = now, now, b""
        endpoint.disabled_reason = "removed"
        session.execute(delete(RetiringSecret).where(RetiringSecret.endpoint_id == endpoint_id))
        lanes.cancel([endpoint_id], now)


def dispatch(limit: int = 500) -> int:
    """Number what happened, and write down a delivery for every endpoint each event concerns.

    Returns:
        How many events were dispatched; as many as ``limit`` means there may be more.
    """
    with transaction():
        numbered = log.number(limit)
        if numbered:
            parameters = {
                "now": clock.now(),
                "first": clock.now() - lanes.EARLIEST,
                "state": DELIVERY.initial,
                "ids": [event.id for event in numbered],
                "users": [event.user_id for event in numbered],
                "names": [event.name for event in numbered],
                "moments": [event.happened_at for event in numbered],
                "audiences": [event.audience for event in numbered],
            }
            if db.execute(_DISPATCH, parameters).rowcount:
                db.after_commit(ring)
    return len(numbered)


def locked(user_id: str, endpoint_id: str) -> WebhookEndpoint:
    """Return an endpoint of a user, locked for the caller's transaction.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return _found(user_id, endpoint_id, lock=True)


def ring() -> None:
    """Say that a delivery is due: somebody looks at once."""
    queue.ring("webhooks.deliver", PERIODIC["webhooks.deliver"])


def _standing(user_id: str) -> Select[WebhookEndpoint]:
    return select(WebhookEndpoint).where(
        WebhookEndpoint.user_id == user_id, WebhookEndpoint.deleted_at.is_(None)
    )


def _found(user_id: str, endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint:
    wanted = _standing(user_id).where(WebhookEndpoint.id == endpoint_id)
    if lock:
        wanted = wanted.with_for_update(**LOCK)
    # As the row is now: what this session read of it before may be old.
    endpoint = db.db.session.scalar(wanted, execution_options={"populate_existing": True})
    if endpoint is None:
        raise NotFound("not_found", "There is no such webhook endpoint.")
    return endpoint


def _address(url: str) -> str:
    try:
        return targets.check(url).url
    except BadTarget as bad:
        raise Invalid("invalid_url", bad.said) from bad


def _check_is_new(user_id: str, address: str) -> None:
    taken = _standing(user_id).where(WebhookEndpoint.url == address)
    if db.current().scalar(taken) is not None:
        raise Conflict("duplicate", "This address is registered already.")


def _check_events(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in events.NAMES]
    if unknown:
        raise Invalid("validation_error", "Unknown event: {name}.", name=unknown[0])
    if len(set(names)) != len(names):
        raise Invalid("validation_error", "An event is named twice.")
