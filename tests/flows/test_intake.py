"""USDC that is paid on chain: seen, credited once when final, whatever dies or is taken back."""

import json

import pytest
from standardwebhooks import Webhook

from protonpay.chains.registry import NETWORKS
from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.rpc import Rpc
from tests.flows.city import OUTSIDE, City, Resident
from tests.patience import until

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


def test_killed_again_and_again_while_money_comes_in(city: City):
    user = city.resident("Payee")
    addresses = {network: _address(user, network) for network in NETWORKS}
    for micro in (1_000_000, 20_000_000, 300_000_000):
        for network, address in addresses.items():
            _pay(city, network, address, micro)
        city.kill_watchers()

    until(lambda: user.balance == "963.00", 90)

    assert [line["status"] for line in _deposits(user)] == ["CONFIRMED"] * 9
    assert city.books_are_sound()


def test_a_fork_of_solana_takes_a_payment_away(city: City):
    user, node = city.resident("Payee"), Rpc(city.parts.nodes["Solana"])
    address = _address(user, "Solana")
    node("sandbox_stallFinality", True)  # noqa: FBT003 - the node's own parameter
    try:
        _pay(city, "Solana", address, 5_000_000)
        _wait_for(user, "PENDING")
        node("sandbox_rollback", 1_000)
    finally:
        node("sandbox_stallFinality", False)  # noqa: FBT003 - the same

    until(lambda: not _deposits(user), 60)

    assert user.balance == "0.00"
    assert city.books_are_sound()


@pytest.mark.parametrize("network", ["Base", "Polygon"])
def test_a_reorg_moves_a_payment_which_is_credited_once(city: City, network: str):
    user, node = city.resident("Payee"), Rpc(city.parts.nodes[network])
    address = _address(user, network)
    with city.blocks_by_hand(network):
        data = abi.call("transfer(address,uint256)", address, 5_000_000)
        order = {"from": node("eth_accounts")[0], "to": NETWORKS[network].usdc, "data": data}
        tx_hash = node("eth_sendTransaction", order)
        node("evm_mine")
        raw = node("eth_getRawTransactionByHash", tx_hash)
        _wait_for(user, "PENDING")

        node("anvil_reorg", 1, [])
        node("anvil_dropAllTransactions")
        until(lambda: not _deposits(user), 60)
        node("eth_sendRawTransaction", raw)

    deposit = _wait_for(user, "CONFIRMED")

    assert (deposit["txHash"], user.balance) == (tx_hash, "5.00")
    assert len(_deposits(user)) == 1
    assert city.books_are_sound()


def test_a_payout_to_an_address_of_ours_comes_back_as_a_deposit(city: City):
    payer, payee = city.resident("Payer", funded="40"), city.resident("Payee")
    body = {"amount": 30, "walletAddress": _address(payee, "Base"), "network": "Base"}

    payout = payer.post("/client/withdraw", **body)["payout"]

    assert payer.wait_for_end(payout["id"])["status"] == "COMPLETED"
    _wait_for(payee, "CONFIRMED")
    assert (payer.balance, payee.balance) == ("9.95", "30.00")
    assert city.books_are_sound()
