"""Pages of our own showing, in Chromium: the components and the reference of the API."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from protonpay.portal import words
from protonpay.portal.words import IN_RUSSIAN as RUSSIAN
from tests.browser.driving import Visit

pytestmark = pytest.mark.slow  # a real browser

LOOKS = (("ru", "dark", 360), ("en", "light", 1280))
# Axe takes half a minute for the whole reference: each kind of part, some in each look.
PARTS = {
    "ru": ("header", "#authentication", "#wallets-you-have-linked", "#providers"),
    "en": (".contents", "#transfers", "#errors"),
}
PLACES = ("top", "invoices", "payouts_withdraw", "events", "errors")


@pytest.mark.parametrize("name", ["", "components"])
def test_a_page_is_whole_for_everybody(visit: Callable[..., Visit], name: str):
    """T40, T41, T44: axe finds nothing, nothing scrolls sideways, nobody else is asked."""
    for language, scheme, width in LOOKS:
        seen = visit(locale=language, color_scheme=scheme, viewport={"width": width, "height": 800})
        seen.page.goto(f"/{name}")
        assert seen.page.locator("html").get_attribute("lang") == language
        seen.shot(f"{name or 'front'}-{language}-{scheme}-{width}")
        assert seen.violations() == [], (language, scheme)
        assert seen.overflows() <= 0, (language, scheme)
        assert (seen.strangers, seen.errors) == ([], [])


def test_the_components_do_what_they_say(visit: Callable[..., Visit]):
    """Dialogs take and give back the focus, values are copied, messages close: by keyboard."""
    seen = visit(permissions=["clipboard-read", "clipboard-write"])
    seen.page.goto("/components")
    opens = seen.page.locator("[data-opens=sure]")
    opens.press("Enter")
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("button").first).to_be_focused()
    assert seen.violations() == []
    seen.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opens).to_be_focused()
    seen.page.locator(".copied:has(.grouped) .copy").press("Enter")
    expect(seen.page.locator("p.told")).to_have_text("Address copied")
    copied = seen.page.evaluate("navigator.clipboard.readText()")
    assert copied == "0x52908400098527886E0F7030069857D2E4169EE7"
    seen.page.locator("[data-closes]").press("Enter")
    expect(seen.page.locator(".toast")).to_have_count(0)
    seen.page.get_by_label("curl").press("ArrowRight")
    expect(seen.page.locator(".tabs pre:visible")).to_have_text(re.compile("^requests"))


def test_longer_words_and_narrower_windows_fit(
    visit: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch
):
    """T40, T42: a language that is longer by 40 %, in 320 px (200 % of 640)."""
    longer = {
        english: f"{said}{' ~~~~' * (len(said) // 12 + 1)}" for english, said in RUSSIAN.items()
    }
    monkeypatch.setattr(words, "IN_RUSSIAN", longer)
    seen = visit(locale="ru", viewport={"width": 320, "height": 800})
    for path in ("", "components", "login", "register", "freeze?token=x", "pay/nobodys"):
        seen.page.goto(f"/{path}")
        assert "~" in seen.page.locator("main").inner_text(), path
        assert seen.overflows() <= 0, path


def test_the_reference_is_whole_for_everybody(visit: Callable[..., Visit]):
    """T40, T41, T44, and what its script adds."""
    for language, scheme, width in LOOKS:
        seen = visit(locale=language, color_scheme=scheme, viewport={"width": width, "height": 800})
        seen.page.goto("/docs")
        for place in PLACES:
            seen.page.evaluate("id => document.getElementById(id).scrollIntoView()", place)
            seen.shot(f"docs-{place}-{language}-{scheme}-{width}", whole=False)
        assert seen.violations(*PARTS[language]) == [], (language, scheme)
        assert seen.overflows() <= 0, (language, scheme)
        assert (seen.strangers, seen.errors) == ([], [])
    seen.page.keyboard.press("/")
    seen.page.keyboard.type("post invoices")
    expect(seen.page.locator(".found")).to_have_text("4")
    expect(seen.page.locator(".contents li[data-words]:visible")).to_have_count(4)
    seen.page.get_by_label("Python").check()
    seen.page.reload()
    expect(seen.page.get_by_label("Python")).to_be_checked()


def test_the_reference_is_whole_without_its_script(visit: Callable[..., Visit]):
    """T13 of the reference: one language of examples at a time, every call in the contents."""
    seen = visit(java_script_enabled=False)
    seen.page.goto("/docs")
    first = seen.page.locator("#auth_register")
    assert first.locator(".of-sh").is_visible()
    seen.page.get_by_label("JavaScript").check()
    assert first.locator(".of-js").is_visible()
    assert not first.locator(".of-sh").is_visible()
    assert not seen.page.locator(".find").is_visible()
    assert seen.page.get_by_role("link", name="Back to the portal").get_attribute("href") == "/app"
