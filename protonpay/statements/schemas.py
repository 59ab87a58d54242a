"""/client/statements, as the API document spells it."""

from typing import Any, ClassVar

from marshmallow import fields, validate

from protonpay.kernel import zones
from protonpay.statements import service
from protonpay.web import sheets
from protonpay.web.fields import (
    JsonSchema,
    Moment,
    QueryNumber,
    Text,
    UsdcField,
    WireSchema,
)
from protonpay.web.paging import CSV, CSV_WITH_MARK, Listing, ListingQuery, Paged

PDF = "pdf"


class Signed(UsdcField):
    """An amount that may be below zero."""

    told: ClassVar[JsonSchema] = {  # type: ignore[misc] # of the class, as its parent's
        "type": "string",
        "pattern": r"^-?(0|[1-9][0-9]*)\.[0-9]{2,6}$",
        "example": "-50.05",
    }


class MonthView(WireSchema):
    """A month that is over."""

    month = fields.String(attribute="id", metadata={"example": "2026-10"})
    begins_at = Moment(attribute="created_at")
    ended_at = Moment(attribute="until")
    opening_balance = Signed(attribute="opening.balance", metadata={"example": "100.00"})
    closing_balance = Signed(attribute="closing.balance", metadata={"example": "49.95"})
    entries = fields.Integer(attribute="lines", metadata={"description": "That changed it."})


class StatementsPage(Paged):
    """A page of months."""

    statements = fields.List(fields.Nested(MonthView))


class DaysQuery(ListingQuery):
    """Of how many days."""

    days = QueryNumber(
        load_default=30,
        validate=validate.Range(min=1, max=366),
        metadata={"description": "The last ones in your time zone, today with them."},
    )


class DayView(WireSchema):
    """A day: the balance at both of its ends, and what lies between them."""

    day = fields.String(metadata={"format": "date", "example": "2026-03-14"})
    begins_at = Moment(attribute="begins")
    opening_balance = Signed(attribute="opening", metadata={"example": "100.00"})
    money_in = UsdcField(
        metadata={"example": "0.00", "description": "By which entries of the book grew it."}
    )
    money_out = UsdcField(
        metadata={"example": "50.05", "description": "By which others shrank it, with our fees."}
    )
    closing_balance = Signed(
        attribute="closing", metadata={"example": "49.95", "description": "Of today: as of now."}
    )


class DaysAnswer(Listing):
    """The balance of the last days, oldest first."""

    history = fields.List(fields.Nested(DayView))


class StandingView(WireSchema):
    """A balance, and what it is made of."""

    balance = Signed(
        metadata={"example": "49.95", "description": "Available and held, less what is owed."}
    )
    available = UsdcField(metadata={"example": "49.95"})
    held = UsdcField(metadata={"example": "0.00", "description": "For withdrawals under way."})
    owed = UsdcField(metadata={"example": "0.00"})


class SumView(WireSchema):
    """All entries of one type."""

    type = fields.String(metadata={"enum": service.TYPES, "example": "WITHDRAWAL"})
    count = fields.Integer()
    amount = Signed(metadata={"example": "-50.00"})
    fee = Signed(metadata={"example": "0.05"})
    change = Signed()


class LineView(WireSchema):
    """One entry."""

    at = Moment()
    type = fields.String(metadata={"enum": service.TYPES, "example": "WITHDRAWAL"})
    id = fields.String(
        allow_none=True,
        metadata={
            "description": "Of the deposit, withdrawal, transfer or payment; as in activity."
        },
    )
    invoice_id = fields.String(allow_none=True, metadata={"example": None})
    party = fields.String(allow_none=True)
    network = fields.String(allow_none=True)
    tx_hash = fields.String(allow_none=True)
    amount = Signed(metadata={"example": "-50.00", "description": "Before our fee."})
    fee = Signed(metadata={"example": "0.05", "description": "Below zero if it was given back."})
    change = Signed(metadata={"description": "Of the balance: `amount` less `fee`."})
    balance = Signed(metadata={"example": "49.95", "description": "After it."})


class EntriesAnswer(Listing):
    """What is booked of one thing, oldest first."""

    entries = fields.List(fields.Nested(LineView))


class StatementView(WireSchema):
    """A month, from its opening balance over every entry to its closing balance."""

    month = fields.String(attribute="statement.month.id", metadata={"example": "2026-10"})
    time_zone = fields.String(attribute="statement.zone.key", metadata={"example": "Asia/Dubai"})
    begins_at = Moment(attribute="statement.month.created_at")
    ended_at = Moment(attribute="statement.month.until")
    name = fields.String(attribute="statement.name")
    public_id = fields.String(attribute="statement.public_id")
    opening = fields.Nested(StandingView, attribute="statement.month.opening")
    money_in = UsdcField(metadata={"example": "0.00"})
    money_out = UsdcField(metadata={"example": "50.05"})
    fees = Signed(metadata={"example": "0.05"})
    closing = fields.Nested(StandingView, attribute="statement.month.closing")
    sums = fields.List(fields.Nested(SumView), metadata={"description": "By type."})
    entries = fields.List(fields.Nested(LineView), attribute="lines")


class StatementAnswer(WireSchema):
    """A statement: as JSON, or as a file."""

    forms: ClassVar[dict[str, JsonSchema]] = {
        sheets.MEDIA_TYPE: {
            "type": "string",
            "examples": [sheets.line(sheets.header(LineView()))],
            "description": "The entries, between a row of type `OPENING` and one of `CLOSING`.",
        },
        "application/pdf": {
            "type": "string",
            "contentMediaType": "application/pdf",
            "examples": ["%PDF-1.3"],
            "description": "In the account's language.",
        },
    }

    statement = fields.Nested(StatementView)


class StatementQuery(WireSchema):
    """In which form."""

    format = Text(
        longest=8,
        load_default=None,
        validate=[validate.OneOf(["json", CSV, CSV_WITH_MARK, PDF])],
        metadata={"description": "As `Accept`; `csv-bom` is CSV behind a byte order mark."},
    )


def records(statement: service.Statement) -> Any:
    """Give a statement's CSV, a piece at a time: what was, every entry, what is then."""
    rows, month = LineView(), statement.month
    opening = _record(rows, "OPENING", zones.to_text(month.created_at, statement.zone))
    opening[-1] = str(month.opening.balance)
    text = sheets.line(sheets.header(rows)) + sheets.line(opening)
    for page in statement.pages():
        yield text + sheets.block(rows, rows.dump(page, many=True), statement.zone)
        text = ""
    closing = _record(rows, "CLOSING", zones.to_text(month.until, statement.zone))
    closing[-1] = str(month.closing.balance)
    yield text + sheets.line(closing)


def _record(rows: LineView, kind: str, at: str) -> list[str]:
    return [at, kind, *[""] * (len(rows.fields) - 2)]
