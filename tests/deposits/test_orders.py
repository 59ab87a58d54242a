"""POST /client/deposit/card and the callbacks behind it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from protonpay.cards import registry
from protonpay.cards.registry import PROVIDERS, card_providers
from protonpay.deposits import settling
from protonpay.deposits.models import Deposit
from protonpay.fx.http_rates import HttpRates
from protonpay.fx.pegs import PEGS
from protonpay.fx.service import rates
from protonpay.kernel import clock
from protonpay.kernel.fiat import EXPONENTS, FiatAmount, Rate
from protonpay.kernel.money import ZERO
from protonpay.rails import service as rails
from protonpay.store.db import db
from tests.actors import Actor
from tests.contract.card_simulators import PLAYED
from tests.deposits.till import Till, stored
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

pytestmark = pytest.mark.slow

NO_AMOUNTS = [
    "0", "-1", "-0", "1e2", '"1e2"', "NaN", "Infinity", '"NaN"', "true", "null", "[]", "{}",
    '"\uff11\uff10\uff10"', '"1_000"', "1000000000000000000", "100.00000000000000001",
    '" 1"', '""', '"+1"',
    '"0x10"', "0.0001", '"0.0"', '"1."', '".5"', '"01"',
]  # fmt: skip
"""As JSON text."""


def payments(till: Till) -> int:
    return len(till.simulator.look("payments"))


def unpaid_for(till: Till, do: Callable[[], None]) -> None:
    """Assert that nothing is written and the provider has made nothing."""
    before = payments(till)
    with nothing_changes():
        do()
    assert payments(till) == before


def test_the_answer_says_what_was_quoted(till: Till, bob: Actor):
    before = clock.now()
    with only_changes("deposits", "outbox"):
        answer = till.order(bob)
    body = answer.get_json()
    assert (answer.status_code, list(body)) == (200, ["url", "deposit"])
    deposit = body["deposit"]
    row = stored(deposit["id"])
    assert deposit["paidAmount"] == str(row.fiat) == str(FiatAmount.parse("120.50", till.currency))
    assert deposit["rate"] == str(Rate(row.rate_scaled))
    assert deposit["rateSource"] == ("peg" if till.currency in PEGS else "127.0.0.1")
    assert abs((before - row.rated_at).total_seconds()) < 60
    assert deposit["ratedAt"] == clock.to_text(row.rated_at)
    assert deposit["quotedAmount"] == str(Rate(row.rate_scaled).to_usdc(row.fiat))
    assert (deposit["commission"], deposit["amount"]) == ("0.00", deposit["quotedAmount"])
    assert (deposit["status"], deposit["refundedAmount"]) == ("PENDING", "0.00")
    assert bob.get(f"/client/deposit/{deposit['id']}").get_json()["deposit"] == deposit


def test_while_a_provider_is_paused_no_page_is_opened_and_what_was_begun_is_credited(
    till: Till, bob: Actor
):
    begun = till.paid(bob)
    rails.pause(till.name, reason="a look at the books", by="olga")

    unpaid_for(till, lambda: refused(till.order(bob), 503, "provider_unavailable"))
    till.ask(begun)
    assert stored(begun.id).state == "CONFIRMED"

    rails.resume(till.name, reason="all is well", by="olga")
    assert till.order(bob).status_code == 200


@pytest.mark.checklist(62)
@pytest.mark.parametrize("amount", NO_AMOUNTS)
def test_what_is_no_amount_is_refused(till: Till, bob: Actor, amount: str):
    body = f'{{"amount":{amount},"currency":"{till.currency}","provider":"{till.name}"}}'

    def ask() -> None:
        answer = bob.call(
            "POST", "/client/deposit/card", data=body.encode(), content_type="application/json"
        )
        assert answer.status_code == 400, answer.get_json()

    unpaid_for(till, ask)


@pytest.mark.checklist(62)
def test_one_decimal_too_many_for_each_currency(till: Till, bob: Actor):
    for currency in sorted(registry.currencies(till.name)):
        amount = "1." + "0" * EXPONENTS[currency] + "1"
        unpaid_for(
            till,
            lambda c=currency, a=amount: refused(
                till.order(bob, a, currency=c), 400, "invalid_amount"
            ),
        )


@pytest.mark.checklist(63)
@pytest.mark.parametrize("provider", ["stripe", "TAP ", "__proto__", "../tap", "Tap"])
def test_an_unknown_provider_is_refused(till: Till, bob: Actor, provider: str):
    unpaid_for(
        till, lambda: refused(till.order(bob, provider=provider), 400, "unsupported_provider")
    )


@pytest.mark.checklist(63)
def test_a_provider_without_credentials_is_unavailable(house: Flask, bob: Actor):
    before = card_providers._settings
    card_providers.bind(dict.fromkeys(PROVIDERS), live=False)
    try:
        for name in PROVIDERS:
            order = {"amount": 1, "currency": min(registry.currencies(name)), "provider": name}
            with nothing_changes():
                refused(bob.post("/client/deposit/card", order), 503, "provider_not_configured")
    finally:
        card_providers.bind(before or {}, live=False)


@pytest.mark.checklist(64)
@pytest.mark.parametrize("currency", ["xyz", "EUR", "usdc", "u", "\uff35\uff33\uff24", "GBP"])
def test_a_currency_the_provider_does_not_take_is_refused(till: Till, bob: Actor, currency: str):
    def ask() -> None:
        assert till.order(bob, currency=currency).status_code == 400

    unpaid_for(till, ask)


@pytest.mark.checklist(64)
def test_every_provider_refuses_the_others_currencies_and_takes_its_own(till: Till, bob: Actor):
    for currency in EXPONENTS:
        for spelled in (currency, currency.lower()):
            if currency in registry.currencies(till.name):
                assert till.order(bob, currency=spelled).status_code == 200
            else:
                with nothing_changes():
                    refused(till.order(bob, currency=spelled), 400, "unsupported_currency")


@pytest.mark.checklist(65)
def test_the_page_is_the_providers(till: Till, bob: Actor):
    page = urlsplit(till.order(bob).get_json()["url"])
    assert page.hostname == urlsplit(till.simulator.url).hostname


FORGERIES: dict[str, dict[str, Any]] = {
    "another amount": {"amount": "999.00"},
    "another currency": {"currency": None},
    "another order": {"reference": "cmnobody00000000000000000"},
    "the other mode": {"live": True},
}

DIFFERS = {
    "another amount": "amount",
    "another currency": "amount",
    "another order": "reference",
    "the other mode": "mode",
}


@pytest.mark.checklist(66)
@pytest.mark.parametrize("what", FORGERIES)
def test_a_payment_that_is_not_as_ordered_credits_nobody(till: Till, bob: Actor, what: str):
    deposit = till.paid(bob)
    # Who takes one currency only might still say another.
    other = max(registry.currencies(till.name) - {till.currency}, default="USD")
    said = {name: value or other for name, value in FORGERIES[what].items()}
    till.pull(deposit, "alter", **said)
    till.ask(deposit)
    assert bob.available == ZERO
    assert stored(deposit.id).state == "REVIEW"
    assert list(stored(deposit.id).differences or {}) == [DIFFERS[what]]
    with nothing_changes():
        till.ask(deposit)


@pytest.mark.checklist(66)
def test_a_forged_callback_changes_nothing(till: Till, bob: Actor):
    if not PLAYED[till.name].signed:
        # Nothing to forge: a callback is only a reason to ask, and the provider is asked.
        assert till.paid(bob).state == "PENDING"
        return
    till.paid(bob, drop=False, delay_ms=0, signature="wrong")
    (callback,) = till.told()
    with nothing_changes():
        assert till.deliver(callback).status_code == 400
        assert till.deliver(callback, data=b"{}").status_code == 400
        assert till.deliver(callback, data=b"").status_code == 400
    assert bob.available == ZERO


@pytest.mark.checklist(66)
def test_reading_the_callback_address_is_no_callback(till: Till):
    with nothing_changes():
        assert till.door.get(till.callbacks).status_code == 405


@pytest.mark.checklist(66)
def test_a_callback_to_nobody_is_refused(till: Till):
    with nothing_changes():
        assert till.door.post("/api/callbacks/stripe", data=b"{}").status_code == 400


@pytest.mark.checklist(66, 67)
def test_twice_told_is_credited_once(till: Till, bob: Actor):
    deposit = till.paid(bob, drop=False, delay_ms=0)
    (callback,) = till.told()
    with only_changes("provider_callbacks", "outbox"):
        assert till.deliver(callback).status_code == 200
    with nothing_changes():
        assert till.deliver(callback).status_code == 200
    till.ask(deposit)
    credited = bob.available
    assert credited == stored(deposit.id).credited
    with nothing_changes():
        till.ask(deposit)
        settling.check(deposit.id)
    assert bob.available == credited


@pytest.mark.checklist(67)
def test_paid_then_failed_takes_nothing_back(till: Till, bob: Actor):
    deposit = till.credited(bob)
    word = till.simulator.look("words")["declined"]
    till.pull(deposit, "alter", status=word)
    with nothing_changes():
        till.ask(deposit)
    assert stored(deposit.id).state == "CONFIRMED"


@pytest.mark.checklist(68)
@pytest.mark.parametrize("fault", ["status", "html", "reset", "truncate", "unreadable"])
def test_a_provider_that_does_not_answer_is_503_and_shows_nobody_a_page(
    till: Till, bob: Actor, fault: str
):
    till.simulator.pull("faults", fault=fault, call="*", status=500)
    with only_changes("deposits", "outbox"):
        answer = till.order(bob)
    refused(answer, 503, "provider_unavailable")
    assert answer.headers["Retry-After"]
    (deposit,) = db.session.scalars(select(Deposit).where(Deposit.user_id == bob.id))
    assert (deposit.state, deposit.page_url, deposit.provider_ref) == ("PENDING", None, None)
    assert bob.available == ZERO


@pytest.mark.checklist(68)
def test_a_provider_that_is_gone_is_503(till: Till, bob: Actor):
    before = card_providers._settings or {}
    gone = dict(PLAYED[till.name].settings("http://127.0.0.1:9"))
    card_providers.bind({**before, till.name: gone}, live=False)
    refused(till.order(bob), 503, "provider_unavailable")
    card_providers.bind(before, live=False)


# Rates: before anything is written, and with nothing at the provider


def without_a_peg(till: Till) -> str | None:
    return min(registry.currencies(till.name) - PEGS.keys(), default=None)


def _old(till: Till) -> None:
    till.market.pull("age", seconds=901)


def _silent(till: Till) -> None:
    till.market.pull("faults", fault="status", status=500)


def _absent(till: Till) -> None:
    till.market.pull("rates", **{without_a_peg(till) or "": None})


def _zero(till: Till) -> None:
    till.market.pull("rates", **{without_a_peg(till) or "": "0"})


def _absurd(till: Till) -> None:
    till.market.pull("rates", **{without_a_peg(till) or "": "999999"})


@pytest.mark.parametrize("broken", [_old, _silent, _absent, _zero, _absurd])
def test_without_a_rate_nothing_is_begun(till: Till, bob: Actor, broken):
    currency = without_a_peg(till)
    assert currency is not None
    usual = till.market.pull("rates")[currency]
    broken(till)
    rates.bind(HttpRates(f"{till.market.url}/latest.json"))
    try:
        unpaid_for(
            till, lambda: refused(till.order(bob, currency=currency), 503, "rate_unavailable")
        )
    finally:
        till.market.pull("rates", **{currency: usual})
        till.market.pull("age", seconds=0)


def test_without_a_source_only_pegged_currencies_have_a_price(till: Till, bob: Actor):
    rates.bind(None)
    for currency in sorted(registry.currencies(till.name)):
        answer = till.order(bob, currency=currency)
        if currency in PEGS:
            assert answer.get_json()["deposit"]["rateSource"] == "peg"
        else:
            refused(answer, 503, "rate_unavailable")


def test_a_rate_that_changes_later_changes_no_deposit(till: Till, bob: Actor):
    currency = without_a_peg(till) or till.currency
    answer = till.order(bob, currency=currency)
    deposit = stored(answer.get_json()["deposit"]["id"])
    rates.bind(None)
    till.simulator.pull(f"payments/{deposit.provider_ref}/outcome", outcome="paid")
    till.ask(deposit)
    assert str(bob.available) == answer.get_json()["deposit"]["amount"]


def test_the_database_counts_one_deposit_per_order(till: Till, bob: Actor):
    for _ in range(3):
        till.order(bob)
    mine = select(func.count()).select_from(Deposit).where(Deposit.user_id == bob.id)
    assert db.session.scalar(mine) == 3
