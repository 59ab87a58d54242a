"""Statements: what was, all that moved, and what is then; to the last millionth."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Invalid, NotFound
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Refund
from protonpay.statements import queries, service
from protonpay.store import db
from protonpay.users import service as users
from tests.actors import Actor, make_actor
from tests.conftest import rolled_back
from tests.overview.test_lists import deposit, payout, transfer
from tests.refusals import refused
from tests.statements.history import MOVES, Hands, charge_back, opened, post, unlock, usdc
from tests.unchanged import nothing_changes

PATH = "/client/statements"
LATER = datetime(2026, 5, 10, 12, 0, tzinfo=UTC)


def on(day: int, hour: int = 12, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.fixture
def carol(house: Flask) -> Actor:
    """Somebody who has been here since February 2026, without a cent."""
    unlock()
    actor = make_actor(house, "Carol")
    opened(actor.id, on(20, month=2))
    return actor


def months(actor: Actor, **query: Any) -> list[dict[str, Any]]:
    with clock.frozen(LATER):
        answer = actor.get(PATH, query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    told: list[dict[str, Any]] = answer.get_json()["statements"]
    return told


def ask(actor: Actor, month: str = "2026-03", now: datetime = LATER, **query: Any) -> TestResponse:
    with clock.frozen(now):
        return actor.get(f"{PATH}/{month}", query_string=query, buffered=True)


def statement(actor: Actor, month: str = "2026-03") -> dict[str, Any]:
    answer = ask(actor, month)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    told: dict[str, Any] = answer.get_json()["statement"]
    return told


def march(carol: Actor, bob: Actor) -> dict[str, str]:
    """A month that a person can add up; the ids of what happened in it."""
    made = {
        "card": deposit(carol, on(2)),
        "sent": transfer(carol, bob, on(5)),
        "paid": payout(carol, on(7)),
        "failed": payout(carol, on(8)),
        "open": payout(carol, on(30)),
    }
    post(entries.gift("welcome", carol.id, usdc("10")), on(27, month=2))
    post(entries.card_credit(made["card"], "tap", carol.id, usdc("99"), usdc("1")), on(2))
    post(entries.transfer(made["sent"], carol.id, bob.id, usdc("25"), usdc("0.5")), on(5))
    post(entries.payout_hold(made["paid"], carol.id, usdc("30.05")), on(7))
    post(entries.payout_settle(made["paid"], carol.id, "Base", usdc("30"), usdc("0.05")), on(7, 13))
    post(entries.payout_hold(made["failed"], carol.id, usdc("20")), on(8))
    post(entries.payout_release(made["failed"], carol.id, usdc("20")), on(9))
    post(entries.transfer(ids.new_id(), bob.id, carol.id, usdc("4.000001"), ZERO), on(10))
    charge_back(made["card"], carol.id, Refund(usdc("99"), usdc("1"), 10000), on(15))
    post(entries.gift("sorry", carol.id, usdc("50")), on(20))
    post(entries.payout_hold(made["open"], carol.id, usdc("8")), on(30))
    return made


@pytest.fixture
def book(house: Flask) -> None:
    """Money of the house to give away."""
    with db.transaction():
        ledger.post(entries.capital("of the statements", "Base", usdc("1000")))


def test_a_month_that_a_person_can_add_up(carol: Actor, bob: Actor, book: None):
    made = march(carol, bob)

    told = statement(carol)

    assert told["opening"] == {
        "balance": "10.00",
        "available": "10.00",
        "held": "0.00",
        "owed": "0.00",
    }
    lines = [
        (
            one["at"],
            one["type"],
            one["id"],
            one["amount"],
            one["fee"],
            one["change"],
            one["balance"],
        )
        for one in told["entries"]
    ]
    got = lines[3][2]
    assert lines == [
        ("2026-03-02T12:00:00Z", "DEPOSIT", made["card"], "100.00", "1.00", "99.00", "109.00"),
        ("2026-03-05T12:00:00Z", "TRANSFER", made["sent"], "-25.00", "0.50", "-25.50", "83.50"),
        ("2026-03-07T13:00:00Z", "WITHDRAWAL", made["paid"], "-30.00", "0.05", "-30.05", "53.45"),
        ("2026-03-10T12:00:00Z", "TRANSFER", got, "4.000001", "0.00", "4.000001", "57.450001"),
        # All of it: 57.450001 of what there was, and 41.549999 that became a debt.
        ("2026-03-15T12:00:00Z", "DEPOSIT_REFUND", made["card"], "-100.00", "-1.00", "-99.00",
         "-41.549999"),
        # The debt is repaid out of it; that moves nothing.
        ("2026-03-20T12:00:00Z", "CREDIT", None, "50.00", "0.00", "50.00", "8.450001"),
    ]  # fmt: skip
    assert told["closing"] == {
        "balance": "8.450001",
        "available": "0.450001",
        "held": "8.00",
        "owed": "0.00",
    }
    assert (told["moneyIn"], told["moneyOut"], told["fees"]) == ("153.000001", "154.55", "0.55")
    assert [tuple(one.values()) for one in told["sums"]] == [
        ("DEPOSIT", 1, "100.00", "1.00", "99.00"),
        ("DEPOSIT_REFUND", 1, "-100.00", "-1.00", "-99.00"),
        ("WITHDRAWAL", 1, "-30.00", "0.05", "-30.05"),
        ("TRANSFER", 2, "-20.999999", "0.50", "-21.499999"),
        ("CREDIT", 1, "50.00", "0.00", "50.00"),
    ]


def test_only_what_everybody_may_know_is_named(carol: Actor, bob: Actor, book: None):
    march(carol, bob)
    got = transfer(bob, carol, on(21))
    with db.transaction():
        ledger.post(entries.gift("for bob", bob.id, usdc("5")))
    post(entries.transfer(got, bob.id, carol.id, usdc("1"), usdc("0.25")), on(21))

    answer = ask(carol)

    told = answer.get_json()["statement"]
    parties = {one["id"]: one["party"] for one in told["entries"] if one["id"]}
    assert parties[got] == bob.public_id
    assert next(one["fee"] for one in told["entries"] if one["id"] == got) == "0.00"
    text = answer.get_data(as_text=True)
    assert bob.id not in text
    assert carol.id not in text
    assert bob.email not in text
    assert (told["name"], told["publicId"]) == ("Carol", carol.public_id)


def test_months_follow_each_other_without_a_gap(carol: Actor, bob: Actor, book: None):
    march(carol, bob)
    post(entries.gift("late", carol.id, usdc("1")), on(1, 0, month=4))

    told = months(carol)

    assert [one["month"] for one in told] == ["2026-04", "2026-03", "2026-02"]
    balances = [(one["openingBalance"], one["closingBalance"], one["entries"]) for one in told]
    assert balances == [
        ("8.450001", "9.450001", 1), ("10.00", "8.450001", 6), ("0.00", "10.00", 1)
    ]  # fmt: skip
    assert [one["month"] for one in months(carol, limit=2)] == ["2026-04", "2026-03"]
    with clock.frozen(LATER):
        first = carol.get(PATH, query_string={"limit": 2}).get_json()
        rest = carol.get(PATH, query_string={"cursor": first["nextCursor"]}).get_json()
        sheet = carol.get(PATH, query_string={"format": "csv"}, buffered=True)
    assert [one["month"] for one in rest["statements"]] == ["2026-02"]
    assert sheet.get_data(as_text=True).count("\r\n") == 4


def test_a_month_without_entries_is_what_it_was(carol: Actor, bob: Actor, book: None):
    march(carol, bob)

    told = statement(carol, "2026-04")

    assert (told["entries"], told["sums"]) == ([], [])
    assert told["opening"] == told["closing"]
    assert (told["moneyIn"], told["moneyOut"], told["fees"]) == ("0.00", "0.00", "0.00")


def test_whoever_has_nothing_yet_has_months_of_nothing(carol: Actor):
    assert {one["closingBalance"] for one in months(carol)} == {"0.00"}
    assert statement(carol)["closing"]["balance"] == "0.00"


def test_a_month_is_one_of_the_accounts_own_clock(carol: Actor, book: None):
    """In Dubai April begins at 20:00 UTC; in London at 23:00, by summer time."""
    post(entries.gift("one", carol.id, usdc("1")), datetime(2026, 3, 31, 19, 59, 59, tzinfo=UTC))
    post(entries.gift("two", carol.id, usdc("2")), datetime(2026, 3, 31, 20, 0, 0, tzinfo=UTC))
    post(entries.gift("three", carol.id, usdc("4")), datetime(2026, 3, 31, 22, 59, 59, tzinfo=UTC))
    post(entries.gift("four", carol.id, usdc("8")), datetime(2026, 3, 31, 23, 0, 0, tzinfo=UTC))

    closings = {}
    for zone in ("UTC", "Asia/Dubai", "Europe/London"):
        users.prefer(carol.id, time_zone=zone)
        told = statement(carol)
        closings[zone] = (told["beginsAt"], told["endedAt"], told["closing"]["balance"])

    assert closings == {
        "UTC": ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "15.00"),
        "Asia/Dubai": ("2026-02-28T20:00:00Z", "2026-03-31T20:00:00Z", "1.00"),
        "Europe/London": ("2026-03-01T00:00:00Z", "2026-03-31T23:00:00Z", "7.00"),
    }


@pytest.mark.parametrize(
    ("month", "now", "there"),
    [
        ("2026-03", datetime(2026, 4, 1, 0, 59, 59, tzinfo=UTC), False),
        ("2026-03", datetime(2026, 4, 1, 1, 0, 0, tzinfo=UTC), True),
        ("2026-04", datetime(2026, 4, 20, tzinfo=UTC), False),
        ("2026-02", LATER, True),
        ("2026-01", LATER, False),
        ("2026-13", LATER, False),
        ("2026-3", LATER, False),
        ("2099-01", LATER, False),
    ],
)
def test_a_month_is_there_when_it_is_over_for_an_hour(
    carol: Actor, month: str, now: datetime, *, there: bool
):
    answer = ask(carol, month, now)

    if there:
        assert answer.status_code == 200
    else:
        refused(answer, 404, "not_found")


def test_the_sheet_has_the_same_entries_between_what_was_and_what_is(
    carol: Actor, bob: Actor, book: None
):
    march(carol, bob)
    users.prefer(carol.id, time_zone="Asia/Dubai")
    lines = statement(carol)["entries"]

    answer = ask(carol, format="csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))

    assert answer.headers["Content-Disposition"] == 'attachment; filename="statement-2026-03.csv"'
    opening, *middle, closing = rows
    assert (opening["at"], opening["type"], opening["balance"]) == (
        "2026-03-01T00:00:00+04:00", "OPENING", "10.00"
    )  # fmt: skip
    assert (closing["at"], closing["type"], closing["balance"]) == (
        "2026-04-01T00:00:00+04:00", "CLOSING", "8.450001"
    )  # fmt: skip
    assert list(rows[0]) == list(lines[0])
    assert [row["balance"] for row in middle] == [one["balance"] for one in lines]
    assert middle[0]["at"] == "2026-03-02T16:00:00+04:00"
    assert middle[1]["change"] == "-25.50", "an amount is no formula"
    changes = sum((_signed(row["change"]) for row in middle), ZERO)
    assert _signed(opening["balance"]) + changes == _signed(closing["balance"])


def _signed(text: str) -> Usdc:
    return ZERO - Usdc.parse(text[1:]) if text.startswith("-") else Usdc.parse(text)


@pytest.mark.parametrize("query", [{"format": "xls"}, {"format": ""}, {"limit": "1"}])
def test_another_form_is_400(carol: Actor, query: dict[str, str]):
    with nothing_changes():
        refused(ask(carol, **query), 400, "validation_error")


def test_what_is_too_long_for_one_piece_says_so(
    carol: Actor, bob: Actor, book: None, monkeypatch: pytest.MonkeyPatch
):
    march(carol, bob)
    monkeypatch.setattr(service, "_PAGE_LINES", 4)

    with clock.frozen(LATER):
        assert len(service.month(carol.id, "2026-03", most=6).lines) == 6
        with pytest.raises(Invalid, match="statement_too_long"):
            service.month(carol.id, "2026-03", most=5)
        pages = [len(page) for page in service.of(carol.id, "2026-03").pages()]
    assert pages == [4, 2]


def test_what_does_not_sum_is_not_told(
    carol: Actor, bob: Actor, book: None, monkeypatch: pytest.MonkeyPatch
):
    march(carol, bob)
    lines = queries.Book.lines
    monkeypatch.setattr(queries.Book, "lines", lambda *asked: lines(*asked)[:-1])

    with clock.frozen(LATER), pytest.raises(RuntimeError, match="does not sum"):
        service.month(carol.id, "2026-03")
    assert ask(carol).status_code == 500


def test_nobody_has_a_month_of_before_or_of_nobody(house: Flask, bob: Actor):
    with clock.frozen(clock.now()):
        assert bob.get(PATH).get_json()["statements"] == []
        with pytest.raises(NotFound):
            service.months(ids.new_id())


def test_every_kind_of_entry_that_reaches_a_user_is_of_a_type():
    """A new one in ``ledger/entries.py`` says here what it is to who reads about it."""
    kinds = {"debt_repayment"}
    user, other, one = ids.new_id(), ids.new_id(), Usdc(1)
    made = {
        "transfer": ("t", user, other, one, one),
        "card_credit": ("d", "tap", user, one, one),
        "chain_credit": ("i", "Base", user, one, one),
        "inside_credit": ("i", "Base", user, one, one),
        "chain_suspend": ("i", "Base", one),
        "suspense_release": ("i", "Base", user, one, one),
        "invoice_payment": ("p", user, other, one),
        "invoice_refund": ("r", user, other, one),
        "payout_hold": ("o", user, one),
        "payout_settle": ("o", user, "Base", one, one),
        "payout_settle_inside": ("o", user, one, one),
        "payout_release": ("o", user, one),
        "capital": ("c", "Base", one),
        "adjustment": ("a", chart.FEES, chart.available(user), one),
        "gift": ("g", user, one),
    }
    every = {entries.card_refund("d", "tap", user, Refund(one, one, 1), there=one)}
    functions = {
        name
        for name, each in vars(entries).items()
        if callable(each)
        and getattr(each, "__module__", "") == entries.__name__
        and name.islower()
        and not name.startswith("_")
    }
    assert functions == {*made, "card_refund"}
    every |= {getattr(entries, name)(*given) for name, given in made.items()}
    for entry in every:
        ends = [end for one in entry.postings for end in (one.source, one.destination)]
        if any(end.startswith("user:") for end in ends):
            kinds.add(entry.kind)
    assert kinds == queries.TYPE_OF.keys() | {"debt_repayment"}


@settings(max_examples=15, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(MOVES), st.integers(1, 3 * 10**8), st.integers(0, 60 * 24)),
        max_size=14,
    ),
    zone=st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York"]),
)
def test_any_history_sums(app: Flask, steps: list[tuple[str, int, int]], zone: str):
    """Whatever moved: each month closes where the next one opens, the last at what there is."""
    with rolled_back(app):
        unlock()
        actor, other = make_actor(app, "Dora"), make_actor(app, "Otto", funded="1000")
        with db.transaction():
            ledger.post(entries.capital("history", "Base", usdc("1000")))
        opened(actor.id, on(27, month=2))
        users.prefer(actor.id, time_zone=zone)
        hands, at = Hands(actor.id, other.id), on(28, month=2)
        for move, micro, hours in steps:
            at += timedelta(hours=hours / 10)
            getattr(hands, move)(Usdc(micro), at)

        with clock.frozen(at + timedelta(days=40)):
            found = service.months(actor.id)[::-1]
            wholes = [service.month(actor.id, one.id) for one in found]

        balance = ZERO
        for whole in wholes:
            assert whole.statement.month.opening.balance == balance
            for line in whole.lines:
                balance += line.change
                assert line.balance == balance
                assert line.change != ZERO
            assert whole.statement.month.closing.balance == balance
            assert whole.money_in - whole.money_out == sum((s.change for s in whole.sums), ZERO)
        last = wholes[-1].statement.month.closing
        assert last.available == ledger.balance(chart.available(actor.id))
        assert last.held == ledger.balance(chart.held(actor.id))
        assert last.owed == ledger.owed(actor.id)
