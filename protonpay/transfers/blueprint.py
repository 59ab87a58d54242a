"""/client/transfer."""

from functools import partial
from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.transfers import payees, schemas, service
from protonpay.web.access import either, needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import page

blp = AreaBlueprint(
    "transfers", __name__, door=Door.CLIENT, prefix="/client", about="Between users"
)


@blp.post("/transfer", keys=needs(Scope.TRANSFERS_WRITE), refuses=[404])
@blp.arguments(schemas.TransferOrder)
@blp.response(200, schemas.TransferAnswer)
def transfer(order: dict[str, Any]) -> dict[str, Any]:
    """Transfer USDC to another user by e-mail or public id."""
    sent = service.send(current().user_id, **order)
    return {"transfer": sent, "new_balance": sent.new_balance}


@blp.post("/transfer/payee", keys=needs(Scope.TRANSFERS_WRITE), refuses=[404])
@blp.arguments(schemas.RecipientOrder)
@blp.response(200, schemas.RecipientAnswer)
def payee(order: dict[str, Any]) -> dict[str, Any]:
    """Get the masked name of who has a public id, before you pay them; changes nothing."""
    return {"payee": payees.look(current().user_id, **order)}


@blp.get("/transfer/<id:transfer_id>", keys=either(Scope.ACTIVITY_READ, Scope.TRANSFERS_WRITE))
@blp.response(200, schemas.OneTransfer)
def one(transfer_id: str) -> dict[str, Any]:
    """Get one transfer that you sent or received."""
    return {"transfer": service.get(current().user_id, transfer_id)}


@blp.get("/transfers", keys=either(Scope.ACTIVITY_READ, Scope.TRANSFERS_WRITE))
@blp.arguments(schemas.TransfersQuery, location="query")
@blp.response(200, schemas.TransfersPage)
def transfers(query: dict[str, Any]) -> dict[str, Any]:
    """List transfers that you sent or received, newest first."""
    return page("transfers", query, partial(service.history, current().user_id))
