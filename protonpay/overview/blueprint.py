"""/client/balance, /client/dashboard, /client/activity."""

from functools import partial
from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.overview import history, queries, schemas
from protonpay.overview import search as searching
from protonpay.web.access import NO_KEY, needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import page

blp = AreaBlueprint(
    "overview", __name__, door=Door.CLIENT, prefix="/client", about="Balance and history"
)

_RECENT = 10


@blp.get("/balance", keys=needs(Scope.BALANCE_READ))
@blp.response(200, schemas.Balance)
def balance() -> dict[str, Any]:
    """Get the current USDC balance and linked wallet."""
    available, owed = queries.purse(current().user_id)
    address, network = queries.wallet(current().user_id)
    aside = queries.aside(current().user_id)
    return {
        "balance_usdc": available,
        "wallet_address": address,
        "wallet_network": network,
        "debt_usdc": owed,
        "held_usdc": aside.held,
        "pending_usdc": aside.pending,
        "on_hold_usdc": aside.on_hold,
    }


@blp.get("/dashboard", keys=needs(Scope.BALANCE_READ, Scope.ACTIVITY_READ))
@blp.response(200, schemas.Dashboard)
def dashboard() -> dict[str, Any]:
    """Get balance, totals, recent activity and account setup status."""
    user_id = current().user_id
    totals, setup = queries.totals(user_id), queries.setup(user_id)
    return {
        "balance": queries.balance(user_id),
        "total_deposited": totals.deposited,
        "total_withdrawn": totals.withdrawn,
        "recent_activity": history.recent(user_id, _RECENT),
        "setup_steps": {
            "email_verified": setup.email_verified,
            "kyc_completed": setup.identity_approved,
            "wallet_linked": setup.wallet_linked,
            "two_fa_enabled": setup.two_fa_enabled,
        },
    }


@blp.get("/activity", keys=needs(Scope.ACTIVITY_READ))
@blp.arguments(schemas.ActivityQuery, location="query")
@blp.response(200, schemas.ActivityPage)
def activity(query: dict[str, Any]) -> dict[str, Any]:
    """Get transaction history, newest first: deposits, withdrawals, transfers."""
    return page("activity", query, partial(history.named, current().user_id))


@blp.get("/search", keys=NO_KEY)
@blp.arguments(schemas.SearchQuery, location="query")
@blp.response(200, schemas.SearchAnswer)
def search(query: dict[str, Any]) -> dict[str, Any]:
    """Find your own things by id, transaction, address, e-mail or amount, or how one begins."""
    caller = current()
    member = caller.membership
    may = member.may if member else lambda _: True
    return {"hits": searching.search(caller.user_id, query["q"], may)}
