"""POST /client/withdraw, as the API document spells it."""

from marshmallow import fields, validate

from protonpay.payouts import states
from protonpay.web.fields import Moment, Text, UsdcField, WireSchema
from protonpay.web.paging import HistoryQuery, Paged


class PayoutOrder(WireSchema):
    """How much, and where to."""

    amount = UsdcField(required=True)
    wallet_address = Text(longest=128, required=True)
    network = Text(longest=32, required=True, metadata={"enum": ["Solana", "Base", "Polygon"]})


class PayoutView(WireSchema):
    """A payout, as its owner sees it."""

    id = fields.String()
    amount = UsdcField(attribute="amount_micro")
    fee = UsdcField(attribute="fee_micro")
    total = UsdcField()
    wallet_address = fields.String()
    network = fields.String()
    status = fields.Function(
        lambda payout: states.shown(payout.state),
        metadata={"type": "string", "enum": states.STATUSES},
    )
    tx_hash = fields.String(allow_none=True)
    failure_code = fields.String(allow_none=True)
    created_at = Moment()


class PayoutAnswer(WireSchema):
    """The answer of ``POST /client/withdraw``."""

    payout = fields.Nested(PayoutView)


class PayoutsQuery(HistoryQuery):
    """Which withdrawals."""

    status = Text(longest=32, load_default=None, validate=[validate.OneOf(states.STATUSES)])


class PayoutsPage(Paged):
    """A page of withdrawals."""

    withdrawals = fields.List(fields.Nested(PayoutView))
