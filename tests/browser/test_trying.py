"""The screen on which a sandbox is tried, in Chromium, with something in each of its places."""

from collections.abc import Callable

import pytest
from flask import Flask

from protonpay.test_mode import service
from tests.actors import Actor, make_actor
from tests.browser.driving import Visit, sign_in
from tests.browser.looking import LANGUAGES, USUAL, look, speaking
from tests.kyc.test_kyc import submit

pytestmark = pytest.mark.slow  # a real browser

TX_HASH = "0x" + "5e" * 32
ROUTE = {"route": "/api/client/deposit/crypto"}


@pytest.fixture
def busy(merchant: Actor) -> Actor:
    """Somebody with a payment in each state, an identity check and faults that wait."""
    order = {"network": "Solana", "amount": "5", "vanishes": True}
    ids = [
        merchant.post("/client/test/payments", order).get_json()["payment"]["id"] for _ in range(4)
    ]
    for payment_id in ids[:3]:
        assert service.begin(payment_id)
    service.sent(ids[0], TX_HASH)
    service.not_sent(ids[1])
    service.lost(ids[2])
    submit(merchant)
    for of in ({"kind": "internal_error"}, {"kind": "answer_lost", "method": "POST"} | ROUTE):
        assert merchant.post("/client/test/faults", of).status_code == 200
    return merchant


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_screen_is_whole(busy: Actor, visit: Callable[..., Visit], language: str):
    """T40, T41, T44: in three languages and widths, also after a refusal."""
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, busy)
        seen.page.goto(f"/app/test?lang={asked}")
        look(seen, "app-test-busy", language)
        assert language == "pseudo" or seen.violations() == []
        seen.page.locator("#invoice-amount").fill("5")
        seen.page.locator("#invoice-network").select_option("Base")
        seen.page.locator("form:has(#invoice-amount) [name=vanishes]").check()
        with seen.page.expect_navigation():
            seen.page.locator("form:has(#invoice-amount) button").click()
        look(seen, "app-test-refused", language, said=False)
        assert language == "pseudo" or seen.violations() == []
        assert seen.strangers == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_button_of_who_has_nothing_yet_is_whole(
    house: Flask, shop: Actor, visit: Callable[..., Visit], language: str
):
    """T40, T41: on the overview, and where it leads to."""
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, make_actor(house, "Newcomer"))
        seen.page.goto(f"/app?lang={asked}")
        look(seen, "app-overview-new", language)
        assert language == "pseudo" or seen.violations() == []
        with seen.page.expect_navigation():
            seen.page.locator("form[action='/app/test/payments'] button").click()
        assert seen.page.url.endswith("/app/deposit")
        seen.page.goto("/app/deposit?network=Base")
        look(seen, "app-deposit-button", language)
        assert language == "pseudo" or seen.violations() == []
        assert (seen.strangers, seen.errors) == ([], [])
