"""GET /client/fees."""

from typing import Any

from protonpay.plans import schemas, service
from protonpay.web.access import ANY_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.caching import keep_for

blp = AreaBlueprint("fees", __name__, door=Door.CLIENT, prefix="/client", about="Fees and limits")

_KEPT_SECONDS = 60


@blp.get("/fees", keys=ANY_KEY)
@blp.response(200, schemas.FeesAnswer)
@blp.alt_response(304, description="As it was when you got the ETag that you sent.")
def fees() -> dict[str, Any]:
    """Get the fee schedule and withdrawal limits of your plan."""
    told = service.fees_of(current().user_id)
    left = told.seconds_left
    keep_for(_KEPT_SECONDS if left is None else min(left, _KEPT_SECONDS))
    return schemas.as_answer(told)
