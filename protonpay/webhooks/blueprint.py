"""/client/webhooks."""

from functools import partial
from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.web.access import needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import PageQuery, page
from protonpay.webhooks import schemas, service

blp = AreaBlueprint("webhooks", __name__, door=Door.CLIENT, prefix="/client", about="Your events")


@blp.post("/webhooks", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.arguments(schemas.WebhookOrder)
@blp.response(200, schemas.NewWebhook)
def register(order: dict[str, Any]) -> dict[str, Any]:
    """Register a webhook endpoint to receive event notifications."""
    return {"webhook": schemas.with_secret(*service.register(current().user_id, **order))}


@blp.get("/webhooks", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.WebhooksPage)
def webhooks(query: dict[str, Any]) -> dict[str, Any]:
    """List your webhook endpoints, newest first."""
    return page("webhooks", query, partial(service.endpoints, current().user_id))


@blp.get("/webhooks/<id:webhook_id>", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.response(200, schemas.WebhookAnswer)
def webhook(webhook_id: str) -> dict[str, Any]:
    """Get one webhook endpoint."""
    return {"webhook": service.get(current().user_id, webhook_id)}


@blp.patch("/webhooks/<id:webhook_id>", keys=needs(Scope.WEBHOOKS_WRITE), refuses=[409])
@blp.arguments(schemas.WebhookChange)
@blp.response(200, schemas.WebhookAnswer)
def change(change: dict[str, Any], webhook_id: str) -> dict[str, Any]:
    """Change a webhook endpoint: its address, its events, its description, or whether it hears."""
    return {"webhook": service.change(current().user_id, webhook_id, **change)}


@blp.delete("/webhooks/<id:webhook_id>", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.response(204)
def remove(webhook_id: str) -> None:
    """Remove a webhook endpoint; what was still to be delivered to it is not."""
    service.remove(current().user_id, webhook_id)
