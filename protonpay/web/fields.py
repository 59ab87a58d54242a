"""Schemas with camelCase outside and snake_case inside, and fields that refuse to guess."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import marshmallow
from marshmallow import ValidationError, fields
from typing_extensions import override

from protonpay.chains.networks import NETWORKS
from protonpay.kernel import clock
from protonpay.kernel.money import MAX_MICRO, Usdc

_MOST_WHOLE = 10**12
_QUERY_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)

JsonSchema = Mapping[str, Any]
"""A part of a JSON Schema: what a field says of itself in the API document."""

MONEY: JsonSchema = {
    "type": "string",
    "pattern": r"^(0|[1-9][0-9]*)\.[0-9]{2,6}$",
    "example": "1250.00",
}
"""An amount of USDC in an answer."""
_OF_NUMBERS = ("minimum", "maximum", "multipleOf")
_LARGEST = Usdc(MAX_MICRO).whole
MONEY_GIVEN: JsonSchema = {
    "type": ["string", "number"],
    # Above zero, no zero in front, at most six decimals: what Usdc.parse takes.
    "pattern": r"^(?=.*[1-9])(0|[1-9][0-9]{0,11}|[1-8][0-9]{12})(\.[0-9]{1,6})?$",
    # Most languages print a smaller number with an exponent, and that is no amount.
    "minimum": 0.0001,
    "maximum": _LARGEST,
    "multipleOf": 0.000001,
    "example": "50.00",
    "description": "USDC, at most six decimals. A number is written without an exponent.",
}
"""An amount of USDC in a request."""
MONEY_OR_NOTHING_GIVEN: JsonSchema = {
    "anyOf": [
        {"type": "string", "pattern": str(MONEY_GIVEN["pattern"]).replace("(?=.*[1-9])", "")},
        {**{name: MONEY_GIVEN[name] for name in _OF_NUMBERS}, "type": "number"},
        {"const": 0},
    ],
    "example": "0.50",
    "description": MONEY_GIVEN["description"],
}
"""The same where zero is an amount."""
MOMENT: JsonSchema = {"type": "string", "format": "date-time", "example": "2026-03-14T12:00:00Z"}
_NO_NUL = r"^[^\x00]*$"


class WireSchema(marshmallow.Schema):
    """The parent of every schema of ours."""

    class Meta:
        """Unknown members are refused, in bodies and in queries."""

        unknown = marshmallow.RAISE

    @override
    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        if field_obj.data_key is None:
            head, *tail = field_name.split("_")
            field_obj.data_key = head + "".join(part.capitalize() for part in tail)


class NumberText(str):
    """The decimal text of a number, as it was sent."""

    __slots__ = ()

    @property
    def normal(self) -> str:
        """The same number without the zeros that mean nothing: ``50.00`` is ``50``."""
        return self.rstrip("0").rstrip(".") if "." in self else str(self)


def number_text(value: Any) -> NumberText:
    """Return the decimal text of a JSON number or string, exactly as it was sent.

    Raises:
        ValidationError: neither of the two.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValidationError("Not a number.")
    return NumberText(value)


class QueryNumber(fields.Integer):
    """A whole number above zero in a query: ASCII digits only, unlike what ``int`` takes."""

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not _QUERY_NUMBER.fullmatch(value):
            raise ValidationError("Not a whole number above zero.")
        return super()._deserialize(value, attr, data, **kwargs)


class WholeNumber(fields.Integer):
    """A whole number in a body, however JSON writes it: 60, 60.0; never a text, never rounded."""

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if not number or not abs(value) < _MOST_WHOLE or value % 1:
            raise self.make_error("invalid", input=value)
        return int(value)


class YesNo(fields.Boolean):
    """JSON's own true or false, unlike all that could be taken for it."""

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class UsdcField(fields.Field[Usdc]):
    """An amount of USDC, above zero or not below it; printed as text with two to six decimals."""

    given: JsonSchema = MONEY_GIVEN
    told: JsonSchema = MONEY

    def __init__(self, *, may_be_zero: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._may_be_zero = may_be_zero
        if may_be_zero:
            self.given = MONEY_OR_NOTHING_GIVEN

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Usdc:
        try:
            amount = Usdc.parse(number_text(value))
        except ValueError as error:
            raise ValidationError("Not an exact amount with at most six decimals.") from error
        if not amount and not self._may_be_zero:
            raise ValidationError("Must be greater than zero.")
        return amount

    @override
    def _serialize(self, value: Usdc | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else str(value)


class Moment(fields.Field[datetime]):
    """A moment: given as RFC 3339 with its zone; printed in UTC, whole seconds, ``Z``."""

    given = told = MOMENT

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            return clock.from_text(value if isinstance(value, str) else "")
        except ValueError as error:
            raise ValidationError("Not a moment such as 2026-03-14T12:00:00Z.") from error

    @override
    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else clock.to_text(value)


class Text(fields.String):
    """Text of a bounded length that Postgres can store; kept exactly as it was sent."""

    given: ClassVar[JsonSchema] = {"pattern": _NO_NUL}

    def __init__(self, *, longest: int, shortest: int = 1, **kwargs: Any) -> None:
        length = marshmallow.validate.Length(min=shortest, max=longest)
        given = kwargs.pop("validate", [])
        super().__init__(validate=[length, _no_nul, *given], **kwargs)


class NetworkName(Text):
    """The name of a network: the settings say which there are, services check it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=32, **kwargs)

    @property
    def given(self) -> JsonSchema:  # type: ignore[override] # known once the settings are read
        """The names there are now."""
        return {"enum": list(NETWORKS)}


def _no_nul(value: str) -> None:
    if "\x00" in value:
        raise ValidationError("Must not hold U+0000.")


class Secret(fields.String):
    """A member that is shown once: the answer repeated later has null in its place."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)


_EMAIL = re.compile(
    r"(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}",
    re.ASCII,
)
_LONGEST_EMAIL = 254


class Email(fields.String):
    """An address that can receive mail; stored as typed, found without regard to case."""

    given: ClassVar[JsonSchema] = {
        "format": "email",
        "maxLength": _LONGEST_EMAIL,
        "pattern": f"^{_EMAIL.pattern}$".replace(r"\Z", "$"),
    }

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > _LONGEST_EMAIL or not _EMAIL.fullmatch(text):
            raise ValidationError("Not a valid e-mail address.")
        return text
