"""/client/events."""

from functools import partial
from typing import Any

from protonpay.events import schemas, service, waiting
from protonpay.kernel.scopes import Scope
from protonpay.web.access import either
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import check_still, current

blp = AreaBlueprint("events", __name__, door=Door.CLIENT, prefix="/client", about="Your event log")

_KEYS = either(Scope.ACTIVITY_READ, Scope.WEBHOOKS_WRITE)


@blp.get("/events", keys=_KEYS)
@blp.arguments(schemas.EventsQuery, location="query")
@blp.response(200, schemas.EventsStretch)
def events(query: dict[str, Any]) -> service.Stretch:
    """Read your event log: every event, whoever was told of it, in the order of its numbers.

    It goes on `after` a number, or with `order=desc` back from the newest, and on `before` one.

    With `wait` it is answered when there is an event, or after so many seconds without one.
    """
    user_id, wait = current().user_id, query.pop("wait")
    newest_first = query.pop("order") == schemas.DESCENDING
    look = partial(service.read, user_id, newest_first=newest_first, **query)
    return waiting.read(look, user_id, wait, check_still=check_still)


@blp.get("/events/<event:event_id>", keys=_KEYS)
@blp.response(200, schemas.EventAnswer)
def event(event_id: str) -> dict[str, Any]:
    """Get one event by its id, the `webhook-id` of its deliveries."""
    return {"event": service.get(current().user_id, event_id)}
