"""Money put in from the screens: by card as it was reckoned, on chain as it is seen."""

from pathlib import Path

import pytest
from flask import Flask

from protonpay.chains.watch import Arrival
from protonpay.kernel.money import Usdc
from protonpay.portal import words
from protonpay.portal.client import filters
from protonpay.store import beats
from protonpay.store.db import transaction
from protonpay.store.queue import door
from protonpay.wallets import recording
from protonpay.wallets.service import addresses_of
from tests.actors import Actor
from tests.conftest import PASSPHRASE
from tests.invoices.by_card import tap, tap_simulator
from tests.plans.of_a_kind import on_plan
from tests.portal.client.reader import Reader, sign_in
from tests.simulators import Simulator
from tests.unchanged import nothing_changes
from tests.wallets import pools

__all__ = ["tap", "tap_simulator"]


@pytest.fixture
def reader(house: Flask, alice: Actor) -> Reader:
    return sign_in(house, alice)


def test_a_card_deposit_is_reckoned_before_anything_is_opened(
    reader: Reader, alice: Actor, tap: Simulator
):
    on_plan(alice, deposit_commission_bps=150)
    reader.open("/app/deposit")
    with nothing_changes():
        reader.send("/app/deposit", amount="1 836,25", currency="AED")
    for said in ("1,836.25 AED", "1 USDC = 3.6725 AED", "7.50 USDC", "492.50 USDC"):
        assert said in reader.at.text, said
    assert "Go on to Tap" in reader.at.text
    reader.send("/app/deposit/card", provider="tap")
    assert "You are leaving for Tap" in reader.at.text
    assert "You receive 492.50 USDC" in reader.at.text, "after the commission, not before it"
    (made,) = alice.get("/client/deposits").json["deposits"]
    screen = reader.open(f"/app/deposits/{made['id']}?lang=ru")
    assert "1 836,25 AED" in screen.text
    assert "1 USDC = 3,6725 AED" in screen.text
    assert "спрашиваем провайдера" in reader.open("/app/deposit").text


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("10.005", "USD", "Not an exact amount of this currency"),
        ("0", "USD", "Must be greater than zero"),
        ("10", "EGP", "There is no source of rates for EGP"),
    ],
)
def test_what_cannot_be_reckoned_is_said_and_kept(
    reader: Reader, tap: Simulator, amount: str, currency: str, said: str
):
    reader.open("/app/deposit")
    with nothing_changes():
        reader.send("/app/deposit", amount=amount, currency=currency)
    assert said in reader.at.text
    assert "Go on to" not in reader.at.text
    fields = reader.at.form("/app/deposit").fields
    assert (fields["amount"], fields["currency"]) == (amount, currency)


@pytest.mark.parametrize(
    ("network", "said"),
    [("Solana", "15 seconds"), ("Base", "2 minutes"), ("Polygon", "5 seconds")],
)
def test_an_address_says_how_much_and_how_long_and_stays(
    reader: Reader, alice: Actor, keyring_path: Path, network: str, said: str
):
    pools.fill(keyring_path, PASSPHRASE, 5)
    reader.open("/app/deposit")
    reader.send("/app/deposit/crypto", network=network)
    assert said in reader.at.text
    assert "Any amount above zero" in reader.at.text
    again = reader.open(f"/app/deposit?network={network}")
    assert said in again.text, "also after a reload"
    assert addresses_of("user", alice.id)[network] in again.html


@pytest.mark.parametrize("is_play", [True, False])
def test_the_command_that_pays_play_money_is_shown_where_money_is(
    house: Flask,
    reader: Reader,
    keyring_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_play: bool,  # noqa: FBT001 - one of two settings
):
    monkeypatch.setitem(house.jinja_env.globals, "test_data", is_play)
    pools.fill(keyring_path, PASSPHRASE, 5)
    shown = reader.open("/app/deposit?network=Base").text
    assert ("flask sandbox fund --network Base" in shown) is is_play


def test_a_network_that_there_is_not_has_no_address(reader: Reader):
    with nothing_changes():
        reader.open("/app/deposit?network=Nowhere")
    assert reader.status == 400
    assert "Choose Solana, Base or Polygon." in reader.at.text


def test_a_network_that_is_added_has_a_sentence_too():
    assert filters.credited_said("Nowhere") == "Once its network calls it final."
    assert filters.fiat("12.5", "KWD", words.speaker("en")) == "12.500\u00a0KWD"
    assert filters.fiat("12.50", "USDC", words.speaker("ru")) == "12,50\u00a0USDC"


def test_what_comes_in_is_seen_before_it_is_credited(reader: Reader, alice: Actor):
    """A list that renews itself: provisional first, then in the balance."""
    arrive(alice, final=False)
    beats.note_head("Base", latest=11, small=0, finalized=0, finalized_at=0)
    (made,) = alice.get("/client/deposits").json["deposits"]
    for path, live in (("/app/deposit", 'data-live="5"'), (f"/app/deposits/{made['id']}", "3")):
        screen = reader.open(path)
        assert "12.50" in screen.text
        assert "5 of about 12 confirmations" in screen.text
        assert live in screen.html
        russian = reader.open(f"{path}?lang=ru")
        assert "Подтверждений: 5 из примерно 12" in russian.text
        reader.open(f"{path}?lang=en")
    door.client.delete("beats:chains")
    assert "How many confirmations there are is not known" in reader.open("/app/deposit").text
    arrive(alice, final=True)
    screen = reader.open("/app/deposit")
    assert "Confirmed" in screen.text
    assert "confirmations" not in screen.text
    assert alice.available == Usdc.parse("1012.5")


def arrive(actor: Actor, *, final: bool) -> None:
    arrival = Arrival("0xours", "0xtheirs", Usdc.parse("12.5"), "0xhash", 0, 7, "0xblock7")
    with transaction():
        recording.record("Base", [arrival], {"0xours": ("user", actor.id)}, final=final)
    pools.follow_all()
