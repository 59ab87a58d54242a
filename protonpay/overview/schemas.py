"""Balance, dashboard and activity, as the API document spells them."""

from marshmallow import fields

from protonpay.web.fields import Moment, UsdcField, WireSchema
from protonpay.web.paging import PageQuery


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
    type = fields.String(metadata={"enum": ["DEPOSIT", "WITHDRAWAL", "TRANSFER"]})
    amount = UsdcField()
    fee = UsdcField()
    method = fields.String(metadata={"enum": ["CARD", "CRYPTO", "INTERNAL"]})
    network = fields.String(allow_none=True)
    status = fields.String()
    direction = fields.String(metadata={"enum": ["IN", "OUT"]})
    party = fields.String(allow_none=True)
    tx_hash = fields.String(allow_none=True)
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


class ActivityQuery(PageQuery):
    """The query of ``GET /client/activity``."""


class ActivityPage(WireSchema):
    """The answer of ``GET /client/activity``."""

    activity = fields.List(fields.Nested(ActivityLine))
    next_cursor = fields.String(allow_none=True)
    has_more = fields.Boolean()
