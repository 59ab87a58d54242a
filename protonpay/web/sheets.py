"""CSV of a list: the rows of its JSON, made by the same schema, for people and spreadsheets.

The whole list, page after page, streamed: what is in memory is a page, and no connection of the
pool waits for a slow reader. The first page is read before the answer begins, so that a refusal
is still a refusal; what fails later cuts the connection, so that no half is taken for the whole.
"""

import csv
import io
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response, request, stream_with_context
from marshmallow import Schema, fields

from protonpay.kernel import clock, zones
from protonpay.kernel.errors import Unavailable
from protonpay.store import db
from protonpay.web import auth
from protonpay.web.fields import Moment, UsdcField
from protonpay.web.paging import CSV, CSV_WITH_MARK, Listing, Paged, link_next

MEDIA_TYPE = "text/csv"
MOST_ROWS = 100_000
"""One answer has no more; it says so in a last line and where to go on."""

_PAGE_ROWS = 500
_JSON = "application/json"
_BYTE_ORDER_MARK = "\ufeff"
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_THREADS_FOR_ONE = 4

View = Callable[..., Any]
Page = tuple[Sequence[Mapping[str, Any]], Mapping[str, Any] | None]
"""Rows as the schema shows them, and what asks for the next ones."""


class Desk:
    """How many sheets are written at a time, and in whose clock; bound by create_app."""

    def __init__(self) -> None:
        self._zone_of: Callable[[str], ZoneInfo] = lambda _: zones.zone(zones.UTC_NAME)
        self._places = threading.BoundedSemaphore(1)

    def bind(self, threads: int, zone_of: Callable[[str], ZoneInfo]) -> None:
        """Set how many threads this process answers with, and who knows a user's time zone."""
        self._places = threading.BoundedSemaphore(max(threads // _THREADS_FOR_ONE, 1))
        self._zone_of = zone_of

    def zone(self) -> ZoneInfo:
        """Return the time zone of the caller."""
        return self._zone_of(auth.current().user_id)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for as long as a block lasts.

        Raises:
            Unavailable: as ``take``.
        """
        leave = self.take()
        try:
            yield
        finally:
            leave()

    def take(self) -> Callable[[], None]:
        """Take a place; return what gives it back.

        Raises:
            Unavailable: all are taken (``exports_busy``).
        """
        places = self._places
        if not places.acquire(blocking=False):
            said = "Too many files are being written. Try again."
            raise Unavailable("exports_busy", said, retry_after=5)
        return places.release


desk = Desk()


def either(view: View, schema: Any) -> View:
    """Wrap a view that answers a list, so that it can be asked for as CSV; leave others alone."""
    made = schema() if isinstance(schema, type) else schema
    if not isinstance(made, Listing):
        return view
    name, rows_of = _rows_of(made)

    @wraps(view)
    def answer(query: dict[str, Any], **path: Any) -> Any:
        form = query.pop("format") or preferred({MEDIA_TYPE: CSV})
        if form not in (CSV, CSV_WITH_MARK):
            shown = view(query, **path)
            if isinstance(made, Paged) and (after := made.following(shown)):
                link_next(after)
            return shown

        def turn(after: Mapping[str, Any], rows: int) -> Page:
            shown = view({**query, "limit": rows, **after}, **path)
            found = shown[name] if isinstance(shown, Mapping) else getattr(shown, name)
            return rows_of.dump(found, many=True), made.following(shown)

        zone = desk.zone()
        if "limit" in request.args:
            found, after = turn({}, query["limit"])
            if isinstance(made, Paged) and after:
                link_next(after)
            lines = iter([line(header(rows_of)) + block(rows_of, found, zone)])
        else:
            lines = _all(rows_of, turn, zone)
        today = zones.to_text(clock.now(), zone)[:10]
        return file(f"{name}-{today}", lines, mark=form == CSV_WITH_MARK)

    return answer


def described(listing: Listing) -> dict[str, Any]:
    """Return the schema of a list's CSV; its example is the header."""
    _, rows = _rows_of(listing)
    return {"type": "string", "examples": [line(header(rows))]}


def cell(value: Any, *, exact: bool = False) -> str:
    """Return a value as a cell shows it.

    Args:
        value: as JSON shows it; what is no text, number, truth or nothing stays JSON.
        exact: an amount or a number: a minus in front is a minus.
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # A spreadsheet runs what begins so as a formula, whoever wrote it.
    return f"'{text}" if not exact and _FORMULA.match(text) else text


def file(name: str, lines: Iterator[str], *, mark: bool = False) -> Response:
    """Answer with a CSV file, whose lines come from a generator in this request's context.

    Raises:
        Unavailable: too many are being written (``exports_busy``).
    """
    leave = desk.take()
    try:
        begun = next(lines)
        whole = _behind(_BYTE_ORDER_MARK + begun if mark else begun, lines)
        response = Response(stream_with_context(whole), mimetype=MEDIA_TYPE)
    except BaseException:
        leave()
        raise
    response.call_on_close(leave)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _all(
    rows: Schema, turn: Callable[[Mapping[str, Any], int], Page], zone: ZoneInfo
) -> Iterator[str]:
    text, count = line(header(rows)), 0
    after: Mapping[str, Any] = {}
    while True:
        shown, following = turn(after, min(_PAGE_ROWS, MOST_ROWS - count))
        # Whoever reads slowly holds a thread, and no connection.
        db.release()
        yield text + block(rows, shown, zone)
        count += len(shown)
        if following is None:
            return
        if count >= MOST_ROWS:
            yield line([f"# {count} rows. There are more: ask with {urlencode(following)}"])
            return
        text, after = "", following


def _behind(begun: str, lines: Iterator[str]) -> Iterator[str]:
    yield begun
    yield from lines


def block(rows: Schema, shown: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> str:
    """Return rows as a schema has dumped them, a line each, with times of a zone."""
    kinds = [(field.data_key or name, field) for name, field in rows.fields.items()]
    return "".join(line([_shown(row.get(key), of, zone) for key, of in kinds]) for row in shown)


def _shown(value: Any, field: fields.Field[Any], zone: ZoneInfo) -> str:
    if isinstance(field, Moment) and value is not None:
        return zones.to_text(clock.from_text(value), zone)
    return cell(value, exact=isinstance(field, UsdcField | fields.Integer))


def header(rows: Schema) -> list[str]:
    """Return the first line of a sheet of rows: the members as JSON names them."""
    return [field.data_key or name for name, field in rows.fields.items()]


def _rows_of(listing: Listing) -> tuple[str, Schema]:
    """Return the member of a list that holds its rows, and their schema."""
    for name, field in listing.fields.items():
        if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
            return name, field.inner.schema
    raise TypeError(f"{type(listing).__name__} has no rows")


def line(cells: Sequence[str]) -> str:
    """Return a record of RFC 4180, with its end."""
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def preferred(forms: Mapping[str, str]) -> str | None:
    """Return the form that ``Accept`` asks for.

    Args:
        forms: by their media types, beside JSON, which who takes anything gets.
    """
    best = request.accept_mimetypes.best_match([_JSON, *forms])
    return forms.get(best or "")
