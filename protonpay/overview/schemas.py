"""Balance, dashboard and activity, as the API document spells them."""

from marshmallow import fields, validate

from protonpay.overview import queries
from protonpay.web.fields import Moment, Text, UsdcField, WireSchema
from protonpay.web.paging import HistoryQuery, Paged


class Balance(WireSchema):
    """The answer of ``GET /client/balance``."""

    balance_usdc = UsdcField()
    wallet_address = fields.String(allow_none=True)
    wallet_network = fields.String(allow_none=True)
    debt_usdc = UsdcField(
        metadata={"example": "0.00", "description": "Repaid first by whatever comes in next."}
    )


class ActivityLine(WireSchema):
    """One line of the history."""

    id = fields.String()
    type = fields.String(metadata={"enum": queries.TYPES})
    amount = UsdcField()
    fee = UsdcField()
    method = fields.String(metadata={"enum": ["CARD", "CRYPTO", "INTERNAL"]})
    network = fields.String(allow_none=True)
    status = fields.String(metadata={"enum": queries.STATUSES})
    direction = fields.String(metadata={"enum": ["IN", "OUT"]})
    party = fields.String(allow_none=True)
    tx_hash = fields.String(allow_none=True)
    invoice_id = fields.String(allow_none=True)
    created_at = Moment()
    refunded_amount = UsdcField(
        attribute="refunded", metadata={"description": "Taken back of a deposit's amount."}
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
        validate=[validate.OneOf(queries.TYPES)],
    )
    status = Text(longest=32, load_default=None, validate=[validate.OneOf(queries.STATUSES)])


class ActivityPage(Paged):
    """The answer of ``GET /client/activity``."""

    activity = fields.List(fields.Nested(ActivityLine))
