"""POST /client/deposit/quote: what a card deposit would bring, and who takes it."""

from typing import Any

import pytest

from protonpay.cards.registry import card_providers
from tests.actors import Actor
from tests.invoices.by_card import tap, tap_simulator
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.simulators import Simulator
from tests.unchanged import nothing_changes

__all__ = ["tap", "tap_simulator"]


def ask(actor: Actor, amount: Any, currency: str) -> Any:
    return actor.post("/client/deposit/quote", {"amount": amount, "currency": currency})


def test_what_is_quoted_is_what_is_written_down(alice: Actor, tap: Simulator):
    on_plan(alice, deposit_commission_bps=150)
    with nothing_changes():
        quote = ask(alice, "367.25", "aed")
    told = quote.get_json()["quote"]
    assert told["providers"] == ["tap"]
    order = {"amount": "367.25", "currency": "aed", "provider": "tap"}
    made = alice.post("/client/deposit/card", order).get_json()["deposit"]
    same = ("paidAmount", "paidCurrency", "rate", "rateSource", "quotedAmount", "commission")
    assert {name: told[name] for name in (*same, "amount")} == {
        name: made[name] for name in (*same, "amount")
    }
    assert (told["quotedAmount"], told["commission"], told["amount"]) == ("100.00", "1.50", "98.50")


def test_nobody_takes_what_is_not_set_up(alice: Actor, tap: Simulator):
    card_providers.bind({}, live=False)
    told = ask(alice, 10, "USD").get_json()["quote"]
    assert (told["providers"], told["amount"]) == ([], "10.00")


@pytest.mark.parametrize(
    ("amount", "currency", "status", "code"),
    [
        ("10", "XXX", 400, "unsupported_currency"),
        ("10.005", "USD", 400, "invalid_amount"),
        ("0", "USD", 400, "invalid_amount"),
        ("ten", "USD", 400, "invalid_amount"),
        ("9223372036854.78", "USD", 400, "invalid_amount"),
        ("10", "EGP", 503, "rate_unavailable"),
    ],
)
def test_what_cannot_be_quoted(alice: Actor, amount: str, currency: str, status: int, code: str):
    with nothing_changes():
        refused(ask(alice, amount, currency), status, code)
