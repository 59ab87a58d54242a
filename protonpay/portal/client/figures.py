"""What screens draw of what the API says: balances and money by day."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from protonpay.kernel import clock, zones
from protonpay.kernel.money import Usdc
from protonpay.locales import formats
from protonpay.portal import charts, words
from protonpay.portal.charts import Series
from protonpay.portal.words import Say

DAYS = 30
_MOVED = frozenset({"CONFIRMED", "COMPLETED"})

Rows = Sequence[Mapping[str, Any]]


def standing(say: Say, days: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the balance of the last days, as it stood at the beginning of each and stands now.

    Args:
        say: the page's language and time zone.
        days: of ``GET /client/balance/history``.
    """
    points = [(clock.from_text(day["beginsAt"]), _micro(day["openingBalance"])) for day in days]
    now = (clock.now(), _micro(days[-1]["closingBalance"]))
    still = len({micro for _, micro in [*points, now]}) == 1 and now[1] == 0
    return charts.line(
        say,
        "balance",
        title=say("Balance, day by day"),
        points=[] if still else [*points, now],
    )


def month(say: Say, statement: Mapping[str, Any]) -> Markup:
    """Draw the balance of a month, from the opening to the closing one of its statement.

    Args:
        say: the page's language.
        statement: of ``GET /client/statements/{month}``; its time zone says when a day begins.
    """
    zone = zones.zone(statement["timeZone"])
    own = words.speaker(say.language, zone)
    begins, ended = (clock.from_text(statement[name]) for name in ("beginsAt", "endedAt"))
    first, last = begins.astimezone(zone).date(), ended.astimezone(zone).date()
    # In the order of time: the last entry of a day is what the day closed with.
    closing = {_day(own, one, "at"): _micro(one["balance"]) for one in statement["entries"]}
    stood = _micro(statement["opening"]["balance"])
    points = []
    for day in (first + timedelta(days=number) for number in range((last - first).days)):
        points.append((zones.day_begins(day, zone), stood))
        stood = closing.get(day, stood)
    points.append((ended, stood))
    return charts.line(
        own,
        "month",
        title=say("Balance, day by day"),
        points=points if any(micro for _, micro in points) else [],
    )


def in_and_out(say: Say, rows: Rows, *, whole: bool) -> Markup:
    """Draw what came in and what went out on each of the last days, in the reader's zone.

    Args:
        say: the page's language and time zone.
        rows: of ``GET /client/activity``, newest first.
        whole: whether these are all rows of the days; if not, days before the last row are left
            out, and so is its own.
    """
    today = clock.now().astimezone(say.zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    if not whole and rows:
        days = [day for day in days if day > _day(say, rows[-1])]
    moved = [row for row in rows if row["status"] in _MOVED]
    series = [
        Series(say("Came in"), _by_day(say, days, (r for r in moved if r["direction"] == "IN"))),
        Series(
            say("Went out"),
            _by_day(say, days, (r for r in moved if r["direction"] == "OUT")),
            down=True,
        ),
    ]
    drawn = series if any(any(one.values) for one in series) else []
    return charts.bars(
        say,
        "moved",
        title=say("Money in and out, by day"),
        labels=[formats.day(say.language, day) for day in days] if drawn else [],
        series=drawn,
        axis=formats.zone_name(say.language, clock.now().astimezone(say.zone)),
    )


def _micro(signed: str) -> int:
    amount = Usdc.parse(signed.removeprefix("-")).micro
    return -amount if signed.startswith("-") else amount


def _by_day(say: Say, days: Sequence[date], rows: Iterable[Mapping[str, Any]]) -> list[int]:
    sums = dict.fromkeys(days, 0)
    for row in rows:
        day = _day(say, row)
        if day in sums:
            # What left the balance is the amount and its fee; what came in is without it.
            fee = Usdc.parse(row["fee"]) if row["direction"] == "OUT" else Usdc(0)
            sums[day] += (Usdc.parse(row["amount"]) + fee).micro
    return list(sums.values())


def _day(say: Say, row: Mapping[str, Any], moment: str = "createdAt") -> date:
    return clock.from_text(row[moment]).astimezone(say.zone).date()
