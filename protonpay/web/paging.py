"""Cursors: where a list goes on, signed, and good for this caller and these filters only."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import validate

from protonpay.kernel import signing
from protonpay.kernel.errors import Invalid
from protonpay.web.fields import QueryNumber, Text, WireSchema

_SIGNATURE = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class PageQuery(WireSchema):
    """The query of every list."""

    limit = QueryNumber(load_default=50, validate=validate.Range(min=1, max=100))
    cursor = Text(longest=512, load_default=None)


@dataclass(frozen=True, slots=True)
class Position:
    """The last row a caller has seen; the next page begins after it."""

    created_at: datetime
    id: str


class Cursors:
    """Signs and reads cursors with a key of this installation, bound by create_app."""

    def __init__(self) -> None:
        self._key = b""

    def bind(self, secret_key: str) -> None:
        """Set the key."""
        self._key = signing.hmac_hex(secret_key.encode(), b"cursors").encode()

    def make(self, position: Position, scope: Mapping[str, Any]) -> str:
        """Return the cursor of a position in a list of this scope (caller and filters)."""
        micros = (position.created_at - _EPOCH) // _MICROSECOND
        payload = json.dumps([micros, position.id], separators=(",", ":"))
        text = base64.urlsafe_b64encode(payload.encode()).decode().rstrip("=")
        return f"{text}.{self._sign(text, scope)}"

    def read(self, cursor: str, scope: Mapping[str, Any]) -> Position:
        """Return the position a cursor names.

        Raises:
            Invalid: altered, somebody else's or of other filters (``invalid_cursor``).
        """
        text, _, signature = cursor.partition(".")
        if not signing.same(self._sign(text, scope), signature):
            raise Invalid("invalid_cursor", "This cursor does not belong to this list.")
        try:
            padded = text + "=" * (-len(text) % 4)
            micros, row_id = json.loads(base64.urlsafe_b64decode(padded))
        except (ValueError, binascii.Error) as error:
            raise Invalid("invalid_cursor", "This is not a cursor.") from error
        return Position(_EPOCH + micros * _MICROSECOND, row_id)

    def _sign(self, text: str, scope: Mapping[str, Any]) -> str:
        named = json.dumps(scope, sort_keys=True, default=str)
        return signing.hmac_hex(self._key, f"{named}\n{text}".encode())[:_SIGNATURE]


cursors = Cursors()
