"""/health, /ready and /metrics."""

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import fields
from prometheus_client import CONTENT_TYPE_LATEST

from protonpay.kernel import signing
from protonpay.kernel.errors import NotFound
from protonpay.status import gauges, readiness
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.fields import WireSchema

blp = AreaBlueprint("status", __name__, door=Door.PUBLIC, prefix="", about="For load balancers")
pages = Blueprint("metrics", __name__)


class Health(WireSchema):
    """This process answers."""

    status = fields.String(metadata={"enum": ["ok"]})


class Part(WireSchema):
    """One thing the work needs."""

    ok = fields.Boolean()
    detail = fields.String()


class Ready(WireSchema):
    """Whether requests should be sent here."""

    ready = fields.Boolean()
    parts = fields.Dict(keys=fields.String(), values=fields.Nested(Part))


class MetricsDoor:
    """Who may read the metrics, bound by create_app: everybody, a token's holder, or nobody."""

    def __init__(self) -> None:
        self._token: str | None = None
        self._open = False

    def bind(self, token: str | None, *, production: bool) -> None:
        """Set the token; without one only a sandbox shows its metrics."""
        self._token, self._open = token, not production and token is None

    def lets_in(self, header: str) -> bool:
        """Tell whether an ``Authorization`` header may read."""
        if self._token is None:
            return self._open
        return signing.same(f"Bearer {self._token}", header)


metrics_door = MetricsDoor()


@blp.get("/health")
@blp.response(200, Health)
def health() -> dict[str, str]:
    """Tell that this process answers."""
    return {"status": "ok"}


@blp.get("/ready")
@blp.response(200, Ready)
@blp.alt_response(503, schema=Ready, description="Something is missing.")
def ready() -> Any:
    """Tell whether database, queue, migrations, workers and chains are all there; 503 if not."""
    parts = readiness.parts()
    everything = all(part.ok for part in parts.values())
    return {"ready": everything, "parts": parts}, 200 if everything else 503


@pages.get("/metrics")
def metrics() -> Response:
    """Show the metrics of all processes to who may see them."""
    if not metrics_door.lets_in(request.headers.get("Authorization", "")):
        raise NotFound("not_found", "There is no such page.")
    return Response(gauges.exposition(), mimetype=CONTENT_TYPE_LATEST)
