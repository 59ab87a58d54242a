"""A fourth network by settings alone: one line, and money comes in and goes out on it."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import requests
from eth_account import Account
from standardwebhooks import Webhook

from protonpay.sandbox import evm_outside
from tests.flows.city import City, founded
from tests.patience import until

pytestmark = pytest.mark.slow

ADDED = {
    "name": "Sepolia",
    "chainId": 84532,
    "usdc": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
    "withdrawalFee": "0.03",
}


@pytest.fixture
def city(
    services: Any,
    settings: dict[str, str],
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[City]:
    """A city with one network more."""
    folder = tmp_path_factory.mktemp("fourth")
    with founded(services, settings, template, folder, number=2, added=ADDED) as running:
        yield running


def test_a_network_that_only_the_settings_know(city: City):
    """One test, for each city takes its time."""
    _money_comes_in_and_goes_out(city)
    _it_stands_everywhere_beside_the_three(city)
    assert city.books_are_sound()


def _money_comes_in_and_goes_out(city: City) -> None:
    user, wallet = city.resident("Settler"), Account.create().address
    secret = city.subscribe(user, "deposit.confirmed", "payout.completed")
    usdc = str(ADDED["usdc"])

    place = user.post("/client/deposit/crypto", network="Sepolia")["deposit"]
    base = user.post("/client/deposit/crypto", network="Base")["deposit"]
    assert place["address"] == base["address"]
    assert (place["usdc"], place["uri"].partition("?")[0]) == (
        usdc,
        f"ethereum:{usdc}@84532/transfer",
    )
    paid = evm_outside.send_usdc(city.parts.nodes["Sepolia"], usdc, place["address"], 12_345_678)
    until(lambda: user.balance == "12.345678", 60)

    order = {"amount": 5, "walletAddress": wallet, "network": "Sepolia"}
    ordered = user.post("/client/withdraw", **order)
    final = user.wait_for_end(ordered["payout"]["id"])

    assert (final["status"], final["fee"], final["network"]) == ("COMPLETED", "0.03", "Sepolia")
    assert city.on_chain("Sepolia", wallet) == 5_000_000
    assert city.on_chain("Base", wallet) == 0
    assert user.balance == "7.315678"
    events = until(lambda: city.inbox.of(user.id)[1:] and city.inbox.of(user.id), 30)
    for headers, body in events:
        Webhook(secret).verify(body, dict(headers))
    told = {json.loads(body)["event"]: json.loads(body)["data"] for _, body in events}
    assert told["deposit.confirmed"]["txHash"] == paid
    assert {one["network"] for one in told.values()} == {"Sepolia"}
    city.flask("ops", "sweep", "--network", "Sepolia", "--everything")
    until(lambda: city.on_chain("Sepolia", place["address"]) == 0, 60)


def _it_stands_everywhere_beside_the_three(city: City) -> None:
    user, four = city.resident("Looker"), ["Solana", "Base", "Polygon", "Sepolia"]

    fees = user.get("/client/fees")["fees"]["withdrawal"]
    assert (list(fees), fees["Sepolia"]) == (four, "0.03 USDC")
    refused = user.call("POST", "/client/deposit/crypto", {"network": "Nowhere"})
    assert refused.json()["code"] == "unsupported_network"
    assert refused.json()["detail"] == "Choose Solana, Base, Polygon or Sepolia."
    schemas = requests.get(f"{city.api}/openapi.json", timeout=10).json()["components"]["schemas"]
    asked = ("CryptoOrder", "PayoutOrder", "QuoteOrder")
    assert [schemas[name]["properties"]["network"]["enum"] for name in asked] == [four] * 3
    assert "Sepolia" in city.flask("ops", "reconcile", "--rail", "Sepolia")
    invoice = user.post("/client/invoices", amount="3")["invoice"]
    city.place_to_pay(invoice, "Sepolia")
    assert "Sepolia" in requests.get(invoice["payUrl"], timeout=10).text
    assert "or Sepolia" in requests.get(city.web, timeout=10).text
    with psycopg.connect(city.environ["DATABASE_URL"]) as connection:
        found = connection.execute("SELECT ledger_balance('custody:Sepolia')").fetchone()
    assert found is not None
    assert found[0] < 0
