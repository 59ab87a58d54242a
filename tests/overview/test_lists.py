"""Lists: pages, filters and cursors (API reference §8)."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from protonpay.kernel import ids
from protonpay.store import db
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.conftest import rolled_back
from tests.refusals import refused

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
LISTS = ("activity", "deposits", "withdrawals", "transfers")
_DEPOSIT = """
    INSERT INTO deposits (id, user_id, method, provider, currency, fiat_minor, rate_scaled,
        rate_source, rated_at, amount_micro, commission_micro, state, created_at)
    VALUES (%(id)s, %(user)s, 'CARD', 'tap', 'USD', 100, 100000000, 'test', %(at)s,
        1000000, 0, %(state)s, %(at)s)
"""
_PAYOUT = """
    INSERT INTO payouts (id, user_id, network, wallet_address, amount_micro, fee_micro, state,
        created_at)
    VALUES (%(id)s, %(user)s, 'Base', '0x', 1000000, 0, %(state)s, %(at)s)
"""
_TRANSFER = """
    INSERT INTO transfers (id, sender_id, recipient_id, amount_micro, fee_micro, to_identifier,
        created_at)
    VALUES (%(id)s, %(user)s, %(other)s, 1000000, 0, 'somebody', %(at)s)
"""


def deposit(of: Actor, at: datetime = NOON, state: str = "CONFIRMED") -> str:
    return _row(_DEPOSIT, user=of.id, at=at, state=state)


def payout(of: Actor, at: datetime = NOON, state: str = "COMPLETED") -> str:
    return _row(_PAYOUT, user=of.id, at=at, state=state)


def transfer(of: Actor, to: Actor, at: datetime = NOON) -> str:
    return _row(_TRANSFER, user=of.id, other=to.id, at=at)


def _row(sql: str, **values: Any) -> str:
    row_id = ids.new_id()
    with db.transaction():
        db.execute(sql, {"id": row_id, **values})
    return row_id


def pages(actor: Actor, name: str, **query: Any) -> Iterator[list[str]]:
    """Turn every page of a list; give the ids of each."""
    cursor: dict[str, str] = {}
    while True:
        answer = actor.get(f"/client/{name}", query_string={**query, **cursor})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        page = answer.get_json()
        yield [row["id"] for row in page[name]]
        assert page["hasMore"] == (page["nextCursor"] is not None)
        assert page["hasMore"] == ("Link" in answer.headers)
        if not page["hasMore"]:
            return
        cursor = {"cursor": page["nextCursor"]}


def everything(actor: Actor, name: str, **query: Any) -> list[str]:
    return list(itertools.chain(*pages(actor, name, **query)))


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_is_one_page(bob: Actor, name: str):
    page = bob.get(f"/client/{name}").get_json()

    assert page == {name: [], "nextCursor": None, "hasMore": False}


@pytest.mark.checklist(92)
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_equal_timestamps_are_stable(alice: Actor, bob: Actor, limit: int):
    made = [deposit(alice) for _ in range(3)] + [payout(alice) for _ in range(3)]
    made += [transfer(alice, bob), transfer(bob, alice), transfer(alice, bob)]

    assert everything(alice, "activity", limit=limit) == sorted(made, reverse=True)
    assert everything(alice, "deposits", limit=limit) == sorted(made[:3], reverse=True)
    assert everything(alice, "withdrawals", limit=limit) == sorted(made[3:6], reverse=True)
    assert everything(alice, "transfers", limit=limit) == sorted(made[6:], reverse=True)


@pytest.mark.checklist(92)
@pytest.mark.parametrize(
    ("name", "add"), [("deposits", deposit), ("withdrawals", payout), ("activity", deposit)]
)
def test_rows_that_arrive_move_nothing(alice: Actor, name: str, add: Callable[..., str]):
    places = [NOON + timedelta(microseconds=n) for n in (0, 0, 1, 2, 2, 2, 3)]
    made = {add(alice, at): at for at in places}

    seen = []
    for page in pages(alice, name, limit=2):
        seen += page
        add(alice, NOON + timedelta(seconds=1))
        add(alice, NOON + timedelta(microseconds=3))

    kept = [row for row in seen if row in made]
    assert kept == sorted(made, key=lambda row: (made[row], row), reverse=True)
    assert len(seen) == len(set(seen))


@pytest.mark.checklist(92)
@pytest.mark.slow
def test_pages_are_turned_while_others_write(open_house: OpenHouse):
    """Whatever commits meanwhile, each row of before is seen once, and none twice."""
    alice = make_actor(open_house.app, "Alice", funded="1000")
    bob = make_actor(open_house.app, "Bob")
    before = {transfer(alice, bob, NOON - timedelta(seconds=n // 3)) for n in range(60)}

    def write() -> None:
        for n in range(30):
            transfer(alice, bob, NOON - timedelta(seconds=n))

    def read() -> list[str]:
        return everything(alice, "activity", limit=3)

    _, _, *readings = open_house.inside_at_once([write, write, read, read])

    for seen in readings:
        assert len(seen) == len(set(seen))
        assert before <= set(seen)


def test_the_next_page_is_linked_with_the_same_filters(alice: Actor):
    for _ in range(3):
        deposit(alice)
    answer = alice.get("/client/activity?type=DEPOSIT&limit=2&from=2026-01-01T00:00:00%2B02:00")

    link = answer.headers["Link"]
    base = "http://127.0.0.1:8000/api"
    assert link.startswith(f"<{base}/client/activity?")
    assert link.endswith('>; rel="next"')
    rest = alice.get(link[len(f"<{base}") : link.index(">")]).get_json()
    assert (len(rest["activity"]), rest["hasMore"]) == (1, False)


def test_the_activity_is_filtered_by_type(alice: Actor, bob: Actor):
    made = {
        "DEPOSIT": deposit(alice),
        "WITHDRAWAL": payout(alice),
        "TRANSFER": transfer(bob, alice),
    }

    for kind, row_id in made.items():
        assert everything(alice, "activity", type=kind) == [row_id]


def test_a_status_is_what_a_client_sees(alice: Actor, bob: Actor):
    """REVIEW, SIGNED and SENT are ways of being PENDING."""
    pending = {deposit(alice, state=state) for state in ("PENDING", "REVIEW")}
    leaving = {payout(alice, state=state) for state in ("PENDING", "SIGNED", "SENT")}
    failed = {deposit(alice, state="FAILED")}, {payout(alice, state="FAILED")}
    deposit(alice, state="EXPIRED")
    done = {payout(alice), transfer(alice, bob)}

    assert set(everything(alice, "activity", status="PENDING", limit=2)) == pending | leaving
    assert set(everything(alice, "activity", status="FAILED")) == failed[0] | failed[1]
    assert set(everything(alice, "activity", status="COMPLETED", limit=1)) == done
    assert everything(alice, "activity", status="EXPIRED", type="WITHDRAWAL") == []
    assert set(everything(alice, "deposits", status="PENDING", limit=1)) == pending
    assert set(everything(alice, "withdrawals", status="PENDING", limit=1)) == leaving
    assert set(everything(alice, "transfers", status="COMPLETED")) < done


def test_every_line_shows_the_status_it_is_found_by(alice: Actor, bob: Actor):
    for state in ("PENDING", "CONFIRMED", "FAILED", "EXPIRED", "REVIEW"):
        deposit(alice, state=state)
    for state in ("PENDING", "SIGNED", "SENT", "COMPLETED", "FAILED"):
        payout(alice, state=state)
    transfer(bob, alice)

    for status in ("PENDING", "CONFIRMED", "FAILED", "EXPIRED", "COMPLETED"):
        lines = alice.get(f"/client/activity?status={status}").get_json()["activity"]
        assert {line["status"] for line in lines} == {status}


@pytest.mark.parametrize("name", LISTS)
def test_a_span_has_its_beginning_and_not_its_end(alice: Actor, bob: Actor, name: str):
    second = timedelta(seconds=1)
    made = {
        at: {
            "deposits": deposit(alice, at),
            "withdrawals": payout(alice, at),
            "transfers": transfer(alice, bob, at),
        }
        for at in (NOON - second, NOON, NOON + second)
    }

    def found(**span: str) -> list[set[str]]:
        seen = set(everything(alice, name, limit=2, **span))
        return [seen & set(rows.values()) for rows in made.values()]

    def all_of(at: datetime) -> set[str]:
        return set(made[at].values()) if name == "activity" else {made[at][name]}

    early, noon, late = (all_of(at) for at in made)
    assert found(**{"from": "2026-03-14T12:00:00Z"}) == [set(), noon, late]
    assert found(to="2026-03-14T12:00:00Z") == [early, set(), set()]
    assert found(**{"from": "2026-03-14T14:00:00+02:00", "to": "2026-03-14T12:00:01Z"}) == [
        set(),
        noon,
        set(),
    ]
    assert found(to="2026-03-14T12:00:00.000001Z") == [early, noon, set()]
    assert found(**{"from": "2027-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}) == [set()] * 3


@pytest.mark.checklist(91, 93)
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        "status=pending",
        "status=",
        "status=DONE",
        "from=yesterday",
        "from=",
        "from=2026-02-30T00:00:00Z",
        "from=2026-03-14T12:00:00",
        "to=2026-03-14",
        "to=0001-01-01T00:00:00%2B23:59",
        "to=2026-03-14T12:00:00Z&to=2026-03-14T12:00:00Z",
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=abc",
        "limit=1e9",
    ],
)
def test_what_no_list_knows_is_400(alice: Actor, name: str, query: str):
    body = refused(alice.get(f"/client/{name}?{query}"), 400, "validation_error")

    assert list(body["errors"]["query"]) == [query.partition("=")[0]]


@pytest.mark.checklist(93)
def test_an_unknown_type_is_400(alice: Actor):
    for kind in ("deposit", "", "PAYOUT", "DEPOSIT,TRANSFER"):
        refused(alice.get("/client/activity", query_string={"type": kind}), 400, "validation_error")


@pytest.mark.checklist(91)
def test_a_cursor_is_good_for_its_filters_alone(alice: Actor, bob: Actor):
    for _ in range(2):
        deposit(alice)
        transfer(alice, bob)

    def first(name: str, **query: str) -> str:
        page = alice.get(f"/client/{name}", query_string={**query, "limit": "1"})
        return str(page.get_json()["nextCursor"])

    of_deposits = first("activity", type="DEPOSIT")
    for name, query in (
        ("activity", {}),
        ("activity", {"type": "TRANSFER"}),
        ("activity", {"type": "DEPOSIT", "from": "2026-01-01T00:00:00Z"}),
        ("deposits", {}),
    ):
        asked = {**query, "cursor": of_deposits}
        refused(alice.get(f"/client/{name}", query_string=asked), 400, "invalid_cursor")
    again = alice.get("/client/activity", query_string={"type": "DEPOSIT", "cursor": of_deposits})
    assert again.status_code == 200
    refused(bob.get(f"/client/transfers?cursor={first('transfers')}"), 400, "invalid_cursor")


@pytest.mark.checklist(93)
def test_everybody_sees_their_own_rows(alice: Actor, bob: Actor, mallory: Actor):
    deposit(alice)
    payout(alice)
    transfer(alice, bob)

    for name in LISTS:
        assert len(everything(alice, name)) == (3 if name == "activity" else 1)
        assert everything(mallory, name) == []
    assert len(everything(bob, "activity")) == len(everything(bob, "transfers")) == 1


@pytest.mark.checklist(93)
def test_an_object_of_others_is_not_there(alice: Actor, bob: Actor, mallory: Actor):
    paths = [
        f"/client/deposit/{deposit(alice)}",
        f"/client/withdraw/{payout(alice)}",
        f"/client/transfer/{transfer(alice, bob)}",
    ]

    for path in paths:
        assert alice.get(path).status_code == 200
        refused(mallory.get(path), 404, "not_found")
    refused(mallory.get(f"/client/transfer/{ids.new_id()}"), 404, "not_found")


@settings(max_examples=25, deadline=None)
@given(limit=st.integers(1, 9), steps=st.lists(st.integers(0, 2), max_size=12))
def test_any_history_is_read_whole(app: Flask, limit: int, steps: list[int]):
    with rolled_back(app):
        actor = make_actor(app, "Carol")
        made, at = [], NOON
        for step in steps:
            at += timedelta(microseconds=step)
            made.append((at, payout(actor, at)))

        seen = everything(actor, "withdrawals", limit=limit)

        assert seen == [row for _, row in sorted(made, reverse=True)]


LONG = 2000
_LONG_DEPOSITS = """
    INSERT INTO deposits (id, user_id, method, provider, currency, fiat_minor, rate_scaled,
        rate_source, rated_at, amount_micro, commission_micro, state, created_at)
    SELECT 'cdeposits' || n, %(user)s, 'CARD', 'tap', 'USD', 1, 1, 'test',
        now(), 1, 0, 'CONFIRMED', now() - n * interval '1 s'
    FROM generate_series(1, %(count)s) AS n
"""
_LONG_PAYOUTS = """
    INSERT INTO payouts (id, user_id, network, wallet_address, amount_micro, fee_micro, state,
        created_at)
    SELECT 'cpayouts' || n, %(user)s, 'Base', '0x', 1, 0, 'COMPLETED', now() - n * interval '1 s'
    FROM generate_series(1, %(count)s) AS n
"""
_LONG_TRANSFERS = """
    INSERT INTO transfers (id, sender_id, recipient_id, amount_micro, fee_micro, to_identifier,
        created_at)
    SELECT 'ctransfers' || n, %(user)s, %(other)s, 1, 0, 'x', now() - n * interval '1 s'
    FROM generate_series(1, %(count)s) AS n
"""
_ROWS_READ = """
    SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))
    FROM pg_stat_xact_user_tables WHERE relname IN ('deposits', 'payouts', 'transfers')
"""


def rows_read() -> int:
    return int(db.db.session.execute(text(_ROWS_READ)).scalar_one())


def test_a_page_of_a_long_history_costs_what_a_page_costs(alice: Actor, bob: Actor):
    """Whatever the filter and however deep the page: found by an index, not by looking through."""
    with db.transaction():
        for insert in (_LONG_DEPOSITS, _LONG_PAYOUTS, _LONG_TRANSFERS):
            db.execute(insert, {"user": alice.id, "other": bob.id, "count": LONG})
    db.db.session.execute(text("ANALYZE deposits, payouts, transfers"))

    asked = [
        ("activity", {}),
        ("activity", {"status": "FAILED"}),
        ("activity", {"type": "DEPOSIT"}),
    ]
    asked += [(name, {}) for name in LISTS[1:]] + [("deposits", {"status": "EXPIRED"})]
    asked += [("withdrawals", {"status": "PENDING"}), ("transfers", {"to": "2026-01-01T00:00:00Z"})]
    for name, query in asked:
        before = rows_read()
        deep = pages(alice, name, limit=5, **query)
        turned = len(list(itertools.islice(deep, 10)))
        assert rows_read() - before <= turned * 100, (name, query)
