"""Read the event log of an account."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protonpay.kernel import clock
from protonpay.kernel.errors import NotFound
from protonpay.store import events as log
from protonpay.store.events import About, EventRow


@dataclass(frozen=True, slots=True)
class Event:
    """An event as its bytes say it.

    Attributes:
        event: its name.
        data: in the order of the bytes: printed again compactly, they are the same.
    """

    id: str
    sequence: int
    event: str
    data: Mapping[str, Any]
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the log, in the order that was asked for.

    Attributes:
        newest_first: whether its highest number is the first.
        last_sequence: of the whole log, whatever was asked for.
    """

    events: list[Event]
    has_more: bool
    last_sequence: int
    newest_first: bool


def read(
    user_id: str,
    *,
    after: int = 0,
    before: int | None = None,
    limit: int,
    newest_first: bool = False,
    **about: str | None,
) -> Stretch:
    """Return the events above one number and below another.

    Args:
        user_id: whose log.
        after: 0 for all that are kept.
        before: None for all up to the newest.
        limit: at most so many, from the end that is read first.
        newest_first: highest number first, and not lowest.
        about: what ``store.events.About`` takes, by name.
    """
    last = log.last_number(user_id)
    rows = log.between(
        user_id,
        after=after,
        before=before,
        limit=limit + 1,
        about=About(**about),
        newest_first=newest_first,
    )
    told = [_told(row) for row in rows[:limit]]
    return Stretch(told, len(rows) > limit, last, newest_first)


def get(user_id: str, event_id: str) -> Event:
    """Return one event of an account.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = log.find(user_id, event_id)
    if row is None:
        raise NotFound("not_found", "There is no such event.")
    return _told(row)


def _told(row: EventRow) -> Event:
    said = json.loads(row.core)
    moment = clock.from_text(said["timestamp"])
    return Event(row.id, row.sequence or 0, said["event"], said["data"], moment)
