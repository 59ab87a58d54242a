"""/client/events, as the API document spells it."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate
from typing_extensions import override

from protonpay.events.service import Stretch
from protonpay.events.waiting import LONGEST_WAIT
from protonpay.kernel import events, ids
from protonpay.web.fields import JsonSchema, Moment, QueryNumber, Text, WireSchema
from protonpay.web.paging import Listing, ListingQuery

ASCENDING, DESCENDING = "asc", "desc"
_PLACE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_EXAMPLE = {
    "id": "cmg7xk2p91q0v8r3t5w6y4zab",
    "userId": "cmg7xk1c20a9b8c7d6e5f4g3h",
    "amount": "100.00",
    "currency": "USDC",
    "network": "Solana",
    "txHash": "5xKm2Q8b3cHVz9fYpJ4LrT6nW1sDgE7uMaXoBkRiNvQt",
    "status": "CONFIRMED",
}


class Place(fields.Integer):
    """A number of the log in a query; zero is before the first."""

    given: ClassVar[JsonSchema] = {
        "type": "integer",
        "minimum": 0,
        "maximum": 10**18 - 1,
        "example": 0,
    }

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not _PLACE.fullmatch(value):
            raise ValidationError("Not a number of the event log.")
        return super()._deserialize(value, attr, data, **kwargs)


class EventsQuery(ListingQuery):
    """Which stretch of the log."""

    after = Place(
        load_default=0,
        metadata={"description": "Events above this number: the `sequence` you saw last."},
    )
    limit = QueryNumber(load_default=50, validate=validate.Range(min=1, max=100))
    name = Text(
        longest=64, load_default=None, data_key="event", validate=[validate.OneOf(events.NAMES)]
    )
    object_id = Text(
        longest=64,
        load_default=None,
        data_key="object",
        metadata={"description": "About one thing: its id, `data.id` of the events."},
    )
    order = Text(
        longest=4,
        load_default=ASCENDING,
        validate=[validate.OneOf([ASCENDING, DESCENDING])],
        metadata={"description": "`desc`: newest first."},
    )
    before = Place(
        load_default=None,
        metadata={"description": "Events below this number; all up to the newest without it."},
    )
    wait = QueryNumber(
        load_default=0,
        validate=validate.Range(min=1, max=LONGEST_WAIT),
        metadata={
            "description": "If there is no event, wait for one, for so many seconds at most. One "
            "request of an account waits at a time; another, or one too many, is answered at once."
        },
    )


class EventView(WireSchema):
    """One event: the body of its webhook without the signature, and its place in your log."""

    id = fields.String(
        metadata={
            "pattern": f"^{ids.EVENT_ID_PATTERN.pattern}$",
            "example": "evt_cmg7xk2p91q0v8r3t5w6y4zab",
            "description": "The `webhook-id` of every delivery of it.",
        }
    )
    sequence = fields.Integer(
        metadata={"example": 1, "description": "From 1, without gaps, in your account."}
    )
    event = fields.String(
        metadata={"enum": list(events.NAMES), "example": events.DEPOSIT_CONFIRMED}
    )
    data = fields.Dict(metadata={"type": "object", "example": _EXAMPLE})
    timestamp = Moment()


class EventAnswer(WireSchema):
    """One event."""

    event = fields.Nested(EventView)


class EventsStretch(Listing):
    """A stretch of the log, lowest number first; with `order=desc` the highest."""

    events = fields.List(fields.Nested(EventView))
    has_more = fields.Boolean(
        metadata={"description": "Ask again, `after` (or `before`) the last number you got."}
    )
    last_sequence = fields.Integer(
        metadata={"example": 1, "description": "The newest number of your log; 0 if it is empty."}
    )

    @override
    def following(self, shown: Stretch) -> Mapping[str, Any] | None:
        onward = "before" if shown.newest_first else "after"
        return {onward: shown.events[-1].sequence} if shown.has_more else None
