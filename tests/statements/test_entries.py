"""What is booked of one thing, and the balance after it: the lines of its statement."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from protonpay.kernel import clock, ids
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Refund
from protonpay.statements import checkpoints, service
from protonpay.store import db
from tests.actors import Actor, make_actor
from tests.conftest import rolled_back
from tests.invoices.asking import ask
from tests.overview.test_lists import deposit, payout, transfer
from tests.refusals import refused
from tests.statements.history import (
    MOVES,
    Hands,
    as_owner,
    charge_back,
    opened,
    post,
    unlock,
    usdc,
)
from tests.unchanged import nothing_changes

_MANY = """
    WITH made AS (
        INSERT INTO journal_entries (reference, kind, posted_at)
        SELECT 'gift:many ' || n, 'gift', %(since)s + n * interval '1 minute'
        FROM generate_series(1, 20000) AS n RETURNING id
    )
    INSERT INTO postings (entry_id, position, source, destination, micro)
    SELECT made.id, 1, s.id, d.id, 1000000
    FROM made JOIN ledger_accounts s ON s.address = %(capital)s
    JOIN ledger_accounts d ON d.address = %(user)s
"""


def on(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.fixture
def carol(house: Flask) -> Actor:
    unlock()
    actor = make_actor(house, "Carol")
    opened(actor.id, datetime(2026, 2, 20, tzinfo=UTC))
    return actor


def told(actor: Actor, thing: str) -> list[dict[str, Any]]:
    with nothing_changes():
        answer = actor.get(f"/client/activity/{thing}/entries")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    lines: list[dict[str, Any]] = answer.get_json()["entries"]
    return lines


def short(lines: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [(one["at"][:13], one["type"], one["change"], one["balance"]) for one in lines]


def test_a_deposit_its_refunds_and_what_was_there_after_each(carol: Actor, bob: Actor):
    made, sent = deposit(carol, on(2)), transfer(carol, bob, on(5))
    post(entries.card_credit(made, "tap", carol.id, usdc("99"), usdc("1")), on(2))
    post(entries.transfer(sent, carol.id, bob.id, usdc("25"), usdc("0.5")), on(5))
    charge_back(made, carol.id, Refund(usdc("9"), usdc("0.1"), 910), on(9))
    charge_back(made, carol.id, Refund(usdc("90"), usdc("0.9"), 10000), on(15))

    assert short(told(carol, made)) == [
        ("2026-03-02T12", "DEPOSIT", "99.00", "99.00"),
        ("2026-03-09T12", "DEPOSIT_REFUND", "-9.00", "64.50"),
        ("2026-03-15T12", "DEPOSIT_REFUND", "-90.00", "-25.50"),
    ]
    [line] = told(carol, sent)
    assert (line["amount"], line["fee"], line["change"], line["balance"]) == (
        "-25.00", "0.50", "-25.50", "73.50"
    )  # fmt: skip
    assert line["id"] == sent
    assert line["party"] == "somebody"


def test_each_side_of_a_transfer_has_its_own_line(carol: Actor, bob: Actor, alice: Actor):
    sent = transfer(alice, carol, on(5))
    before = ledger.balance(chart.available(alice.id))
    post(entries.transfer(sent, alice.id, carol.id, usdc("25"), usdc("0.5")), on(5))

    assert short(told(carol, sent)) == [("2026-03-05T12", "TRANSFER", "25.00", "25.00")]
    [line] = told(alice, sent)
    # What funded her was posted just now: later than the fifth of March.
    assert (line["change"], line["balance"]) == ("-25.50", "-25.50")
    assert ledger.balance(chart.available(alice.id)) == before - usdc("25.5")
    refused(bob.get(f"/client/activity/{sent}/entries"), 404, "not_found")


def test_a_withdrawal_moves_the_balance_when_it_is_final(carol: Actor):
    made, failed = payout(carol, on(3)), payout(carol, on(4))
    post(entries.card_credit(ids.new_id(), "tap", carol.id, usdc("100"), ZERO), on(1))
    post(entries.payout_hold(made, carol.id, usdc("30.05")), on(3))
    post(entries.payout_hold(failed, carol.id, usdc("20")), on(4))
    post(entries.payout_release(failed, carol.id, usdc("20")), on(6))
    assert told(carol, made) == []

    post(entries.payout_settle(made, carol.id, "Base", usdc("30"), usdc("0.05")), on(7))

    assert short(told(carol, made)) == [("2026-03-07T12", "WITHDRAWAL", "-30.05", "69.95")]
    assert told(carol, failed) == []


def test_an_invoice_paid_from_a_balance_is_a_transfer_of_both(carol: Actor, alice: Actor):
    invoice = ask(carol, "5").id
    assert alice.post(f"/client/invoices/{invoice}/pay").status_code == 200
    assert carol.post(f"/client/invoices/{invoice}/refund", {"amount": "2"}).status_code == 200
    lines = carol.get("/client/activity", query_string={"type": "TRANSFER"}).get_json()["activity"]
    back, paid = (line["id"] for line in lines)

    for actor, sign in ((carol, ""), (alice, "-")):
        [one] = told(actor, paid)
        assert (one["type"], one["change"]) == ("INVOICE_PAYMENT", f"{sign}5.00")
        assert (one["id"], one["invoiceId"]) == (paid, invoice)
        available = ledger.balance(chart.available(actor.id))
        [one] = told(actor, back)
        assert (one["type"], one["id"]) == ("INVOICE_REFUND", back)
        assert one["balance"] == str(available)


def test_what_is_not_ones_own_is_not_there(carol: Actor, bob: Actor, alice: Actor):
    for thing in (deposit(carol, on(2)), payout(carol, on(3)), transfer(carol, bob, on(4))):
        assert told(carol, thing) == [], "not booked yet"
        with nothing_changes():
            refused(alice.get(f"/client/activity/{thing}/entries"), 404, "not_found")


def test_as_a_sheet(carol: Actor):
    made = deposit(carol, on(2))
    post(entries.card_credit(made, "tap", carol.id, usdc("99"), usdc("1")), on(2))
    path = f"/client/activity/{made}/entries"
    rows = carol.get(f"{path}?format=csv", buffered=True).get_data(as_text=True).splitlines()
    assert rows[0].startswith("at,type,id,")
    assert rows[1].endswith(",100.00,1.00,99.00,99.00")
    assert len(rows) == 2
    refused(carol.get(f"{path}?limit=1"), 400, "validation_error")


@settings(max_examples=15, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(MOVES), st.integers(1, 3 * 10**8), st.integers(-15, 60 * 24)),
        min_size=6,
        max_size=30,
    ),
    looks=st.integers(1, 30),
)
def test_any_balance_is_that_of_its_statement(
    app: Flask, steps: list[tuple[str, int, int]], looks: int
):
    """Whatever moved and whenever it was looked at: with checkpoints, the same as without.

    Where two overlapped, an entry that was posted later had begun earlier.
    """
    with rolled_back(app), pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "_EVERY", 3)
        patch.setattr(checkpoints, "_AT_ONCE", 5)
        unlock()
        actor, other = make_actor(app, "Dora"), make_actor(app, "Otto", funded="1000")
        with db.transaction():
            ledger.post(entries.capital("history", "Base", usdc("1000")))
        opened(actor.id, datetime(2026, 2, 27, tzinfo=UTC))
        hands, at = Hands(actor.id, other.id), datetime(2026, 2, 28, tzinfo=UTC)
        book = service.queries.book(actor.id)
        for number, (move, micro, tenths) in enumerate(steps):
            # A transaction may have begun a little before one that was posted earlier.
            begun = at + timedelta(minutes=min(tenths, 0))
            at += timedelta(hours=max(tenths, 0) / 10)
            getattr(hands, move)(Usdc(micro), begun if tenths < 0 else at)
            if number % looks == 0:
                newest = db.execute("SELECT max(id) FROM journal_entries", {}).fetchone()[0]
                with clock.frozen(at + timedelta(minutes=31)):
                    checkpoints.before(actor.id, list(book.names), [newest])

        with clock.frozen(at + timedelta(days=40)):
            book = service.queries.book(actor.id)
            far = at + timedelta(days=30)
            found = list(book.entries(datetime(2026, 1, 1, tzinfo=UTC), far))
            before = checkpoints.before(actor.id, list(book.names), found)
            kept = db.execute("SELECT count(*) FROM balance_checkpoints", {}).fetchone()[0]

        lines = book.lines(found, ZERO)
        assert [before[entry] for entry in found] == [line.balance - line.change for line in lines]
        assert kept or len([line for line in lines if line.at < lines[-1].at]) < 3


def test_a_long_history_costs_no_more_than_a_short_one(house: Flask):
    """Twenty thousand entries: an old one is found among those around it."""
    unlock()
    dora = make_actor(house, "Dora")
    opened(dora.id, datetime(2026, 1, 1, tzinfo=UTC))
    first = deposit(dora, on(1))
    post(entries.card_credit(first, "tap", dora.id, usdc("1"), ZERO), on(1))
    _many(dora)
    last = deposit(dora, on(20))
    post(entries.card_credit(last, "tap", dora.id, usdc("1"), ZERO), on(20))

    for _ in range(2):
        lines = {
            thing: dora.get(f"/client/activity/{thing}/entries").get_json()
            for thing in (first, last)
        }
        balances = [lines[thing]["entries"][0]["balance"] for thing in (first, last)]
        assert balances == ["1.00", "20002.00"]
    book = service.queries.book(dora.id)
    [entry] = db.execute(
        "SELECT id FROM journal_entries WHERE reference = %(reference)s",
        {"reference": f"deposit:{last}:credit"},
    ).fetchone()
    asked = {"user": dora.id, "mine": list(book.names), "entries": [entry], "highest": 2**63 - 1}
    plan = db.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {checkpoints._BEFORE}", asked)
    rows = _rows(plan.fetchone()[0][0]["Plan"])
    assert rows["postings"] < 1000, rows
    assert rows["journal_entries"] < 1000, rows


def _many(actor: Actor) -> None:
    """Let somebody have been given a USDC every minute for days."""
    asked = {"since": on(2), "capital": chart.CAPITAL, "user": chart.available(actor.id)}
    with db.transaction():
        as_owner(_MANY, **asked)
        as_owner("ANALYZE postings, journal_entries")


def _rows(plan: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    nodes = [plan]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if name := node.get("Relation Name"):
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            found[name] = found.get(name, 0) + round(read * node["Actual Loops"])
    return found
