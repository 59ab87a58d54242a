"""/client/withdraw."""

from functools import partial
from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.payouts import cancelling, payees, schemas, service
from protonpay.web.access import either, needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import page
from protonpay.web.step_up import steps_up

blp = AreaBlueprint("payouts", __name__, door=Door.CLIENT, prefix="/client", about="Withdrawals")


@blp.post("/withdraw", keys=needs(Scope.WITHDRAWALS_WRITE))
@blp.arguments(schemas.PayoutOrder)
@blp.response(200, schemas.PayoutAnswer)
@steps_up
def withdraw(order: dict[str, Any]) -> dict[str, Any]:
    """Create a USDC withdrawal to an external wallet."""
    return {"payout": service.request_payout(current().user_id, **order)}


@blp.post("/withdraw/quote", keys=either(Scope.ACTIVITY_READ, Scope.WITHDRAWALS_WRITE))
@blp.arguments(schemas.QuoteOrder)
@blp.response(200, schemas.QuoteAnswer)
def quote(order: dict[str, Any]) -> dict[str, Any]:
    """Get what a withdrawal would cost now, and why it would fail; changes nothing."""
    return {"quote": service.quote(current().user_id, **order)}


@blp.post("/withdraw/payee", keys=needs(Scope.WITHDRAWALS_WRITE))
@blp.arguments(schemas.PayeeOrder)
@blp.response(200, schemas.PayeeAnswer)
def payee(order: dict[str, Any]) -> dict[str, Any]:
    """Get what stands at an address, a wallet or a contract; ask again while it is looked at."""
    return {"payee": payees.look(**order)}


@blp.get("/withdraw/<id:payout_id>", keys=either(Scope.ACTIVITY_READ, Scope.WITHDRAWALS_WRITE))
@blp.response(200, schemas.PayoutAnswer)
def payout(payout_id: str) -> dict[str, Any]:
    """Get one withdrawal."""
    return {"payout": service.get(current().user_id, payout_id)}


@blp.post("/withdraw/<id:payout_id>/cancel", keys=needs(Scope.WITHDRAWALS_WRITE))
@blp.response(200, schemas.PayoutAnswer)
def cancel(payout_id: str) -> dict[str, Any]:
    """Take a withdrawal back before it is signed; amount and fee return to the balance."""
    return {"payout": cancelling.cancel(current().user_id, payout_id)}


@blp.get("/withdrawals", keys=either(Scope.ACTIVITY_READ, Scope.WITHDRAWALS_WRITE))
@blp.arguments(schemas.PayoutsQuery, location="query")
@blp.response(200, schemas.PayoutsPage)
def withdrawals(query: dict[str, Any]) -> dict[str, Any]:
    """List your withdrawals, newest first."""
    return page("withdrawals", query, partial(service.history, current().user_id))
