"""The client portal in Chromium: each screen in both languages, themes and widths, as pictures."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.actors import PASSWORD, Actor, make_actor
from tests.browser.driving import Visit
from tests.conftest import PASSPHRASE
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
