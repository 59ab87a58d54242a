"""/client/api-keys: only signed-in people manage keys, never a key."""

from datetime import timedelta
from functools import partial
from typing import Any

from protonpay.api_keys import rotation, schemas, service
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import PageQuery, page
from protonpay.web.step_up import steps_up

blp = AreaBlueprint("api-keys", __name__, door=Door.CLIENT, prefix="/client", about="Your keys")


@blp.post("/api-keys", keys=NO_KEY)
@blp.arguments(schemas.KeyOrder)
@blp.response(200, schemas.NewKeyAnswer)
@steps_up
def create(order: dict[str, Any]) -> dict[str, Any]:
    """Create a new API key. The raw key is returned only once."""
    return {"key": service.create(current().user_id, **order, maker=_maker())}


@blp.get("/api-keys", keys=NO_KEY)
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.KeysPage)
def listed(query: dict[str, Any]) -> dict[str, Any]:
    """List the API keys that are not revoked, newest first."""
    return page("keys", query, partial(service.listed, current().user_id))


@blp.get("/api-keys/<id:key_id>", keys=NO_KEY)
@blp.response(200, schemas.KeyAnswer)
def key(key_id: str) -> dict[str, Any]:
    """Get one API key."""
    return {"key": service.get(current().user_id, key_id)}


@blp.delete("/api-keys/<id:key_id>", keys=NO_KEY)
@blp.response(204)
def revoke(key_id: str) -> None:
    """Revoke an API key, at once and for good."""
    service.revoke(current().user_id, key_id)


@blp.post("/api-keys/<id:key_id>/rotate", keys=NO_KEY, refuses=[409])
@blp.arguments(schemas.KeyRotation)
@blp.response(200, schemas.NewKeyAnswer)
@steps_up
def rotate(wanted: dict[str, int], key_id: str) -> dict[str, Any]:
    """Get a new raw key, returned only once; the old one opens until the overlap is over."""
    overlap = timedelta(seconds=wanted["overlap_seconds"])
    return {"key": rotation.rotate(current().user_id, key_id, overlap=overlap, maker=_maker())}


def _maker() -> service.Maker | None:
    member = current().membership
    return None if member is None else service.Maker(member.person_id, member.scopes)
