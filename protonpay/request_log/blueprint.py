"""/client/requests."""

from functools import partial
from typing import Any

from protonpay.request_log import schemas, service
from protonpay.request_log.models import LoggedRequest
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import page

blp = AreaBlueprint(
    "requests",
    __name__,
    door=Door.CLIENT,
    prefix="/client/requests",
    about="What your API keys asked, for thirty days",
)


@blp.get("", keys=NO_KEY)
@blp.arguments(schemas.RequestsQuery, location="query")
@blp.response(200, schemas.RequestsPage)
def listed(query: dict[str, Any]) -> dict[str, Any]:
    """List the requests of your API keys, newest first; one is here a second or two after it."""
    return page("requests", query, partial(service.listed, current().user_id))


@blp.get("/errors", keys=NO_KEY)
@blp.arguments(schemas.TroubleQuery, location="query")
@blp.response(200, schemas.TroubleAnswer)
def trouble(query: dict[str, Any]) -> dict[str, Any]:
    """Group what was refused by route and code, the most frequent first, fifty at most."""
    found = service.trouble(current().user_id, since=query["since"], until=query["until"])
    return {"errors": found}


@blp.get("/days", keys=NO_KEY)
@blp.arguments(schemas.UsageQuery, location="query")
@blp.response(200, schemas.UsageAnswer)
def days(query: dict[str, Any]) -> dict[str, Any]:
    """Count what each of your API keys asked by day, of your last 100,000 requests."""
    return {"days": service.days(current().user_id, query["days"])}


@blp.get("/<id:row_id>", keys=NO_KEY)
@blp.response(200, schemas.RequestAnswer)
def one(row_id: str) -> dict[str, LoggedRequest]:
    """Get one request with its body, and the problem if it was refused."""
    return {"request": service.get(current().user_id, row_id)}
