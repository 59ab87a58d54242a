"""Redis forgets everything: one transfer, equal books. Deaths: ``test_fault_points.py``."""

import pytest
import redis

from protonpay.chains.registry import NETWORKS
from protonpay.sandbox.evm.rpc import Rpc
from tests.flows.city import City, Resident
from tests.flows.test_journeys import fresh_wallet
from tests.patience import until

pytestmark = pytest.mark.slow

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def order(city: City, subscribed_to: str | None = None) -> dict[str, tuple[Resident, str, str]]:
    """Let three users withdraw at once, each on a network of their own."""
    ordered = {}
    for network in NETWORKS:
        user, wallet = city.resident("Walker", funded="40"), fresh_wallet(network)
        if subscribed_to is not None:
            city.subscribe(user, subscribed_to)
        body = {"amount": 30, "walletAddress": wallet, "network": network}
        ordered[network] = (user, user.post("/client/withdraw", **body)["payout"]["id"], wallet)
    return ordered


def paid_once(city: City, ordered: dict[str, tuple[Resident, str, str]]) -> None:
    for network, (user, payout_id, wallet) in ordered.items():
        assert user.wait_for_end(payout_id)["status"] == "COMPLETED"
        assert city.on_chain(network, wallet) == 30_000_000
        assert _transfers_to(city, network, wallet) == 1
    assert city.books_are_sound()


def _transfers_to(city: City, network: str, wallet: str) -> int:
    node, usdc = city.parts.nodes[network], NETWORKS[network].usdc
    if network == "Solana":
        options = {"encoding": "jsonParsed", "commitment": "finalized"}
        found = Rpc(node)("getTokenAccountsByOwner", wallet, {"mint": usdc}, options)
        account = found["value"][0]["pubkey"]
        return sum(
            line["err"] is None for line in Rpc(node)("getSignaturesForAddress", account, {})
        )
    topics = [TRANSFER, None, "0x" + wallet[2:].lower().rjust(64, "0")]
    where = {"address": usdc, "fromBlock": "0x0", "toBlock": "latest", "topics": topics}
    return len(Rpc(node)("eth_getLogs", where))


def test_redis_emptied_in_the_middle_costs_a_delay_and_nothing_else(city: City):
    user, wallet = city.resident("Patient", funded="40"), fresh_wallet("Polygon")
    client = redis.Redis.from_url(city.environ["REDIS_URL"])
    city.gates["Polygon"].before = client.flushdb

    body = {"amount": 30, "walletAddress": wallet, "network": "Polygon"}
    payout_id = user.post("/client/withdraw", **body)["payout"]["id"]
    until(lambda: city.gates["Polygon"].before is None, 30)
    client.flushdb()

    paid_once(city, {"Polygon": (user, payout_id, wallet)})
    client.close()
