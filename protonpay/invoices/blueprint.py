"""/client/invoices."""

from functools import partial
from typing import Any

from protonpay.invoices import claims, keeping, letters, schemas, service, states
from protonpay.kernel.scopes import Scope
from protonpay.web.access import either, needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import ListingQuery, page
from protonpay.web.step_up import steps_up

blp = AreaBlueprint("invoices", __name__, door=Door.CLIENT, prefix="/client", about="Getting paid")

STATES = tuple(states.INVOICE.states)
_READS = either(Scope.ACTIVITY_READ, Scope.INVOICES_WRITE)
# Who may only ask for money must not be able to send it away, to whatever wallet.
_GIVES_BACK = needs(Scope.INVOICES_WRITE, Scope.WITHDRAWALS_WRITE)


@blp.post("/invoices", keys=needs(Scope.INVOICES_WRITE))
@blp.arguments(schemas.InvoiceOrder)
@blp.response(200, schemas.InvoiceAnswer)
def create(order: dict[str, Any]) -> dict[str, Any]:
    """Create a payment invoice with a unique payment link."""
    return {"invoice": service.create(current().user_id, service.Order(**order))}


@blp.get("/invoices", keys=_READS)
@blp.arguments(schemas.InvoicesQuery, location="query")
@blp.response(200, schemas.InvoicesPage)
def invoices(query: dict[str, Any]) -> dict[str, Any]:
    """List your invoices, newest first."""
    return page("invoices", query, partial(service.history, current().user_id))


@blp.get("/invoices/counts", keys=_READS)
@blp.arguments(ListingQuery, location="query")
@blp.response(200, schemas.CountsAnswer)
def counts(_: dict[str, Any]) -> dict[str, Any]:
    """Count your invoices by their status."""
    found = service.counts(current().user_id)
    return {"counts": [{"status": state, "count": found.get(state, 0)} for state in STATES]}


@blp.get("/invoices/<id:invoice_id>", keys=_READS)
@blp.response(200, schemas.WholeAnswer)
def invoice(invoice_id: str) -> service.Whole:
    """Get one invoice with its payments and refunds."""
    return service.get(current().user_id, invoice_id)


@blp.patch("/invoices/<id:invoice_id>", keys=needs(Scope.INVOICES_WRITE))
@blp.arguments(schemas.NoteOrder)
@blp.response(200, schemas.InvoiceAnswer)
def annotate(order: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """Write your own note about an invoice, whatever its status; null takes it away."""
    return {"invoice": keeping.annotate(current().user_id, invoice_id, **order)}


@blp.post("/invoices/<id:invoice_id>/extend", keys=needs(Scope.INVOICES_WRITE))
@blp.arguments(schemas.MoreTimeOrder)
@blp.response(200, schemas.InvoiceAnswer)
def extend(order: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """Let an invoice that can still be paid end later; its link and addresses stay."""
    return {"invoice": keeping.prolong(current().user_id, invoice_id, **order)}


@blp.post("/invoices/<id:invoice_id>/send", keys=needs(Scope.INVOICES_WRITE), refuses=[429])
@blp.arguments(schemas.SendOrder)
@blp.response(200, schemas.LetterAnswer)
def send(order: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """Send an invoice to who shall pay it: a letter with its pay page, in a language you say."""
    return {"letter": letters.send(current().user_id, invoice_id, **order)}


@blp.post("/invoices/<id:invoice_id>/pay", keys=needs(Scope.TRANSFERS_WRITE))
@blp.response(200, schemas.PaidAnswer)
def pay(invoice_id: str) -> service.Paid:
    """Pay what is due of somebody's invoice from your balance."""
    return service.pay(current().user_id, invoice_id)


@blp.post("/invoices/<id:invoice_id>/cancel", keys=needs(Scope.INVOICES_WRITE))
@blp.response(200, schemas.InvoiceAnswer)
def cancel(invoice_id: str) -> dict[str, Any]:
    """Cancel an invoice that is not paid; what was paid of it stays yours and can be refunded."""
    return {"invoice": service.cancel(current().user_id, invoice_id)}


@blp.post("/invoices/<id:invoice_id>/refund", keys=_GIVES_BACK)
@blp.arguments(schemas.RefundOrder)
@blp.response(200, schemas.RefundAnswer)
@steps_up
def refund(order: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """Give back what was paid: to the payer's balance, or on chain to a wallet you name."""
    invoice, given = claims.give_back(current().user_id, invoice_id, **order)
    return {"refund": given, "invoice": invoice}


@blp.post("/invoices/<id:invoice_id>/decline", keys=needs(Scope.INVOICES_WRITE))
@blp.arguments(schemas.ClaimOrder)
@blp.response(200, schemas.InvoiceAnswer)
def decline(order: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """Decline what a payer asks back; nothing moves, and they may ask again."""
    return {"invoice": claims.decline(current().user_id, invoice_id, **order)}


@blp.post("/invoices/<id:invoice_id>/accept", keys=needs(Scope.INVOICES_WRITE))
@blp.response(200, schemas.InvoiceAnswer)
def accept(invoice_id: str) -> dict[str, Any]:
    """Count an invoice as paid by what has come, though it was too little or too late."""
    return {"invoice": keeping.accept(current().user_id, invoice_id)}
