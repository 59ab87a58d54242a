"""The pages that letters lead to, in Chromium: what a person sees, and that no token is let out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Visit

pytestmark = pytest.mark.slow  # a real browser

PAGES = ("verify-email", "reset-password", "freeze")
LOOKS = (("ru", "dark", 360), ("en", "light", 1280))


def test_each_page_of_a_letter_is_whole_for_everybody(visit: Callable[..., Visit]):
    """T40, T41: before it is sent, and after it was refused."""
    for language, scheme, width in LOOKS:
        seen = visit(locale=language, color_scheme=scheme, viewport={"width": width, "height": 800})
        for name in PAGES:
            seen.page.goto(f"/{name}?token=nobodys")
            assert seen.page.locator("html").get_attribute("lang") == language
            for moment in ("asks", "refused"):
                if moment == "refused":
                    if name == "reset-password":
                        seen.page.locator("#password").fill("correct horse battery")
                    with seen.page.expect_navigation():
                        seen.page.locator("button").click()
                    expect(seen.page.get_by_role("alert")).to_be_visible()
                where = (name, moment, language)
                seen.shot(f"letter-{name}-{moment}-{language}-{scheme}-{width}")
                assert seen.violations() == [], where
                assert seen.overflows() <= 0, where
        assert seen.strangers == []
