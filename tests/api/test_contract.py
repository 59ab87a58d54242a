"""The API document replayed: each call as it is written, each answer member by member."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from protonpay.cards import registry
from protonpay.cards.registry import card_providers
from protonpay.chains.registry import NETWORKS
from protonpay.kernel import events
from protonpay.store.db import db
from protonpay.store.events import EventRow
from protonpay.web import errors
from tests.actors import Actor
from tests.api import contract, world
from tests.api.contract import Call, calls, section
from tests.api.shapes import differences
from tests.plans.of_a_kind import on_plan
from tests.simulators import Simulator, running

_TAP_KEY = "sk_test_of_the_document"

EXACT = {
    "POST /auth/login": {"user": {"email": "john@example.com", "balanceUsdc": "1250.00"}},
    "GET /client/balance": {"balanceUsdc": "1250.00"},
    "GET /client/dashboard": {"balance": "1250.00"},
    "POST /client/withdraw": {"payout": {"amount": "50.00", "fee": "0.50"}},
    "POST /client/transfer": {"newBalance": "1225.00"},
    "POST /client/invoices": {"invoice": {"amount": "50.00", "status": "PENDING"}},
}
"""What the example's own numbers make of an account of 1,250 USDC on a plan with a fee of 1 %."""

UNLINKED = {"GET /client/balance": ("walletAddress", "walletNetwork")}
"""Null while no wallet is linked."""


@pytest.fixture(scope="module")
def tap() -> Iterator[Simulator]:
    with running("protonpay.sandbox.tap", "--secret-key", _TAP_KEY) as simulator:
        yield simulator


@pytest.fixture
def john(house: Flask, tap: Simulator) -> Iterator[Actor]:
    """The document's user: 1,250 USDC, of which a deposit on Solana is one part."""
    made_before = card_providers._settings
    card_providers.bind({"tap": {"base_url": f"{tap.url}/v2", "secret_key": _TAP_KEY}}, live=False)
    try:
        yield world.john(house)
    finally:
        card_providers.bind(made_before or {}, live=False)


def sent(call: Call, john: Actor) -> Any:
    """The documented request, with real values for what it abbreviates or takes for granted."""
    body = dict(call.request or {})
    if call.name == "POST /auth/register":
        body["email"] = "john.doe@example.com"  # john@example.com is registered: he is john
    if "refreshToken" in body:
        body["refreshToken"] = john.refresh_token
    if "walletAddress" in body:
        body["walletAddress"] = world.WALLET
    return body or None


@pytest.mark.parametrize("call", calls().values(), ids=list(calls()))
def test_the_call_is_answered_as_it_is_documented(john: Actor, client: FlaskClient, call: Call):
    ask = client if call.path.startswith("/auth") else None
    if call.name == "POST /client/withdraw":
        # The example's fee of 0.50 on 50 is a plan's with one per cent and nothing flat.
        nothing_flat = json.dumps(dict.fromkeys(NETWORKS, 0))
        on_plan(john, withdrawal_fee_bps=100, withdrawal_fees=nothing_flat)
    body = sent(call, john)
    if ask is None:
        answer = john.call(call.method, call.path, json=body)
    else:
        answer = ask.open(f"/api{call.path}", method=call.method, json=body)

    assert answer.status_code == call.status, answer.get_data(as_text=True)
    assert answer.content_type == "application/json"
    documented = dict(call.answer)
    said = answer.get_json()
    for member in UNLINKED.get(call.name, ()):
        assert said[member] is None
        del documented[member]
    if call.name == "POST /auth/register":
        documented["user"] = documented["user"] | {"email": "john.doe@example.com"}
    assert differences(documented, said) == []
    assert contained(EXACT.get(call.name, {}), said)


def contained(exact: Any, said: Any) -> bool:
    """Whether these members have exactly these values."""
    if isinstance(exact, dict):
        return all(contained(value, said[name]) for name, value in exact.items())
    return bool(exact == said)


def test_every_call_of_the_document_is_among_those_replayed():
    assert list(calls()) == [
        "POST /auth/register",
        "POST /auth/login",
        "POST /auth/refresh",
        "GET /client/balance",
        "GET /client/dashboard",
        "POST /client/deposit/card",
        "POST /client/withdraw",
        "POST /client/transfer",
        "GET /client/activity",
        "GET /client/fees",
        "POST /client/api-keys",
        "POST /client/webhooks",
        "POST /client/invoices",
    ]


def test_the_networks_are_those_documented():
    stated = section("Supported Networks", "Card Payment Providers")
    assert stated[::3] == list(NETWORKS)
    assert stated[1::3] == ["USDC (SPL)", "USDC (ERC-20)", "USDC (ERC-20)"]


def test_the_card_providers_and_their_currencies_are_those_documented():
    stated = section("Card Payment Providers", "Webhook Events")
    for title, currencies, usage in zip(stated[::3], stated[1::3], stated[2::3], strict=True):
        name = usage.split('"')[1]
        assert registry.currencies(name) == set(currencies.split(", ")), title
    assert len(stated) == 3 * len(registry.PROVIDERS)


def test_the_events_are_those_documented_and_each_can_be_subscribed_to(john: Actor):
    stated = section("Webhook Events", "Webhook Payload Example")[1:]
    names = {name for line in stated for name in events.DOCUMENTED if line.startswith(name)}
    assert names == set(events.DOCUMENTED)
    assert len(stated) == len(names)
    body = {"url": "https://yourapp.com/webhooks/all", "events": sorted(names)}
    assert john.post("/client/webhooks", body).status_code == 200


def test_the_payload_is_as_documented(john: Actor):
    example = contract.payload_example()
    (core,) = db.session.scalars(select(EventRow.core).where(EventRow.user_id == john.id))
    said = json.loads(events.signed_body(core, "whsec_x"))
    assert list(said) == list(example)
    assert list(said["data"]) == list(example["data"])
    assert differences(example | {"signature": said["signature"]}, said) == []
    assert (said["event"], said["data"]["amount"], said["data"]["status"]) == (
        *("deposit.confirmed", "100.00", "CONFIRMED"),
    )


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ("Authentication endpoints5 req/min per IP", "rate_limit_auth"),
        ("Client read endpoints (GET)60 req/min", "rate_limit_read"),
        ("Client write endpoints (POST/PUT/DELETE)30 req/min", "rate_limit_write"),
    ],
)
def test_the_rates_are_those_documented(settings: dict[str, str], line: str, setting: str):
    assert line in section("Rate Limits", "Error Codes")
    plain = {name: value for name, value in settings.items() if not name.startswith("RATE_LIMIT")}
    amount = "".join(filter(str.isdigit, line))
    assert getattr(Config.load(plain), setting) == f"{amount} per minute"


def test_the_statuses_are_those_documented():
    stated = {int(line[:3]) for line in section("Error Codes")[1:]}
    assert set(errors.STATUS.values()) == stated - {500}


def test_withdrawals_wait_as_documented(john: Actor):
    assert "Withdrawal cooldown60 seconds" in section("Rate Limits", "Error Codes")
    order = {"amount": 1, "walletAddress": world.WALLET, "network": "Solana"}
    assert john.post("/client/withdraw", order).status_code == 200
    again = john.post("/client/withdraw", order)
    assert again.status_code == 409
    assert 0 < int(again.headers["Retry-After"]) <= 60
