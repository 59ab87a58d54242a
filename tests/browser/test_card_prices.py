"""What a card is asked for, in Chromium: with the decimals of its currency, on page and receipt."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from protonpay.fx.http_rates import HttpRates
from protonpay.fx.service import rates
from protonpay.invoices.models import InvoiceCard
from protonpay.kernel.fiat import EXPONENTS
from protonpay.store.db import db
from tests.actors import Actor
from tests.browser.driving import Visit
from tests.browser.looking import USUAL, look
from tests.deposits.conftest import market
from tests.invoices.asking import Asked, ask
from tests.invoices.by_card import asked, press, tap, tap_simulator
from tests.simulators import Simulator
from tests.statements.history import as_owner

__all__ = ["market", "tap", "tap_simulator"]
pytestmark = pytest.mark.slow  # a real browser

PRICES = {
    # 50 USDC at the peg of 0.3845, and at the market's 0.30695, up to the smallest coin
    "OMR": ("19.225 OMR", "19,225 OMR"),
    "KWD": ("15.348 KWD", "15,348 KWD"),
}


@pytest.fixture(autouse=True)
def rated(market: Simulator) -> Iterator[None]:
    """A market's rates, as an installation asks for them."""
    market.pull("age", seconds=0)
    rates.bind(HttpRates(f"{market.url}/latest.json"))
    yield
    rates.bind(None)


def _page_of(made: Asked) -> InvoiceCard:
    found = select(InvoiceCard).filter_by(invoice_id=made.id)
    return db.session.scalars(found, execution_options={"populate_existing": True}).one()


def _order(seen: Visit, made: Asked, currency: str) -> InvoiceCard:
    seen.page.goto(f"/pay/{made.id}?lang=en&network=card")
    seen.page.locator("#way").select_option(f"tap {currency}")
    seen.page.locator("#email").fill("payer@example.com")
    seen.page.get_by_role("button", name="Continue").click()
    seen.page.wait_for_url("**network=card#card")
    return _page_of(made)


@pytest.mark.parametrize("currency", PRICES)
def test_three_decimals_are_shown_to_the_last(
    shop: Actor, visit: Callable[..., Visit], tap: Simulator, currency: str
):
    """T17: on the pay page and on the receipt, in both languages."""
    made, seen = ask(shop, "50"), visit()
    card = _order(seen, made, currency)
    said = dict(zip(("en", "ru"), PRICES[currency], strict=True))
    for language, price in said.items():
        seen.page.emulate_media(color_scheme=USUAL[language])
        seen.page.goto(f"/pay/{made.id}?lang={language}&network=card")
        expect(seen.page.locator("#card .button")).to_contain_text(price)
        look(seen, f"pay-card-{currency}", language)
    press(card, "paid")
    asked(card)
    for language, price in said.items():
        seen.page.emulate_media(color_scheme=USUAL[language])
        for path in ("", "/receipt"):
            seen.page.goto(f"/pay/{made.id}{path}?lang={language}")
            expect(seen.page.locator(".came li")).to_contain_text(price)
            look(seen, f"pay-card-{currency}{path.replace('/', '-')}-paid", language)
    assert (seen.strangers, seen.errors) == ([], [])


def test_a_currency_without_decimals_has_none(
    shop: Actor, visit: Callable[..., Visit], tap: Simulator, monkeypatch: pytest.MonkeyPatch
):
    """T17: no provider takes one yet; a price in one is whole all the same."""
    monkeypatch.setitem(EXPONENTS, "JPY", 0)
    made, seen = ask(shop, "50"), visit()
    _order(seen, made, "OMR")
    as_owner("UPDATE invoice_cards SET currency = 'JPY', fiat_minor = 7512")
    for language, price in (("en", "7,512 JPY"), ("ru", "7 512 JPY")):
        seen.page.goto(f"/pay/{made.id}?lang={language}&network=card")
        expect(seen.page.locator("#card .button")).to_contain_text(price)
    assert (seen.strangers, seen.errors) == ([], [])
