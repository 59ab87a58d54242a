"""/client/addresses."""

from functools import partial
from typing import Any

from protonpay.address_book import schemas, service
from protonpay.kernel.scopes import Scope
from protonpay.web.access import NO_KEY, either
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import PageQuery, page

blp = AreaBlueprint(
    "addresses", __name__, door=Door.CLIENT, prefix="/client", about="Where your money may go"
)
_READ = either(Scope.ACTIVITY_READ, Scope.WITHDRAWALS_WRITE)


@blp.get("/addresses/policy", keys=_READ)
@blp.response(200, schemas.PolicyAnswer)
def policy() -> dict[str, Any]:
    """Tell whether only the addresses of your book may be paid."""
    return {"policy": service.policy(current().user_id)}


@blp.patch("/addresses/policy", keys=NO_KEY)
@blp.arguments(schemas.PolicyChange)
@blp.response(200, schemas.PolicyAnswer)
def set_policy(change: dict[str, Any]) -> dict[str, Any]:
    """Let only the addresses of your book be paid, from now on; or any address, in 24 hours."""
    return {"policy": service.set_policy(current().user_id, **change)}


@blp.post("/addresses", keys=NO_KEY)
@blp.arguments(schemas.EntryOrder)
@blp.response(200, schemas.EntryAnswer)
def add(order: dict[str, Any]) -> dict[str, Any]:
    """Write a wallet into your address book."""
    return {"address": service.add(current().user_id, **order)}


@blp.get("/addresses", keys=_READ)
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.EntriesPage)
def entries(query: dict[str, Any]) -> dict[str, Any]:
    """List your address book, newest first."""
    return page("addresses", query, partial(service.entries, current().user_id))


@blp.get("/addresses/<id:address_id>", keys=_READ)
@blp.response(200, schemas.EntryAnswer)
def entry(address_id: str) -> dict[str, Any]:
    """Get one entry of your address book."""
    return {"address": service.get(current().user_id, address_id)}


@blp.delete("/addresses/<id:address_id>", keys=NO_KEY)
@blp.response(204)
def remove(address_id: str) -> None:
    """Strike a wallet out of your address book."""
    service.remove(current().user_id, address_id)
