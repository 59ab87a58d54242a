"""Balance, dashboard and activity, as the API document spells them."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from protonpay.overview import history, search
from protonpay.web.fields import Moment, NetworkName, Text, UsdcField, WireSchema
from protonpay.web.paging import HistoryQuery, Listing, ListingQuery, Paged


class Balance(WireSchema):
    """The answer of ``GET /client/balance``."""

    balance_usdc = UsdcField()
    wallet_address = fields.String(allow_none=True)
    wallet_network = fields.String(allow_none=True)
    debt_usdc = UsdcField(
        metadata={"example": "0.00", "description": "Repaid first by whatever comes in next."}
    )
    held_usdc = UsdcField(
        metadata={"example": "0.00", "description": "For withdrawals on their way, with fees."}
    )
    pending_usdc = UsdcField(
        metadata={"example": "0.00", "description": "Seen on chain and not final yet."}
    )
    on_hold_usdc = UsdcField(
        metadata={"example": "0.00", "description": "Came in and is under review."}
    )


class ActivityLine(WireSchema):
    """One line of the history."""

    id = fields.String()
    type = fields.String(metadata={"enum": history.TYPES})
    amount = UsdcField()
    fee = UsdcField()
    method = fields.String(metadata={"enum": ["CARD", "CRYPTO", "INTERNAL"]})
    network = fields.String(allow_none=True)
    status = fields.String(metadata={"enum": history.STATUSES})
    direction = fields.String(metadata={"enum": ["IN", "OUT"]})
    party = fields.String(allow_none=True)
    tx_hash = fields.String(allow_none=True)
    invoice_id = fields.String(allow_none=True)
    created_at = Moment()
    refunded_amount = UsdcField(
        attribute="refunded", metadata={"description": "Taken back of a deposit's amount."}
    )
    note = fields.String(
        allow_none=True,
        metadata={
            "example": "Payment for services",
            "description": "Of a transfer, as its sender wrote it; what an invoice is for.",
        },
    )


class SetupSteps(WireSchema):
    """What an account still lacks."""

    email_verified = fields.Boolean()
    kyc_completed = fields.Boolean()
    wallet_linked = fields.Boolean()
    two_fa_enabled = fields.Boolean()


class Dashboard(WireSchema):
    """The answer of ``GET /client/dashboard``."""

    balance = UsdcField()
    total_deposited = UsdcField()
    total_withdrawn = UsdcField()
    recent_activity = fields.List(fields.Nested(ActivityLine))
    setup_steps = fields.Nested(SetupSteps)


class ActivityQuery(HistoryQuery):
    """The query of ``GET /client/activity``."""

    kind = Text(
        longest=32,
        load_default=None,
        data_key="type",
        validate=[validate.OneOf(history.TYPES)],
    )
    status = Text(longest=32, load_default=None, validate=[validate.OneOf(history.STATUSES)])
    network = NetworkName(load_default=None)
    min_amount = UsdcField(load_default=None, metadata={"description": "As `amount`, or more."})
    max_amount = UsdcField(
        load_default=None,
        metadata={"description": "As `amount`, or less; the same as `minAmount` for one alone."},
    )
    q = Text(
        longest=100,
        shortest=2,
        load_default=None,
        validate=[validate.Regexp(r"^\S(.*\S)?$")],
        metadata={
            "example": "rent",
            "description": "A part of the id, the invoice's id, the transaction's hash, the other "
            "side or the note; small letters are large ones, and a Russian `ё` has no dots.",
        },
    )

    @validates_schema
    def _check_amounts(self, query: dict[str, Any], **_: Any) -> None:
        least, most = query.get("min_amount"), query.get("max_amount")
        if least is not None and most is not None and most < least:
            raise ValidationError("Must not be less than minAmount.", "maxAmount")


class ActivityPage(Paged):
    """The answer of ``GET /client/activity``."""

    activity = fields.List(fields.Nested(ActivityLine))


class SearchQuery(ListingQuery):
    """The query of ``GET /client/search``."""

    q = Text(
        longest=search.LONGEST,
        required=True,
        metadata={
            "example": "12.5",
            "description": "An amount; or an id, a transaction's hash, an address, an e-mail, a "
            "public id, a request's id, an API key: four characters from its beginning, of an id "
            "eight.",
        },
    )


class HitView(WireSchema):
    """A thing that was found."""

    kind = fields.String(metadata={"enum": search.KINDS, "example": "PAYOUT"})
    id = fields.String()
    title = fields.String(
        allow_none=True,
        metadata={
            "example": "user@example.com",
            "description": "Who is on the other side, or what its owner calls it.",
        },
    )
    amount = UsdcField(allow_none=True)
    created_at = Moment()
    link = fields.String(
        metadata={
            "example": "/app/withdrawals/cmg7xk2p91q0v8r3t5w6y4zab",
            "description": "Its page in the portal.",
        }
    )
    exact = fields.Boolean(metadata={"description": "By all of the text, not its beginning."})


class SearchAnswer(Listing):
    """What was found: the exact first, then the newest; five of a kind at most."""

    hits = fields.List(fields.Nested(HitView))
