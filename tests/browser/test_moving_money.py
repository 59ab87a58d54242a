"""Money moved in Chromium: what stands in a withdrawal's way is said, and nothing has changed."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from protonpay.chains.addresses import check_address
from protonpay.chains.registry import NETWORKS
from protonpay.kernel import clock
from protonpay.payouts import ending, payees
from protonpay.payouts.cancelling import CANCELLED
from protonpay.payouts.models import PayeeLook
from protonpay.store.db import db, transaction
from protonpay.users import service as users
from tests.actors import Actor
from tests.browser.driving import Visit, sign_in
from tests.browser.looking import LANGUAGES, USUAL, look, speaking
from tests.payouts.orders import WALLETS, accepted, stored, withdraw
from tests.plans.of_a_kind import on_plan
from tests.unchanged import nothing_changes

pytestmark = pytest.mark.slow  # a real browser


PATIENCE = 15_000  # ms


def say(wallet: str, kind: str) -> None:
    """Have Base say what stands at an address."""
    with transaction() as session:
        at = check_address(NETWORKS["Base"], wallet, frozenset())
        asked = session.get_one(PayeeLook, ("Base", at), populate_existing=True)
        asked.state, asked.told_at = kind, clock.now()


def order(seen: Visit, amount: str, wallet: str = WALLETS["Base"], language: str = "en") -> None:
    """Go through the steps, as far as the server lets one go: each page may have a clock."""
    seen.page.goto(f"/app/withdraw?lang={language}")
    seen.page.locator("#network").select_option("Base")
    seen.page.locator("#walletAddress").fill(wallet)
    go_on(seen)
    if seen.page.locator("#amount").count():
        how_much(seen, amount)


def how_much(seen: Visit, amount: str) -> None:
    """Fill in the second step."""
    seen.page.locator("#amount").fill(amount)
    go_on(seen)


def go_on(seen: Visit) -> None:
    """Send the form of a step."""
    with seen.page.expect_navigation():
        seen.page.locator("form.stack button:not([type=button])").first.click()


def test_a_network_is_chosen_by_who_withdraws(alice: Actor, visit: Callable[..., Visit]):
    seen = visit(viewport={"width": 360, "height": 800})
    sign_in(seen, alice)
    seen.page.goto("/app/withdraw")
    network = seen.page.locator("#network")
    expect(network).to_have_value("")
    expect(network.locator("option:checked")).to_have_text("Choose a network")
    seen.page.locator("#walletAddress").fill(WALLETS["Base"])
    with nothing_changes():
        seen.page.get_by_role("button", name="Continue").click()
        assert network.evaluate("e => e.validity.valueMissing")
        seen.page.goto(f"/app/withdraw/amount?walletAddress={WALLETS['Base']}")
        expect(network).to_have_accessible_description("Choose a network.")
    expect(network).to_have_value("")
    expect(seen.page.locator("#walletAddress")).to_have_value(WALLETS["Base"])
    seen.shot("app-withdraw-unchosen-en-light-360")
    assert seen.overflows() <= 0
    assert (seen.violations(), seen.strangers) == ([], [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_an_address_fits_is_said_while_it_is_typed(
    alice: Actor, visit: Callable[..., Visit], language: str
):
    """And chooses nothing: an EVM address is one of several networks."""
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        seen.page.goto(f"/app/addresses?lang={asked}")
        address, network = seen.page.locator("#address"), seen.page.locator("#network")
        fits = seen.page.locator("[data-fits=address]")
        for typed, chosen, names in (
            (WALLETS["Base"], "", "Base, Polygon"),
            (WALLETS["Solana"], "", "Solana"),
            (WALLETS["Solana"], "Base", "Solana"),
            (WALLETS["Solana"], "Solana", ""),
            ("z" * 44, "", ""),
            (WALLETS["Base"], "Polygon", ""),
            (WALLETS["Base"][:-1], "", ""),
            (WALLETS["Base"], "Solana", "Base, Polygon"),
        ):
            address.fill(typed)
            network.select_option(chosen)
            expect(fits).to_contain_text(names) if names else expect(fits).to_have_text("")
            expect(network).to_have_value(chosen)
        look(seen, "app-addresses-fitting", language)
        assert language == "pseudo" or seen.violations() == []
        assert (seen.strangers, seen.errors) == ([], [])


def as_it_is(actor: Actor) -> None:
    """Leave an account as it was made."""


def on_small_days(actor: Actor) -> None:
    """Have used 30 of 70 USDC of 24 hours, without a pause between two."""
    on_plan(actor, daily_limit_micro=70_000_000, cooldown_seconds=0)
    withdraw(actor, 30)


def frozen(actor: Actor) -> None:
    """Have frozen withdrawals."""
    with transaction():
        users.lock(actor.id).withdrawals_frozen_at = clock.now()


@pytest.mark.parametrize(
    ("before", "amount", "said"),
    [
        (as_it_is, "10000,01", "more than one withdrawal may be"),
        (on_small_days, "40,01", "more than the limit of 24 hours leaves"),
        (as_it_is, "999,96", "balance does not cover this amount"),
        (frozen, "10", "Withdrawals of this account are frozen"),
    ],
)
def test_what_stands_in_the_way_is_said(
    alice: Actor,
    visit: Callable[..., Visit],
    before: Callable[[Actor], None],
    amount: str,
    said: str,
):
    """T22: over single, over daily, insufficient, frozen."""
    before(alice)
    payees.look(wallet_address=WALLETS["Base"], network="Base")
    seen = visit()
    sign_in(seen, alice)
    with nothing_changes():
        order(seen, amount)
        expect(seen.page.get_by_role("alert").first).to_contain_text(said)
    expect(seen.page.get_by_role("button", name="Withdraw")).to_have_count(0)
    # The status of an amount that is refused beside its field; Chromium tells every such one.
    assert [each for each in seen.errors if "400 (Bad Request)" not in each] == []
    assert seen.violations() == []


def test_a_clock_runs_down_to_the_next_withdrawal(alice: Actor, visit: Callable[..., Visit]):
    """T22: in cooldown; at its end the page asks the server, and goes on by itself."""
    withdraw(alice, 10)
    payees.look(wallet_address=WALLETS["Base"], network="Base")
    seen = visit(viewport={"width": 360, "height": 800})
    seen.page.clock.install()
    sign_in(seen, alice)
    with nothing_changes():
        order(seen, "10")
        timer = seen.page.get_by_role("timer")
        expect(timer).to_be_visible()
        began = timer.inner_text()
        assert "00:30" < began <= "01:00"
        seen.page.clock.run_for(3000)
        assert timer.inner_text() < began
        seen.shot("app-withdraw-cooldown-en-light-360")
        assert seen.overflows() <= 0
    on_plan(alice, cooldown_seconds=0)
    seen.page.clock.run_for(60_000)
    expect(seen.page.get_by_role("button", name="Withdraw 10.00 USDC")).to_be_visible()
    assert seen.errors == []


def test_the_end_of_a_wait_is_said_where_somebody_types(alice: Actor, visit: Callable[..., Visit]):
    withdraw(alice, 10)
    seen = visit()
    seen.page.clock.install()
    sign_in(seen, alice)
    seen.page.goto(f"/app/withdraw/amount?walletAddress={WALLETS['Base']}&network=Base")
    expect(seen.page.locator("#amount")).to_be_focused()
    seen.page.keyboard.type("7")
    seen.page.clock.run_for(61_000)
    expect(seen.page.locator("[data-waits]")).to_have_text("The next withdrawal is possible now.")
    expect(seen.page.locator("#amount")).to_have_value("7")
    seen.page.get_by_role("button", name="Use the maximum").click()
    expect(seen.page.locator("#amount")).to_have_value("989.90")


@pytest.mark.parametrize("language", LANGUAGES)
def test_screens_of_money_are_whole(alice: Actor, visit: Callable[..., Visit], language: str):
    """T40: after a withdrawal, with its clock and what is used of the limits."""
    withdraw(alice, 250)
    wallet = WALLETS["Base"]
    alice.post("/client/addresses", {"network": "Base", "label": "Treasury", "address": wallet})
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        for name, path in (
            ("overview", "/app?"),
            ("withdraw", "/app/withdraw?"),
            ("withdraw-amount", f"/app/withdraw/amount?walletAddress={wallet}&network=Base&"),
            ("fees", "/app/fees?"),
        ):
            seen.page.goto(f"{path}lang={asked}")
            look(seen, f"app-money-{name}", language)
            # Numbers of the limits stand on one line each (portal reference §4.1).
            broken = "e => e.getClientRects().length > 1"
            numbers = seen.page.locator(".bullet .num, [data-waits] .num, .figures .num").all()
            assert [each.inner_text() for each in numbers if each.evaluate(broken)] == []
            if language != "pseudo":
                assert seen.violations() == [], path
        assert (seen.strangers, seen.errors) == ([], [])


@pytest.mark.parametrize(
    ("wallet", "said"),
    [
        (WALLETS["Base"].replace("BeAed", "Beaed"), "or it has a typing error"),
        (WALLETS["Solana"], "no address of this network"),
        (NETWORKS["Base"].usdc, "no address of this network"),
        ("own", "your own deposit address"),
    ],
)
def test_a_wrong_address_is_refused_beside_its_field(
    merchant: Actor, visit: Callable[..., Visit], wallet: str, said: str
):
    """T23: bad checksum, another network's, a token's, one's own."""
    asked = merchant.post("/client/deposit/crypto", {"network": "Base"})
    seen = visit()
    sign_in(seen, merchant)
    with nothing_changes():
        order(seen, "10", asked.json["deposit"]["address"] if wallet == "own" else wallet)
        field = seen.page.locator("#walletAddress")
        expect(field).to_have_accessible_description(re.compile(said))
    expect(seen.page.locator("#amount")).to_have_count(0)
    assert seen.violations() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_contract_is_paid_by_who_says_so_alone(
    alice: Actor, visit: Callable[..., Visit], language: str
):
    """T23: the page learns by itself what the network says, and does not go on without a word."""
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        order(seen, "10", language=asked)
        part = seen.page.locator("[data-part=payee]")
        expect(part).to_have_attribute("data-live", "2")
        look(seen, "app-withdraw-looking", language)
        say(WALLETS["Base"], "CONTRACT")
        box = seen.page.get_by_role("checkbox")
        expect(box).to_be_visible(timeout=PATIENCE)
        look(seen, "app-withdraw-contract", language)
        assert language == "pseudo" or seen.violations() == []
        button = seen.page.locator("#withdrawal .button").first
        with nothing_changes():
            button.click()
            assert box.evaluate("e => e.validity.valueMissing")
        box.check()
        button.click()
        seen.page.wait_for_url("**/app/withdrawals/*")
        assert str(alice.held) == "10.05"
        assert (seen.strangers, seen.errors) == ([], [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_address_that_only_looks_like_one_paid_before(
    alice: Actor, visit: Callable[..., Visit], language: str
):
    """T23: address poisoning: both are shown, one over the other."""
    on_plan(alice, cooldown_seconds=0)
    withdraw(alice, 10)
    known = WALLETS["Base"].lower()
    poison = f"{known[:6]}{'a' * 32}{known[-4:]}"
    payees.look(wallet_address=poison, network="Base")
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        with nothing_changes():
            order(seen, "10", poison, asked)
            expect(seen.page.locator(".compare code")).to_have_count(2)
            expect(seen.page.locator("#amount")).to_have_count(0)
        look(seen, "app-withdraw-alike", language)
        assert language == "pseudo" or seen.violations() == []
        with seen.page.expect_navigation():
            seen.page.locator(".notice.bad form button").click()
        how_much(seen, "10")
        expect(seen.page.locator(".compare code")).to_have_count(2)
        say(poison, "UNKNOWN")
        seen.page.reload()
        look(seen, "app-withdraw-poisoned", language)
        assert language == "pseudo" or seen.violations() == []
        with nothing_changes():
            seen.page.locator("#withdrawal .button").first.click()
            expect(seen.page.locator(".compare code")).to_have_count(2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_withdrawal_is_followed_and_taken_back(
    alice: Actor, visit: Callable[..., Visit], language: str
):
    """Its page is a timeline; another one, that is on its way, cannot be taken back."""
    on_plan(alice, cooldown_seconds=0)
    way, back = accepted(alice, "10"), accepted(alice, "20")
    payout = stored(way)
    payout.state, payout.signed_at, payout.sent_at = "SENT", clock.now(), clock.now()
    payout.tx_hash = f"0x{'ab' * 32}"
    db.session.commit()
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        for one, name in ((way, "sent"), (back, "waiting")):
            seen.page.goto(f"/app/withdrawals/{one}?lang={asked}")
            look(seen, f"app-withdrawal-{name}", language)
            assert language == "pseudo" or seen.violations() == []
        seen.page.locator("details.card summary").first.click()
        # Its form goes once the session was asked for: a click alone does not wait for that.
        with seen.page.expect_navigation():
            seen.page.locator("details.card .button.danger").click()
        expect(seen.page.get_by_role("status").first).to_be_visible()
        look(seen, "app-withdrawal-asked-back", language)
        ending.fail_unsigned(back, CANCELLED)
        seen.page.reload()
        look(seen, "app-withdrawal-cancelled", language)
    assert (str(alice.held), seen.errors) == ("10.05", [])
