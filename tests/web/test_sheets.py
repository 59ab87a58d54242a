"""CSV of lists: the rows of the JSON, whole, in the reader's clock, and safe to open."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from protonpay.kernel import clock, zones
from protonpay.store import db
from protonpay.users import service as users
from protonpay.web import sheets
from tests.actors import Actor, make_actor
from tests.api_keys.keys import make_key
from tests.committed import OpenHouse, open_house  # noqa: F401 - a fixture
from tests.overview.test_lists import deposit, payout, transfer
from tests.payouts.orders import WALLETS
from tests.refusals import refused
from tests.webhooks.test_delivery import happen

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
_MANY = """
    INSERT INTO transfers (id, sender_id, recipient_id, amount_micro, fee_micro, to_identifier,
        created_at)
    SELECT 'ctransfer' || lpad(n::text, 16, '0'), %(user)s, %(other)s, n, 0, 'x',
        %(at)s - n / 7 * interval '1 s'
    FROM generate_series(1, %(count)s) AS n
"""


def asked(actor: Actor, path: str, *, accept: str = "*/*", **query: Any) -> TestResponse:
    return actor.get(path, query_string=query, headers={"Accept": accept}, buffered=True)


def sheet(actor: Actor, path: str, **query: Any) -> list[dict[str, str]]:
    answer = asked(actor, path, **{"format": "csv", **query})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return read(answer)


def read(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.mimetype == "text/csv"
    text = answer.get_data(as_text=True)
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def many(of: Actor, to: Actor, count: int) -> list[str]:
    with db.transaction():
        db.execute(_MANY, {"user": of.id, "other": to.id, "at": NOON, "count": count})
    made = [(NOON - timedelta(seconds=n // 7), f"ctransfer{n:016d}") for n in range(1, count + 1)]
    return [name for _, name in sorted(made, reverse=True)]


def in_zone(actor: Actor, name: str) -> None:
    users.prefer(actor.id, time_zone=name)


def test_a_sheet_is_the_json_of_the_list(alice: Actor, bob: Actor):
    deposit(alice, NOON, state="PENDING")
    payout(alice, NOON - timedelta(days=1))
    transfer(alice, bob, NOON - timedelta(days=2))

    rows = sheet(alice, "/client/activity")
    lines = alice.get("/client/activity").get_json()["activity"]

    assert list(rows[0]) == list(lines[0])
    shown = [{name: "" if value is None else value for name, value in one.items()} for one in lines]
    times = {"createdAt": [one["createdAt"].replace("Z", "+00:00") for one in lines]}
    expected = [{**one, "createdAt": at} for one, at in zip(shown, times["createdAt"], strict=True)]
    assert rows == expected


def test_times_are_of_the_readers_clock_on_both_sides_of_a_change(alice: Actor):
    in_zone(alice, "Europe/Berlin")
    change = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    for at in (change - timedelta(seconds=1), change):
        payout(alice, at)

    times = [row["createdAt"] for row in sheet(alice, "/client/withdrawals")]

    assert times == ["2026-03-29T03:00:00+02:00", "2026-03-29T01:59:59+01:00"]
    found = alice.get("/client/withdrawals").get_json()["withdrawals"]
    assert [one["createdAt"] for one in found] == ["2026-03-29T01:00:00Z", "2026-03-29T00:59:59Z"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('=HYPERLINK("http://evil.example","x")', '\'=HYPERLINK("http://evil.example","x")'),
        ("+79001234567", "'+79001234567"),
        ("-1+2", "'-1+2"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r\n=1", "'\r\n=1"),
        ("\n=1", "'\n=1"),
        ('Кошелёк «Ёж», "x"; a=1\n=2', 'Кошелёк «Ёж», "x"; a=1\n=2'),
        ("'=1", "'=1"),
        (" ", " "),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_is_not_run(alice: Actor, text: str, shown: str):
    order = {"label": text, "address": WALLETS["Base"], "network": "Base"}
    assert alice.post("/client/addresses", order).status_code == 200

    assert [row["label"] for row in sheet(alice, "/client/addresses")] == [shown]


@pytest.mark.parametrize(
    ("value", "exact", "shown"),
    [
        (None, False, ""),
        (True, False, "true"),
        (7, True, "7"),
        ("-12.50", True, "-12.50"),
        ("-12.50", False, "'-12.50"),
        (["balance:read", "=x"], False, '["balance:read", "=x"]'),
        ({"имя": 1}, False, '{"имя": 1}'),
    ],
)
def test_a_value_is_a_cell(value: Any, shown: str, *, exact: bool):
    assert sheets.cell(value, exact=exact) == shown


@pytest.mark.parametrize(
    ("accept", "query", "kind"),
    [
        ("text/csv", {}, "text/csv"),
        ("text/csv, */*;q=0.1", {}, "text/csv"),
        ("application/json;q=0.5, text/csv", {}, "text/csv"),
        ("text/csv;q=0.5, application/json", {}, "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", {}, "application/json"),
        ("*/*", {}, "application/json"),
        ("image/png", {}, "application/json"),
        ("text/csv", {"format": "json"}, "application/json"),
        ("application/json", {"format": "csv"}, "text/csv"),
    ],
)
def test_the_form_is_asked_for_by_word_or_by_header(
    alice: Actor, accept: str, query: dict[str, str], kind: str
):
    answer = asked(alice, "/client/withdrawals", accept=accept, **query)

    assert (answer.status_code, answer.mimetype) == (200, kind)


def test_the_file_has_a_name_and_a_mark_if_it_is_wanted(alice: Actor):
    in_zone(alice, "Pacific/Kiritimati")
    with clock.frozen(datetime(2026, 3, 14, 12, 0, tzinfo=UTC)):
        plain = asked(alice, "/client/api-keys", format="csv")
        marked = asked(alice, "/client/api-keys", format="csv-bom")

    assert plain.content_type == "text/csv; charset=utf-8"
    assert plain.headers["Content-Disposition"] == 'attachment; filename="keys-2026-03-15.csv"'
    assert plain.headers["Cache-Control"] == "no-store"
    assert marked.get_data() == b"\xef\xbb\xbf" + plain.get_data()
    assert plain.get_data(as_text=True).startswith("id,name,")


def test_an_empty_list_is_a_header(bob: Actor):
    text = asked(bob, "/client/transfers", format="csv").get_data(as_text=True)

    assert text.count("\r\n") == 1
    assert text.startswith("id,")


def test_every_page_of_a_long_list_is_in_it_once_and_in_order(alice: Actor, bob: Actor):
    made = many(alice, bob, 1203)

    answer = asked(alice, "/client/transfers", format="csv")

    assert [row["id"] for row in read(answer)] == made
    assert "Link" not in answer.headers
    filtered = sheet(alice, "/client/transfers", to="2026-03-14T11:59:00Z")
    assert [row["id"] for row in filtered] == [name for name in made if int(name[9:]) >= 427]


@pytest.mark.parametrize(("most", "page"), [(7, 3), (6, 3), (1, 500)])
def test_what_is_too_long_says_where_it_goes_on(
    alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch, most: int, page: int
):
    made = many(alice, bob, 2 * most + 1)
    monkeypatch.setattr(sheets, "MOST_ROWS", most)
    monkeypatch.setattr(sheets, "_PAGE_ROWS", page)

    seen, after = [], {}
    for whole in (False, False, True):
        *rows, last = sheet(alice, "/client/transfers", **after)
        seen += [row["id"] for row in rows]
        if whole:
            seen.append(last["id"])
            break
        said, _, cursor = last["id"].partition("cursor=")
        assert said == f"# {most} rows. There are more: ask with "
        after = {"cursor": cursor}

    assert seen == made


def test_a_list_that_just_fits_has_no_last_line(
    alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
):
    made = many(alice, bob, 6)
    monkeypatch.setattr(sheets, "MOST_ROWS", 6)

    assert [row["id"] for row in sheet(alice, "/client/transfers")] == made


def test_with_a_limit_it_is_one_page_and_the_next_is_linked(alice: Actor, bob: Actor):
    made = many(alice, bob, 5)

    answer = asked(alice, "/client/transfers", format="csv", limit=2)

    assert [row["id"] for row in read(answer)] == made[:2]
    link = answer.headers["Link"]
    path = link[link.index("/client") : link.index(">")]
    assert "format=csv" in path
    rest = alice.get(path, buffered=True)
    assert [row["id"] for row in read(rest)] == made[2:4]


def test_the_event_log_is_a_sheet_in_its_own_order(alice: Actor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sheets, "_PAGE_ROWS", 2)
    for _ in range(5):
        happen(alice)
    told = alice.get("/client/events").get_json()["events"]

    rows = sheet(alice, "/client/events")

    assert [row["sequence"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [row["id"] for row in rows] == [one["id"] for one in told]
    assert sheet(alice, "/client/events", after=3) == rows[3:]
    assert rows[0]["data"].startswith('{"id": "')


@pytest.mark.parametrize("query", [{"format": "xlsx"}, {"format": ""}, {"format": "CSV"}])
def test_another_form_is_400(alice: Actor, query: dict[str, str]):
    refused(asked(alice, "/client/activity", **query), 400, "validation_error")


def test_a_refusal_is_a_refusal_whatever_form_was_asked_for(alice: Actor, bob: Actor):
    hook = {"url": "https://example.com/hook", "events": ["transfer.completed"]}
    made = alice.post("/client/webhooks", hook).get_json()["webhook"]["id"]

    theirs = asked(bob, f"/client/webhooks/{made}/deliveries", format="csv")
    refused(theirs, 404, "not_found")
    refused(asked(alice, "/client/activity", format="csv", cursor="x.y"), 400, "invalid_cursor")
    refused(
        asked(alice, "/client/balance", accept="text/csv", format="csv"), 400, "validation_error"
    )
    assert asked(alice, "/client/balance", accept="text/csv").mimetype == "application/json"
    key = make_key(alice, ["transfers:write"])
    refused(key.call("GET", "/client/activity?format=csv"), 403, "insufficient_scope")
    assert key.call("GET", "/client/transfers?format=csv", buffered=True).mimetype == "text/csv"


def test_few_are_written_at_once_and_each_gives_its_place_back(alice: Actor):
    places = [sheets.desk.take() for _ in iter_free()]
    try:
        busy = refused(asked(alice, "/client/activity", format="csv"), 503, "exports_busy")
        assert busy["detail"] == "Too many files are being written. Try again."
        assert asked(alice, "/client/activity").status_code == 200
    finally:
        for leave in places:
            leave()

    for method, path in (
        ("GET", "/client/activity?format=csv"),
        ("HEAD", "/client/activity?format=csv"),
        ("GET", "/client/activity?format=csv&cursor=x.y"),
    ):
        alice.call(method, path, buffered=True)
        assert len(list(iter_free())) == len(places), (method, path)


def iter_free() -> Iterator[int]:
    """Count the places that are free, leaving them free."""
    held: list[Callable[[], None]] = []
    try:
        while True:
            held.append(sheets.desk.take())
    except sheets.Unavailable:
        pass
    finally:
        for leave in held:
            leave()
    yield from range(len(held))


def test_whoever_reads_slowly_holds_no_connection(open_house: OpenHouse):  # noqa: F811
    alice, bob = (make_actor(open_house.app, name) for name in ("Alice", "Bob"))
    made = many(alice, bob, 1203)
    db.release()
    path, headers = "/api/client/transfers?format=csv", {"Authorization": f"Bearer {alice.token}"}
    answer = Client(open_house.app).open(path, headers=headers)

    sizes = []
    for chunk in answer.response:
        sizes.append(chunk.count(b"\r\n"))
        assert db.db.engine.pool.checkedout() == 0
    answer.close()

    assert sizes == [501, 500, 203]
    assert len(made) == sum(sizes) - 1


def test_what_fails_behind_the_first_page_cuts_the_file(
    alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
):
    many(alice, bob, 5)
    monkeypatch.setattr(sheets, "_PAGE_ROWS", 2)
    turned = itertools.count(1)

    def release() -> None:
        if next(turned) == 2:
            raise ConnectionError

    monkeypatch.setattr(sheets.db, "release", release)
    with pytest.raises(ConnectionError):
        asked(alice, "/client/transfers", format="csv")
    assert len(list(iter_free())) > 0


def test_a_house_of_more_threads_writes_more(house: Flask):
    desk = sheets.Desk()
    desk.bind(8, lambda _: zones.zone("UTC"))
    taken = [desk.take(), desk.take()]

    with pytest.raises(sheets.Unavailable, match="exports_busy"):
        desk.take()
    taken[0]()
    assert desk.take() is not None
