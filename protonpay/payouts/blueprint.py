"""/client/withdraw."""

from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.payouts import schemas, service
from protonpay.web.access import either, needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current

blp = AreaBlueprint("payouts", __name__, door=Door.CLIENT, prefix="/client", about="Withdrawals")


@blp.post("/withdraw", keys=needs(Scope.WITHDRAWALS_WRITE))
@blp.arguments(schemas.PayoutOrder)
@blp.response(200, schemas.PayoutAnswer)
def withdraw(order: dict[str, Any]) -> dict[str, Any]:
    """Create a USDC withdrawal to an external wallet."""
    return {"payout": service.request_payout(current().user_id, **order)}


@blp.get("/withdraw/<id:payout_id>", keys=either(Scope.ACTIVITY_READ, Scope.WITHDRAWALS_WRITE))
@blp.response(200, schemas.PayoutAnswer)
def payout(payout_id: str) -> dict[str, Any]:
    """Get one withdrawal."""
    return {"payout": service.get(current().user_id, payout_id)}
