"""/client/wallets: a wallet is its owner's who signs with its key, and nobody else's."""

from datetime import timedelta

import pytest

from protonpay.kernel import clock
from protonpay.linked_wallets import service
from protonpay.linked_wallets.service import CHALLENGE_LIFE, MOST_WALLETS
from tests.actors import Actor
from tests.linked_wallets.signers import (
    EvmWallet,
    Wallet,
    asked,
    challenge,
    evm,
    link,
    prove,
    solana,
)
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

EACH = pytest.mark.parametrize(
    "make", [evm, lambda: evm("Polygon"), solana], ids=["Base", "Polygon", "Solana"]
)


def _balance(actor: Actor) -> tuple[str | None, str | None]:
    told = actor.get("/client/balance").get_json()
    return told["walletAddress"], told["walletNetwork"]


@EACH
def test_a_signed_challenge_links_the_wallet(alice: Actor, make):
    wallet: Wallet = make()
    assert _balance(alice) == (None, None)
    shown = asked(alice, wallet)

    with only_changes("linked_wallets", "wallet_challenges"):
        answer = prove(alice, shown["id"], wallet.sign(shown["message"]))

    linked = answer.get_json()["wallet"]
    assert answer.status_code == 200
    assert set(linked) == {"id", "network", "address", "createdAt"}
    assert (linked["network"], linked["address"]) == (wallet.network, wallet.address)
    assert _balance(alice) == (wallet.address, wallet.network)
    steps = alice.get("/client/dashboard").get_json()["setupSteps"]
    assert steps["walletLinked"] is True


def test_the_message_says_who_asks_for_what(alice: Actor):
    """ERC-4361's form, line by line."""
    wallet = evm("Polygon")
    shown = asked(alice, wallet)

    head, address, _, statement, _, *members = shown["message"].split("\n")
    assert head == "127.0.0.1:8000 wants you to sign in with your Ethereum account:"
    assert (address, statement[:16]) == (wallet.address, "Link this wallet")
    named = dict(member.split(": ", 1) for member in members)
    assert list(named) == [
        "URI",
        "Version",
        "Chain ID",
        "Nonce",
        "Issued At",
        "Expiration Time",
    ]
    assert (named["URI"], named["Version"], named["Chain ID"]) == (
        "http://127.0.0.1:8000",
        "1",
        "137",
    )
    assert len(named["Nonce"]) >= 8
    assert named["Expiration Time"] == shown["expiresAt"]


def test_on_solana_it_is_a_solana_account(alice: Actor):
    message = asked(alice, solana())["message"]
    assert "sign in with your Solana account:" in message
    assert "\nChain ID: mainnet\n" in message


@EACH
def test_another_key_proves_nothing_and_the_owner_can_try_again(alice: Actor, make):
    wallet, other = make(), make()
    shown = asked(alice, wallet)
    signatures = [
        other.sign(shown["message"]),
        wallet.sign(shown["message"] + " "),
        wallet.sign(asked(alice, wallet)["message"]),
        "0x" + "0" * 130,
        "0x" + "f" * 130,
        "0x" + "1" * 128 + "1d",
        "1" * 64,
        "5" * 88,
        "nonsense",
        "подпись",
    ]

    with nothing_changes():
        for signature in signatures:
            refused(prove(alice, shown["id"], signature), 400, "invalid_signature")

    assert prove(alice, shown["id"], wallet.sign(shown["message"])).status_code == 200


def test_the_last_byte_may_be_counted_from_nought(alice: Actor):
    wallet = evm()
    shown = asked(alice, wallet)
    signature = bytearray.fromhex(wallet.sign(shown["message"])[2:])
    signature[-1] -= 27

    assert prove(alice, shown["id"], "0x" + signature.hex()).status_code == 200


def test_a_challenge_is_used_once_and_soon(alice: Actor):
    wallet = evm()
    shown = asked(alice, wallet)
    signature = wallet.sign(shown["message"])

    later = clock.now() + CHALLENGE_LIFE
    with nothing_changes(), clock.frozen(later):
        refused(prove(alice, shown["id"], signature), 400, "challenge_expired")
    assert prove(alice, shown["id"], signature).status_code == 200
    with nothing_changes():
        refused(prove(alice, shown["id"], signature), 400, "challenge_expired")


def test_a_challenge_is_its_owners_alone(alice: Actor, bob: Actor):
    wallet = evm()
    shown = asked(alice, wallet)

    with nothing_changes():
        refused(prove(bob, shown["id"], wallet.sign(shown["message"])), 404, "not_found")
        refused(prove(bob, "cm" + "a" * 23, "0x00"), 404, "not_found")


def test_expired_challenges_do_not_pile_up(alice: Actor):
    wallet = evm()
    first = asked(alice, wallet)
    with clock.frozen(clock.now() + CHALLENGE_LIFE + timedelta(seconds=1)):
        asked(alice, wallet)
        refused(prove(alice, first["id"], "0x00"), 404, "not_found")


def test_a_wallet_is_linked_once_and_by_each_who_holds_its_key(alice: Actor, bob: Actor):
    wallet = evm()
    assert link(alice, wallet).status_code == 200
    shown = asked(alice, wallet)

    with nothing_changes():
        refused(prove(alice, shown["id"], wallet.sign(shown["message"])), 409, "duplicate")
    assert link(bob, wallet).status_code == 200
    assert link(alice, EvmWallet(wallet.account, "Polygon")).status_code == 200


def test_unlinked_it_is_gone_and_can_come_back(alice: Actor, bob: Actor):
    first, second = evm(), solana()
    ids = [link(alice, wallet).get_json()["wallet"]["id"] for wallet in (first, second)]
    listed = alice.get("/client/wallets").get_json()["wallets"]
    assert [each["id"] for each in listed] == ids[::-1]
    path = f"/client/wallets/{ids[1]}"
    with nothing_changes():
        refused(bob.get(path), 404, "not_found")
        refused(bob.call("DELETE", path), 404, "not_found")

    with only_changes("linked_wallets"):
        assert alice.call("DELETE", path).status_code == 204

    assert _balance(alice) == (first.address, "Base")
    refused(alice.get(path), 404, "not_found")
    refused(alice.call("DELETE", path), 404, "not_found")
    assert link(alice, second).status_code == 200
    assert _balance(alice) == (second.address, "Solana")


def test_there_are_twenty_at_most(alice: Actor, monkeypatch):
    monkeypatch.setattr(service, "MOST_WALLETS", 2)
    assert MOST_WALLETS == 20
    for _ in range(2):
        assert link(alice, solana()).status_code == 200
    wallet = solana()
    shown = asked(alice, wallet)
    with nothing_changes():
        answer = prove(alice, shown["id"], wallet.sign(shown["message"]))
        refused(answer, 409, "too_many_wallets")


def test_what_is_no_wallet_is_not_asked_for(alice: Actor):
    wallet = evm()
    with nothing_changes():
        refused(challenge(alice, wallet, network="Bitcoin"), 400, "unsupported_network")
        refused(challenge(alice, wallet, network="Solana"), 400, "invalid_address")
        refused(challenge(alice, wallet, address=wallet.address[:-1]), 400, "invalid_address")
        refused(challenge(alice, wallet, address=5), 400, "validation_error")
        refused(prove(alice, "x" * 65, "0x00"), 400, "validation_error")
