"""Pages that are shown once, or only after a month: whole and without a fault in each language."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from protonpay.kernel import clock
from protonpay.telegram import service as telegram
from protonpay.telegram.bot import Bot
from protonpay.telegram.service import Started
from tests.actors import PASSWORD, Actor
from tests.browser.driving import Visit, sign_in
from tests.browser.looking import LANGUAGES, USUAL, look, speaking
from tests.two_factor.apps import App

pytestmark = pytest.mark.slow  # a real browser


@pytest.fixture
def telegram_bot() -> Iterator[None]:
    """A bot that nothing is asked of: linking is a matter of this side."""
    telegram.line.bind(Bot("http://127.0.0.1:9", "100500:nobodys"), "https://t.me/tests_bot")
    yield
    telegram.line.bind(None, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_secrets_that_are_shown_once_are_whole(
    alice: Actor, visit: Callable[..., Visit], language: str
):
    """T40, T41: a key, a webhook's secret, the second factor's and its recovery codes."""
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        for path, name, filled in (
            ("/app/keys", "app-key-shown", {"#name": "Server"}),
            ("/app/webhooks", "app-webhook-shown", {"#url": "https://example.com/hooks"}),
        ):
            seen.page.goto(f"{path}?lang={asked}")
            for field, typed in filled.items():
                seen.page.locator(field).fill(typed)
            form = seen.page.locator("form", has=seen.page.locator(next(iter(filled))))
            form.locator("input[type=checkbox]").first.check()
            form.locator("button").last.click()
            expect(seen.page.locator("[data-copies]").first).to_be_visible()
            look(seen, name, language)
            assert seen.violations() == []

        seen.page.goto(f"/app/security?lang={asked}")
        form = seen.page.locator("form[action='/app/security/2fa/setup']")
        form.locator("input[type=password]").fill(PASSWORD)
        form.locator("button").click()
        secret = seen.page.locator("[data-copies]").first
        expect(secret).to_be_visible()
        look(seen, "app-two-factor", language)
        assert seen.violations() == []
        seen.page.locator("#code").fill(App(secret.get_attribute("data-copies") or "").code())
        seen.page.locator("form", has=seen.page.locator("#code")).locator("button").click()
        codes = seen.page.locator(".codes code")
        expect(codes).to_have_count(10)
        kept = seen.page.locator(".copy").get_attribute("data-copies")
        assert kept == "\n".join(codes.all_inner_texts())
        look(seen, "app-recovery-codes", language)
        assert seen.violations() == []
        assert seen.errors == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_month_that_is_over_is_whole(
    alice: Actor, bob: Actor, visit: Callable[..., Visit], language: str
):
    """T40: its page, with what happened in it."""
    alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": "12.5", "note": "Обед"})
    with speaking(language) as asked, clock.frozen(clock.now() + timedelta(days=32)):
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        seen.page.goto(f"/app/statements?lang={asked}")
        look(seen, "app-statements-of-months", language)
        seen.page.locator("main a[href^='/app/statements/']:not([href*='.'])").first.click()
        expect(seen.page.locator("h1")).to_be_visible()
        look(seen, "app-statement", language)
        assert seen.violations() == []
        assert seen.errors == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_of_a_telegram_chat_is_whole(
    alice: Actor, visit: Callable[..., Visit], language: str, telegram_bot: None
):
    """T40, T41: before it is asked for, while it waits to be opened, and when it was."""
    path = "/app/notifications/preferences"
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        seen.page.goto(f"{path}?lang={asked}")
        look(seen, "app-telegram-asks", language)
        assert seen.violations() == []
        seen.page.locator("form[action='/app/notifications/telegram'] button").click()
        opens = seen.page.locator("a[target=_blank]")
        expect(opens).to_be_visible()
        look(seen, "app-telegram-link", language)
        assert seen.violations() == []
        page, _, code = (opens.get_attribute("href") or "").partition("?start=")
        assert page == "https://t.me/tests_bot"
        assert telegram.start(code, 800_000, "alice_in_telegram") is Started.LINKED
        seen.page.locator(f"a.button[href='{path}']").click()
        expect(seen.page.get_by_text("@alice_in_telegram")).to_be_visible()
        look(seen, "app-telegram-linked", language)
        assert seen.violations() == []
        assert seen.errors == []
