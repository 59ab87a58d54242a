"""/client/preferences, as the API document spells it."""

from typing import ClassVar

from marshmallow import ValidationError, fields, validate

from protonpay.kernel import zones
from protonpay.users.service import LANGUAGES
from protonpay.web.fields import JsonSchema, Text, WireSchema

_EXAMPLE = "Asia/Dubai"


class TimeZone(Text):
    """The name of a time zone, as the IANA spells it."""

    # Not all names: a list of six hundred would be closed, and new ones come with the years.
    given: ClassVar[JsonSchema] = {"pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$", "example": _EXAMPLE}

    def __init__(self) -> None:
        super().__init__(longest=64, validate=[_known_zone])


def _known_zone(value: str) -> None:
    if value not in zones.NAMES:
        raise ValidationError("Not an IANA time zone such as Asia/Dubai.")


class PreferencesChange(WireSchema):
    """What shall be otherwise; what is left out stays."""

    language = Text(longest=8, validate=[validate.OneOf(LANGUAGES)])
    time_zone = TimeZone()


class PreferencesView(WireSchema):
    """How an account wants to be told things."""

    language = fields.String(
        metadata={"enum": LANGUAGES, "description": "Of letters and statements."}
    )
    time_zone = fields.String(
        metadata={
            "example": _EXAMPLE,
            "description": "An IANA name: where the months of statements begin, and the clock of "
            "times in CSV and PDF. JSON is in UTC whatever it says.",
        }
    )


class PreferencesAnswer(WireSchema):
    """The preferences as they stand."""

    preferences = fields.Nested(PreferencesView)
