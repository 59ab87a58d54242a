"""Paths: one spelling of each, and ids that can be ids."""

from flask import Flask
from werkzeug.routing import BaseConverter

from protonpay.kernel import ids


class RecordId(BaseConverter):
    """An id of ours; what cannot be one leads nowhere, before anybody looks it up."""

    regex = ids.ID_PATTERN.pattern


class EventId(BaseConverter):
    """The id of an event."""

    regex = ids.EVENT_ID_PATTERN.pattern


def documented(id_: RecordId | EventId) -> dict[str, str]:
    """Describe an id in the OpenAPI document."""
    return {"type": "string", "pattern": f"^{id_.regex}$"}


def init_app(app: Flask) -> None:
    """Teach the application ``<id:name>`` and ``<event:name>``, and take a path as it is written.

    Called before the first route is added.
    """
    app.url_map.converters.update(id=RecordId, event=EventId)
    # Werkzeug would answer // with a redirect, in HTML.
    app.url_map.merge_slashes = False
