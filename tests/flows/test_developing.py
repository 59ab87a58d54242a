"""A developer in Chromium: a key that a program uses, a webhook that fails and is mended."""

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from protonpay.verify import verify
from tests.browser.conftest import browser
from tests.flows.city import PASSWORD, City, Resident
from tests.patience import until

__all__ = ["browser"]
pytestmark = pytest.mark.slow

PATIENCE = 60_000  # ms


@pytest.fixture
def maker(city: City) -> Resident:
    return city.resident("Maker")


@pytest.fixture
def page(browser: Browser, city: City, maker: Resident) -> Iterator[Page]:
    """The portal, with the maker signed in."""
    context = browser.new_context(base_url=city.web, locale="en")
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    opened.goto("/login")
    opened.locator("#email").fill(maker.email)
    opened.locator("#password").fill(PASSWORD)
    opened.locator("form.stack button").click()
    opened.wait_for_url("**/app")
    yield opened
    context.close()
    assert errors == []


def _press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def _secret(page: Page) -> str:
    return page.locator("code.pick").inner_text()


def test_a_key_in_the_hands_of_a_program(city: City, page: Page):
    """T26: shown once; what it may and may not; when it ends, and when it was used."""
    page.goto("/app/keys")
    page.get_by_label("Name").fill("Till")
    page.locator("input[value='balance:read']").check()
    page.get_by_label("Ends on").fill("2099-12-31")
    _press(page, "Create the key")
    key = _secret(page)
    page.goto("/app/keys")
    assert key not in page.content()
    expect(page.locator("tbody")).to_contain_text("2099")

    program = requests.Session()
    program.headers["Authorization"] = f"Bearer {key}"
    assert program.get(f"{city.api}/client/balance", timeout=30).status_code == 200
    refused = program.get(f"{city.api}/client/activity", timeout=30)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")

    page.reload()
    expect(page.locator("tbody")).to_contain_text("127.0.0.1")
    page.get_by_role("link", name="Till").click()
    page.wait_for_url("**/app/keys/*")

    def told() -> bool:
        page.goto("/app/requests?code=insufficient_scope")
        return page.get_by_role("link", name="GET /api/client/activity").count() == 1

    until(told, 30, "the refused request in the log")
    page.goto("/app/keys")
    _press(page, "Revoke: Till")
    assert program.get(f"{city.api}/client/balance", timeout=30).status_code == 401


def test_a_webhook_that_fails_and_is_mended(city: City, page: Page, maker: Resident):
    """T27: a test event, when it is tried next, again, the missed, a new secret beside the old."""
    inbox = city.inbox
    inbox.failing.add(maker.id)
    page.goto("/app/webhooks")
    page.get_by_label("Address").fill(f"http://{inbox.address}/{maker.id}")
    for name in ("invoice.cancelled", "invoice.paid"):
        page.locator(f"input[value='{name}']").check()
    _press(page, "Add the endpoint")
    secret = _secret(page)
    page.get_by_role("link", name="I have saved it").click()
    page.wait_for_url("**/app/webhooks/*")
    place = page.url

    _is_tried_until_it_is_taken(city, page, maker)
    _is_delivered_again(city, page, maker, place)
    newer = _has_a_new_secret(page, place)
    assert newer != secret
    page.goto(place)
    page.locator("#test-event").select_option("invoice.cancelled")
    before = len(inbox.of(maker.id))
    _press(page, "Send a test event")
    until(lambda: len(inbox.of(maker.id)) > before, 30, "the event of two secrets")
    headers, body = inbox.of(maker.id)[-1]
    for each in (secret, newer):
        assert verify(body, headers, each)["event"] == "invoice.cancelled"
    _mistakes_are_said(page, headers, body.decode(), secret, newer)


def _is_tried_until_it_is_taken(city: City, page: Page, maker: Resident) -> None:
    page.locator("#test-event").select_option("invoice.paid")
    _press(page, "Send a test event")
    row = page.locator("[data-part=deliveries] tbody tr")
    expect(row.locator("td").nth(3)).to_contain_text("UTC", timeout=PATIENCE)
    expect(row.locator("td").nth(2)).not_to_have_text("0", timeout=PATIENCE)
    row.get_by_role("link").click()
    page.wait_for_url("**/deliveries/*")
    expect(page.locator("[data-part=one]")).to_contain_text("500")
    city.inbox.failing.discard(maker.id)
    _press(page, "Send it again")
    expect(page.locator("[data-part=one] .chip.good")).to_be_visible(timeout=PATIENCE)
    # What was tried by itself in between, and what was asked for, bear the same id.
    assert len({headers["webhook-id"] for headers, _ in city.inbox.of(maker.id)}) == 1


def _is_delivered_again(city: City, page: Page, maker: Resident, place: str) -> None:
    made = maker.post("/client/invoices", amount="5", currency="USDC")["invoice"]
    maker.post(f"/client/invoices/{made['id']}/cancel")
    until(lambda: _of(city, maker, "invoice.cancelled"), 30, "the event")
    page.goto(place)
    page.get_by_label("All after the event number").fill("0")
    _press(page, "Deliver again")
    until(lambda: len(_of(city, maker, "invoice.cancelled")) == 2, 30, "the event once more")
    once, again = _of(city, maker, "invoice.cancelled")
    assert once[0]["webhook-id"] == again[0]["webhook-id"]
    assert once[1] == again[1]


def _has_a_new_secret(page: Page, place: str) -> str:
    page.goto(place)
    page.get_by_label("Keep signing with the old one for").select_option(label="1 day")
    _press(page, "New secret")
    return _secret(page)


def _of(city: City, maker: Resident, event: str) -> list:
    return [one for one in city.inbox.of(maker.id) if f'"{event}"'.encode() in one[1]]


def _mistakes_are_said(page: Page, headers: object, body: str, secret: str, newer: str) -> None:
    """What is wrong is said: the time, the header, the secret, a header that is missing."""
    named = {name: text for name, text in dict(headers).items() if name.startswith("webhook-")}
    old = {**named, "webhook-timestamp": str(int(named["webhook-timestamp"]) - 301)}
    mistakes = (
        (named, body, secret, "Everything fits"),
        (named, body, newer, "while two secrets sign, the body bears the older one's alone"),
        (old, body, secret, "its time or the header's signature was changed"),
        (named, body.replace("cancelled", "paid"), secret, "Nothing fits"),
        (named, body, "whsec_" + "A" * 32, "Nothing fits"),
        ({"webhook-id": named["webhook-id"]}, body, secret, "A header is missing"),
    )
    for given, text, with_secret, said in mistakes:
        page.goto("/app/verify")
        page.locator("#headers").fill("\n".join(f"{name}: {one}" for name, one in given.items()))
        page.locator("#body").fill(text)
        page.locator("#secret").fill(with_secret)
        _press(page, "Check it")
        expect(page.locator(".notice[role=status]")).to_contain_text(re.compile(re.escape(said)))
