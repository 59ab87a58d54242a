"""/client/statements, and the entries of one thing."""

from functools import partial
from typing import Any

from flask import Response

from protonpay.kernel.scopes import Scope
from protonpay.statements import schemas, service
from protonpay.statements.printing import MOST_LINES, press
from protonpay.web import sheets
from protonpay.web.access import needs
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import CSV, CSV_WITH_MARK, ListingQuery, PageQuery, page

blp = AreaBlueprint(
    "statements", __name__, door=Door.CLIENT, prefix="/client", about="Months that always sum"
)
_KEYS = needs(Scope.BALANCE_READ, Scope.ACTIVITY_READ)
_FORMS = {"text/csv": CSV, "application/pdf": schemas.PDF}


@blp.get("/balance/history", keys=needs(Scope.BALANCE_READ))
@blp.arguments(schemas.DaysQuery, location="query")
@blp.response(200, schemas.DaysAnswer)
def days(query: dict[str, Any]) -> dict[str, Any]:
    """Get balance, money in and money out of the last days, from the book."""
    return {"history": service.days(current().user_id, query["days"])}


@blp.get("/activity/<id:line_id>/entries", keys=_KEYS)
@blp.arguments(ListingQuery, location="query")
@blp.response(200, schemas.EntriesAnswer)
def entries(_query: dict[str, Any], line_id: str) -> dict[str, Any]:
    """Get what the ledger has of a line of activity, each entry with the balance after it."""
    return {"entries": service.entries(current().user_id, line_id)}


@blp.get("/statements", keys=_KEYS)
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.StatementsPage)
def months(query: dict[str, Any]) -> dict[str, Any]:
    """List the months that are over for an hour in your time zone, newest first."""
    return page("statements", query, partial(service.months, current().user_id))


@blp.get("/statements/<month:month>", keys=_KEYS, refuses=[404])
@blp.arguments(schemas.StatementQuery, location="query")
@blp.response(200, schemas.StatementAnswer)
def statement(query: dict[str, Any], month: str) -> Any:
    """Get the statement of a month: opening balance, every entry, closing balance."""
    user_id = current().user_id
    form = query["format"] or sheets.preferred(_FORMS)
    if form in (CSV, CSV_WITH_MARK):
        records = schemas.records(service.of(user_id, month))
        return sheets.file(f"statement-{month}", records, mark=form == CSV_WITH_MARK)
    if form == schemas.PDF:
        whole = service.month(user_id, month, most=MOST_LINES)
        with sheets.desk.place():
            return _paper(press.pdf(whole), month)
    return {"statement": service.month(user_id, month)}


def _paper(document: bytes, month: str) -> Response:
    response = Response(document, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="statement-{month}.pdf"'
    return response
