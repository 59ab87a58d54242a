"""The balance of the last days: what the book says at both ends of each, in the reader's zone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given as given_
from hypothesis import settings
from hypothesis import strategies as st

from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import entries
from protonpay.statements import queries, service
from protonpay.store import db
from protonpay.store.db import transaction
from tests.actors import Actor, make_actor
from tests.conftest import rolled_back
from tests.refusals import refused
from tests.statements.history import MOVES, Hands, opened, post, unlock, usdc

LATER = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def on(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def carol(house: Flask) -> Actor:
    """Somebody who has been here since 20 February 2026, without a cent."""
    unlock()
    actor = make_actor(house, "Carol")
    opened(actor.id, on(20, 9, month=2))
    return actor


def live_in(actor: Actor, zone: str) -> None:
    with transaction():
        asked = {"zone": zone, "id": actor.id}
        db.execute("UPDATE users SET time_zone = %(zone)s WHERE id = %(id)s", asked)


def history(actor: Actor, days: int, now: datetime = LATER) -> list[dict[str, Any]]:
    with clock.frozen(now):
        answer = actor.get(f"/client/balance/history?days={days}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    told: list[dict[str, Any]] = answer.get_json()["history"]
    return told


def given(actor: Actor, amount: str, at: datetime) -> None:
    reference, micro = f"days{at:%d%H%M}", Usdc.parse(amount)
    post(entries.capital(reference, "Base", micro), at)
    post(entries.gift(reference, actor.id, micro), at)


def test_each_day_begins_where_the_one_before_ended(carol: Actor):
    given(carol, "10", on(29, 8))
    given(carol, "5.000001", on(31, 11))
    given(carol, "100", on(31, 13))  # not yet

    days = history(carol, 4)

    assert [day["day"] for day in days] == ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]
    assert [day["openingBalance"] for day in days] == ["0.00", "0.00", "10.00", "10.00"]
    assert [day["closingBalance"] for day in days] == ["0.00", "10.00", "10.00", "15.000001"]


def test_what_came_and_went_is_what_each_balance_grew_and_shrank_by(carol: Actor, bob: Actor):
    """A hold, its release and a repaid debt change nothing; fees go out with what they are for."""
    given(carol, "100", on(28, 8))
    hands = Hands(carol.id, bob.id)
    hands.card(usdc("50"), on(29, 1))
    hands.hold(usdc("20"), on(29, 2))
    hands.settle(ZERO, on(30, 2))
    hands.send(usdc("10.5"), on(30, 3))
    hands.hold(usdc("5"), on(30, 4))
    hands.release(ZERO, on(31, 4))
    hands.charge_back(ZERO, on(31, 5))
    given(carol, "1", on(31, 6))

    days = history(carol, 5)

    moved = [(day["moneyIn"], day["moneyOut"]) for day in days]
    assert moved[1:] == [
        ("100.00", "0.00"),
        ("50.00", "0.00"),
        ("0.00", "30.50"),
        ("1.00", "50.00"),
    ]
    for day in days:
        opening, grown, shrunk, closing = (
            Usdc.parse(day[name])
            for name in ("openingBalance", "moneyIn", "moneyOut", "closingBalance")
        )
        assert opening + grown - shrunk == closing, day
    assert days[-1]["closingBalance"] == "70.50"


@settings(max_examples=15, deadline=None)
@given_(
    moves=st.lists(
        st.tuples(st.sampled_from(MOVES), st.integers(1, 10**8), st.integers(0, 700)), max_size=12
    )
)
def test_any_days_join_as_the_statements_standings_do(app: Flask, moves: list[Any]):
    """Two readings of one book: the sums of the days, and the balances at their ends."""
    with rolled_back(app):
        unlock()
        actor, other = make_actor(app, "Dora"), make_actor(app, "Emil", funded="200")
        opened(actor.id, on(1, 0))
        hands = Hands(actor.id, other.id)
        for name, micro, hours in sorted(moves, key=lambda move: move[2]):
            getattr(hands, name)(Usdc(micro), on(1, 1) + timedelta(hours=hours))
        with clock.frozen(LATER):
            days = service.days(actor.id, 366)
        moments = [*(day.begins for day in days), LATER]
        standings = queries.book(actor.id).standings(moments)
        assert [day.opening for day in days] == [one.balance for one in standings[:-1]]
        assert [day.closing for day in days] == [one.balance for one in standings[1:]]


def test_a_day_is_one_of_the_readers_zone_and_may_have_23_hours(carol: Actor):
    """Berlin's clocks jumped at 01:00 UTC on 29 March 2026: its day ended at 22:00 UTC."""
    live_in(carol, "Europe/Berlin")
    given(carol, "1", on(28, 23, 30))
    given(carol, "2", on(29, 21, 59))
    given(carol, "4", on(29, 22))

    days = {day["day"]: day for day in history(carol, 3)}

    assert days["2026-03-29"]["beginsAt"] == "2026-03-28T23:00:00Z"
    assert days["2026-03-30"]["beginsAt"] == "2026-03-29T22:00:00Z"
    assert [day["openingBalance"] for day in days.values()] == ["0.00", "3.00", "7.00"]


def test_there_is_no_day_before_the_account(carol: Actor):
    days = history(carol, 366)
    assert (days[0]["day"], len(days)) == ("2026-02-20", 40)
    assert history(carol, 1)[0]["day"] == "2026-03-31"


def test_what_is_no_number_of_days_is_refused(carol: Actor):
    for days in ("0", "367", "-1", "x", "1.5"):
        refused(carol.get(f"/client/balance/history?days={days}"), 400, "validation_error")


def test_the_last_day_closes_with_what_there_is(carol: Actor, alice: Actor):
    given(carol, "42.42", on(30, 1))
    asked = carol.get("/client/balance/history?format=csv&days=2", buffered=True)
    sheet = asked.get_data(as_text=True)
    assert sheet.splitlines()[-1].endswith(",42.42,0.00,0.00,42.42")
    assert history(alice, 1, clock.now())[-1]["closingBalance"] == "1000.00"
