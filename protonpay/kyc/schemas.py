"""/client/kyc."""

import base64
import binascii
import re
from datetime import date
from typing import Any, ClassVar

import marshmallow
from marshmallow import ValidationError, fields, validate
from typing_extensions import override

from protonpay.kernel import clock
from protonpay.kyc.documents import LARGEST_BYTES, Upload
from protonpay.kyc.formats import MEDIA_TYPES
from protonpay.kyc.service import Person
from protonpay.kyc.states import CASE, DOCUMENT_KINDS, REASONS
from protonpay.locales import countries
from protonpay.web.fields import JsonSchema, Moment, Text, WireSchema

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_YOUNGEST_YEARS = 18
_FIRST_YEAR = 1900


class BirthDate(fields.Field[date]):
    """A day in the life of somebody who is of age."""

    def __init__(self, **kwargs: Any) -> None:
        documented = {"type": "string", "format": "date", "example": "1990-01-31"}
        super().__init__(metadata=documented, **kwargs)

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            day = date.fromisoformat(value if _DAY.fullmatch(str(value)) else "")
        except (TypeError, ValueError) as error:
            raise ValidationError("Not a day such as 1990-01-31.") from error
        today = clock.now().date()
        had_birthday = (today.month, today.day) >= (day.month, day.day)
        if today.year - day.year - (not had_birthday) < _YOUNGEST_YEARS:
            raise ValidationError("Only adults can be checked.")
        if day.year < _FIRST_YEAR:
            raise ValidationError("Not a day such as 1990-01-31.")
        return day


class Country(Text):
    """A country code of ISO 3166-1: two capital letters."""

    given: ClassVar[JsonSchema] = {"enum": list(countries.CODES)}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=2, shortest=2, validate=[_known_country], **kwargs)


def _known_country(value: str) -> None:
    if value not in countries.CODES:
        raise ValidationError("Not a country code such as AE.")


class CaseOrder(WireSchema):
    """Who somebody says they are."""

    full_name = Text(longest=200, required=True, metadata={"example": "John Doe"})
    date_of_birth = BirthDate(required=True)
    country = Country(required=True, metadata={"example": "AE"})
    document_kind = Text(
        longest=32,
        required=True,
        validate=[
            validate.OneOf(["PASSPORT", "ID_CARD", "RESIDENCE_PERMIT", "DRIVING_LICENCE"]),
        ],
    )
    document_number = Text(longest=64, required=True, metadata={"example": "K1234567"})

    @marshmallow.post_load
    def as_person(self, members: dict[str, Any], **_: Any) -> Person:
        """Return what the members say."""
        return Person(**members)


class CaseView(WireSchema):
    """Where a case stands; nothing of the person is ever shown again."""

    status = fields.String(metadata={"enum": CASE.states})
    reason = fields.String(
        allow_none=True, metadata={"enum": [*REASONS, None], "description": "Of a rejection."}
    )
    submitted_at = Moment(allow_none=True)
    decided_at = Moment(allow_none=True)


class CaseAnswer(WireSchema):
    """The answer of ``GET`` and ``POST /client/kyc``."""

    kyc = fields.Nested(CaseView)


_ONE_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


class Content(fields.Field[bytes]):
    """Bytes, written in base64 (RFC 4648 §4) with its padding and nothing else."""

    given: ClassVar[JsonSchema] = {
        "type": "string",
        "contentEncoding": "base64",
        "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        "example": _ONE_PIXEL,
        "description": f"In base64; at most {LARGEST_BYTES} bytes before that.",
    }

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:
        if not isinstance(value, str):
            raise ValidationError("Not base64.")
        try:
            return base64.b64decode(value.encode(), validate=True)
        except binascii.Error as error:
            raise ValidationError("Not base64.") from error


class DocumentOrder(WireSchema):
    """A document for an identity check."""

    kind = Text(
        longest=32,
        required=True,
        validate=[validate.OneOf(DOCUMENT_KINDS)],
        metadata={"description": "What it shows."},
    )
    content = Content(required=True)

    @marshmallow.post_load
    def as_upload(self, members: dict[str, Any], **_: Any) -> Upload:
        """Return what the members say."""
        return Upload(**members)


class DocumentView(WireSchema):
    """A document; its content is never shown to its owner again."""

    id = fields.String()
    kind = fields.String(metadata={"enum": DOCUMENT_KINDS})
    media_type = fields.String(metadata={"enum": MEDIA_TYPES, "description": "By its content."})
    size_bytes = fields.Integer(metadata={"minimum": 1, "example": 67})
    uploaded_at = Moment()
    submitted_at = Moment(
        allow_none=True, metadata={"description": "Null while you may still remove it."}
    )


class DocumentAnswer(WireSchema):
    """The answer of ``POST /client/kyc/documents``."""

    document = fields.Nested(DocumentView)


class DocumentsAnswer(WireSchema):
    """The answer of ``GET /client/kyc/documents``."""

    documents = fields.List(fields.Nested(DocumentView))
