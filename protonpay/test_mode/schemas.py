"""/client/test, as the API document spells it."""

from marshmallow import fields, validate

from protonpay.kyc.states import REASONS
from protonpay.test_mode import faults, service
from protonpay.test_mode.states import TEST_PAYMENT
from protonpay.web.fields import Moment, NetworkName, Text, UsdcField, WireSchema, YesNo
from protonpay.web.paging import HistoryQuery, Listing, ListingQuery, Paged


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
    vanishes = YesNo(
        load_default=False,
        metadata={
            "example": False,
            "description": "Once it was seen, a reorganisation takes it away. On Solana alone: a "
            "block of other networks is final before anybody has looked.",
        },
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
    vanishes = fields.Boolean(metadata={"description": "Whether it is to be taken away again."})
    tx_hash = fields.String(allow_none=True)
    reason = fields.String(
        allow_none=True,
        metadata={
            "example": None,
            "description": f"Of FAILED: {' or '.join(service.REASONS)}. Nothing was sent.",
        },
    )
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


_METHOD = {"example": "POST", "description": "Only a call with this method; null: any."}
_ROUTE = {
    "example": "/api/client/withdraw",
    "description": "Only a call of this route, as the log of requests names it; null: any.",
}


class FaultOrder(WireSchema):
    """Which fault the next call of an API key is to meet."""

    kind = Text(
        longest=16,
        required=True,
        validate=[validate.OneOf(faults.KINDS)],
        metadata={
            "example": faults.ANSWER_LOST,
            "description": "`internal_error` (500), `unavailable` (503) and `rate_limited` (429): "
            "the call is not carried out. `answer_lost`: it is, and answered with 500.",
        },
    )
    method = Text(
        longest=8,
        load_default=None,
        allow_none=True,
        validate=[validate.OneOf(faults.METHODS)],
        metadata=_METHOD,
    )
    route = Text(
        longest=200,
        load_default=None,
        allow_none=True,
        validate=[validate.Regexp("^/api/client/[a-z0-9/{}_-]+$")],
        metadata=_ROUTE,
    )


class FaultView(WireSchema):
    """A fault that no call has met yet."""

    id = fields.String()
    kind = fields.String(metadata={"enum": list(faults.KINDS)})
    method = fields.String(allow_none=True, metadata=_METHOD)
    route = fields.String(allow_none=True, metadata=_ROUTE)
    created_at = Moment()
    expires_at = Moment()


class FaultAnswer(WireSchema):
    """One fault."""

    fault = fields.Nested(FaultView)


class FaultsQuery(ListingQuery):
    """The faults that stand, in which form."""


class FaultsAnswer(Listing):
    """The faults that stand."""

    faults = fields.List(fields.Nested(FaultView))
