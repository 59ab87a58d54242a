"""Deposits and transfers in Chromium: shown, made once; a session that ends loses nothing."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.actors import PASSWORD, Actor
from tests.browser.driving import Visit, sign_in
from tests.browser.looking import LANGUAGES, USUAL, look, speaking
from tests.invoices.by_card import tap, tap_simulator
from tests.payouts.orders import accepted
from tests.portal.client.test_depositing import arrive
from tests.simulators import Simulator
from tests.unchanged import nothing_changes

__all__ = ["tap", "tap_simulator"]

pytestmark = pytest.mark.slow  # a real browser


def fill_in(seen: Visit, to: str, amount: str) -> None:
    """Fill in a transfer and go on to its last step."""
    seen.page.goto("/app/transfer")
    seen.page.locator("#toIdentifier").fill(to)
    seen.page.locator("#amount").fill(amount)
    seen.page.locator("#note").fill("Обед")
    seen.page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("by", ["email", "public_id"])
def test_a_transfer_is_shown_then_made_once(
    alice: Actor, bob: Actor, visit: Callable[..., Visit], by: str
):
    """T24: by e-mail and by public id; a double click is one."""
    seen = visit()
    sign_in(seen, alice)
    fill_in(seen, getattr(bob, by), "12,5")
    masked = seen.page.get_by_text("B…", exact=True)
    expect(masked).to_have_count(1 if by == "public_id" else 0)
    seen.page.get_by_role("button", name="Transfer 12.50 USDC").dblclick()
    seen.page.wait_for_url("**/app/transfers/*")
    expect(seen.page.get_by_text("Обед", exact=True)).to_be_visible()
    assert (str(bob.available), str(alice.available)) == ("12.50", "987.50")
    assert (seen.violations(), seen.errors) == ([], [])


@pytest.mark.parametrize("to", ["self", "PP-00000000", "nobody@example.com"])
def test_a_transfer_to_nobody_and_to_oneself(alice: Actor, visit: Callable[..., Visit], to: str):
    """T24."""
    seen = visit()
    sign_in(seen, alice)
    typed = alice.email if to == "self" else to
    with nothing_changes():
        fill_in(seen, typed, "5")
        if to == "nobody@example.com":  # the ids that nobody has are told before
            seen.page.get_by_role("button", name="Transfer 5.00 USDC").click()
        expect(seen.page.get_by_role("alert")).to_be_focused()
    expect(seen.page.locator("#toIdentifier")).to_have_value(typed)
    assert seen.violations() == []


def test_a_session_that_ends_in_the_middle_loses_nothing(
    alice: Actor, bob: Actor, visit: Callable[..., Visit]
):
    """T28: what is to be confirmed stays while one signs in anew over it, and is sent once."""
    seen = visit()
    sign_in(seen, alice)
    fill_in(seen, bob.email, "7")
    alice.call("DELETE", "/client/sessions")
    dialog = seen.page.get_by_role("dialog")
    with nothing_changes():
        seen.page.get_by_role("button", name="Transfer 7.00 USDC").click()
        expect(dialog).to_be_visible()
    dialog.locator("input[name=email]").fill(alice.email)
    dialog.locator("input[name=password]").fill(PASSWORD)
    dialog.locator("input[name=password]").press("Enter")
    expect(dialog).to_be_hidden()
    assert str(bob.available) == "0.00", "signing in sends nothing"
    seen.page.get_by_role("button", name="Transfer 7.00 USDC").click()
    seen.page.wait_for_url("**/app/transfers/*")
    assert str(bob.available) == "7.00"


@pytest.mark.parametrize("language", LANGUAGES)
def test_deposits_are_reckoned_and_seen(
    merchant: Actor, tap: Simulator, visit: Callable[..., Visit], language: str
):
    """T40: what a card brings and who takes it; an address with what is on its way."""
    arrive(merchant, final=False)
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, merchant)
        seen.page.goto(f"/app/deposit?lang={asked}")
        seen.page.locator("button[value=Base]").click()
        expect(seen.page.locator(".qr")).to_be_visible()
        look(seen, "app-deposit-address", language)
        seen.page.goto("/app/deposit")
        seen.page.locator("#amount").fill("1836,25")
        seen.page.locator("#currency").select_option("AED")
        seen.page.locator("form[method=get] .button").click()
        expect(seen.page.locator("button[value=tap]")).to_be_visible()
        look(seen, "app-deposit-reckoned", language)
        assert language == "pseudo" or seen.violations() == []
        seen.page.locator("button[value=tap]").click()
        expect(seen.page.locator("a.button").first).to_be_visible()
        look(seen, "app-deposit-leaving", language)
        assert language == "pseudo" or seen.violations() == []
        assert seen.errors == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_api_gives_for_each_line_opens_below_it(
    alice: Actor, bob: Actor, visit: Callable[..., Visit], tap: Simulator, language: str
):
    """A long line of it wraps; the page gets no wider."""
    order = {"toIdentifier": bob.email, "amount": "12.5", "note": "Обед " * 40}
    card = {"amount": "10", "currency": "USD", "provider": "tap"}
    paid = alice.post("/client/transfer", order).json["transfer"]["id"]
    bought = alice.post("/client/deposit/card", card).json["deposit"]["id"]
    places = {"deposits": bought, "transfers": paid, "withdrawals": accepted(alice, "10")}
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        for name, one in places.items():
            seen.page.goto(f"/app/{name}/{one}?lang={asked}")
            seen.page.locator("details.card > summary").last.click()
            expect(seen.page.locator("details.card pre")).to_be_visible()
            look(seen, f"app-{name}-given", language)
            assert language == "pseudo" or seen.violations() == []
    assert seen.errors == []
