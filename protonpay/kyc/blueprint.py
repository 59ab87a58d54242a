"""/client/kyc."""

from typing import Any

from protonpay.kyc import schemas, service
from protonpay.kyc.service import Person
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current

blp = AreaBlueprint("kyc", __name__, door=Door.CLIENT, prefix="/client", about="Identity check")


@blp.get("/kyc", keys=NO_KEY)
@blp.response(200, schemas.CaseAnswer)
def standing() -> dict[str, Any]:
    """Get where your identity check stands."""
    return {"kyc": service.standing(current().user_id)}


@blp.post("/kyc", keys=NO_KEY)
@blp.arguments(schemas.CaseOrder)
@blp.response(200, schemas.CaseAnswer)
def submit(person: Person) -> dict[str, Any]:
    """Submit your identity for a check; after a rejection, once more."""
    return {"kyc": service.submit(current().user_id, person)}
