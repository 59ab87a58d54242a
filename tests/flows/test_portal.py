"""A person in Chromium, with the whole product behind: gunicorn, workers, chains, a card's page."""

import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import browser
from tests.flows.city import PASSWORD, City
from tests.flows.test_journeys import fresh_wallet
from tests.patience import until

__all__ = ["browser"]
pytestmark = pytest.mark.slow

PATIENCE = 60_000  # ms


@pytest.fixture
def page(browser: Browser, city: City) -> Iterator[Page]:
    context = browser.new_context(base_url=city.web, locale="en")
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    errors: list[str] = []
    opened.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield opened
    context.close()
    assert errors == [], "the content policy holds, and nothing is missing"


def withdraw(page: Page, wallet: str) -> None:
    """Go through the three steps of a withdrawal of 12.50 on Base."""
    page.goto("/app/withdraw")
    page.locator("#network").select_option("Base")
    page.locator("#walletAddress").fill(wallet)
    page.get_by_role("button", name="Continue").click()
    page.locator("#amount").fill("12,5")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Withdraw 12.50 USDC").click()
    page.wait_for_url("**/app/withdrawals/*")


def test_from_signing_up_to_money_on_a_chain(page: Page, city: City):
    """T20, T21: sign up, prove the address, pay by card and on chain, withdraw, see it final."""
    page.goto("/register")
    page.locator("#name").fill("Ada")
    page.locator("#email").fill("ada.of.the.portal@example.com")
    page.locator("#password").fill(PASSWORD)
    page.locator("form.stack button").click()
    page.wait_for_url("**/app")

    until(lambda: city.parts.post.letters("ada.of.the.portal@example.com"), 30)
    (letter,) = city.parts.post.letters("ada.of.the.portal@example.com")
    link = urlsplit(re.findall(r"http\S+/verify-email\?\S+", letter["text"])[0])
    page.goto(f"{link.path}?{link.query}")
    page.get_by_role("button").click()
    expect(page.locator("h1")).to_have_text("The address is confirmed")

    page.goto("/app/deposit")
    page.locator("#amount").fill("40")
    page.locator("#currency").select_option("USD")
    page.get_by_role("button", name="Calculate").click()
    page.get_by_role("button", name="Go on to Tap").click()
    page.get_by_role("link", name="Go on to Tap").click()
    page.get_by_role("button", name=re.compile("^Pay 40")).click()
    page.wait_for_url("**/deposits/*")
    page.goto("/app/deposit")
    expect(page.locator("[data-part=lately] .chip.good")).to_be_visible(timeout=PATIENCE)

    page.get_by_role("button", name="Base", exact=True).click()
    page.wait_for_url("**network=Base")
    command = page.get_by_text("flask sandbox fund").text_content() or ""
    city.flask(*shlex.split(command)[1:])
    expect(page.locator("[data-part=lately] .chip.good")).to_have_count(2, timeout=PATIENCE)

    wallet = fresh_wallet("Base")
    withdraw(page, wallet)
    expect(page.locator("[data-part=one] .chip.good")).to_be_visible(timeout=PATIENCE)
    assert city.on_chain("Base", wallet) == 12_500_000
    page.goto("/app")
    expect(page.locator(".purse .sum")).to_contain_text("127.45")


def test_a_newcomer_is_paid_and_paid_for_by_pressing_buttons(page: Page, city: City):
    """From no money at all to a paid invoice and its webhook: real workers send, find and tell."""
    page.goto("/register")
    page.locator("#name").fill("New")
    page.locator("#email").fill("new.to.the.sandbox@example.com")
    page.locator("#password").fill(PASSWORD)
    page.locator("form.stack button").click()
    page.wait_for_url("**/app")

    page.get_by_role("button", name="Send me 100 test USDC").click()
    page.wait_for_url("**/app/deposit")
    expect(page.locator("[data-part=lately] .chip.good")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Polygon", exact=True).click()
    page.wait_for_url("**network=Polygon")
    page.get_by_role("button", name="Send me 100 test USDC").click()
    expect(page.locator(".notice.good")).to_be_visible()
    expect(page.locator("[data-part=lately] .chip.good")).to_have_count(2, timeout=PATIENCE)

    hook = f"http://{city.inbox.address}/newcomer"
    page.goto("/app/webhooks")
    page.locator("#url").fill(hook)
    page.locator("input[name=events][value='invoice.paid']").check()
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.get_by_text("whsec_").first).to_be_visible()

    page.goto("/app/invoices/new")
    page.locator("#amount").fill("20")
    page.get_by_role("button", name="Create the invoice").click()
    page.wait_for_url("**/app/invoices/cm*")
    page.get_by_role("link", name="Test", exact=True).click()
    page.locator("#invoice-network").select_option("Base")
    page.get_by_role("button", name="Pay it").click()
    page.wait_for_url("**/app/invoices/cm*")
    expect(page.locator("[data-part=one] .chip.good")).to_be_visible(timeout=PATIENCE)
    page.goto("/app")
    expect(page.locator(".purse .sum")).to_contain_text("220.00")
    page.goto("/app/test")
    page.get_by_role("link", name=hook).click()
    expect(page.locator("[data-part=deliveries] .chip.good")).to_be_visible(timeout=PATIENCE)
