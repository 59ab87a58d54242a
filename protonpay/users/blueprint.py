"""/client/preferences."""

from protonpay.users import schemas, service
from protonpay.users.service import User
from protonpay.web.access import ANY_KEY, NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current

blp = AreaBlueprint(
    "preferences", __name__, door=Door.CLIENT, prefix="/client", about="Language and time zone"
)


@blp.get("/preferences", keys=ANY_KEY)
@blp.response(200, schemas.PreferencesAnswer)
def preferences() -> dict[str, User]:
    """Get your language and your time zone."""
    return {"preferences": service.get(current().user_id)}


@blp.patch("/preferences", keys=NO_KEY)
@blp.arguments(schemas.PreferencesChange)
@blp.response(200, schemas.PreferencesAnswer)
def prefer(change: dict[str, str]) -> dict[str, User]:
    """Change your language, your time zone, or both."""
    return {"preferences": service.prefer(current().user_id, **change)}
