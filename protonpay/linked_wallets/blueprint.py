"""/client/wallets."""

from functools import partial
from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.linked_wallets import schemas, service
from protonpay.web.access import NO_KEY, needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.links import links
from protonpay.web.paging import PageQuery, page

blp = AreaBlueprint(
    "wallets", __name__, door=Door.CLIENT, prefix="/client", about="Wallets you have linked"
)


@blp.post("/wallets/message", keys=NO_KEY)
@blp.arguments(schemas.ChallengeOrder)
@blp.response(200, schemas.ChallengeAnswer)
def challenge(order: dict[str, Any]) -> dict[str, Any]:
    """Get the message whose signature proves that a wallet is yours."""
    return {"challenge": service.challenge(current().user_id, site=links.to(""), **order)}


@blp.post("/wallets", keys=NO_KEY, refuses=[404])
@blp.arguments(schemas.Proof)
@blp.response(200, schemas.WalletAnswer)
def link(proof: dict[str, Any]) -> dict[str, Any]:
    """Link a wallet: send the signature under its challenge."""
    return {"wallet": service.link(current().user_id, **proof)}


@blp.get("/wallets", keys=needs(Scope.BALANCE_READ))
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.WalletsPage)
def wallets(query: dict[str, Any]) -> dict[str, Any]:
    """List your linked wallets, newest first."""
    return page("wallets", query, partial(service.wallets, current().user_id))


@blp.get("/wallets/<id:wallet_id>", keys=needs(Scope.BALANCE_READ))
@blp.response(200, schemas.WalletAnswer)
def wallet(wallet_id: str) -> dict[str, Any]:
    """Get one linked wallet."""
    return {"wallet": service.get(current().user_id, wallet_id)}


@blp.delete("/wallets/<id:wallet_id>", keys=NO_KEY)
@blp.response(204)
def unlink(wallet_id: str) -> None:
    """Unlink a wallet; what was paid to it stays as it is."""
    service.unlink(current().user_id, wallet_id)
