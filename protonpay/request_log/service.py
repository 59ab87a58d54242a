"""Read what an account's keys asked, and what is refused most."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, select

from protonpay.kernel import clock, zones
from protonpay.kernel.errors import NotFound
from protonpay.request_log.models import LoggedRequest
from protonpay.store.db import db, execute
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users

SUCCEEDED, REFUSED, FAILED = "succeeded", "refused", "failed"
OUTCOMES = (SUCCEEDED, REFUSED, FAILED)
"""Below 400, from 400 to 499, and from 500 on: ours."""
KEPT = timedelta(days=30)
"""For how long requests are shown."""
MOST_GROUPS = 50

_EXACT = {
    "key_id": LoggedRequest.key_id,
    "code": LoggedRequest.code,
    "route": LoggedRequest.route,
    "request_id": LoggedRequest.request_id,
}
_FIRST_REFUSAL, _FIRST_FAILURE = 400, 500
_TROUBLE = """
    SELECT method, route, status, code, count(*), max(created_at),
           (array_agg(id ORDER BY created_at DESC))[1]
    FROM request_log
    WHERE user_id = %(user)s AND status >= 400
      AND created_at >= %(since)s AND created_at < %(until)s
    GROUP BY method, route, status, code ORDER BY count(*) DESC, max(created_at) DESC LIMIT %(most)s
"""

MOST_COUNTED = 100_000
"""Requests that days are counted of, the newest ones: a page shall not read a busy shop's month."""
_DAYS = """
    SELECT (created_at AT TIME ZONE %(zone)s)::date, key_id, count(*),
           count(*) FILTER (WHERE status >= 400)
    FROM (SELECT created_at, key_id, status FROM request_log
          WHERE user_id = %(user)s AND created_at >= %(since)s
          ORDER BY created_at DESC LIMIT %(most)s) AS counted
    GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Day:
    """What a key asked on a day of the account's time zone.

    Attributes:
        requests: all of them; ``refused``: of them, from 400 on.
    """

    day: date
    key_id: str
    requests: int
    refused: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Refusals of one kind.

    Attributes:
        count: how many there were.
        last_id: the newest of them.
    """

    method: str
    route: str
    status: int
    code: str | None
    count: int
    last_at: datetime
    last_id: str


def listed(
    user_id: str, part: Part, *, outcome: str | None = None, **exactly: str | None
) -> Sequence[LoggedRequest]:
    """Return a part of what an account's keys asked, newest first.

    Args:
        user_id: the account.
        part: which rows; none older than ``KEPT``.
        outcome: one of ``OUTCOMES``.
        exactly: ``key_id``, ``code`` of a refusal, ``route`` or ``request_id`` as they must be. A
            caller may choose a request's id, so it can name several.
    """
    wanted: list[ColumnElement[bool]] = [LoggedRequest.created_at >= clock.now() - KEPT]
    if outcome is not None:
        wanted.append(_of(outcome))
    wanted += [_EXACT[name] == value for name, value in exactly.items() if value is not None]
    if exactly.get("code") is not None:
        # What the index of refusals knows.
        wanted.append(LoggedRequest.status >= _FIRST_REFUSAL)
    return newest_first(LoggedRequest, part, LoggedRequest.user_id == user_id, *wanted)


def get(user_id: str, row_id: str) -> LoggedRequest:
    """Return one request of an account's keys.

    Raises:
        NotFound: there is none, it is another account's, or too old.
    """
    wanted = select(LoggedRequest).where(
        LoggedRequest.id == row_id,
        LoggedRequest.user_id == user_id,
        LoggedRequest.created_at >= clock.now() - KEPT,
    )
    found = db.session.scalar(wanted)
    if found is None:
        raise NotFound("not_found", "There is no such request.")
    return found


def trouble(
    user_id: str, *, since: datetime | None = None, until: datetime | None = None
) -> list[Trouble]:
    """Group the refusals of a span of time by route and code, the most frequent first.

    Args:
        user_id: the account.
        since: not older than this; of the last seven days unless given, of thirty at most.
        until: older than this.
    """
    now = clock.now()
    span = {
        "user": user_id,
        "since": max(since or now - timedelta(days=7), now - KEPT),
        "until": until or now + timedelta(minutes=1),
        "most": MOST_GROUPS,
    }
    return [Trouble(*row) for row in execute(_TROUBLE, span).fetchall()]


def days(user_id: str, count: int) -> list[Day]:
    """Count what each key of an account asked on each of the last days, oldest first.

    Days on which it asked nothing are left out, and so is what is beyond ``MOST_COUNTED``: the
    first day of those counted may be one of which a part is missing.

    Args:
        user_id: the account; its time zone says when a day begins.
        count: of days, today with them.
    """
    zone = zones.zone(users.get(user_id).time_zone)
    first = clock.now().astimezone(zone).date() - timedelta(days=count - 1)
    since = max(zones.day_begins(first, zone), clock.now() - KEPT)
    span = {"user": user_id, "zone": zone.key, "since": since, "most": MOST_COUNTED}
    return [Day(*row) for row in execute(_DAYS, span).fetchall()]


def _of(outcome: str) -> ColumnElement[bool]:
    status = LoggedRequest.status
    if outcome == SUCCEEDED:
        return status < _FIRST_REFUSAL
    if outcome == FAILED:
        return status >= _FIRST_FAILURE
    return status.between(_FIRST_REFUSAL, _FIRST_FAILURE - 1)
