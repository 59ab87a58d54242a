"""Tables of months: those to come are made ahead, those too old are dropped whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from protonpay.kernel import clock
from protonpay.store import db
from protonpay.store.db import transaction

KEPT: Mapping[str, timedelta] = {
    # What one attempt met is asked about while somebody looks for a fault.
    "webhook_attempts": timedelta(days=92),
    "webhook_deliveries": timedelta(days=396),
    "request_log": timedelta(days=30),
    "events": timedelta(days=396),
}
"""For how long, at least, rows are kept; in the order in which they are dropped."""

_AHEAD = timedelta(days=89)
"""What three months are at the least: a migration makes so many, and the first round makes none."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done.

    Attributes:
        dropped: the months that are gone.
        blocked: months that could not be made, since rows of theirs came before they were there;
            those stay in the table for the rest, and are kept until somebody moves them.
    """

    dropped: list[str]
    blocked: list[str]


def keep(months_from: datetime | None = None) -> Kept:
    """Make the months that are to come, and drop those that are too old.

    Args:
        months_from: the first month that must be there; this one unless given.
    """
    now = clock.now()
    dropped: list[str] = []
    blocked: list[str] = []
    for table, kept in KEPT.items():
        parameters = {
            "table": table,
            "from": months_from or now,
            "to": now + _AHEAD,
            "before": now - kept,
        }
        with transaction():
            blocked += _names("SELECT make_months(%(table)s, %(from)s, %(to)s)", parameters)
            dropped += _names("SELECT drop_months(%(table)s, %(before)s)", parameters)
    return Kept(dropped, blocked)


def _names(sql: str, parameters: Mapping[str, object]) -> list[str]:
    row = db.execute(sql, parameters).fetchone()
    return list(row[0]) if row else []
