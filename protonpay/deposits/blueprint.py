"""/client/deposit."""

from functools import partial
from typing import Any

from protonpay.deposits import schemas, service
from protonpay.deposits.ordering import Destinations
from protonpay.kernel.scopes import Scope
from protonpay.web.access import ANY_KEY, either, needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.idempotency import in_steps
from protonpay.web.links import links
from protonpay.web.paging import page

blp = AreaBlueprint("deposits", __name__, door=Door.CLIENT, prefix="/client", about="Money in")


@blp.post("/deposit/card", keys=needs(Scope.DEPOSITS_WRITE))
@blp.arguments(schemas.CardOrder)
@blp.response(200, schemas.CardAnswer)
@in_steps
def card(order: dict[str, Any]) -> dict[str, Any]:
    """Create a card deposit session and get its payment URL."""
    to = Destinations(
        return_url=links.to("/deposits/{id}"),
        callback_url=links.to(f"/api/callbacks/{order['provider']}"),
    )
    return schemas.as_answer(service.open_card_deposit(current().user_id, **order, to=to))


@blp.post("/deposit/crypto", keys=needs(Scope.DEPOSITS_WRITE))
@blp.arguments(schemas.CryptoOrder)
@blp.response(200, schemas.CryptoAnswer)
def crypto(order: dict[str, Any]) -> dict[str, Any]:
    """Get your address on a network; USDC that reaches it is credited to you."""
    return schemas.as_address(service.crypto_address(current().user_id, order["network"]))


@blp.get("/deposit/providers", keys=ANY_KEY)
@blp.response(200, schemas.OffersAnswer)
def providers() -> dict[str, Any]:
    """List the card providers, whether each is set up here, and its currencies."""
    return {"providers": service.offers()}


@blp.post("/deposit/quote", keys=ANY_KEY)
@blp.arguments(schemas.CardQuoteOrder)
@blp.response(200, schemas.CardQuoteAnswer)
def quote(order: dict[str, Any]) -> dict[str, Any]:
    """Get what an amount that is paid by card would bring now, and who takes it; opens nothing."""
    return {"quote": service.quote(current().user_id, **order)}


@blp.get("/deposit/<id:deposit_id>", keys=either(Scope.ACTIVITY_READ, Scope.DEPOSITS_WRITE))
@blp.response(200, schemas.DepositAnswer)
def deposit(deposit_id: str) -> dict[str, Any]:
    """Get one deposit."""
    return {"deposit": service.get(current().user_id, deposit_id)}


@blp.get("/deposits", keys=either(Scope.ACTIVITY_READ, Scope.DEPOSITS_WRITE))
@blp.arguments(schemas.DepositsQuery, location="query")
@blp.response(200, schemas.DepositsPage)
def deposits(query: dict[str, Any]) -> dict[str, Any]:
    """List your deposits, newest first."""
    return page("deposits", query, partial(service.history, current().user_id))
