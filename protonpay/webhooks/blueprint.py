"""/client/webhooks."""

from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.web.access import needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.webhooks import schemas, service

blp = AreaBlueprint("webhooks", __name__, door=Door.CLIENT, prefix="/client", about="Your events")


@blp.post("/webhooks", keys=needs(Scope.WEBHOOKS_WRITE))
@blp.arguments(schemas.WebhookOrder)
@blp.response(200, schemas.WebhookAnswer)
def register(order: dict[str, Any]) -> dict[str, Any]:
    """Register a webhook endpoint to receive event notifications."""
    return {"webhook": service.register(current().user_id, **order)}
