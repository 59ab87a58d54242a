"""POST /client/transfer."""

from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.transfers import schemas, service
from protonpay.web.access import needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current

blp = AreaBlueprint(
    "transfers", __name__, door=Door.CLIENT, prefix="/client", about="Between users"
)


@blp.post("/transfer", keys=needs(Scope.TRANSFERS_WRITE))
@blp.arguments(schemas.TransferOrder)
@blp.response(200, schemas.TransferAnswer)
def transfer(order: dict[str, Any]) -> dict[str, Any]:
    """Transfer USDC to another user by e-mail or public id."""
    return schemas.as_answer(service.send(current().user_id, **order))
