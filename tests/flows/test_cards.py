"""Card callbacks as they come in real life: twice, late, never, and from strangers."""

import json
import re
from dataclasses import dataclass

import psycopg
import pytest
import requests
from standardwebhooks import Webhook

from protonpay.cards.registry import PROVIDERS
from protonpay.sandbox.freedompay.messages import pg_sig
from tests.flows.city import City
from tests.patience import until
from tests.simulators import Simulator

pytestmark = pytest.mark.slow


@dataclass
class Price:
    """What is paid and what it is worth, a fifth given back, what is left, and the rest."""

    amount: str
    currency: str
    usdc: str
    refund: str
    left: str
    chargeback: str


PRICES = {
    "tap": Price("25.00", "usd", "25.00", "5.00", "20.00", "20.00"),
    "yookassa": Price("8123.45", "rub", "100.00", "1624.69", "80.00", "6498.76"),
    "freedompay": Price("52631", "kzt", "100.00", "10526.20", "80.00", "42104.80"),
}
EACH = pytest.mark.parametrize("provider", PROVIDERS)


def _simulator(city: City, provider: str) -> Simulator:
    simulator: Simulator = getattr(city.parts, provider)
    return simulator


def _open(city: City, provider: str = "tap", **script: object):
    user, price = city.resident("Payer"), PRICES[provider]
    opened = user.post(
        "/client/deposit/card", amount=price.amount, currency=price.currency, provider=provider
    )
    payment = opened["url"].rpartition("/")[2]
    if script:
        _simulator(city, provider).pull(f"payments/{payment}/script", **script)
    return user, opened, payment


def _its_time_comes(city: City, opened) -> None:
    """Let the next look at a deposit, which may be a day away, be due; or find the last one over.

    YooKassa tells of what was given back, so that there may be nothing left to look for.
    """
    its = "FROM outbox WHERE job = 'deposits.card_check' AND args = %s::jsonb"
    sooner = (
        f"UPDATE outbox SET due_at = now() WHERE id IN (SELECT id {its})"
        # Not while a look is at work: it says itself when the next one is.
        " AND leased_until IS NULL AND due_at > now() + interval '1 minute' AND done_at IS NULL"
    )
    which = (json.dumps({"deposit_id": opened["deposit"]["id"]}),)

    def moved() -> bool:
        with psycopg.connect(city.environ["DATABASE_URL"]) as connection:
            if connection.execute(sooner, which).rowcount == 1:
                return True
            over = connection.execute(f"SELECT done_at IS NOT NULL {its}", which).fetchone()
            return over == (True,)

    until(moved, 60)


def _come_back(city: City, opened) -> None:
    page = requests.get(f"{city.web}/deposits/{opened['deposit']['id']}", timeout=10)
    assert page.status_code == 200


def _state(user, opened) -> str:
    return user.get(f"/client/deposit/{opened['deposit']['id']}")["deposit"]["status"]


def test_every_provider_has_a_price_here():
    assert set(PRICES) == set(PROVIDERS)


@EACH
def test_paid_credited_and_told_then_given_back_and_told(city: City, provider: str):
    price, simulator = PRICES[provider], _simulator(city, provider)
    user, opened, payment = _open(city, provider)
    secret = city.subscribe(user, "deposit.card.success", "deposit.card.refunded")

    city.press(opened["url"], "paid")

    until(lambda: user.balance == price.usdc, 30)
    until(lambda: len(city.inbox.of(user.id)) == 1, 30)
    simulator.pull(f"payments/{payment}/refund", amount=price.refund)
    _its_time_comes(city, opened)
    until(lambda: _state(user, opened) == "PARTIALLY_REFUNDED", 60)
    assert user.balance == price.left
    simulator.pull(f"payments/{payment}/chargeback", amount=price.chargeback)
    _its_time_comes(city, opened)
    until(lambda: _state(user, opened) == "REFUNDED", 60)
    assert user.balance == "0.00"

    told = until(lambda: all_ if len(all_ := city.inbox.of(user.id)) == 3 else None, 60)
    for headers, body in told:
        Webhook(secret).verify(body, dict(headers))
    events = [json.loads(body) for _, body in told]
    assert [event["event"] for event in events] == [
        "deposit.card.success",
        "deposit.card.refunded",
        "deposit.card.refunded",
    ]
    assert {event["data"]["id"] for event in events} == {opened["deposit"]["id"]}
    assert events[0]["data"]["amount"] == events[2]["data"]["refundedAmount"] == price.usdc
    assert city.books_are_sound()


@pytest.mark.checklist(67)
@EACH
def test_a_callback_that_comes_twenty_times_at_once_credits_once(city: City, provider: str):
    user, opened, payment = _open(city, provider, copies=20, at_once=True)

    city.press(opened["url"], "paid")
    _come_back(city, opened)

    until(lambda: user.balance == PRICES[provider].usdc, 30)
    sent = lambda: _simulator(city, provider).look("callbacks", payment=payment)  # noqa: E731
    until(lambda: [len(one["attempts"]) for one in sent()] == [1] * 20, 30)
    assert user.balance == PRICES[provider].usdc
    assert [line["type"] for line in user.get("/client/activity")["activity"]] == ["DEPOSIT"]
    assert city.books_are_sound()


def test_roubles_are_quoted_paid_and_credited_at_the_rate_of_their_order(city: City):
    user = city.resident("Payer")
    opened = user.post(
        "/client/deposit/card", amount="8123.45", currency="rub", provider="yookassa"
    )
    city.parts.rates.pull("rates", RUB="200")  # whatever happens to the rate meanwhile

    city.press(opened["url"], "paid")

    until(lambda: user.balance != "0.00", 30)
    city.parts.rates.pull("rates", RUB="81.2345")
    deposit = user.get(f"/client/deposit/{opened['deposit']['id']}")["deposit"]
    assert (deposit["status"], deposit["amount"]) == ("CONFIRMED", user.balance)
    assert user.balance == "100.00"
    assert city.books_are_sound()


def test_tenge_are_credited_and_freedompay_is_answered_in_its_own_words(city: City):
    user = city.resident("Payer")
    opened = user.post(
        "/client/deposit/card", amount="52631", currency="kzt", provider="freedompay"
    )
    payment = opened["url"].rpartition("/")[2]

    city.press(opened["url"], "paid")

    until(lambda: user.balance == "100.00", 30)
    sent = until(lambda: city.parts.freedompay.look("callbacks", payment=payment), 30)
    answer = until(lambda: sent[0]["attempts"] and sent[0]["attempts"][0]["answer"], 30)
    fields = re.findall(r"<(pg_[a-z_]+)>([^<]*)</", answer)
    signed = pg_sig("freedompay", fields, "secret_of_the_flows")
    assert dict(fields)["pg_status"] == "ok"
    assert dict(fields)["pg_sig"] == signed
    assert city.books_are_sound()


def test_a_declined_card_credits_nothing(city: City):
    user, opened, _ = _open(city)

    city.press(opened["url"], "declined")

    until(lambda: _state(user, opened) == "FAILED", 30)
    assert user.balance == "0.00"


def test_a_payment_that_succeeds_after_it_was_told_expired_is_credited(city: City):
    user, opened, charge = _open(city)
    city.tap.pull("clock", advance_seconds=3600)
    _come_back(city, opened)
    until(lambda: _state(user, opened) == "EXPIRED", 30)

    city.tap.pull(f"payments/{charge}/outcome", outcome="paid")

    until(lambda: user.balance == "25.00", 30)
    assert _state(user, opened) == "CONFIRMED"


def test_without_a_callback_the_browser_that_comes_back_is_enough(city: City):
    user, opened, _ = _open(city, drop=True)
    city.press(opened["url"], "paid")

    _come_back(city, opened)

    until(lambda: user.balance == "25.00", 30)


def test_a_forged_callback_is_refused_and_changes_nothing(city: City):
    user, opened, charge = _open(city)
    body = {
        "id": charge,
        "object": "charge",
        "status": "CAPTURED",
        "amount": 25.0,
        "currency": "USD",
        "reference": {"gateway": "1", "payment": "2"},
        "transaction": {"created": "1791180000000"},
    }

    answer = requests.post(
        f"{city.api}/callbacks/tap",
        data=json.dumps(body),
        headers={"hashstring": "0" * 64, "Content-Type": "application/json"},
        timeout=10,
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "forged_callback")
    assert (user.balance, _state(user, opened)) == ("0.00", "PENDING")
