"""Lists: a page of one, and the cursor under which it goes on.

A cursor is signed, and good for this caller, this list and these filters only.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from flask import Response, after_this_request, request
from marshmallow import fields, validate
from typing_extensions import override

from protonpay.kernel import signing
from protonpay.kernel.errors import Invalid
from protonpay.store.lists import Part, Position
from protonpay.web.auth import current
from protonpay.web.fields import Moment, QueryNumber, Text, WireSchema
from protonpay.web.links import links

_SIGNATURE = 16
_NO_FILTERS = ("limit", "cursor", "format")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


CSV, CSV_WITH_MARK = "csv", "csv-bom"


class ListingQuery(WireSchema):
    """The query of everything that is a list: JSON, or CSV (``web/sheets.py``)."""

    format = Text(
        longest=8,
        load_default=None,
        validate=[validate.OneOf(["json", CSV, CSV_WITH_MARK])],
        metadata={
            "description": "`csv` is what `Accept: text/csv` asks for, too: the same rows with "
            "times of your time zone, all of them unless `limit` is given (after 100,000 a last "
            "line says where to go on). A text that a spreadsheet would run has `'` in front. "
            "`csv-bom` begins with a byte order mark, for Excel."
        },
    )


class PageQuery(ListingQuery):
    """The query of a list with cursors."""

    limit = QueryNumber(load_default=50, validate=validate.Range(min=1, max=100))
    cursor = Text(longest=512, load_default=None)


class HistoryQuery(PageQuery):
    """The query of a list that grows: a span of time, its end excluded."""

    since = Moment(data_key="from", load_default=None)
    until = Moment(data_key="to", load_default=None)


class Listing(WireSchema):
    """A stretch of a list: its rows, and whether more follow."""

    def following(self, shown: Any) -> Mapping[str, Any] | None:  # noqa: ARG002 - for who has more
        """Return what a query asks for the rows after those that were shown; None at the end.

        A list without a limit is shown whole.
        """
        return None


class Paged(Listing):
    """What every page of a list with cursors says beside its rows."""

    next_cursor = fields.String(
        allow_none=True, metadata={"description": "Send it as `cursor` for the next page."}
    )
    has_more = fields.Boolean()

    @override
    def following(self, shown: Any) -> Mapping[str, Any] | None:
        return {"cursor": shown["next_cursor"]} if shown["has_more"] else None


class Listed(Protocol):
    """A row of any list, by its place in it."""

    @property
    def id(self) -> str:
        """Breaks ties."""

    @property
    def created_at(self) -> datetime:
        """The newest row comes first."""


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


def page(name: str, query: Mapping[str, Any], read: Callable[..., Sequence[Any]]) -> dict[str, Any]:
    """Return a page of the caller's list, newest first, as ``Paged`` and the rows by its name.

    Args:
        name: of the list, and of the member that holds its rows.
        query: as ``PageQuery`` or a child of it read it; what is neither place nor time is a
            filter of this list.
        read: gives the rows of a ``Part``, and takes the filters by name.

    Raises:
        Invalid: a cursor of somebody else's or of other filters (``invalid_cursor``).
    """
    filters = {key: value for key, value in query.items() if key not in _NO_FILTERS}
    scope = {"list": name, "user": current().user_id, **filters}
    since, until = filters.pop("since", None), filters.pop("until", None)
    after = cursors.read(query["cursor"], scope) if query["cursor"] else None
    limit = query["limit"]
    # One row more than asked for tells whether there is a next page.
    rows: Sequence[Listed] = read(Part(limit + 1, after, since, until), **filters)
    shown, has_more = rows[:limit], len(rows) > limit
    cursor = None
    if has_more:
        cursor = cursors.make(Position(shown[-1].created_at, shown[-1].id), scope)
    return {name: shown, "next_cursor": cursor, "has_more": has_more}


def link_next(after: Mapping[str, Any]) -> None:
    """Say the next page's address in a header too (RFC 8288).

    Args:
        after: what its query asks beside what this one asked.
    """
    query = urlencode({**request.args.to_dict(), **after})
    address = links.to(f"{request.path}?{query}")

    @after_this_request
    def tell(response: Response) -> Response:
        response.headers["Link"] = f'<{address}>; rel="next"'
        return response
