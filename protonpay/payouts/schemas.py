"""/client/withdraw, as the API document spells it."""

from marshmallow import fields, validate

from protonpay.payouts import cancelling, payees, states, waits
from protonpay.web.fields import Moment, NetworkName, Text, UsdcField, WireSchema
from protonpay.web.paging import HistoryQuery, Paged


class PayoutOrder(WireSchema):
    """How much, and where to."""

    amount = UsdcField(required=True)
    wallet_address = Text(longest=128, required=True)
    network = NetworkName(required=True)


class QuoteOrder(WireSchema):
    """A withdrawal that is only thought of."""

    amount = UsdcField(required=True)
    network = NetworkName(required=True)
    wallet_address = Text(longest=128, load_default=None)


class QuoteView(WireSchema):
    """What a withdrawal would cost, and why it would fail now."""

    amount = UsdcField()
    network = fields.String()
    fee = UsdcField()
    total = UsdcField(metadata={"description": "What would leave the balance."})
    balance = UsdcField()
    balance_after = UsdcField(
        allow_none=True, metadata={"description": "null if the balance does not cover the total."}
    )
    max_single_withdrawal = UsdcField(attribute="single_limit")
    daily_limit_left = UsdcField(
        attribute="day_left", metadata={"description": "Of the limit of the last 24 hours."}
    )
    cooldown_seconds_left = fields.Integer()
    max_amount = UsdcField(
        attribute="most",
        metadata={
            "description": "The largest `amount` that balance, fee and limits have room for now.",
            "example": "9999.95",
        },
    )
    internal = fields.Boolean(
        attribute="inside",
        metadata={
            "description": "Whether the wallet is an address of this installation: it would be "
            "credited at once, and no chain would carry it.",
            "example": False,
        },
    )
    problems = fields.List(
        fields.String(),
        metadata={
            "description": "Error codes a withdrawal would meet now, the first one first; "
            "empty if it would be accepted.",
            "example": ["daily_limit_exceeded", "withdrawal_cooldown"],
        },
    )


class QuoteAnswer(WireSchema):
    """The answer of ``POST /client/withdraw/quote``."""

    quote = fields.Nested(QuoteView)


class PayeeOrder(WireSchema):
    """An address that is to be paid."""

    wallet_address = Text(longest=128, required=True)
    network = NetworkName(required=True)


class PayeeView(WireSchema):
    """What its network knows of an address."""

    wallet_address = fields.String(
        attribute="address", metadata={"description": "In canonical form."}
    )
    network = fields.String()
    kind = fields.Function(
        payees.told,
        metadata={
            "type": "string",
            "enum": states.PAYEE_LOOK.states,
            "description": "`LOOKING`: a node is being asked, ask again in a second. `WALLET`: "
            "nothing but a key stands there. `CONTRACT`: a program does, and may not be able to "
            "give USDC on. `UNKNOWN`: no node has answered; ask again.",
        },
    )
    checked_at = Moment(attribute="told_at", allow_none=True)


class PayeeAnswer(WireSchema):
    """The answer of ``POST /client/withdraw/payee``."""

    payee = fields.Nested(PayeeView)


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
    waiting_for = fields.Function(
        waits.told,
        metadata={
            "type": ["string", "null"],
            "enum": [*waits.REASONS, None],
            "description": "What it waits for; null once it has ended.",
            "example": "confirmation",
        },
    )
    created_at = Moment()
    approved_at = Moment(
        allow_none=True,
        metadata={"description": "When it was free to be signed; null while it is on hold."},
    )
    signed_at = Moment(
        allow_none=True,
        metadata={"description": "Null until it is; again, if it has to be signed anew."},
    )
    sent_at = Moment(
        allow_none=True, metadata={"description": "When it was handed to the network."}
    )
    ended_at = Moment(allow_none=True)
    cancellable = fields.Function(
        cancelling.is_cancellable,
        metadata={
            "type": "boolean",
            "description": "Whether it can be taken back now: nothing is signed for it.",
            "example": False,
        },
    )


class PayoutAnswer(WireSchema):
    """The answer of ``POST /client/withdraw``."""

    payout = fields.Nested(PayoutView)


class PayoutsQuery(HistoryQuery):
    """Which withdrawals."""

    status = Text(longest=32, load_default=None, validate=[validate.OneOf(states.STATUSES)])


class PayoutsPage(Paged):
    """A page of withdrawals."""

    withdrawals = fields.List(fields.Nested(PayoutView))
