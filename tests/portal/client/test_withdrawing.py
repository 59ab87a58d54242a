"""Withdrawals at the screens: once, previewed, refused with a clear sentence, nothing lost."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import func, select

from protonpay.chains.registry import POLYGON
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.payouts import payees
from protonpay.payouts.models import PayeeLook, Payout
from protonpay.portal import words
from protonpay.portal.client import filters
from protonpay.store.db import db, transaction
from protonpay.users import service as users
from tests.actors import Actor, make_actor
from tests.conftest import PASSPHRASE
from tests.payouts.orders import WALLETS, withdraw, withdraw_at
from tests.plans.of_a_kind import on_plan
from tests.portal.client.reader import Reader, sign_in
from tests.unchanged import nothing_changes
from tests.wallets import pools


@pytest.fixture
def rich(house: Flask) -> Actor:
    """Somebody with 5,000 USDC."""
    return make_actor(house, "Rich", funded="5000")


@pytest.fixture
def reader(house: Flask, rich: Actor) -> Reader:
    return sign_in(house, rich)


def withdrawing(reader: Reader, wallet: str, sum_: str = "50", network: str = "Base") -> None:
    """Go through the steps as far as they let one go."""
    reader.open("/app/withdraw")
    reader.send("/app/withdraw/amount", walletAddress=wallet, network=network)
    if "Use the maximum" in reader.at.text:
        reader.send("/app/withdraw/confirm", amount=sum_)


def known(wallet: str, kind: str = "WALLET", network: str = "Base") -> None:
    """Have been told what stands at an address."""
    payees.look(wallet_address=wallet, network=network)
    with transaction() as session:
        look = session.get_one(PayeeLook, (network, wallet))
        look.state, look.told_at = kind, None if kind == "LOOKING" else clock.now()


def test_a_withdrawal_is_shown_then_made_then_followed(reader: Reader, rich: Actor):
    """T21: with the fee and the balance after it, and the whole address."""
    wallet = WALLETS["Base"]
    withdrawing(reader, wallet, "50,5")
    for said in ("50.50 USDC", "50.55 USDC", "Balance after it"):
        assert said in reader.at.text
    assert wallet in reader.at.text.replace(" ", "")
    reader.send("/app/withdraw")
    assert reader.status == 200
    assert "Asked for" in reader.at.text
    assert rich.held == Usdc.parse("50.55")


def test_a_double_click_a_reload_and_a_step_back_are_one_withdrawal(reader: Reader, rich: Actor):
    """T21: the key is of the withdrawal from the moment it is shown; the steps before have none."""
    reader.open("/app/withdraw")
    assert "key" not in reader.at.form("/app/withdraw/amount").fields
    withdrawing(reader, WALLETS["Base"])
    shown = reader.answer
    assert shown is not None
    first = dict(reader.at.form("/app/withdraw").fields)
    reload = reader.open(shown.request.full_path).form("/app/withdraw").fields
    assert reload["key"] == first["key"]
    places = {reader.again("/app/withdraw", fields).headers["Location"] for fields in (first,) * 3}
    assert len(places) == 1
    assert db.session.scalar(select(func.count()).select_from(Payout)) == 1
    assert rich.held == Usdc.parse("50.05")


@pytest.mark.parametrize(
    ("wallet", "sum_", "said"),
    [
        ("not an address", "50", "no address of this network"),
        ("", "50", "Enter an address."),
        (WALLETS["Base"], "0", "greater than zero"),
        (WALLETS["Base"], "1,250", "exact"),
        (WALLETS["Base"], "-5", "exact"),
        (WALLETS["Base"], "0.0000001", "exact"),
    ],
)
def test_what_is_wrong_stands_beside_what_was_typed(
    reader: Reader, wallet: str, sum_: str, said: str
):
    """In the step that asks for it: an address before any amount is asked for."""
    known(WALLETS["Base"])
    with nothing_changes():
        withdrawing(reader, wallet, sum_)
    assert reader.status == 400
    assert said.lower() in reader.at.text.lower()
    of_address = wallet != WALLETS["Base"]
    action = "/app/withdraw/amount" if of_address else "/app/withdraw/confirm"
    fields = reader.at.form(action).fields
    assert (fields["walletAddress"], fields.get("amount")) == (wallet, None if of_address else sum_)


@pytest.mark.parametrize("step", ["amount", "amount?most=yes", "confirm"])
@pytest.mark.parametrize("wallet", [WALLETS["Base"], WALLETS["Solana"], ""])
def test_a_network_that_nobody_chose_is_none(reader: Reader, wallet: str, step: str):
    """And what was typed stays, whichever step was asked for."""
    reader.open("/app/withdraw")
    assert reader.at.form("/app/withdraw/amount").fields["network"] == ""
    asked = urlencode({"walletAddress": wallet, "amount": "50"})
    with nothing_changes():
        reader.open(f"/app/withdraw/{step}{'&' if '?' in step else '?'}{asked}")
    assert reader.status == 400
    (beside,) = re.findall(r'<p id="network-said" class="said bad">([^<]*)<', reader.at.html)
    assert beside == "Choose a network."
    fields = reader.at.form("/app/withdraw/amount").fields
    assert (fields["network"], fields["walletAddress"], fields["amount"]) == ("", wallet, "50")


def test_each_step_is_marked_and_a_step_back_keeps_what_was_typed(reader: Reader):
    def now() -> list[str]:
        return re.findall(r'<li aria-current="step"[^>]*>.*?</span>([^<]*)</li>', reader.at.html)

    def back(word: str) -> None:
        (to,) = re.findall(rf'href="([^"]*)">{word}</a>', reader.at.html)
        reader.open(html.unescape(to))

    wallet = WALLETS["Base"]
    reader.open("/app/withdraw")
    assert now() == ["Where"]
    reader.send("/app/withdraw/amount", walletAddress=wallet, network="Base")
    assert now() == ["How much"]
    assert ("Fee on Base" in reader.at.text, "Fee on Solana" in reader.at.text) == (True, False)
    reader.send("/app/withdraw/confirm", amount="12,5")
    assert now() == ["Confirm"]
    assert "When it arrives On the network within seconds, final some 20 min" in reader.at.text
    back("Change it")
    assert now() == ["How much"]
    assert reader.at.form("/app/withdraw/confirm").fields == {
        "walletAddress": wallet,
        "network": "Base",
        "amount": "12.5",
    }
    back("Change the address")
    assert now() == ["Where"]
    fields = reader.at.form("/app/withdraw/amount").fields
    assert fields == {"walletAddress": wallet, "network": "Base", "amount": "12.5", "": ""}
    reader.send("/app/withdraw/amount")
    assert reader.at.form("/app/withdraw/confirm").fields["amount"] == "12.5"


def test_an_address_of_the_book_is_a_step(reader: Reader, rich: Actor):
    """With the network that it was put in with, once it can be paid."""
    wallet, entry = WALLETS["Base"], {"network": "Polygon", "label": "Treasury"}
    rich.post("/client/addresses", {**entry, "address": wallet})
    assert "Treasury Polygon" in reader.open("/app/withdraw").text
    assert "Can be paid from" in reader.at.text
    assert [to for to in reader.at.links if wallet in to] == []
    with clock.frozen(clock.now() + timedelta(days=2)):
        reader = sign_in(reader.client.application, rich)
        (to,) = [to for to in reader.open("/app/withdraw").links if wallet in to]
        reader.open(to)
    fields = reader.at.form("/app/withdraw/confirm").fields
    assert (fields["walletAddress"], fields["network"]) == (wallet, "Polygon")


def as_it_is(actor: Actor) -> None:
    """Leave an account as it was made."""


def on_small_days(actor: Actor) -> None:
    """Have used 30 of 70 USDC of 24 hours, without a pause between two."""
    on_plan(actor, daily_limit_micro=70_000_000, cooldown_seconds=0)
    withdraw(actor, 30)


def a_moment_after_one(actor: Actor) -> None:
    """Have made one just now."""
    withdraw(actor, 10)


def frozen(actor: Actor) -> None:
    """Have frozen withdrawals, by the link of a letter."""
    with transaction():
        users.lock(actor.id).withdrawals_frozen_at = clock.now()


@pytest.mark.parametrize(
    ("before", "sum_", "code", "said"),
    [
        (as_it_is, "99999", "plan_limit_exceeded", "more than one withdrawal may be"),
        (on_small_days, "40.01", "daily_limit_exceeded", "more than the limit of 24 hours leaves"),
        (a_moment_after_one, "10", "withdrawal_cooldown", "The last withdrawal was a moment ago"),
        (as_it_is, "9000", "insufficient_balance", "balance does not cover this amount"),
        (frozen, "10", "withdrawals_frozen", "Withdrawals of this account are frozen"),
    ],
)
def test_what_would_be_refused_is_said_and_has_no_button(
    reader: Reader,
    rich: Actor,
    before: Callable[[Actor], None],
    sum_: str,
    code: str,
    said: str,
):
    """T22: an amount beside its field; and who sends the form all the same is refused, too."""
    before(rich)
    known(WALLETS["Base"])
    with nothing_changes():
        withdrawing(reader, WALLETS["Base"], sum_)
    assert said in reader.at.text
    of_amount = code in filters.AT_THE_AMOUNT
    beside = re.findall(r'<p id="amount-said" class="said bad">([^<]*)<', reader.at.html)
    assert [said in each for each in beside] == [True] * of_amount
    asked = urlencode({"walletAddress": WALLETS["Base"], "network": "Base", "amount": sum_})
    with nothing_changes():
        reader.open(f"/app/withdraw/confirm?{asked}&key=of-before")
    assert said in reader.at.text
    assert "Change it" in reader.at.text
    assert '<button class="button">Withdraw' not in reader.at.html
    with nothing_changes():
        reader.send("/app/withdraw")
    assert reader.status in {400, 403, 409}
    assert said in reader.at.text
    asked = {"amount": sum_, "network": "Base"}
    assert rich.post("/client/withdraw/quote", asked).json["quote"]["problems"][0] == code


def test_within_the_cooldown_a_clock_runs(reader: Reader, rich: Actor):
    """T22: on the overview, beside the form, and where it is confirmed."""
    assert "data-seconds" not in reader.open("/app").html
    now = clock.now()
    withdraw_at(now, rich, 10)
    with clock.frozen(now + timedelta(seconds=18)):
        for path in ("/app", "/app/withdraw"):
            screen = reader.open(path)
            assert "Next withdrawal in 00:42" in screen.text, path
            assert 'data-seconds="42"' in screen.html
        withdrawing(reader, WALLETS["Base"], "10")
        assert "Next withdrawal in 00:42" in reader.at.text
        (again,) = re.findall('data-again="([^"]*)"', reader.at.html)
    with clock.frozen(now + timedelta(seconds=60)):
        reader.open(html.unescape(again))
        assert "Withdraw 10.00 USDC" in reader.at.text
        assert reader.at.form("/app/withdraw").fields["key"] in again


def test_the_overview_draws_what_is_used_of_the_day(reader: Reader, rich: Actor):
    withdraw(rich, "2150")
    screen = reader.open("/app")
    assert "2,150.00 of 50,000.00 USDC" in screen.text
    assert "Used 2,150.00 Left 47,850.00 Limit 50,000.00" in screen.text
    russian = reader.open("/app?lang=ru").text
    assert "2 150,00 из 50 000,00 USDC" in russian
    assert (
        "Left of the limit of 24 hours 47,850.00 USDC" in reader.open("/app/withdraw?lang=en").text
    )


def test_the_most_knows_the_fee_and_keeps_what_was_typed(reader: Reader, rich: Actor):
    wallet = WALLETS["Base"]
    known(wallet)
    step = f"/app/withdraw/amount?walletAddress={wallet}&network=Base&amount=7&most=yes"
    with nothing_changes():
        reader.open(step)
    fields = reader.at.form("/app/withdraw/confirm").fields
    assert (fields["amount"], fields["walletAddress"]) == ("4999.95", wallet)
    withdrawing(reader, wallet, fields["amount"])
    reader.send("/app/withdraw")
    assert (rich.available, rich.held) == (Usdc(0), Usdc.parse("5000"))
    reader.open(step)
    assert "Nothing can be withdrawn now" in reader.at.text


@pytest.mark.parametrize(
    ("fee", "english", "russian"),
    [
        ("0.05 USDC", "0.05\u00a0USDC", "0,05\u00a0USDC"),
        (
            "1250.00 USDC + 1.50%",
            "1,250.00\u00a0USDC + 1.5%",
            "1\u00a0250,00\u00a0USDC + 1,5\u00a0%",
        ),
        ("0 USDC", "0.00\u00a0USDC", "0,00\u00a0USDC"),
        ("0%", "0%", "0\u00a0%"),
    ],
)
def test_fees_are_written_by_the_language(fee: str, english: str, russian: str):
    assert filters.priced(fee, words.speaker("en")) == english
    assert filters.priced(fee, words.speaker("ru")) == russian


def test_fees_of_the_pages_are_written_by_the_language(reader: Reader, rich: Actor):
    on_plan(rich, withdrawal_fee_bps=150, single_limit_micro=9_999_000_000)
    for path in ("/app/fees", "/app/withdraw"):
        russian = reader.open(f"{path}?lang=ru").text
        assert "0,05 USDC + 1,5 %" in russian, path
        assert "9 999" in russian, path
        assert "0.05 USDC + 1.5%" in reader.open(f"{path}?lang=en").text, path


def test_an_address_that_only_looks_like_one_paid_before(reader: Reader):
    """T23: address poisoning: the same ends, another middle."""
    known = "0x52908400098527886E0F7030069857D2E4169EE7"
    poison = f"0x5290{'a' * 32}9ee7"
    withdrawing(reader, known, "10")
    reader.send("/app/withdraw")
    withdrawing(reader, poison, "10")
    assert "only looks like one you have paid before" in reader.at.text
    assert "How much" in reader.at.text
    assert "Use the maximum" not in reader.at.text, "before an amount is asked for"
    (sure,) = [form for form in reader.at.forms if "sure" in form.fields]
    reader.open(f"/app/withdraw/amount?{urlencode(sure.fields)}")
    for step in ("amount", "confirm"):
        assert "only looks like one you have paid before" in reader.at.text, step
        assert ('type="checkbox" required' in reader.at.html) is (step == "confirm")
        if step == "amount":
            reader.send("/app/withdraw/confirm", amount="10")
    withdrawing(reader, known, "10")
    assert "only looks like" not in reader.at.text


@pytest.mark.parametrize(
    ("state", "said", "to_be_confirmed"),
    [
        ("LOOKING", "The network is being asked whether a contract", False),
        ("WALLET", "The network knows no contract at this address", False),
        ("CONTRACT", "A contract stands at this address, not a wallet", True),
        ("UNKNOWN", "It could not be checked whether a contract", False),
    ],
)
def test_a_contract_is_warned_of_and_what_is_unknown_is_said(
    reader: Reader, state: str, said: str, *, to_be_confirmed: bool
):
    """T23: a payee with code of its own is paid by who says so alone."""
    wallet = WALLETS["Base"]
    known(wallet, state)
    with nothing_changes():
        reader.open(f"/app/withdraw/amount?walletAddress={wallet}&network=Base")
        assert said in reader.at.text, "before an amount is asked for"
        reader.send("/app/withdraw/confirm", amount="10")
    assert said in reader.at.text
    assert ("I know this contract" in reader.at.text) is to_be_confirmed
    assert ('type="checkbox" required form="withdrawal"' in reader.at.html) is to_be_confirmed
    assert ('data-live="2"' in reader.at.html) is (state == "LOOKING")
    assert ("knows no contract" in reader.at.text) is (state == "WALLET")


@pytest.mark.parametrize(
    ("network", "wallet", "said"),
    [
        ("Solana", WALLETS["Base"], "no address of this network"),
        ("Base", WALLETS["Solana"], "no address of this network"),
        ("Polygon", POLYGON.usdc, "no address of this network"),
    ],
)
def test_an_address_of_another_network_or_of_a_token(
    reader: Reader, network: str, wallet: str, said: str
):
    """T23."""
    with nothing_changes():
        withdrawing(reader, wallet, "10", network)
    assert (reader.status, said in reader.at.text) == (400, True)


def test_an_address_of_ones_own(reader: Reader, rich: Actor, keyring_path: Path):
    """T23."""
    pools.fill(keyring_path, PASSPHRASE, 5)
    asked = rich.post("/client/deposit/crypto", {"network": "Base"})
    own = asked.json["deposit"]["address"]
    with nothing_changes():
        withdrawing(reader, own, "10")
    assert (reader.status, "your own deposit address" in reader.at.text) == (400, True)


def test_a_bad_checksum(reader: Reader):
    """T23."""
    known = "0x52908400098527886E0F7030069857D2E4169EE7"
    with nothing_changes():
        withdrawing(reader, known.replace("E7", "e7"))
    assert (reader.status, "typing error" in reader.at.text) == (400, True)
