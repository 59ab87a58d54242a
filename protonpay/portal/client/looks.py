"""What a screen looks at for a person: spans of days, addresses that are alike, what changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from protonpay.chains.addresses import families_of
from protonpay.chains.registry import NETWORKS
from protonpay.kernel import clock

_SHOWN = 4
"""How many characters of each end people compare by eye, and poisoners copy."""


@dataclass(frozen=True, slots=True)
class Alike:
    """An address that was paid before and is nearly the one that was typed now."""

    known: str
    typed: str


@dataclass(frozen=True, slots=True)
class Change:
    """A member of an event that was said otherwise before; None where it was not said at all."""

    name: str
    before: str | None
    after: str | None


def alike(typed: str, known: Sequence[str]) -> Alike | None:
    """Find an address that begins and ends like this one and is another (address poisoning)."""
    for each in known:
        if each.lower() == typed.lower():
            return None
    ends = _ends(typed)
    return next((Alike(each, typed) for each in known if _ends(each) == ends), None)


def _ends(address: str) -> tuple[str, str]:
    plain = address.lower().removeprefix("0x")
    return plain[:_SHOWN], plain[-_SHOWN:]


def fitting(address: str) -> Sequence[str]:
    """Return the names of the networks whose addresses are written like this one."""
    families = families_of(address)
    return [name for name, one in NETWORKS.items() if one.family in families]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[Change]:
    """Return the members that two events of one thing say otherwise, in the order of the later."""
    names = [*after, *(name for name in before if name not in after)]
    found = (Change(name, _text(before, name), _text(after, name)) for name in names)
    return [one for one in found if one.before != one.after]


def _text(said: Mapping[str, Any], name: str) -> str | None:
    if name not in said:
        return None
    value = said[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def moment(typed: str, zone: tzinfo) -> str:
    """Return a moment that was typed by the clocks of a time zone, as the API reads it.

    An hour that comes twice is its first one. What is no moment is left as it is.
    """
    try:
        return clock.to_text(datetime.fromisoformat(typed).replace(tzinfo=zone).astimezone(UTC))
    except (ValueError, OverflowError):
        return typed


def span(args: Mapping[str, str], zone: tzinfo) -> dict[str, str]:
    """Return the moments of a list's filters from days of a time zone; the last day is in it.

    A day has the hours that it has there: 23 or 25 when the clocks are changed. What is no day is
    left as it is, for the API to refuse.
    """
    found = {}
    for name, later in (("from", timedelta(0)), ("to", timedelta(days=1))):
        given = args.get(name, "")
        try:
            day = date.fromisoformat(given) + later
            found[name] = clock.to_text(datetime.combine(day, time.min, zone).astimezone(UTC))
        except (ValueError, OverflowError):
            found[name] = given
    return found


def presets(today: date) -> Sequence[tuple[str, str, str]]:
    """Return spans of days that people ask for: what they are called, their first and last day.

    Args:
        today: in the reader's zone; what hours these days have, ``span`` knows. The last day of
            what is not over is today.
    """
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    quarter = month.replace(month=(today.month - 1) // 3 * 3 + 1)
    spans = (
        ("Today", today, today),
        ("This week", today - timedelta(days=today.weekday()), today),
        ("This month", month, today),
        ("Last month", before.replace(day=1), before),
        ("This quarter", quarter, today),
    )
    return [(name, first.isoformat(), last.isoformat()) for name, first, last in spans]
