"""/client/invoices, as the API document spells it."""

from typing import Any, ClassVar

from marshmallow import fields, validate

from protonpay.invoices import service, states
from protonpay.invoices.reckoning import CURRENCY
from protonpay.kernel.money import ZERO
from protonpay.locales.formats import LANGUAGES
from protonpay.wallets.schemas import Confirmations
from protonpay.web.fields import (
    Email,
    JsonSchema,
    Moment,
    NetworkName,
    Text,
    UsdcField,
    WholeNumber,
    WireSchema,
    YesNo,
)
from protonpay.web.links import links
from protonpay.web.paging import HistoryQuery, Listing, Paged

_STATUS = {"enum": list(states.INVOICE.states)}
_NAME = r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$"
_NO_NAME = "Letters, digits, '_', '.' and '-', 40 at most, a letter first."
_MOST_TEXTS, _LONGEST_TEXT = 20, 500
_ATTACHED: JsonSchema = {
    "type": "object",
    "maxProperties": _MOST_TEXTS,
    "propertyNames": {"pattern": _NAME},
    "additionalProperties": {
        "type": "string",
        "minLength": 1,
        "maxLength": _LONGEST_TEXT,
        **Text.given,
    },
    "description": "Your own texts by their names, in every answer to you and every webhook of it; "
    "its payer sees none.",
    "example": {"order": "1042"},
}


class Attached(fields.Dict):
    """Texts by their names. A name begins with a letter: programs would reorder numbers."""

    given: ClassVar[JsonSchema] = _ATTACHED

    def __init__(self, **kwargs: Any) -> None:
        name = Text(longest=40, validate=[validate.Regexp(_NAME, error=_NO_NAME)])
        told = Text(longest=_LONGEST_TEXT)
        count = validate.Length(max=_MOST_TEXTS)
        super().__init__(keys=name, values=told, validate=[count], **kwargs)


class InvoiceOrder(WireSchema):
    """How much is asked for, what for and for how long."""

    amount = UsdcField(required=True)
    currency = Text(longest=16, load_default=CURRENCY, metadata={"enum": [CURRENCY]})
    description = Text(longest=500, load_default=None, allow_none=True)
    expires_in_seconds = WholeNumber(
        load_default=service.DEFAULT_SECONDS,
        validate=validate.Range(min=service.SHORTEST_SECONDS, max=service.LONGEST_SECONDS),
        metadata={"example": service.DEFAULT_SECONDS},
    )
    tolerance = UsdcField(
        may_be_zero=True,
        load_default=ZERO,
        metadata={"description": "It counts as paid if at most so much is missing."},
    )
    accept_late = YesNo(
        load_default=False,
        metadata={"description": "What comes after the end may pay it too."},
    )
    redirect_url = Text(
        longest=2048,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Where its payer goes back to once it is paid, `invoiceId` added.",
            "example": "https://shop.example.com/thanks",
        },
    )
    embed_origin = Text(
        longest=300,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "The origin of a site that may show the pay page in a frame.",
            "example": "https://shop.example.com",
        },
    )
    extendable = YesNo(
        load_default=True,
        metadata={"description": "Its payer may have more time when it runs out, a few times."},
    )
    rest_of = Text(
        longest=64,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "One of yours that ended when a part was paid: its page leads to this.",
            "example": None,
        },
    )
    attached = Attached(load_default=dict, data_key="metadata")


class NoteOrder(WireSchema):
    """What its owner notes about an invoice."""

    note = Text(
        longest=2000,
        required=True,
        allow_none=True,
        metadata={"example": "Paid in two parts, as agreed by phone."},
    )


class MoreTimeOrder(WireSchema):
    """Until when an invoice can be paid."""

    expires_at = Moment(required=True, metadata={"example": "2026-03-21T12:00:00Z"})


class InvoiceBrief(WireSchema):
    """An invoice, as its payer sees it."""

    id = fields.String()
    amount = UsdcField(attribute="amount_micro")
    currency = fields.Constant(CURRENCY, metadata={"type": "string", "enum": [CURRENCY]})
    status = fields.String(attribute="state", metadata=_STATUS)
    pay_url = fields.Function(
        lambda invoice: links.to(f"/pay/{invoice.id}"),
        metadata={
            "type": "string",
            "format": "uri",
            "example": "https://protonpay.org/pay/cmg7xk2p91q0v8r3t5w6y4zab",
        },
    )
    description = fields.String(allow_none=True)
    amount_paid = UsdcField(
        attribute="received_micro", metadata={"description": "Credited for it, at any time."}
    )
    amount_due = UsdcField(
        attribute="due", metadata={"description": "What its payer is still asked for."}
    )
    created_at = Moment()
    expires_at = Moment()
    paid_at = Moment(allow_none=True)


class InvoiceView(InvoiceBrief):
    """An invoice, as its owner sees it."""

    underpaid_within_tolerance = fields.Boolean(attribute="is_short")
    overpaid = fields.Function(lambda invoice: bool(invoice.over), metadata={"type": "boolean"})
    overpaid_amount = UsdcField(attribute="over")
    late = fields.Boolean(metadata={"description": "Something came after its end."})
    amount_refunded = UsdcField(attribute="refunded_micro")
    tolerance = UsdcField(attribute="tolerance_micro")
    accept_late = fields.Boolean()
    redirect_url = fields.String(allow_none=True, metadata={"example": None})
    embed_origin = fields.String(allow_none=True, metadata={"example": None})
    extendable = fields.Function(
        lambda invoice: invoice.extensions_left > 0, metadata={"type": "boolean"}
    )
    rest_of = fields.String(
        attribute="rest_of_id",
        allow_none=True,
        metadata={"description": "The invoice of which it is the rest.", "example": None},
    )
    rest_asked_at = Moment(
        allow_none=True,
        metadata={"description": "When its payer asked for an invoice for the rest."},
    )
    ended_at = Moment(allow_none=True)
    attached = fields.Dict(data_key="metadata", metadata=_ATTACHED)
    note = fields.String(
        allow_none=True,
        metadata={"example": None, "description": "Your own, which nobody else sees."},
    )


class PaymentView(WireSchema):
    """Money for an invoice."""

    id = fields.String()
    amount = UsdcField(attribute="amount_micro")
    method = fields.String(metadata={"enum": ["BALANCE", "CRYPTO", "CARD"], "example": "BALANCE"})
    network = fields.String(allow_none=True)
    tx_hash = fields.String(allow_none=True)
    status = fields.String(
        attribute="state",
        metadata={
            "enum": list(states.PAYMENT.states),
            "description": "SEEN is not final; VANISHED was taken out of its network again.",
        },
    )
    late = fields.Boolean(metadata={"description": "Came after the end of the invoice."})
    created_at = Moment()
    credited_at = Moment(allow_none=True)
    confirmations = Confirmations(waiting=states.PAYMENT.initial)


class RefundView(WireSchema):
    """Money given back."""

    id = fields.String()
    amount = UsdcField(attribute="amount_micro")
    status = fields.String(attribute="state", metadata={"enum": list(states.REFUND.states)})
    payout_id = fields.String(
        allow_none=True, metadata={"description": "The withdrawal that carries it to a wallet."}
    )
    created_at = Moment()
    ended_at = Moment(allow_none=True)


class ClaimView(WireSchema):
    """What its payer asks back of an invoice: anybody who has its pay page may ask."""

    id = fields.String()
    amount = UsdcField(attribute="amount_micro")
    wallet_address = fields.String()
    network = fields.String()
    status = fields.String(
        attribute="state",
        metadata={
            "enum": list(states.CLAIM.states),
            "example": "OPEN",
            "description": "OPEN waits for you: refund it by its id, or decline it.",
        },
    )
    refund_id = fields.String(allow_none=True)
    created_at = Moment()
    ended_at = Moment(allow_none=True)


class LetterView(WireSchema):
    """A letter by which it was sent to who shall pay it."""

    id = fields.String()
    email = fields.String()
    language = fields.String(metadata={"enum": list(LANGUAGES), "example": "en"})
    created_at = Moment()


class InvoiceAnswer(WireSchema):
    """The answer of ``POST /client/invoices``."""

    invoice = fields.Nested(InvoiceView)


class WholeAnswer(WireSchema):
    """The answer of ``GET /client/invoices/{id}``; the oldest payment comes first."""

    invoice = fields.Nested(InvoiceView)
    payments = fields.List(fields.Nested(PaymentView))
    refunds = fields.List(fields.Nested(RefundView))
    claims = fields.List(fields.Nested(ClaimView))
    letters = fields.List(fields.Nested(LetterView))


class InvoicesQuery(HistoryQuery):
    """Which invoices."""

    status = Text(longest=32, load_default=None, validate=[validate.OneOf(states.INVOICE.states)])


class InvoicesPage(Paged):
    """A page of invoices."""

    invoices = fields.List(fields.Nested(InvoiceView))


class CountView(WireSchema):
    """How many invoices there are in a state."""

    status = fields.String(metadata=_STATUS)
    count = fields.Integer(metadata={"example": 12})


class CountsAnswer(Listing):
    """How many invoices there are in each state."""

    counts = fields.List(fields.Nested(CountView))


class PaidAnswer(WireSchema):
    """The answer of ``POST /client/invoices/{id}/pay``."""

    payment = fields.Nested(PaymentView)
    invoice = fields.Nested(InvoiceBrief)
    new_balance = UsdcField()


class RefundOrder(WireSchema):
    """How much goes back, and where what came on chain or by card goes."""

    amount = UsdcField(
        load_default=None,
        allow_none=True,
        metadata={"description": "All that is left, if it is not said."},
    )
    wallet_address = Text(
        longest=128,
        load_default=None,
        allow_none=True,
        metadata={"description": "For what was paid on chain or by card.", "example": None},
    )
    network = NetworkName(load_default=None, allow_none=True, metadata={"example": None})
    claim_id = Text(
        longest=64,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "A claim of the payer's, in place of all others: exactly what it asks.",
            "example": None,
        },
    )


class ClaimOrder(WireSchema):
    """Which claim."""

    claim_id = Text(longest=64, required=True, metadata={"example": "cmg7xk2p91q0v8r3t5w6y4zab"})


class SendOrder(WireSchema):
    """To whom an invoice is sent."""

    email = Email(required=True)
    language = Text(
        longest=8,
        load_default=None,
        allow_none=True,
        validate=[validate.OneOf(LANGUAGES)],
        metadata={"description": "Of the letter; your own, if it is not said.", "example": "en"},
    )


class LetterAnswer(WireSchema):
    """The answer of ``POST /client/invoices/{id}/send``."""

    letter = fields.Nested(LetterView)


class RefundAnswer(WireSchema):
    """The answer of ``POST /client/invoices/{id}/refund``."""

    refund = fields.Nested(RefundView)
    invoice = fields.Nested(InvoiceView)
