"""/client/ledger/proof."""

from typing import Any

from protonpay.kernel.scopes import Scope
from protonpay.proofs import queries, schemas
from protonpay.web.access import needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current

blp = AreaBlueprint(
    "proofs", __name__, door=Door.CLIENT, prefix="/client", about="Proof of liabilities"
)


@blp.get("/ledger/proof", keys=needs(Scope.BALANCE_READ), refuses=(404,))
@blp.response(200, schemas.ProofAnswer)
def proof() -> dict[str, Any]:
    """Get the proof that your balance is in the newest published total of what we owe."""
    return {"proof": queries.prove(current().user_id)}
