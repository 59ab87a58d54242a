"""/client/test, in a sandbox alone."""

from functools import partial
from typing import Any

from protonpay.invoices import keeping
from protonpay.invoices.schemas import InvoiceAnswer
from protonpay.kernel.scopes import Scope
from protonpay.kyc.schemas import CaseAnswer
from protonpay.test_mode import faults, schemas, service
from protonpay.web.access import ANY_KEY, NO_KEY, either, needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import page

blp = AreaBlueprint(
    "test",
    __name__,
    door=Door.CLIENT,
    prefix="/client/test",
    about="Test mode: in a sandbox alone",
)


@blp.post("/payments", keys=needs(Scope.DEPOSITS_WRITE), refuses=[404, 503])
@blp.arguments(schemas.TestPaymentOrder)
@blp.response(202, schemas.TestPaymentAnswer)
def pay(order: dict[str, Any]) -> dict[str, Any]:
    """Have a wallet outside of Proton Pay send you test USDC, or pay an invoice of yours."""
    return {"payment": service.pay(current().user_id, **order)}


@blp.get("/payments/<id:payment_id>", keys=either(Scope.ACTIVITY_READ, Scope.DEPOSITS_WRITE))
@blp.response(200, schemas.TestPaymentAnswer)
def payment(payment_id: str) -> dict[str, Any]:
    """Get one test payment."""
    return {"payment": service.get(current().user_id, payment_id)}


@blp.get("/payments", keys=either(Scope.ACTIVITY_READ, Scope.DEPOSITS_WRITE))
@blp.arguments(schemas.TestPaymentsQuery, location="query")
@blp.response(200, schemas.TestPaymentsPage)
def payments(query: dict[str, Any]) -> dict[str, Any]:
    """List your test payments, newest first."""
    return page("payments", query, partial(service.history, current().user_id))


@blp.post("/kyc", keys=NO_KEY, refuses=[404])
@blp.arguments(schemas.Decision)
@blp.response(200, CaseAnswer)
def decide(decision: dict[str, Any]) -> dict[str, Any]:
    """Decide your own identity check, as an operator would."""
    return {"kyc": service.decide_identity(current().user_id, **decision)}


@blp.post("/invoices/<id:invoice_id>/expire", keys=needs(Scope.INVOICES_WRITE))
@blp.response(200, InvoiceAnswer)
def run_out(invoice_id: str) -> dict[str, Any]:
    """Let the time of an invoice of yours be over now: it ends as it would by itself."""
    return {"invoice": keeping.run_out(current().user_id, invoice_id)}


@blp.post("/faults", keys=ANY_KEY)
@blp.arguments(schemas.FaultOrder)
@blp.response(200, schemas.FaultAnswer)
def ask_for_fault(order: dict[str, Any]) -> dict[str, Any]:
    """Have the next call of your API keys answered by a fault, to see what your program does."""
    return {"fault": faults.ask_for(current().user_id, **order)}


@blp.get("/faults", keys=ANY_KEY)
@blp.arguments(schemas.FaultsQuery, location="query")
@blp.response(200, schemas.FaultsAnswer)
def standing_faults(_query: dict[str, Any]) -> dict[str, Any]:
    """List the faults that no call has met yet, the oldest first."""
    return {"faults": faults.standing(current().user_id)}


@blp.delete("/faults/<id:fault_id>", keys=ANY_KEY)
@blp.response(204)
def remove_fault(fault_id: str) -> None:
    """Take back a fault that no call has met yet."""
    faults.remove(current().user_id, fault_id)
