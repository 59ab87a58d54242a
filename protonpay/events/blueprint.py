"""/client/events."""

from typing import Any

from protonpay.events import schemas, service, waiting
from protonpay.kernel.scopes import Scope
from protonpay.web.access import either
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current

blp = AreaBlueprint("events", __name__, door=Door.CLIENT, prefix="/client", about="Your event log")

_KEYS = either(Scope.ACTIVITY_READ, Scope.WEBHOOKS_WRITE)


@blp.get("/events", keys=_KEYS)
@blp.arguments(schemas.EventsQuery, location="query")
@blp.response(200, schemas.EventsStretch)
def events(query: dict[str, Any]) -> service.Stretch:
    """Read your event log, oldest first above a number: every event, whoever was told of it.

    With `order=desc` it is read back: newest first, below the number `before`.

    With `wait` it is answered when there is an event, or after so many seconds without one.
    """
    order, before = query.pop("order"), query.pop("before")
    if order == schemas.ASCENDING:
        return waiting.read(current().user_id, **query)
    asked = {name: query[name] for name in ("limit", "event")}
    return service.read_back(current().user_id, before=before, **asked)


@blp.get("/events/<event:event_id>", keys=_KEYS)
@blp.response(200, schemas.EventAnswer)
def event(event_id: str) -> dict[str, Any]:
    """Get one event by its id, the `webhook-id` of its deliveries."""
    return {"event": service.get(current().user_id, event_id)}
