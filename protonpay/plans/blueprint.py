"""GET /client/fees."""

from typing import Any

from protonpay.plans import schemas, service
from protonpay.web.access import ANY_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current

blp = AreaBlueprint("fees", __name__, door=Door.CLIENT, prefix="/client", about="Fees and limits")


@blp.get("/fees", keys=ANY_KEY)
@blp.response(200, schemas.FeesAnswer)
def fees() -> dict[str, Any]:
    """Get the fee schedule and withdrawal limits of your plan."""
    return {"fees": schemas.as_fees(service.terms_of(current().user_id))}
