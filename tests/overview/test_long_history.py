"""T25: a history of 100,000 lines: filters, pages, days as they are in a zone, and its CSV."""

import csv
import html
import io
import itertools
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from playwright.sync_api import Browser

from protonpay.store import db
from tests.actors import Actor, make_actor
from tests.browser import driving
from tests.browser.conftest import browser
from tests.conftest import rolled_back
from tests.overview.test_lists import pages
from tests.portal.client.reader import Reader, sign_in
from tests.statements.history import as_owner

__all__ = ["browser"]

COUNT = 100_000
STEP = timedelta(minutes=10)
NEWEST = datetime(2026, 11, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
# One of each hundred is the other's, one of each thousand is for a reason that has letters.
_LINES = """
    INSERT INTO transfers (id, sender_id, recipient_id, amount_micro, fee_micro, to_identifier,
        note, created_at)
    SELECT 'clong' || lpad(n::text, 8, '0'),
        CASE WHEN mod(n, 100) = 0 THEN %(other)s ELSE %(user)s END,
        CASE WHEN mod(n, 100) = 0 THEN %(user)s ELSE %(other)s END,
        1000000 + n, 0, 'landlord@example.com',
        CASE WHEN mod(n, 1000) = 1 THEN 'Аренда за ёлку №' || n END,
        %(newest)s - n * interval '10 minutes'
    FROM generate_series(1, %(count)s) AS n
"""
_ZONE = "UPDATE users SET time_zone = 'Europe/Berlin' WHERE id = %(user)s"


@pytest.fixture(scope="module")
def house_of_many(app: Flask) -> Iterator[Flask]:
    """One house for the tests of this file: they read only."""
    with rolled_back(app):
        yield app


@pytest.fixture(scope="module")
def dora(house_of_many: Flask) -> Actor:
    """Somebody in Berlin with a history of 694 days: a line every ten minutes."""
    actor, other = make_actor(house_of_many, "Dora"), make_actor(house_of_many, "Other")
    asked = {"user": actor.id, "other": other.id, "newest": NEWEST, "count": COUNT}
    with db.transaction():
        # So many at once, without a look at each one's two people.
        as_owner("ALTER TABLE transfers DROP CONSTRAINT fk_transfers_sender_id")
        as_owner("ALTER TABLE transfers DROP CONSTRAINT fk_transfers_recipient_id")
        as_owner("SET statement_timeout = '60s'")
        db.execute(_LINES, asked)
        as_owner("RESET statement_timeout")
        as_owner("ANALYZE transfers")
        db.execute(_ZONE, asked)
    return actor


@pytest.fixture(scope="module")
def reader(house_of_many: Flask, dora: Actor) -> Reader:
    return sign_in(house_of_many, dora)


def at(number: int) -> datetime:
    return NEWEST - number * STEP


def sheet(reader: Reader, **query: str) -> list[dict[str, str]]:
    answer = reader.client.get(f"/app/activity.csv?{urlencode(query)}", buffered=True)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def shown(reader: Reader, **query: str) -> Iterator[list[str]]:
    """Turn every page of the screen; give the ids of each, as its rows lead to them."""
    place = f"/app/activity?{urlencode(query)}"
    while place:
        screen = reader.open(place)
        assert reader.status == 200
        yield [link.rpartition("/")[2] for link in screen.links if "/app/transfers/c" in link]
        older = re.search(r'href="([^"]+)" rel="next"', screen.html)
        place = f"/app/activity{html.unescape(older[1])}" if older else ""


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-28", 24), ("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)],
)
def test_a_day_has_its_hours_on_the_screen_and_in_the_file(reader: Reader, day: str, hours: int):
    """The clocks of Berlin jump on 29 March and 25 October 2026."""
    rows = sheet(reader, **{"from": day, "to": day})

    assert len(rows) == hours * 6
    local = [datetime.fromisoformat(row["createdAt"]) for row in rows]
    assert {moment.astimezone(BERLIN).date().isoformat() for moment in local} == {day}
    assert {row["createdAt"][:10] for row in rows} == {day}, "the file's clock is the account's"
    assert (local[0] - local[-1]) == timedelta(hours=hours) - STEP
    seen = list(shown(reader, **{"from": day, "to": day, "limit": "100"}))
    assert [len(page) for page in seen] == [100, hours * 6 - 100]
    assert [row["id"] for row in rows] == [*itertools.chain(*seen)]


def test_the_file_is_what_the_screen_shows(reader: Reader):
    """Whatever the filter: the same lines, in the same order; letters stay letters."""
    asked = {"q": "за елку №1", "from": "2025-06-01", "limit": "25"}
    rows = sheet(reader, **asked)
    assert [row["id"] for row in rows] == [*itertools.chain(*shown(reader, **asked))]
    numbers = [int(row["id"][5:]) for row in rows]
    berlin = datetime(2025, 6, 1, tzinfo=BERLIN)
    assert numbers == [
        n for n in range(1, COUNT, 1000) if str(n).startswith("1") and at(n) >= berlin
    ]
    assert rows[0]["note"] == "Аренда за ёлку №1"
    screen = reader.open(f"/app/activity?{urlencode(asked)}", "ru")
    amounts = re.findall(r'num out">\u2212([^<]+)<', screen.html)
    for row, told in zip(rows[:25], amounts, strict=True):
        assert told.replace("\xa0", "").replace(",", ".") == row["amount"]
    marked = reader.client.get(f"/app/activity.csv?{urlencode(asked)}", buffered=True)
    assert "Аренда за ёлку №1" in marked.get_data().decode("utf-8")


def test_in_chromium_the_file_is_what_was_filtered(
    browser: Browser, house_of_many: Flask, dora: Actor
):
    """Typed, sent, turned over, taken home: the filter stays in the address all the way."""
    with driving.visiting(browser, house_of_many, locale="en") as seen:
        driving.sign_in(seen, dora)
        page = seen.page
        page.goto("/app/activity")
        page.locator("#q").fill("за елку")
        page.locator("#from").fill("2025-06-01")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**/app/activity?*from=2025-06-01*")
        told: list[str] = []
        while True:
            links = page.locator("tbody a[href*='/app/transfers/c']")
            told += [str(link.get_attribute("href")).rpartition("/")[2] for link in links.all()]
            assert page.locator("#q").input_value() == "за елку"
            assert page.locator("#from").input_value() == "2025-06-01"
            if not page.locator("a[rel=next]").count():
                break
            here = page.url
            page.locator("a[rel=next]").click()
            page.wait_for_url(lambda url, here=here: url != here)
        file = page.get_by_role("link", name="Download as CSV")
        taken = file.evaluate("link => fetch(link.href).then(answer => answer.text())")
        rows = list(csv.DictReader(io.StringIO(taken)))
        assert [row["id"] for row in rows] == told
        assert len(told) > 25, "more than one page"
        assert rows[0]["note"] == "Аренда за ёлку №1"
        assert (seen.errors, seen.strangers) == ([], [])


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"minAmount": "1.077777", "maxAmount": "1.077777"}, [77_777]),
        ({"minAmount": "1.0995"}, [*range(99_500, COUNT + 1)]),
        ({"q": "clong00099"}, [*range(99_000, 100_000)]),
        ({"q": "№99001", "type": "TRANSFER"}, [99_001]),
        ({"q": "nobody wrote this"}, []),
        ({"status": "FAILED"}, []),
        ({"to": "2024-12-08T00:00:00Z"}, [n for n in range(COUNT + 1) if at(n).year < 2025][::-1]),
    ],
)
def test_what_is_rare_is_found_in_all_of_it(dora: Actor, query: dict[str, str], numbers: list[int]):
    wanted = [n for n in numbers if "to" not in query or at(n) < datetime(2024, 12, 8, tzinfo=UTC)]
    began = time.perf_counter()
    seen = [*itertools.chain(*pages(dora, "activity", limit=100, **query))]
    assert sorted(seen) == [f"clong{n:08d}" for n in sorted(wanted)]
    assert time.perf_counter() - began < 10 * (1 + len(wanted) / 100), "no page takes long"


def test_pages_go_on_where_the_last_one_ended(dora: Actor):
    """Through a part, and from the middle: nothing twice, nothing left out."""
    turned = list(itertools.islice(pages(dora, "activity", limit=50), 40))
    seen = [*itertools.chain(*turned)]
    assert seen == [f"clong{n:08d}" for n in range(1, 2001)]
    middle: dict[str, Any] = {"to": at(50_000).isoformat().replace("+00:00", "Z"), "limit": 100}
    turned = list(itertools.islice(pages(dora, "activity", **middle), 3))
    assert [*itertools.chain(*turned)] == [f"clong{n:08d}" for n in range(50_001, 50_301)]
