"""The search in Chromium: reached by keys from any page, and without a script by its button."""

from collections.abc import Callable

import pytest

from tests.actors import Actor
from tests.browser.driving import Visit, sign_in
from tests.browser.looking import look
from tests.overview.test_lists import payout

pytestmark = pytest.mark.slow  # a real browser


@pytest.mark.parametrize("keys", ["/", "Control+k"])
def test_keys_lead_into_the_search(alice: Actor, visit: Callable[..., Visit], keys: str):
    made = payout(alice)
    seen = visit(viewport={"width": 1280, "height": 800})
    sign_in(seen, alice)
    seen.page.goto("/app/fees")
    seen.page.keyboard.press(keys)
    assert seen.page.evaluate("document.activeElement.id") == "find"
    seen.page.keyboard.type(made)
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(f"**/app/withdrawals/{made}")
    seen.page.goto("/app/activity")
    seen.page.locator("#q").fill("")
    seen.page.locator("#q").press("/")
    assert seen.page.locator("#q").input_value() == "/", "who types a slash gets one"
    assert (seen.strangers, seen.errors) == ([], [])


def test_on_a_phone_an_icon_leads_to_it(alice: Actor, bob: Actor, visit: Callable[..., Visit]):
    for sum_ in (7, 7, "12.5"):
        body = {"toIdentifier": bob.email, "amount": sum_, "note": "Аренда"}
        assert alice.post("/client/transfer", body).status_code == 200
    seen = visit(viewport={"width": 360, "height": 800})
    sign_in(seen, alice)
    seen.page.goto("/app/fees")
    seen.page.locator("header .find button").click()
    seen.page.wait_for_url("**/app/search?q=")
    seen.page.locator("#search").fill("7")
    seen.page.locator("#search").press("Enter")
    assert seen.page.locator(".hits li").count() == 2
    look(seen, "app-search-found", "en")
    seen.page.goto("/app/activity?q=аренда&from=2020-01-01")
    look(seen, "app-activity-filtered", "en")
    seen.page.goto("/app/search?q=two+words")
    look(seen, "app-search-refused", "ru")
    assert seen.violations() == []
    assert [said for said in seen.errors if "400" not in said] == []
