"""Pages of our own showing, in Chromium: the components and the reference of the API."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Visit

pytestmark = pytest.mark.slow  # a real browser

LOOKS = (("ru", "dark", 360), ("en", "light", 1280))
# Axe takes half a minute for the whole reference: each kind of part, some in each look.
PARTS = {
    "ru": ("header", "#authentication", "#wallets-you-have-linked", "#providers"),
    "en": (".contents", "#transfers", "#errors"),
}
PLACES = ("top", "invoices", "payouts_withdraw", "events", "errors")


def test_the_components_are_whole_for_everybody(visit: Callable[..., Visit]):
    """T40, T41, T44: axe finds nothing, nothing scrolls sideways, nobody else is asked."""
    for language, scheme, width in LOOKS:
        seen = visit(locale=language, color_scheme=scheme, viewport={"width": width, "height": 800})
        seen.page.goto("/components")
        assert seen.page.locator("html").get_attribute("lang") == language
        seen.shot(f"components-{language}-{scheme}-{width}")
        assert seen.violations() == [], (language, scheme)
        assert seen.overflows() <= 0, (language, scheme)
        assert (seen.strangers, seen.errors) == ([], [])


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
