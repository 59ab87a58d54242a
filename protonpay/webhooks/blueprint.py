"""/client/webhooks."""

from datetime import timedelta
from functools import partial
from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.web.access import needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import ListingQuery, PageQuery, page
from protonpay.web.step_up import steps_up
from protonpay.webhooks import health, history, rotation, schemas, service

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


@blp.get("/webhooks/health", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.HealthPage)
def health_of_each(query: dict[str, Any]) -> dict[str, Any]:
    """List how your endpoints have answered in the last 24 hours, in the order of their list."""
    return page("webhooks", query, partial(health.listed, current().user_id))


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


@blp.post(
    "/webhooks/<id:webhook_id>/rotate-secret", keys=needs(Scope.WEBHOOKS_WRITE), refuses=[409]
)
@blp.arguments(schemas.Rotation)
@blp.response(200, schemas.NewWebhook)
@steps_up
def rotate_secret(wanted: dict[str, int], webhook_id: str) -> dict[str, Any]:
    """Get a new secret; the old one verifies until the overlap is over."""
    overlap = timedelta(seconds=wanted["overlap_seconds"])
    rotated = rotation.rotate(current().user_id, webhook_id, overlap=overlap)
    return {"webhook": schemas.with_secret(*rotated)}


@blp.post("/webhooks/<id:webhook_id>/test", keys=needs(Scope.WEBHOOKS_WRITE), refuses=[409, 429])
@blp.arguments(schemas.TestOrder)
@blp.response(200, schemas.TestSent)
def test(order: dict[str, str], webhook_id: str) -> dict[str, str]:
    """Send this endpoint a test event: its data says `"test": true`."""
    return {"event_id": history.send_test(current().user_id, webhook_id, **order)}


@blp.get("/webhooks/<id:webhook_id>/health", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.response(200, schemas.HealthAnswer)
def healthy(webhook_id: str) -> dict[str, Any]:
    """Get how an endpoint has answered in the last 24 hours, by hour."""
    return {"health": health.health(current().user_id, webhook_id)}


@blp.get("/webhooks/<id:webhook_id>/deliveries", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.arguments(schemas.DeliveriesQuery, location="query")
@blp.response(200, schemas.DeliveriesPage)
def deliveries(query: dict[str, Any], webhook_id: str) -> dict[str, Any]:
    """List what was delivered to an endpoint and what was not, newest event first."""
    read = partial(history.deliveries, current().user_id, webhook_id)
    return page("deliveries", query, read)


@blp.get("/events/<event:event_id>/deliveries", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.arguments(ListingQuery, location="query")
@blp.response(200, schemas.EventDeliveries)
def deliveries_of_event(_: dict[str, Any], event_id: str) -> dict[str, Any]:
    """List to which of your endpoints an event was delivered and to which it was not."""
    return {"deliveries": history.deliveries_of(current().user_id, event_id)}


@blp.get("/webhooks/<id:webhook_id>/deliveries/<event:event_id>", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.response(200, schemas.DeliveryAnswer)
def delivery(webhook_id: str, event_id: str) -> dict[str, Any]:
    """Get one delivery with what was sent and every answer."""
    found = history.delivery(current().user_id, webhook_id, event_id)
    return {"delivery": schemas.opened(found)}


@blp.post(
    "/webhooks/<id:webhook_id>/deliveries/<event:event_id>/resend",
    keys=needs(Scope.WEBHOOKS_WRITE),
    refuses=[409],
)
@blp.response(202, schemas.DeliveryAnswer)
def resend(webhook_id: str, event_id: str) -> dict[str, Any]:
    """Try a delivery once more, now; a failure is not repeated and leaves its schedule alone."""
    found = history.resend(current().user_id, webhook_id, event_id)
    return {"delivery": schemas.opened(found)}


@blp.post("/webhooks/<id:webhook_id>/recover", keys=needs(Scope.WEBHOOKS_WRITE), refuses=[409])
@blp.arguments(schemas.Recovery)
@blp.response(202, schemas.QueuedView)
def recover(span: dict[str, Any], webhook_id: str) -> dict[str, int]:
    """Have everything delivered that an endpoint missed in a span of at most 14 days."""
    return {"queued": history.recover(current().user_id, webhook_id, **span)}


@blp.post("/webhooks/<id:webhook_id>/replay", keys=needs(Scope.WEBHOOKS_WRITE), refuses=[409])
@blp.arguments(schemas.Replay)
@blp.response(202, schemas.ReplayedView)
def replay(place: dict[str, int], webhook_id: str) -> history.Replayed:
    """Have the events above a number of the log delivered once more, 10,000 at once."""
    return history.replay(current().user_id, webhook_id, **place)
