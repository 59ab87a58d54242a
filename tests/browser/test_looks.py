"""Pages of our own showing, in Chromium: the components, in both languages and themes."""

from collections.abc import Callable

import pytest

from tests.browser.driving import Visit

pytestmark = pytest.mark.slow  # a real browser

LOOKS = (("ru", "dark", 360), ("en", "light", 1280))


@pytest.mark.parametrize("page", ["components"])
def test_a_page_is_whole_for_everybody(visit: Callable[..., Visit], page: str):
    """T40, T41, T44: axe finds nothing, nothing scrolls sideways, nobody else is asked."""
    for language, scheme, width in LOOKS:
        seen = visit(locale=language, color_scheme=scheme, viewport={"width": width, "height": 800})
        seen.page.goto(f"/{page}")
        assert seen.page.locator("html").get_attribute("lang") == language
        seen.shot(f"{page}-{language}-{scheme}-{width}")
        assert seen.violations() == [], (language, scheme)
        assert seen.overflows() <= 0, (language, scheme)
        assert (seen.strangers, seen.errors) == ([], [])
