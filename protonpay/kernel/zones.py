"""Time zones by their IANA names, and moments as a clock in one shows them."""

from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

UTC_NAME = "UTC"

NAMES = frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - {
    "Factory"
}
"""The names of the pinned tzdata package: the same on every machine, whatever it has itself."""


@lru_cache(maxsize=len(NAMES))
def zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name, spelled exactly.

    Raises:
        ValueError: there is no such zone.
    """
    # Asked before: ZoneInfo takes a name for a path, and any file there for a zone.
    if name not in NAMES:
        raise ValueError("no IANA time zone")
    return ZoneInfo(name)


def to_text(moment: datetime, of: ZoneInfo) -> str:
    """Print a moment as a clock of a zone shows it: whole seconds, with the offset from UTC."""
    return moment.astimezone(of).replace(microsecond=0).isoformat()


def day_begins(day: date, of: ZoneInfo) -> datetime:
    """Return when a day begins in a zone, in UTC; its first moment if it has no midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=of).astimezone(UTC)


def midnight(year: int, month: int, of: ZoneInfo) -> datetime:
    """Return when a month begins in a zone, in UTC; the first moment of a day without midnight."""
    local = datetime(year, month, 1, tzinfo=of)
    # Where the clock jumps over midnight, the moment of the jump: as if it had not jumped yet.
    return local.astimezone(UTC)
