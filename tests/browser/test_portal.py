"""The client portal in Chromium: each screen in both languages, themes and widths, as pictures."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.actors import PASSWORD, Actor, make_actor
from tests.browser.driving import Visit
from tests.conftest import PASSPHRASE
from tests.payouts.orders import WALLETS
from tests.portal.client.test_screens import SCREENS
from tests.wallets import pools

pytestmark = pytest.mark.slow  # a real browser

LOOKS = (("ru", "dark", 360), ("en", "light", 1280))


def sign_in(seen: Visit, actor: Actor) -> None:
    seen.page.goto("/login")
    seen.page.locator("#email").fill(actor.email)
    seen.page.locator("#password").fill(PASSWORD)
    seen.page.locator("form.stack button").click()
    seen.page.wait_for_url("**/app")


@pytest.fixture
def merchant(house: Flask, keyring_path: object, bob: Actor) -> Actor:
    """Somebody with a little of everything."""
    pools.fill(keyring_path, PASSPHRASE, 20)
    actor = make_actor(house, "Merchant", funded="1500")
    actor.post("/client/transfer", {"toIdentifier": bob.email, "amount": "12.5", "note": "Обед"})
    actor.post("/client/invoices", {"amount": "50", "description": "Monthly subscription"})
    actor.post("/client/api-keys", {"name": "Server", "permissions": ["balance:read"]})
    hook = {"url": "https://example.com/hooks", "events": ["transfer.completed", "invoice.paid"]}
    actor.post("/client/webhooks", hook)
    return actor


def test_every_screen_is_whole_for_everybody(merchant: Actor, visit: Callable[..., Visit]):
    """T40, T41, T44: axe finds nothing, nothing scrolls sideways, nobody else is asked."""
    for turn, (language, scheme, width) in enumerate(LOOKS):
        seen = visit(locale=language, color_scheme=scheme, viewport={"width": width, "height": 800})
        for name in ("login", "register", "forgot"):
            seen.page.goto(f"/{name}")
            seen.shot(f"app-{name}-{language}-{scheme}-{width}")
            assert seen.violations() == [], name
            assert seen.overflows() <= 0, name
        sign_in(seen, merchant)
        seen.page.goto(f"/app?lang={language}")
        for number, path in enumerate(SCREENS):
            seen.page.goto(path)
            seen.shot(f"app-{path[5:].replace('/', '-') or 'overview'}-{language}-{scheme}-{width}")
            where = (path, language)
            assert seen.page.locator("html").get_attribute("lang") == language, where
            if number % 2 == turn:
                assert seen.violations() == [], where
            assert seen.overflows() <= 0, where
        assert (seen.strangers, seen.errors) == ([], [])


def test_a_passkey_is_made_and_opens(alice: Actor, visit: Callable[..., Visit]):
    """T20 without a password: Chromium's own device signs, and a copy of nothing is kept."""
    seen = visit(base_url="http://localhost:8000")
    device = seen.context.new_cdp_session(seen.page)
    device.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    kind |= {"hasUserVerification": True, "isUserVerified": True}
    device.send("WebAuthn.addVirtualAuthenticator", {"options": kind})
    sign_in(seen, alice)
    seen.page.goto("/app/security")
    seen.page.get_by_text("Add a passkey").first.click()
    seen.page.locator("#password-passkey").fill(PASSWORD)
    seen.page.locator("form[action='/app/security/passkeys/options'] button").click()
    seen.page.locator("#name").fill("Laptop")
    seen.page.get_by_role("button", name="Make the passkey").click()
    expect(seen.page.get_by_text("The passkey is added.")).to_be_visible()
    expect(seen.page.get_by_text("Laptop")).to_be_visible()
    seen.page.get_by_role("button", name="Sign out").click()
    seen.page.get_by_role("button", name="Sign in with a passkey").click()
    seen.page.wait_for_url("**/app")
    assert (seen.strangers, seen.errors) == ([], [])


def test_a_withdrawal_by_keyboard_alone_and_sent_twice_is_one(
    alice: Actor, visit: Callable[..., Visit]
):
    """T21, T41: Tab, typing and Enter; a double click, and the browser's own back and again."""
    seen = visit(viewport={"width": 360, "height": 800})
    sign_in(seen, alice)
    seen.page.goto("/app/withdraw")
    seen.page.locator("#network").focus()
    keyboard = seen.page.keyboard
    keyboard.type("Base")
    keyboard.press("Tab")
    keyboard.type(WALLETS["Base"])
    keyboard.press("Tab")
    keyboard.type("12,5")
    keyboard.press("Enter")
    button = seen.page.get_by_role("button", name="Withdraw 12.50 USDC")
    expect(button).to_be_visible()
    seen.shot("app-withdraw-confirm-en-light-360")
    assert seen.violations() == []
    button.dblclick()
    seen.page.wait_for_url("**/app/withdrawals/*")
    first = seen.page.url
    seen.shot("app-withdrawn-en-light-360")
    assert seen.violations() == []
    assert seen.overflows() <= 0
    seen.page.go_back()
    expect(seen.page.get_by_text("Next withdrawal is possible in")).to_be_visible()
    expect(button).to_have_count(0)
    seen.page.goto(first)
    assert str(alice.held) == "12.55"
