"""POST /client/deposit/card and /crypto, as the API document spells it."""

from dataclasses import asdict
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate
from typing_extensions import override

from protonpay.deposits import states
from protonpay.deposits.models import Deposit
from protonpay.deposits.service import WhereToPay
from protonpay.kernel.fiat import Rate
from protonpay.wallets.schemas import Confirmations
from protonpay.web import qr
from protonpay.web.fields import (
    JsonSchema,
    Moment,
    NetworkName,
    Text,
    UsdcField,
    WireSchema,
    number_text,
)
from protonpay.web.paging import HistoryQuery, Paged

_LONGEST_AMOUNT = 32


class FiatText(fields.Field[str]):
    """An amount of a currency as exact decimal text; its decimals are the currency's matter."""

    given: ClassVar[JsonSchema] = {
        "type": ["string", "number"],
        "pattern": r"^(?=.*[1-9])(0|[1-9][0-9]{0,12})(\.[0-9]{1,3})?$",
        "minimum": 0.001,
        "maximum": 9_999_999_999_999,
        "multipleOf": 0.001,
        "description": "In `currency`, with at most as many decimals as that has (two or three). "
        "A number is written without an exponent.",
    }

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = number_text(value)
        if len(text) > _LONGEST_AMOUNT:
            raise ValidationError("Too long.")
        return text


class Currency(Text):
    """A currency code in any case (the document's example is ``usd``)."""

    given: ClassVar[JsonSchema] = {"pattern": "^[A-Za-z]{3}$"}

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, attr, data, **kwargs).upper()


class CardOrder(WireSchema):
    """What to pay, in what, through whom."""

    amount = FiatText(required=True, metadata={"example": 100})
    currency = Currency(longest=3, shortest=3, required=True, metadata={"example": "usd"})
    provider = Text(longest=32, required=True, metadata={"example": "tap"})


class CardQuoteOrder(WireSchema):
    """A card deposit that is only thought of."""

    amount = FiatText(required=True, metadata={"example": 100})
    currency = Currency(longest=3, shortest=3, required=True, metadata={"example": "usd"})


class CardQuoteView(WireSchema):
    """What it would bring."""

    paid_amount = fields.Function(
        lambda quote: str(quote.paid), metadata={"type": "string", "example": "100.00"}
    )
    paid_currency = fields.String(attribute="paid.currency", metadata={"example": "USD"})
    rate = fields.Function(
        lambda quote: str(quote.rate),
        metadata={
            "type": "string",
            "description": "Units of the currency for one USDC.",
            "example": "1",
        },
    )
    rate_source = fields.String(
        metadata={"description": "`peg`, or the host that was asked.", "example": "peg"}
    )
    rated_at = Moment()
    quoted_amount = UsdcField(
        attribute="amount", metadata={"description": "At the rate, before commission."}
    )
    commission = UsdcField()
    amount = UsdcField(attribute="credited", metadata={"description": "USDC to be credited."})
    providers = fields.List(
        fields.String(),
        metadata={
            "description": "Those that are set up here and take the currency.",
            "example": ["tap"],
        },
    )


class CardQuoteAnswer(WireSchema):
    """The answer of ``POST /client/deposit/quote``."""

    quote = fields.Nested(CardQuoteView)


class CryptoOrder(WireSchema):
    """On which network to pay."""

    network = NetworkName(required=True)


class AddressView(WireSchema):
    """Where to pay USDC on chain; every payment that arrives is credited."""

    network = fields.String()
    address = fields.String()
    usdc = fields.String(
        metadata={"description": "The contract or mint of USDC: no other token is credited."}
    )
    uri = fields.String(
        metadata={
            "description": "Opens a wallet (EIP-681, Solana Pay).",
            "example": "solana:D9cCZQxDN1fohCRSfQMRCXShxAFhAxaRp1jr5Bqe3Lr2",
        }
    )
    qr = fields.String(
        metadata={"description": "The address as a QR code, in SVG.", "example": "<svg>...</svg>"}
    )


class CryptoAnswer(WireSchema):
    """The answer of ``POST /client/deposit/crypto``."""

    deposit = fields.Nested(AddressView)


class OfferedCurrency(WireSchema):
    """A currency a provider takes."""

    code = fields.String(metadata={"example": "KWD"})
    decimals = fields.Integer(metadata={"description": "Of an amount, at most.", "example": 3})


class OfferView(WireSchema):
    """A card provider."""

    provider = fields.String(metadata={"description": "What ``provider`` is in a deposit."})
    configured = fields.Boolean(metadata={"description": "If false, a deposit is answered 503."})
    hosted_page = fields.Constant(
        constant=True,
        metadata={"type": "boolean", "description": "The payer pays on the provider's own page."},
    )
    currencies = fields.List(fields.Nested(OfferedCurrency))


class OffersAnswer(WireSchema):
    """The answer of ``GET /client/deposit/providers``."""

    providers = fields.List(fields.Nested(OfferView))


class DepositView(WireSchema):
    """A deposit, as its owner sees it."""

    id = fields.String()
    amount = UsdcField(attribute="credited", metadata={"description": "USDC to be credited."})
    commission = UsdcField(attribute="commission_micro")
    method = fields.String(metadata={"enum": ["CARD", "CRYPTO"]})
    provider = fields.String(allow_none=True)
    network = fields.String(allow_none=True)
    tx_hash = fields.String(allow_none=True)
    paid_amount = fields.String(attribute="paid")
    paid_currency = fields.String(attribute="currency")
    rate = fields.Function(
        lambda deposit: deposit.rate_scaled and str(Rate(deposit.rate_scaled)),
        metadata={"type": ["string", "null"], "description": "Units of the currency for one USDC."},
    )
    rate_source = fields.String(
        allow_none=True, metadata={"description": "`peg`, or the host that was asked."}
    )
    rated_at = Moment()
    quoted_amount = UsdcField(
        attribute="amount_micro", metadata={"description": "At the rate, before commission."}
    )
    status = fields.Function(
        lambda deposit: states.shown(deposit.state),
        metadata={"type": "string", "enum": states.STATUSES},
    )
    refunded_amount = UsdcField(
        attribute="refunded_micro", metadata={"description": "Taken back of `amount`."}
    )
    paid_refunded = fields.Function(
        lambda deposit: str(deposit.refunded) if deposit.provider else None,
        metadata={"type": ["string", "null"], "description": "Given back of `paidAmount`."},
    )
    invoice_id = fields.String(
        allow_none=True,
        metadata={"example": None, "description": "Your invoice that somebody pays with it."},
    )
    created_at = Moment()
    confirmations = Confirmations(waiting=states.DEPOSIT.initial)


class CardAnswer(WireSchema):
    """The answer of ``POST /client/deposit/card``."""

    url = fields.String(
        metadata={"format": "uri", "example": "https://checkout.tap.company/pay/chg_..."}
    )
    deposit = fields.Nested(DepositView)


class DepositAnswer(WireSchema):
    """One deposit."""

    deposit = fields.Nested(DepositView)


class DepositsQuery(HistoryQuery):
    """Which deposits."""

    status = Text(longest=32, load_default=None, validate=[validate.OneOf(states.STATUSES)])


class DepositsPage(Paged):
    """A page of deposits."""

    deposits = fields.List(fields.Nested(DepositView))


def as_address(where: WhereToPay) -> dict[str, Any]:
    """Show an address; its code is the bare address, which every wallet reads alike."""
    return {"deposit": {**asdict(where), "qr": qr.svg(where.address)}}


def as_answer(deposit: Deposit) -> dict[str, Any]:
    """Say where to pay."""
    return {"url": deposit.page_url, "deposit": deposit}
