"""/client/test, as the API document spells it."""

from marshmallow import fields, validate

from protonpay.kyc.states import REASONS
from protonpay.test_mode import service
from protonpay.test_mode.states import TEST_PAYMENT
from protonpay.web.fields import Moment, NetworkName, Text, UsdcField, WireSchema
from protonpay.web.paging import HistoryQuery, Paged


class TestPaymentOrder(WireSchema):
    """What the wallet outside is to pay."""

    network = NetworkName(required=True)
    amount = UsdcField(
        load_default=None,
        metadata={"description": "Left out: what the invoice still asks for, else 100."},
    )
    invoice_id = Text(
        longest=64,
        load_default=None,
        allow_none=True,
        metadata={"description": "One of yours: paid at its address.", "example": None},
    )


class TestPaymentView(WireSchema):
    """A test payment."""

    id = fields.String()
    network = fields.String()
    address = fields.String(metadata={"description": "Yours, or your invoice's."})
    amount = UsdcField(attribute="amount_micro")
    invoice_id = fields.String(allow_none=True, metadata={"example": None})
    status = fields.String(
        attribute="state",
        metadata={
            "enum": list(TEST_PAYMENT.states),
            "description": "UNKNOWN may have been sent, and is not sent again.",
        },
    )
    tx_hash = fields.String(allow_none=True)
    created_at = Moment()
    ended_at = Moment(allow_none=True)


class TestPaymentAnswer(WireSchema):
    """One test payment."""

    payment = fields.Nested(TestPaymentView)


class TestPaymentsPage(Paged):
    """A page of test payments."""

    payments = fields.List(fields.Nested(TestPaymentView))


class TestPaymentsQuery(HistoryQuery):
    """Which test payments."""


class Decision(WireSchema):
    """How an identity check is to end."""

    outcome = Text(longest=16, required=True, validate=[validate.OneOf(service.OUTCOMES)])
    reason = Text(
        longest=64,
        load_default=REASONS[0],
        validate=[validate.OneOf(REASONS)],
        metadata={"description": "Of a rejection."},
    )
