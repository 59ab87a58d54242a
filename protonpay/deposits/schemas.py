"""POST /client/deposit/card, as the API document spells it."""

from typing import Any

from marshmallow import ValidationError, fields
from typing_extensions import override

from protonpay.deposits import states
from protonpay.deposits.models import Deposit
from protonpay.kernel.fiat import Rate
from protonpay.web.fields import Moment, Text, UsdcField, WireSchema, number_text

_LONGEST_AMOUNT = 32


class FiatText(fields.Field[str]):
    """An amount of a currency as exact decimal text; its decimals are the currency's matter."""

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = number_text(value)
        if len(text) > _LONGEST_AMOUNT:
            raise ValidationError("Too long.")
        return text


class Currency(Text):
    """A currency code in any case (the document's example is ``usd``)."""

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, attr, data, **kwargs).upper()


class CardOrder(WireSchema):
    """What to pay, in what, through whom."""

    amount = FiatText(required=True, metadata={"type": "number", "example": 100})
    currency = Currency(longest=3, shortest=3, required=True, metadata={"example": "usd"})
    provider = Text(longest=32, required=True, metadata={"example": "tap"})


class DepositView(WireSchema):
    """A deposit, as its owner sees it."""

    id = fields.String()
    amount = UsdcField(attribute="credited", metadata={"description": "USDC to be credited."})
    commission = UsdcField(attribute="commission_micro")
    method = fields.String()
    provider = fields.String(allow_none=True)
    paid_amount = fields.Function(lambda deposit: str(deposit.fiat), metadata={"type": "string"})
    paid_currency = fields.String(attribute="currency")
    rate = fields.Function(
        lambda deposit: str(Rate(deposit.rate_scaled)),
        metadata={"type": "string", "description": "Units of the currency for one USDC."},
    )
    rate_source = fields.String(metadata={"description": "`peg`, or the host that was asked."})
    rated_at = Moment()
    quoted_amount = UsdcField(
        attribute="amount_micro", metadata={"description": "At the rate, before commission."}
    )
    status = fields.Function(
        lambda deposit: states.shown(deposit.state),
        metadata={"type": "string", "enum": list(states.VISIBLE)},
    )
    refunded_amount = UsdcField(
        attribute="refunded_micro", metadata={"description": "Taken back of `amount`."}
    )
    paid_refunded = fields.Function(
        lambda deposit: str(deposit.refunded),
        metadata={"type": "string", "description": "Given back of `paidAmount`."},
    )
    created_at = Moment()


class CardAnswer(WireSchema):
    """The answer of ``POST /client/deposit/card``."""

    url = fields.String(metadata={"format": "uri"})
    deposit = fields.Nested(DepositView)


class DepositAnswer(WireSchema):
    """One deposit."""

    deposit = fields.Nested(DepositView)


def as_answer(deposit: Deposit) -> dict[str, Any]:
    """Say where to pay."""
    return {"url": deposit.page_url, "deposit": deposit}
