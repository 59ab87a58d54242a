"""The pay page in Chromium: each state, in both languages, themes and widths, as pictures."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from protonpay.chains.registry import NETWORKS
from protonpay.deposits.models import Deposit
from protonpay.invoices import claims, lookups, receiving
from protonpay.invoices.lookups import Told
from protonpay.invoices.models import InvoiceCard
from protonpay.kernel import clock, ids
from protonpay.kernel.money import Usdc
from protonpay.store import beats
from protonpay.store.db import transaction
from protonpay.wallets import service as wallets
from tests.actors import Actor
from tests.browser.driving import Visit, sign_in
from tests.browser.looking import LANGUAGES, USUAL, heard, look, speaking
from tests.invoices.asking import Asked, arrive, ask, change, pay_on_chain
from tests.payouts.orders import WALLETS
from tests.portal.test_pay_page import DAY, STATES

pytestmark = pytest.mark.slow  # a real browser

PATIENCE = 60_000  # ms


def _nothing(_made: Asked, _payer: Actor) -> None:
    """Leave the invoice as it was made."""


def _card(
    state: str, page_url: str | None = "https://checkout.example.com/p"
) -> Callable[..., None]:
    """Put a card page beside an invoice, as if a provider had been asked for it."""

    def put(made: Asked, _payer: Actor) -> None:
        now, fifty = clock.now(), Usdc.parse("50")
        kind = {"provider": "tap", "currency": "USD", "fiat_minor": 5000, "created_at": now}
        deposit = Deposit(
            id=ids.new_id(),
            user_id=made.owner.id,
            method="CARD",
            rate_scaled=10**8,
            rate_source="peg",
            rated_at=now,
            amount_micro=fifty,
            commission_micro=Usdc.parse("0"),
            state="PENDING",
            invoice_id=made.id,
            **kind,
        )
        page = InvoiceCard(
            deposit_id=deposit.id,
            invoice_id=made.id,
            amount_micro=fifty,
            page_url=page_url,
            state=state,
            **kind,
        )
        with transaction() as session:
            session.add(deposit)
            session.flush()
            session.add(page)

    return put


def choose(seen: Visit, way: str) -> None:
    """Choose how to pay, as a finger does."""
    seen.page.locator(f"label[for=by-{way.lower()}]").click()


def _claim(made: Asked, _payer: Actor) -> None:
    pay_on_chain(made.id, "65")
    claims.ask_back(made.id, wallet_address=WALLETS["Base"], network="Base")


def _declined(made: Asked, payer: Actor) -> None:
    _claim(made, payer)
    (claim,) = made.whole["claims"]
    made.owner.post(f"/client/invoices/{made.id}/decline", {"claimId": claim["id"]})


def _named(made: Asked, _payer: Actor) -> None:
    """Name a transaction of each kind."""
    for number, verdict in enumerate(
        ("CREDITED", "WAITS", "OTHER_TOKEN", "NOT_OURS", "FAILED", "NOT_FOUND", "UNKNOWN")
    ):
        row = lookups.look_for(made.id, f"0x{number:064x}")
        told = Told(verdict, f"invoice {made.id}", NETWORKS["Polygon"].usdc)
        lookups.take(row.id, "Polygon", [told])


EACH = [
    ("pending", _nothing, {}),
    ("card-open", _card("OPEN"), {}),
    ("card-unanswered", _card("OPEN", None), {}),
    ("card-processing", _card("PROCESSING"), {}),
    ("card-declined", _card("DECLINED"), {}),
    ("claim", _claim, {}),
    ("claim-declined", _declined, {}),
    ("named", _named, {}),
    ("last-hour", _nothing, {"expiresInSeconds": 900}),
    *((f"{make.__name__.strip('_')}{len(options)}", make, options) for make, options, *_ in STATES),
]


def test_every_state_is_whole(shop: Actor, alice: Actor, visit: Callable[..., Visit]):
    """T40, T41, T44: in three languages and widths; axe finds nothing, nobody else is asked."""
    made = {}
    for name, make, options in EACH:
        made[name] = ask(shop, description="Monthly subscription", **options)
        make(made[name], alice)
    for turn, language in enumerate(LANGUAGES):
        with speaking(language) as asked:
            seen = visit(locale=asked, color_scheme=USUAL[language])
            for number, (name, invoice) in enumerate(made.items()):
                way = "card" if name.startswith("card") else ""
                seen.page.goto(f"/pay/{invoice.id}?refresh=off&network={way}")
                look(seen, f"pay-{name}", language)
                if language == "en":
                    told = heard(seen, f"pay-{name}")
                    # What is true now is one status with the headline in it, for every reader.
                    assert told.count("- status") == 1 + told.count("- status\n"), told
                    assert told.count("[level=1]") == 1, told
                assert seen.page.locator("html").get_attribute("lang") == asked, name
                if number % 2 == turn:  # each state in one look: axe takes half a second
                    assert seen.violations() == [], (name, language)
            for path in ("plain", "receipt"):
                seen.page.goto(f"/pay/{made['over0'].id}/{path}")
                look(seen, f"pay-{path}", language)
                assert language == "pseudo" or seen.violations() == [], path
            seen.page.emulate_media(media="print")
            seen.shot(f"pay-receipt-paper-{language}")
            assert seen.page.locator("header").is_hidden()
            assert (seen.strangers, seen.errors) == ([], [])


def test_all_of_it_without_a_script(shop: Actor, visit: Callable[..., Visit]):
    """T13: addresses, codes and the way back are there; the page looks again by itself."""
    made = ask(shop, "50", description="Monthly subscription")
    seen = visit(java_script_enabled=False, viewport={"width": 360, "height": 800})
    for path in (f"/pay/{made.id}", f"/pay/{made.id}/plain"):
        seen.page.goto(path)
        for name, address in wallets.addresses_of("invoice", made.id).items():
            if name in NETWORKS:
                choose(seen, name)
                expect(seen.page.locator(f"#{name.lower()}")).to_contain_text(address)
                expect(seen.page.locator("svg:visible")).to_have_count(1)
        assert seen.page.locator(".copy:visible").count() == 0, "no button that does nothing"
    seen.page.get_by_role("link", name="Русский").click()
    expect(seen.page.locator("h1")).to_have_text("Отправьте 50,00 USDC")
    pay_on_chain(made.id, "50")
    seen.page.reload()
    expect(seen.page.locator("h1")).to_have_text("Платёж получен")
    seen.page.get_by_role("link", name="Квитанция").click()
    expect(seen.page.locator("h1")).to_have_text("Квитанция")
    expect(seen.page.locator("[data-prints]")).to_be_hidden()


@pytest.mark.parametrize(("scheme", "scale"), [("light", 1), ("dark", 3)])
def test_codes_hold_what_is_written(
    shop: Actor, visit: Callable[..., Visit], scheme: str, scale: int
):
    """T02, T14: the code on the screen is the address, and asks for what is still due."""
    made = ask(shop, "50")
    pay_on_chain(made.id, "20")
    addresses = wallets.addresses_of("invoice", made.id)
    seen = visit(color_scheme=scheme, device_scale_factor=scale)
    seen.page.goto(f"/pay/{made.id}")
    read = {}
    for name in NETWORKS:
        choose(seen, name)
        read[name] = seen.read_code(f"#{name.lower()} .qr")
    asked = f"solana:{addresses['Solana']}?amount=30.00&spl-token={NETWORKS['Solana'].usdc}"
    assert read["Solana"] is not None
    assert read["Solana"].startswith(asked)
    assert {name: read[name] for name in ("Base", "Polygon")} == {
        name: addresses[name] for name in ("Base", "Polygon")
    }


def test_the_budget(shop: Actor, visit: Callable[..., Visit]):
    """T43: 60 KB in 12 requests, before any compression."""
    seen = visit()
    seen.page.goto(f"/pay/{ask(shop).id}")
    assert len(seen.around.sizes) <= 12
    assert 0 < sum(size for _, size in seen.around.sizes) <= 60 * 1024


def test_an_address_leaves_the_page_with_its_invoice(shop: Actor, visit: Callable[..., Visit]):
    """T05: once expired, no address is in the document at all."""
    made = ask(shop)
    addresses = wallets.addresses_of("invoice", made.id).values()
    seen = visit()
    seen.page.goto(f"/pay/{made.id}")

    def shown(address: str) -> bool:
        return address in seen.page.content() + (seen.page.locator("body").text_content() or "")

    assert all(shown(address) for address in addresses)
    with clock.frozen(clock.now() + DAY):
        receiving.expire(made.id)
    seen.page.reload()
    assert not any(shown(address) for address in addresses)


def test_it_shows_what_happens_without_being_reloaded(shop: Actor, visit: Callable[..., Visit]):
    """T01, T02, T11: part, rest and a server that was away; the page is never opened again."""
    made = ask(shop, "50")
    seen = visit()
    seen.page.goto(f"/pay/{made.id}")
    seen.page.evaluate("window.same = true")
    pay_on_chain(made.id, "20")
    expect(seen.page.locator("h1")).to_have_text("Send 30.00 USDC more", timeout=PATIENCE)
    assert seen.page.locator("#base").is_visible(), "the network that the first part came by"
    choose(seen, "Solana")
    code = seen.read_code("#solana .qr")
    assert code is not None
    assert "amount=30.00&" in code, "the code asks for the rest"
    seen.around.down = True
    expect(seen.page.locator(".down")).to_be_visible(timeout=PATIENCE)
    pay_on_chain(made.id, "30")
    seen.around.down = False
    expect(seen.page.locator("h1")).to_have_text("The payment has arrived", timeout=PATIENCE)
    expect(seen.page.locator(".down")).to_be_hidden()
    assert seen.page.title().startswith("Paid · ")
    assert seen.page.evaluate("window.same")
    assert seen.page.locator(".qr").count() == 0
    assert seen.violations() == []


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "{} of about {} confirmations "),
        ("ru", "Подтверждений: {} из примерно {} "),
    ],
    ids=["en", "ru"],
)
def test_confirmations_are_counted_and_nothing_else_is_touched(
    shop: Actor, visit: Callable[..., Visit], language: str, told: str
):
    """T01: n grows without a reload; the headline is not said again, what was opened stays."""

    def note(latest: int, small: int) -> None:
        beats.note_head("Polygon", latest=latest, small=small, finalized=small, finalized_at=0)

    made = ask(shop, "50")
    incoming_id = arrive(made.id, "50", network="Polygon", block=100)
    receiving.follow(incoming_id)
    note(104, 92)
    seen = visit(locale=language, color_scheme=USUAL[language])
    seen.page.goto(f"/pay/{made.id}")
    far = seen.page.locator("[data-part=far]")
    expect(far).to_have_text(told.format(5, 13))
    look(seen, "pay-counted", language)
    seen.page.locator("summary").click()
    seen.page.evaluate("window.headline = document.querySelector('h1')")
    note(105, 95)
    expect(far).to_have_text(told.format(6, 11), timeout=PATIENCE)
    expect(far.get_by_role("progressbar")).to_have_attribute("value", "6")
    assert seen.page.evaluate("window.headline === document.querySelector('h1')")
    expect(seen.page.locator("details[open]")).to_have_count(1)
    assert seen.violations() == []
    change(incoming_id, "FINAL")
    receiving.follow(incoming_id)
    expect(far).to_have_text("", timeout=PATIENCE)
    expect(far).to_be_hidden()
    assert seen.errors == []


def test_copies_are_what_is_written(shop: Actor, visit: Callable[..., Visit]):
    """T14: an address and an amount as other programs read them."""
    made = ask(shop, "1250")
    seen = visit(permissions=["clipboard-read", "clipboard-write"])
    seen.page.goto(f"/pay/{made.id}?network=base")
    address = wallets.addresses_of("invoice", made.id)["Base"]
    copied = {"Copied": "1250.00", "Address copied": address}
    for number, (said, text) in enumerate(copied.items()):
        seen.page.locator("#base .copy").nth(number).click()
        expect(seen.page.locator("#base .copy").nth(number)).to_have_text(said)
        expect(seen.page.locator("p.told")).to_have_text(said)
        assert seen.page.evaluate("navigator.clipboard.readText()") == text
    seen.page.evaluate("getSelection().selectAllChildren(document.querySelector('#base .grouped'))")
    assert seen.page.evaluate("getSelection().toString()") == address, "selected, it has no gaps"


def test_two_tabs_and_the_way_that_was_chosen(shop: Actor, visit: Callable[..., Visit]):
    """T12: each tab has its own; it is in the address, so that a reload and a language keep it."""
    made = ask(shop, "50")
    seen = visit(locale="en")
    seen.page.goto("/")
    seen.page.goto(f"/pay/{made.id}")
    other = seen.context.new_page()
    other.goto(f"/pay/{made.id}")
    for way in ("Base", "Polygon"):
        choose(seen, way)
    assert seen.page.url.endswith("?network=polygon")
    assert other.locator("#solana").is_visible()
    assert not other.locator("#polygon").is_visible()
    seen.page.reload()
    assert seen.page.locator("#polygon").is_visible()
    seen.page.get_by_role("link", name="Русский").click()
    expect(seen.page.locator("h1")).to_have_text("Отправьте 50,00 USDC")
    assert seen.page.locator("#polygon").is_visible()
    pay_on_chain(made.id, "50")
    expect(seen.page.locator("h1")).to_have_text("Платёж получен", timeout=PATIENCE)
    expect(other.locator("h1")).to_have_text("Платёж получен", timeout=PATIENCE)
    expect(other.locator("html")).to_have_attribute("lang", "ru")  # no page is in two languages
    seen.page.reload()
    expect(seen.page.locator("h1")).to_have_text("Платёж получен")
    seen.page.go_back()
    seen.page.go_back()
    assert seen.page.url.endswith(":8000/"), "choosing a way left no steps to go back over"


@pytest.mark.parametrize(
    ("zone", "language", "told"),
    [
        ("Asia/Kolkata", "ru", "15 мар. 2026 г., 01:30 UTC+5:30"),  # noqa: RUF001 - Russian
        ("America/New_York", "en", "14 Mar 2026, 16:00 UTC−4"),  # noqa: RUF001 - a minus
        ("UTC", "en", None),
    ],
)
def test_moments_are_told_in_the_payers_zone(
    shop: Actor, visit: Callable[..., Visit], zone: str, language: str, told: str | None
):
    """On the page and on the receipt; what the server wrote stays where one points."""
    with clock.frozen(datetime(2026, 3, 14, 20, tzinfo=UTC)):
        made = ask(shop, "50")
        pay_on_chain(made.id, "50")
    seen = visit(timezone_id=zone, locale=language)
    for path in ("", "/receipt"):
        seen.page.goto(f"/pay/{made.id}{path}")
        moment = seen.page.locator("time").first
        expect(moment).to_have_text(told or "14 Mar 2026, 20:00 UTC")
        title = moment.get_attribute("title") or ""
        assert title.endswith(", 20:00 UTC") == bool(told)
    assert seen.errors == []


@pytest.mark.parametrize("language", ["en", "ru"])
def test_asking_back_is_whole_for_its_payer_and_its_owner(
    shop: Actor, visit: Callable[..., Visit], language: str
):
    """T40, T41 of the form, of its second look, of a mistake, and of the owner's resolve box."""
    made = ask(shop, "50", description="Monthly subscription")
    pay_on_chain(made.id, "65")
    seen = visit(
        locale=language, color_scheme=USUAL[language], viewport={"width": 360, "height": 800}
    )
    seen.page.goto(f"/pay/{made.id}?refresh=off")
    for typed, moment in (("0x12", "mistaken"), (WALLETS["Base"], "sure")):
        if not seen.page.locator("#address").is_visible():
            seen.page.locator("#claim summary").click()
        seen.page.locator("#back-network").select_option("Base")
        seen.page.locator("#address").fill(typed)
        with seen.page.expect_navigation():
            seen.page.locator("#claim button").click()
        look(seen, f"pay-claim-{moment}", language)
        assert seen.violations() == [], moment
    with seen.page.expect_navigation():
        seen.page.locator("#claim button").click()
    seen.page.wait_for_url("**#claim")
    other = visit(locale=language, color_scheme=USUAL[language])
    sign_in(other, shop)
    other.page.goto(f"/app/invoices/{made.id}?lang={language}")
    expect(other.page.locator("#claim-title")).to_be_visible()
    look(other, "app-invoice-claim", language)
    assert other.violations() == []
    part = ask(shop, "50", expiresInSeconds=60)
    pay_on_chain(part.id, "20")
    with clock.frozen(clock.now() + DAY):
        receiving.expire(part.id)
    other.page.goto(f"/app/invoices/{part.id}")
    look(other, "app-invoice-short", language)
    assert other.violations() == []
