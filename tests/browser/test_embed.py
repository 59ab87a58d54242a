"""The pay page on a seller's site, in Chromium: framed by another origin, and the way back."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Route, expect

from tests.actors import Actor, make_actor
from tests.browser.driving import HOME, Visit
from tests.conftest import PASSPHRASE
from tests.invoices.asking import ask, pay_on_chain
from tests.wallets import pools

pytestmark = pytest.mark.slow  # a real browser

SHOP, FOREIGN = "http://shop.test", "http://foreign.test"
PATIENCE = 60_000  # ms
SITE = """<!doctype html><html lang="en"><title>Shop</title><main><h1>Shop</h1>
<button id="buy">Buy</button> <a href="/elsewhere">Elsewhere</a></main>
<script src="{home}/js/protonpay.js"></script>
<script>window.heard = []; window.posted = [];
addEventListener("message", ({{ origin, data }}) => posted.push([origin, data]));
buy.onclick = () => protonpay.open("{home}/pay/{invoice}", (told) => heard.push(told));</script>"""
INSIDE = """() => document.querySelector('dialog')?.contains(document.activeElement)"""


@pytest.fixture
def shop(house: Flask, keyring_path: Path) -> Actor:
    """A seller, and addresses to be paid at."""
    pools.fill(keyring_path, PASSPHRASE, 5)
    return make_actor(house, "Shop")


def at_a_site(seen: Visit, origin: str, invoice_id: str) -> None:
    """Open a site of somebody's own, on which an invoice can be paid."""
    html = SITE.format(home=HOME, invoice=invoice_id)

    def answer(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body=html)

    seen.context.route(f"{origin}/**", answer)
    seen.page.goto(f"{origin}/")


def test_the_dialog_keeps_the_focus_and_closes_by_esc_wherever_it_is(
    shop: Actor, visit: Callable[..., Visit]
):
    made = ask(shop, embedOrigin=SHOP)
    seen = visit(viewport={"width": 1280, "height": 800})
    at_a_site(seen, SHOP, made.id)
    buy, dialog = seen.page.locator("#buy"), seen.page.get_by_role("dialog")
    for inside in (False, True):
        buy.focus()
        buy.press("Enter")
        expect(dialog.get_by_role("button")).to_be_focused()
        heading = seen.page.frame_locator("iframe").locator("h1")
        expect(heading).to_have_text("Send 50.00 USDC")
        if inside:
            seen.shot("pay-embedded-en-light-1280", whole=False)
            for key in ("Tab", "Shift+Tab"):
                places = [_after(seen, key) for _ in range(40)]
                assert all(places), (key, places)
            seen.page.frame_locator("iframe").locator("summary").first.focus()
            assert seen.page.evaluate("document.activeElement.tagName") == "IFRAME"
        seen.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(buy).to_be_focused()
    assert seen.errors == []


def _after(seen: Visit, key: str) -> bool:
    seen.page.keyboard.press(key)
    inside: bool = seen.page.evaluate(INSIDE)
    return inside


def test_the_site_is_told_how_it_stands_by_our_origin_alone(
    shop: Actor, visit: Callable[..., Visit]
):
    made = ask(shop, embedOrigin=SHOP, redirectUrl=f"{SHOP}/thanks")
    seen = visit(viewport={"width": 360, "height": 740})
    at_a_site(seen, SHOP, made.id)
    seen.page.locator("#buy").click()
    inside = seen.page.frame_locator("iframe")
    expect(inside.locator("h1")).to_have_text("Send 50.00 USDC")
    seen.shot("pay-embedded-en-light-360", whole=False)
    assert seen.overflows() <= 0
    forged = {"invoiceId": made.id, "status": "PAID"}
    seen.page.evaluate("(said) => window.postMessage(said, '*')", forged)
    pay_on_chain(made.id, "50")
    expect(inside.locator("h1")).to_have_text("The payment has arrived", timeout=PATIENCE)
    told = [{"invoiceId": made.id, "status": status} for status in ("PENDING", "PAID")]
    seen.page.wait_for_function("heard.length === 2")
    assert seen.page.evaluate("heard") == told
    posted = seen.page.evaluate("posted")
    assert [origin for origin, data in posted if data in told and origin == HOME] == [HOME] * 2
    assert [SHOP, forged] in posted, "it was there to be believed, and was not"
    assert inside.locator("[data-stays]").is_hidden(), "a frame leads nobody away"


def test_another_site_frames_nothing_and_hears_nothing(shop: Actor, visit: Callable[..., Visit]):
    for origin, made in ((FOREIGN, ask(shop, embedOrigin=SHOP)), (SHOP, ask(shop))):
        seen = visit()
        at_a_site(seen, origin, made.id)
        with seen.page.expect_event("console", lambda said: "frame-ancestors" in said.text):
            seen.page.locator("#buy").click()
        assert seen.page.frame_locator("iframe").locator(".bill").count() == 0
        assert seen.page.evaluate("[...heard, ...posted]") == []
        apart = seen.page.get_by_role("link", name="Open in a window")
        assert apart.get_attribute("href") == f"{HOME}/pay/{made.id}", "there is another way"


@pytest.mark.parametrize("stays", [False, True])
def test_a_payer_is_led_back_after_five_seconds_unless_they_stay(
    shop: Actor, visit: Callable[..., Visit], *, stays: bool
):
    """T01: only after it was seen to be paid, and never from a page opened later."""
    made = ask(shop, redirectUrl=f"{SHOP}/thanks?order=7")
    seen = visit()
    at_a_site(seen, SHOP, made.id)
    seen.page.clock.install()
    seen.page.goto(f"{HOME}/pay/{made.id}")
    pay_on_chain(made.id, "50")
    expect(seen.page.get_by_text(re.compile(r"You go back in \d seconds"))).to_be_visible(
        timeout=PATIENCE
    )
    if stays:
        seen.page.get_by_role("button", name="Stay here").click()
        seen.page.clock.run_for(10_000)
        expect(seen.page.get_by_role("link", name="Return to shop.test")).to_be_visible()
        seen.page.reload()
        seen.page.clock.run_for(10_000)
        expect(seen.page.locator("h1")).to_have_text("The payment has arrived")
        assert seen.page.get_by_role("button", name="Stay here").count() == 0
        return
    seen.page.clock.run_for(6_000)
    seen.page.wait_for_url(f"{SHOP}/thanks?order=7&invoiceId={made.id}")
