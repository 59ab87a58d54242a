"""POST /client/deposit/crypto: an address of one's own, as text, link and code."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import text

from protonpay.chains.registry import BASE, NETWORKS
from protonpay.store.db import db
from protonpay.wallets import service as wallets
from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.wallets.pools import begin_watches

SOLANA_USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


def _ask(actor: Actor, **body: object):
    return actor.post("/client/deposit/crypto", body)


@pytest.mark.parametrize("network", list(NETWORKS))
def test_where_to_pay(alice: Actor, fill, network: str):
    fill()
    answer = _ask(alice, network=network)

    assert answer.status_code == 200
    shown = answer.get_json()["deposit"]
    assert list(shown) == ["network", "address", "usdc", "uri", "qr"]
    assert (shown["network"], shown["usdc"]) == (network, NETWORKS[network].usdc)
    assert shown["address"] == wallets.addresses_of("user", alice.id)[network]
    links = {
        "Solana": f"solana:{shown['address']}?spl-token={SOLANA_USDC}",
        "Base": "ethereum:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913@8453/transfer"
        f"?address={shown['address']}",
        "Polygon": "ethereum:0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359@137/transfer"
        f"?address={shown['address']}",
    }
    assert shown["uri"] == links[network]
    assert re.match(r"<svg .*</svg>$", shown["qr"], re.DOTALL)


def test_the_address_stays_and_base_and_polygon_share_it(alice: Actor, fill):
    fill()
    shown = [_ask(alice, network=name).get_json()["deposit"]["address"] for name in NETWORKS]
    again = [_ask(alice, network=name).get_json()["deposit"]["address"] for name in NETWORKS]
    assert again == shown
    assert shown[1] == shown[2] != shown[0]


def test_everybody_has_an_address_of_their_own(alice: Actor, bob: Actor, fill):
    fill()
    both = [_ask(who, network="Base").get_json()["deposit"]["address"] for who in (alice, bob)]
    assert both[0] != both[1]


def test_nobody_has_one_before_they_ask(alice: Actor, fill):
    fill()
    claimed = "SELECT count(*) FROM deposit_addresses WHERE holder_id IS NOT NULL"
    assert db.session.scalar(text(claimed)) == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"network": "Ethereum"}, "unsupported_network"),
        ({"network": "solana"}, "unsupported_network"),
        ({"network": ""}, "validation_error"),
        ({"network": None}, "validation_error"),
        ({}, "validation_error"),
        ({"network": "Base", "amount": 5}, "validation_error"),
    ],
)
def test_a_bad_order_is_refused_and_takes_no_address(alice: Actor, fill, body, code):
    fill()
    with nothing_changes():
        refused(_ask(alice, **body), 400, code)


def test_an_empty_pool_is_503_and_says_when_to_ask_again(alice: Actor):
    with nothing_changes():
        answer = _ask(alice, network="Base")
        refused(answer, 503, "addresses_exhausted")
    assert answer.headers["Retry-After"] == "5"


def test_a_stranger_is_shown_none(alice: Actor, fill):
    fill()
    with nothing_changes():
        answer = alice.client.post("/api/client/deposit/crypto", json={"network": "Base"})
        assert answer.status_code == 401


def test_a_network_that_was_just_added_is_shown_once_it_is_watched(alice: Actor, fill):
    """It shares addresses handed out before, and nobody may be paid where no watch will read."""
    fill()
    shown = _ask(alice, network="Base").get_json()["deposit"]["address"]
    NETWORKS.bind([replace(BASE, name="Sepolia", chain_id=84532)])
    try:
        with nothing_changes():
            refused(_ask(alice, network="Sepolia"), 503, "addresses_exhausted")
        assert "Sepolia" not in wallets.addresses_of("user", alice.id)
        begin_watches()
        assert _ask(alice, network="Sepolia").get_json()["deposit"]["address"] == shown
    finally:
        NETWORKS.bind([])
