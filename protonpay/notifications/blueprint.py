"""/client/notifications."""

from functools import partial
from typing import Any

from protonpay.notifications import schemas, service
from protonpay.notifications.service import Reader
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import page

blp = AreaBlueprint(
    "notifications",
    __name__,
    door=Door.CLIENT,
    prefix="/client/notifications",
    about="What you should see, and what you have read of it",
)


@blp.get("", keys=NO_KEY)
@blp.arguments(schemas.NotificationsQuery, location="query")
@blp.response(200, schemas.NotificationsPage)
def listed(query: dict[str, Any]) -> dict[str, Any]:
    """List what there is to see: first what stands until it is mended, then 90 days of events."""
    return page("notifications", query, partial(service.listed, _reader()))


@blp.get("/unread", keys=NO_KEY)
@blp.response(200, schemas.UnreadAnswer)
def unread() -> dict[str, int]:
    """Count what you have not read."""
    return {"unread_count": service.unread(_reader())}


@blp.post("/read", keys=NO_KEY)
@blp.arguments(schemas.ReadRequest)
@blp.response(200, schemas.UnreadAnswer)
def read(told: dict[str, Any]) -> dict[str, int]:
    """Say what you have read: some of it, all up to an event, or all there is."""
    return {"unread_count": service.mark(_reader(), **told)}


@blp.get("/preferences", keys=NO_KEY)
@blp.response(200, schemas.ChoicesAnswer)
def preferences() -> dict[str, Any]:
    """Get of which kinds letters are written; the portal shows all of them."""
    return {"preferences": service.choices(current().user_id)}


@blp.patch("/preferences", keys=NO_KEY)
@blp.arguments(schemas.ChoicesRequest)
@blp.response(200, schemas.ChoicesAnswer)
def prefer(told: dict[str, Any]) -> dict[str, Any]:
    """Choose of which kinds letters are written to the owner's address."""
    return {"preferences": service.choose(current().user_id, **told)}


def _reader() -> Reader:
    caller = current()
    member = caller.membership
    builds = member is None or member.may("webhooks.webhooks")
    return Reader(caller.user_id, caller.person_id, builds=builds)
