"""Money comes in, moves, and goes out, through every real part."""

import json
from decimal import Decimal

import pytest
from eth_account import Account
from solders.keypair import Keypair
from standardwebhooks import Webhook

from tests.flows.city import City
from tests.patience import until

pytestmark = pytest.mark.slow


def fresh_wallet(network: str) -> str:
    return str(Keypair().pubkey()) if network == "Solana" else Account.create().address


@pytest.mark.parametrize("network", ["Solana", "Base", "Polygon"])
def test_deposit_transfer_withdraw(city: City, network: str):
    alice, bob, wallet = city.resident("Alice"), city.resident("Bob"), fresh_wallet(network)
    secret = city.subscribe(bob, "transfer.completed", "payout.completed", "payout.failed")
    heard = city.subscribe(alice, "deposit.card.success", "transfer.completed")
    fee = alice.get("/client/fees")["fees"]["withdrawal"][network].split()[0]

    city.pay(alice, "80")
    alice.post("/client/transfer", toIdentifier=bob.email, amount="30.5")
    ordered = bob.post("/client/withdraw", amount=20, walletAddress=wallet, network=network)
    final = bob.wait_for_end(ordered["payout"]["id"])

    assert (final["status"], final["fee"]) == ("COMPLETED", fee)
    assert city.on_chain(network, wallet) == 20_000_000
    assert (alice.balance, Decimal(bob.balance)) == ("49.50", Decimal("10.5") - Decimal(fee))
    events = until(lambda: city.inbox.of(bob.id)[1:] and city.inbox.of(bob.id), 30)
    for headers, body in events:
        Webhook(secret).verify(body, dict(headers))
    said = {json.loads(body)["event"]: json.loads(body)["data"] for _, body in events}
    assert set(said) == {"transfer.completed", "payout.completed"}
    assert said["payout.completed"]["txHash"] == final["txHash"]
    assert said["payout.completed"]["amount"] == "20.00"
    to_alice = until(lambda: city.inbox.of(alice.id)[1:] and city.inbox.of(alice.id), 30)
    for headers, body in to_alice:
        Webhook(heard).verify(body, dict(headers))
    assert city.books_are_sound()


def test_what_comes_in_is_told_in_telegram(city: City):
    alice, anna = city.resident("Alice"), "chats/910001"
    url = alice.post("/client/notifications/telegram")["link"]["url"]
    city.parts.telegram.pull(anna, text=f"/start {url.partition('=')[2]}")
    until(lambda: alice.get("/client/notifications/telegram")["telegram"]["linked"])

    deposit = city.pay(alice, "80")

    def told() -> bool:
        said = [each["text"] for each in city.parts.telegram.look(anna)]
        return any(f"/app/deposits/{deposit}" in each and "80.00 USDC" in each for each in said)

    until(told)


def test_a_payee_that_circle_blocked_is_refused_and_gets_nothing(city: City):
    alice, wallet = city.resident("Alice", funded="50"), fresh_wallet("Base")
    secret = city.subscribe(alice, "payout.failed")
    city.flask("sandbox", "freeze", "--network", "Base", "--address", wallet)

    ordered = alice.post("/client/withdraw", amount=20, walletAddress=wallet, network="Base")
    final = alice.wait_for_end(ordered["payout"]["id"])

    assert (final["status"], final["failureCode"]) == ("FAILED", "payee_blacklisted")
    assert alice.balance == "50.00"
    assert city.on_chain("Base", wallet) == 0
    ((headers, body),) = until(lambda: city.inbox.of(alice.id), 30)
    Webhook(secret).verify(body, dict(headers))
    assert json.loads(body)["data"]["reason"] == "payee_blacklisted"
    # A failed withdrawal starts no cooldown.
    again = fresh_wallet("Base")
    ordered = alice.post("/client/withdraw", amount=5, walletAddress=again, network="Base")
    assert alice.wait_for_end(ordered["payout"]["id"])["status"] == "COMPLETED"
    assert city.books_are_sound()
