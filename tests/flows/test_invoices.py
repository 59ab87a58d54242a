"""Invoices as they run for real: asked for, paid on chain, told, given back, ended in time."""

import json

import pytest
import requests
from standardwebhooks import Webhook

from protonpay.chains.registry import NETWORKS
from tests.flows.city import OUTSIDE, PATIENCE, City, Resident
from tests.patience import until

pytestmark = pytest.mark.slow


def _ask(owner: Resident, amount: str, **more: object) -> dict:
    return owner.post("/client/invoices", amount=amount, currency="USDC", **more)["invoice"]


def _invoice(owner: Resident, made: dict) -> dict:
    return owner.get(f"/client/invoices/{made['id']}")["invoice"]


def _wait_for(owner: Resident, made: dict, status: str) -> dict:
    until(lambda: _invoice(owner, made)["status"] == status, PATIENCE)
    return _invoice(owner, made)


def _page(made: dict) -> str:
    answer = requests.get(made["payUrl"], timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.text.replace("\xa0", " ")


def _pay(city: City, network: str, address: str, micro: int) -> str:
    of = NETWORKS[network]
    return OUTSIDE[of.family].send_usdc(city.parts.nodes[network], of.usdc, address, micro)


@pytest.mark.parametrize("network", list(NETWORKS))
def test_paid_on_chain_seen_final_told(city: City, network: str):
    owner = city.resident("Shop")
    secret = city.subscribe(owner, "invoice.paid")
    made = _ask(owner, "12.5", description="Coffee")

    tx_hash = _pay(city, network, city.place_to_pay(made, network), 12_500_000)
    _wait_for(owner, made, "PAID")

    assert owner.balance == "12.50"
    ((headers, body),) = until(lambda: city.inbox.of(owner.id), PATIENCE)
    Webhook(secret).verify(body, dict(headers))
    told = json.loads(body)
    assert told["event"] == "invoice.paid"
    assert (told["data"]["id"], told["data"]["txHash"]) == (made["id"], tx_hash)
    assert "Shop has received 12.50 USDC." in _page(made)
    assert owner.get("/client/dashboard")["totalDeposited"] == "12.50"
    assert city.books_are_sound()


def test_a_part_on_chain_the_rest_from_a_balance_and_all_of_it_back(city: City):
    owner, payer = city.resident("Shop", funded="10"), city.resident("Payer", funded="40")
    made = _ask(owner, "50")
    _pay(city, "Base", city.place_to_pay(made, "Base"), 20_000_000)
    until(lambda: _invoice(owner, made)["amountPaid"] == "20.00", PATIENCE)

    paid = payer.post(f"/client/invoices/{made['id']}/pay")

    assert (paid["payment"]["amount"], paid["newBalance"]) == ("30.00", "10.00")
    owner.post(f"/client/invoices/{made['id']}/refund")
    assert (payer.balance, _invoice(owner, made)["status"]) == ("40.00", "PARTIALLY_REFUNDED")
    wallet = "0x52908400098527886E0F7030069857D2E4169EE7"
    before = city.on_chain("Base", wallet)
    owner.post(f"/client/invoices/{made['id']}/refund", walletAddress=wallet, network="Base")
    _wait_for(owner, made, "REFUNDED")
    assert city.on_chain("Base", wallet) - before == 20_000_000
    assert owner.balance == "9.95"
    assert city.books_are_sound()


def test_ended_by_its_job_and_paid_late(city: City):
    owner = city.resident("Shop")
    city.subscribe(owner, "invoice.expired", "invoice.late_payment")
    made = _ask(owner, "5")
    address = city.place_to_pay(made, "Polygon")
    city.let_a_day_pass(made)

    until(lambda: city.inbox.of(owner.id), PATIENCE)
    _pay(city, "Polygon", address, 5_000_000)
    until(lambda: len(city.inbox.of(owner.id)) == 2, PATIENCE)

    told = [json.loads(body) for _, body in city.inbox.of(owner.id)]
    assert [one["event"] for one in told] == ["invoice.expired", "invoice.late_payment"]
    assert (_invoice(owner, made)["status"], owner.balance) == ("EXPIRED", "5.00")
    assert city.books_are_sound()
