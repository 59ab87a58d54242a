"""Card callbacks as they come in real life: twice, late, never, and from strangers."""

import json
import re

import pytest
import requests

from protonpay.sandbox.freedompay.messages import pg_sig
from tests.flows.city import City
from tests.patience import until

pytestmark = pytest.mark.slow


def _open(city: City, **script: object):
    user = city.resident("Payer")
    opened = user.post("/client/deposit/card", amount=25, currency="usd", provider="tap")
    charge = opened["url"].rpartition("/")[2]
    if script:
        city.tap.pull(f"payments/{charge}/script", **script)
    return user, opened, charge


def _come_back(city: City, opened) -> None:
    page = requests.get(f"{city.web}/deposits/{opened['deposit']['id']}", timeout=10)
    assert page.status_code == 200


def _state(user, opened) -> str:
    return user.get(f"/client/deposit/{opened['deposit']['id']}")["deposit"]["status"]


@pytest.mark.checklist(67)
def test_a_callback_that_comes_twenty_times_at_once_credits_once(city: City):
    user, opened, charge = _open(city, copies=20, at_once=True)

    city.press(opened["url"], "paid")

    until(lambda: user.balance == "25.00", 30)
    until(lambda: len(city.tap.look("callbacks", payment=charge)) >= 20, 30)
    assert user.balance == "25.00"
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
