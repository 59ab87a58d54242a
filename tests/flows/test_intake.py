"""USDC that is paid on chain: seen, credited once when final, whatever dies or is taken back."""

import json

import pytest
from standardwebhooks import Webhook

from protonpay.chains.registry import NETWORKS
from tests.flows.city import OUTSIDE, City, Resident
from tests.simulators import until

pytestmark = pytest.mark.slow

EVERY = pytest.mark.parametrize("network", list(NETWORKS))


def _address(user: Resident, network: str) -> str:
    return user.post("/client/deposit/crypto", network=network)["deposit"]["address"]


def _deposits(user: Resident) -> list:
    lines = user.get("/client/activity")["activity"]
    return [line for line in lines if line["method"] == "CRYPTO"]


def _pay(city: City, network: str, address: str, micro: int) -> str:
    """Pay from outside; on the chain itself, not through a gate."""
    of = NETWORKS[network]
    return OUTSIDE[of.family].send_usdc(city.parts.nodes[network], of.usdc, address, micro)


def _wait_for(user: Resident, status: str) -> dict:
    found = until(lambda: [d for d in _deposits(user) if d["status"] == status], 60)
    return found[0]


@EVERY
def test_paid_seen_final_credited_and_told(city: City, network: str):
    user = city.resident("Payee")
    secret = city.subscribe(user, "deposit.confirmed")
    address = _address(user, network)

    tx_hash = _pay(city, network, address, 12_345_678)
    deposit = _wait_for(user, "CONFIRMED")

    assert (deposit["amount"], deposit["network"]) == ("12.345678", network)
    assert deposit["txHash"] == tx_hash
    assert user.balance == "12.345678"
    assert user.get("/client/dashboard")["totalDeposited"] == "12.345678"
    ((headers, body),) = until(lambda: city.inbox.of(user.id), 60)
    Webhook(secret).verify(body, dict(headers))
    assert json.loads(body)["data"] == {
        "id": deposit["id"],
        "userId": user.id,
        "amount": "12.345678",
        "currency": "USDC",
        "network": network,
        "txHash": tx_hash,
        "status": "CONFIRMED",
    }
    assert city.books_are_sound()
