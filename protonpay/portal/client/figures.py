"""What screens draw of what the API says: balances and money by day."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from protonpay.kernel import clock, zones
from protonpay.kernel.money import MICRO_PER_USDC, Usdc
from protonpay.locales import formats
from protonpay.portal import charts, words
from protonpay.portal.charts import Series
from protonpay.portal.words import Say

DAYS = 30
SPANS = (7, DAYS, 90)
"""Of how many days a reader may see the balance."""

Days = Sequence[Mapping[str, Any]]


def standing(say: Say, days: Days) -> Markup:
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


def limit_of_a_day(say: Say, quote: Mapping[str, Any], limit: int) -> Markup:
    """Draw how much of the limit of 24 hours is used.

    Args:
        say: the page's language.
        quote: of ``POST /client/withdraw/quote``.
        limit: in whole USDC, as ``GET /client/fees`` has it.
    """
    whole = limit * MICRO_PER_USDC
    return charts.bullet(
        say,
        "day",
        title=say("Withdrawn in the last 24 hours"),
        used=max(0, whole - _micro(quote["dailyLimitLeft"])),
        limit=whole,
    )


def in_and_out(say: Say, days: Days, span: int = DAYS) -> Markup:
    """Draw what came in and what went out on each of the last days.

    Args:
        say: the page's language and time zone.
        days: of ``GET /client/balance/history``.
        span: how many were asked for; a young account has fewer.
    """
    named = [date.fromisoformat(day["day"]) for day in days]
    # Before the account there were days, too: a column is as wide on its first day as ever.
    before = [named[0] - timedelta(days=back) for back in range(span - len(named), 0, -1)]
    came, went = (
        [0] * len(before) + [_micro(day[name]) for day in days] for name in ("moneyIn", "moneyOut")
    )
    series = [Series(say("Came in"), came), Series(say("Went out"), went, down=True)]
    drawn = series if any(came + went) else []
    labels = [formats.day(say.language, day) for day in before + named]
    return charts.bars(
        say,
        "moved",
        title=say("Money in and out, by day"),
        labels=labels,
        series=drawn,
        axis=formats.zone_name(say.language, clock.now().astimezone(say.zone)),
    )


def _micro(signed: str) -> int:
    amount = Usdc.parse(signed.removeprefix("-")).micro
    return -amount if signed.startswith("-") else amount


def _day(say: Say, row: Mapping[str, Any], moment: str) -> date:
    return clock.from_text(row[moment]).astimezone(say.zone).date()


def used(say: Say, days: Sequence[Mapping[str, Any]], key_id: str) -> tuple[Markup, int]:
    """Draw what a key asked on each of the last days, and count it.

    Args:
        say: the page's language and time zone.
        days: of ``GET /client/requests/days``.
        key_id: of which key.
    """
    mine = {row["day"]: row["requests"] for row in days if row["keyId"] == key_id}
    today = clock.now().astimezone(say.zone).date()
    named = [(today - timedelta(days=back)).isoformat() for back in range(DAYS - 1, -1, -1)]
    count = sum(mine.values())
    said = say("{count} requests in thirty days", count=count)
    return charts.spark(said, [mine.get(day, 0) for day in named]), count


def answered(say: Say, health: Mapping[str, Any]) -> list[Markup]:
    """Draw what an endpoint took and did not, and how long it took, by hour.

    Args:
        say: the page's language and time zone.
        health: of ``GET /client/webhooks/{id}/health``.
    """
    hours = health["hours"]
    tried = health["delivered"] + health["failed"]
    labels = [f"{clock.from_text(hour['beginsAt']).astimezone(say.zone):%H:%M}" for hour in hours]
    zone = formats.zone_name(say.language, clock.now().astimezone(say.zone))
    counts = [
        Series(say("Taken"), [hour["delivered"] for hour in hours]),
        Series(say("Not taken"), [hour["failed"] for hour in hours], down=True),
    ]
    took = Series(say("95 of 100 took at most"), [hour["p95Milliseconds"] or 0 for hour in hours])
    return [
        charts.bars(
            say,
            name,
            title=title,
            labels=labels if tried else [],
            series=series if tried else [],
            unit=unit,
            axis=zone,
        )
        for name, title, series, unit in (
            ("attempts", say("Attempts by hour"), counts, charts.COUNT),
            ("took", say("How long it took to answer, by hour"), [took], _milliseconds(say)),
        )
    ]


def _milliseconds(say: Say) -> charts.Unit:
    return charts.Unit(say("ms"), 1, charts.COUNT.write, charts.COUNT.short)
