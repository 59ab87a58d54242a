"""/client/notifications."""

from functools import partial
from typing import Any

from protonpay.notifications import schemas, service
from protonpay.notifications.service import Reader
from protonpay.telegram import service as telegram
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
    """Get of which kinds you are told by letter and in Telegram; the portal shows all of them."""
    return {"preferences": service.choices(current().user_id)}


@blp.patch("/preferences", keys=NO_KEY, refuses=[409])
@blp.arguments(schemas.ChoicesRequest)
@blp.response(200, schemas.ChoicesAnswer)
def prefer(told: dict[str, Any]) -> dict[str, Any]:
    """Choose of which kinds the owner is told, by letter and in Telegram."""
    return {"preferences": service.choose(current().user_id, **told)}


@blp.get("/telegram", keys=NO_KEY)
@blp.response(200, schemas.TelegramAnswer)
def telegram_standing() -> dict[str, Any]:
    """Get whether there is a bot here, and whether your account has a chat with it."""
    return {"telegram": telegram.standing(current().user_id)}


@blp.post("/telegram", keys=NO_KEY, refuses=[409])
@blp.response(200, schemas.TelegramLinkAnswer)
def link_telegram() -> dict[str, Any]:
    """Ask for the link that makes a Telegram chat your account's; the one before it is void."""
    return {"link": telegram.ask(current().user_id)}


@blp.delete("/telegram", keys=NO_KEY)
@blp.response(204)
def unlink_telegram() -> None:
    """Unlink the chat; what waits for it is not sent. Where there is none, nothing happens."""
    telegram.end(current().user_id)


def _reader() -> Reader:
    caller = current()
    member = caller.membership
    builds = member is None or member.may("webhooks.webhooks")
    return Reader(caller.user_id, caller.person_id, builds=builds)
