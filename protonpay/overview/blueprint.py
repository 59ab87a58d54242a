"""/client/balance, /client/dashboard, /client/activity."""

from typing import Any

from protonpay.overview import queries, schemas
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import Position, cursors

blp = AreaBlueprint(
    "overview", __name__, door=Door.CLIENT, prefix="/client", about="Balance and history"
)

_RECENT = 10


@blp.get("/balance")
@blp.response(200, schemas.Balance)
def balance() -> dict[str, Any]:
    """Get the current USDC balance and linked wallet."""
    available, owed = queries.purse(current().user_id)
    return {
        "balance_usdc": available,
        "wallet_address": None,
        "wallet_network": None,
        "debt_usdc": owed,
    }


@blp.get("/dashboard")
@blp.response(200, schemas.Dashboard)
def dashboard() -> dict[str, Any]:
    """Get balance, totals, recent activity and account setup status."""
    user_id = current().user_id
    totals = queries.totals(user_id)
    return {
        "balance": queries.balance(user_id),
        "total_deposited": totals.deposited,
        "total_withdrawn": totals.withdrawn,
        "recent_activity": queries.activity(user_id, _RECENT, None),
        "setup_steps": {
            "email_verified": queries.email_verified(user_id),
            "kyc_completed": False,
            "wallet_linked": False,
            "two_fa_enabled": False,
        },
    }


@blp.get("/activity")
@blp.arguments(schemas.ActivityQuery, location="query")
@blp.response(200, schemas.ActivityPage)
def activity(query: dict[str, Any]) -> dict[str, Any]:
    """Get transaction history, newest first: deposits, withdrawals, transfers."""
    user_id, limit = current().user_id, query["limit"]
    scope = {"list": "activity", "user": user_id}
    after = cursors.read(query["cursor"], scope) if query["cursor"] else None
    lines = queries.activity(user_id, limit + 1, (after.created_at, after.id) if after else None)
    shown, more = lines[:limit], len(lines) > limit
    last = Position(shown[-1].created_at, shown[-1].id) if more else None
    return {
        "activity": shown,
        "next_cursor": cursors.make(last, scope) if last else None,
        "has_more": more,
    }
