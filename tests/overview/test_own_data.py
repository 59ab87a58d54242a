"""Balance, dashboard and fees: a caller's own, in exact text."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.actors import Actor
from tests.payouts.orders import withdraw
from tests.refusals import refused

PATHS = ("/client/balance", "/client/dashboard", "/client/fees")


def _numbers(value: Any, name: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [found for key, one in value.items() for found in _numbers(one, key)]
    if isinstance(value, list):
        return [found for one in value for found in _numbers(one, name)]
    return [(name, value)] if isinstance(value, int | float) else []


@pytest.mark.checklist(58)
@pytest.mark.parametrize("path", PATHS)
def test_nobody_can_ask_for_somebody_else(alice: Actor, bob: Actor, path: str):
    own = alice.get(path).get_json()

    assert alice.get(path, headers={"X-User-Id": bob.id}).get_json() == own
    for name in ("userId", "user", "id"):
        refused(alice.get(path, query_string={name: bob.id}), 400, "validation_error")


@pytest.mark.checklist(58)
def test_what_one_does_changes_what_the_sides_see_alone(alice: Actor, bob: Actor, mallory: Actor):
    before = mallory.get("/client/dashboard").get_json()

    alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": 25})
    withdraw(alice, 50)

    assert mallory.get("/client/dashboard").get_json() == before
    assert alice.get("/client/balance").get_json()["balanceUsdc"] == "924.95"
    assert bob.get("/client/balance").get_json()["balanceUsdc"] == "25.00"
    lines = alice.get("/client/dashboard").get_json()["recentActivity"]
    assert [(line["type"], line["amount"]) for line in lines] == [
        ("WITHDRAWAL", "50.00"),
        ("TRANSFER", "25.00"),
    ]


@pytest.mark.checklist(60)
def test_the_61st_read_over_all_three_is_one_too_many(alice: Actor, rates: Callable[..., None]):
    rates(read="60 per minute")
    for number in range(60):
        assert alice.get(PATHS[number % 3]).status_code == 200

    for path in PATHS:
        refused(alice.get(path), 429, "rate_limited")


@pytest.mark.checklist(61)
def test_money_is_text_and_limits_are_whole(alice: Actor, bob: Actor):
    alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": "0.000001"})
    answers = {path: alice.get(path).get_json() for path in PATHS}

    assert answers["/client/balance"]["balanceUsdc"] == "999.999999"
    assert all(type(value) is bool for _, value in _numbers(answers["/client/dashboard"]))
    assert _numbers(answers["/client/balance"]) == []
    assert _numbers(answers["/client/fees"]) == [
        ("maxSingleWithdrawal", 10000),
        ("dailyWithdrawalLimit", 50000),
        ("withdrawalCooldownSec", 60),
        ("level", 0),
    ]
