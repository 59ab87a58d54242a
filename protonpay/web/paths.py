"""Paths: one spelling of each, and ids that can be ids."""

import re

from flask import Flask
from werkzeug.routing import BaseConverter

from protonpay.kernel import ids

_PART = re.compile(r"<(?:\w+:)?(\w+)>")


class RecordId(BaseConverter):
    """An id of ours; what cannot be one leads nowhere, before anybody looks it up."""

    regex = ids.ID_PATTERN.pattern


class EventId(BaseConverter):
    """The id of an event."""

    regex = ids.EVENT_ID_PATTERN.pattern


class MonthName(BaseConverter):
    """A month of the calendar: ``2026-10``."""

    regex = "20[0-9]{2}-(?:0[1-9]|1[0-2])"


def named(rule: str) -> str:
    """Return a rule as a path whose parts have names: ``/api/client/withdraw/{payout_id}``."""
    return _PART.sub(r"{\1}", rule)


def documented(id_: RecordId | EventId | MonthName) -> dict[str, str]:
    """Describe an id in the OpenAPI document."""
    return {"type": "string", "pattern": f"^{id_.regex}$"}


def init_app(app: Flask) -> None:
    """Teach the application our kinds of path, and take one as it is written.

    ``<id:name>``, ``<event:name>``, ``<month:name>``. Called before the first route is added.
    """
    app.url_map.converters.update(id=RecordId, event=EventId, month=MonthName)
    # Werkzeug would answer // with a redirect, in HTML.
    app.url_map.merge_slashes = False
