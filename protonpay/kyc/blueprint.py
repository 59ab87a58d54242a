"""/client/kyc."""

from typing import Any

from protonpay.kyc import documents, schemas, service
from protonpay.kyc.documents import Upload
from protonpay.kyc.service import Person
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current

LONGEST_BODY = 8 * 1024 * 1024
"""Room for the largest document in base64, written as a generous JSON writer writes it."""

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


@blp.post("/kyc/documents", keys=NO_KEY, longest_body=LONGEST_BODY)
@blp.arguments(schemas.DocumentOrder)
@blp.response(200, schemas.DocumentAnswer)
def upload(given: Upload) -> dict[str, Any]:
    """Upload a document for your identity check: a JPEG, a PNG or a PDF of at most 5 MiB."""
    return {"document": documents.add(current().user_id, given)}


@blp.get("/kyc/documents", keys=NO_KEY)
@blp.response(200, schemas.DocumentsAnswer)
def list_documents() -> dict[str, Any]:
    """List your documents, without their contents."""
    return {"documents": documents.kept(current().user_id)}


@blp.delete("/kyc/documents/<id:document_id>", keys=NO_KEY, refuses=[409])
@blp.response(204)
def remove(document_id: str) -> None:
    """Remove a document that you have not submitted yet."""
    documents.remove(current().user_id, document_id)
