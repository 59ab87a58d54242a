"""The client portal in Chromium: each screen in both languages, themes and widths, as pictures."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from protonpay.kernel import notices
from tests.actors import PASSWORD, Actor
from tests.browser.driving import Visit, sign_in, sign_in_by_hand
from tests.browser.looking import LANGUAGES, USUAL, look, speaking
from tests.payouts.orders import WALLETS
from tests.portal.client.test_screens import SCREENS

pytestmark = pytest.mark.slow  # a real browser

# Asked for in one go: each box by itself is a hundred turns to the browser and back.
_CARDS = """(rows) => rows.map((row) => {
  const { left, right } = row.getBoundingClientRect();
  return [left, right, [...row.cells].filter((cell) => cell.matches("td") && cell.checkVisibility())
    .map((cell) => cell.getBoundingClientRect().top)];
})"""


def inside(actor: Actor) -> list[str]:
    """Return screens of one thing each."""
    hook = actor.get("/client/webhooks").json["webhooks"][0]["id"]
    key = actor.get("/client/api-keys").json["keys"][0]["id"]
    actor.post(f"/client/api-keys/{key}/rotate", {"overlapSeconds": 604_800})
    return [
        f"/app/keys/{key}",
        f"/app/transfers/{actor.get('/client/activity').json['activity'][0]['id']}",
        f"/app/requests/{actor.get('/client/requests').json['requests'][-1]['id']}",
        f"/app/invoices/{actor.get('/client/invoices').json['invoices'][0]['id']}",
        f"/app/webhooks/{hook}",
        f"/app/events/{actor.get('/client/events').json['events'][0]['id']}",
        "/app/deposit?network=Solana",
        "/app/notifications?show=unread",
        "/app/nothing-here",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_is_whole(merchant: Actor, visit: Callable[..., Visit], language: str):
    """T40, T41, T44: in three languages and widths; axe finds nothing, nobody else is asked."""
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, merchant)
        seen.page.goto(f"/app?lang={asked}")
        for number, path in enumerate((*SCREENS, *inside(merchant))):
            seen.page.goto(path)
            words = [each if len(each) < 20 else "one" for each in re.split(r"[/?=]", path[5:])]
            look(seen, f"app-{'-'.join(words) or 'overview'}", language)
            assert seen.page.locator("html").get_attribute("lang") == asked, path
            if LANGUAGES.index(language) == number % 2:  # each in one look: it takes half a second
                assert seen.violations() == [], path
        assert seen.strangers == []
        assert [said for said in seen.errors if "404" not in said] == []


def test_a_passkey_is_made_and_opens(alice: Actor, visit: Callable[..., Visit]):
    """T20 without a password: Chromium's own device signs, and a copy of nothing is kept."""
    seen = visit(base_url="http://localhost:8000")
    device = seen.context.new_cdp_session(seen.page)
    device.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    kind |= {"hasUserVerification": True, "isUserVerified": True}
    device.send("WebAuthn.addVirtualAuthenticator", {"options": kind})
    sign_in_by_hand(seen, alice)
    seen.page.goto("/app/security")
    seen.page.get_by_text("Add a passkey").first.click()
    seen.page.locator("#password-passkey").fill(PASSWORD)
    seen.page.locator("form[action='/app/security/passkeys/options'] button").click()
    seen.page.locator("#name").fill("Laptop")
    seen.page.get_by_role("button", name="Make the passkey").click()
    expect(seen.page.get_by_text("The passkey is added.")).to_be_visible()
    expect(seen.page.get_by_text("Laptop")).to_be_visible()
    seen.page.get_by_role("button", name="Sign out").click()
    seen.page.get_by_role("button", name="Sign in with a passkey").click()
    seen.page.wait_for_url("**/app")
    assert (seen.strangers, seen.errors) == ([], [])


def test_a_withdrawal_by_keyboard_alone_and_sent_twice_is_one(
    alice: Actor, visit: Callable[..., Visit]
):
    """T21, T41: Tab, typing and Enter; a double click, and the browser's own back and again."""
    seen = visit(viewport={"width": 360, "height": 800})
    sign_in_by_hand(seen, alice)
    seen.page.goto("/app/withdraw")
    seen.page.locator("#network").focus()
    keyboard = seen.page.keyboard
    keyboard.type("Base")
    keyboard.press("Tab")
    keyboard.type(WALLETS["Base"])
    keyboard.press("Enter")
    expect(seen.page.locator("#amount")).to_be_focused()
    seen.shot("app-withdraw-amount-en-light-360")
    keyboard.type("12,5")
    keyboard.press("Enter")
    button = seen.page.get_by_role("button", name="Withdraw 12.50 USDC")
    expect(button).to_be_visible()
    seen.shot("app-withdraw-confirm-en-light-360")
    assert seen.violations() == []
    button.dblclick()
    seen.page.wait_for_url("**/app/withdrawals/*")
    first = seen.page.url
    seen.shot("app-withdrawn-en-light-360")
    assert seen.violations() == []
    assert seen.overflows() <= 0
    seen.page.go_back()
    expect(seen.page.get_by_text("Next withdrawal in")).to_be_visible()
    expect(button).to_have_count(0)
    seen.page.goto(first)
    assert str(alice.held) == "12.55"


def test_the_preview_follows_what_is_typed(alice: Actor, visit: Callable[..., Visit]):
    """Without a word to the API: nothing is made until the invoice is."""
    seen = visit()
    sign_in(seen, alice)
    seen.page.goto("/app/invoices/new")
    shown = seen.page.locator("[data-part=preview]")
    seen.page.locator("#amount").fill("12,5")
    seen.page.locator("#description").fill("Tea for two")
    expect(shown.locator(".sum")).to_have_text("12.50 USDC")
    expect(shown).to_contain_text("Tea for two")
    expect(seen.page.locator("#description")).to_be_focused()
    assert alice.get("/client/invoices").json["invoices"] == []
    seen.page.get_by_text("Advanced").click()
    seen.page.locator("#redirectUrl").fill("shop.example.com")
    seen.page.get_by_role("button", name="Create the invoice").click()
    said = seen.page.locator("#redirectUrl-said")
    expect(said).to_contain_text("Must be an http or https address")
    expect(said).to_be_visible()
    assert seen.violations() == []
    for language in ("en", "ru"):
        seen.page.emulate_media(color_scheme=USUAL[language])
        filled = "amount=50&redirectUrl=https://shop.example.com"
        seen.page.goto(f"/app/invoices/new?lang={language}&{filled}")
        look(seen, "app-invoices-advanced", language)
    seen.page.goto("/app/invoices/new?lang=en&amount=12.5&redirectUrl=https://shop.example.com")
    seen.page.get_by_role("button", name="Create the invoice").click()
    seen.page.wait_for_url(re.compile("/app/invoices/c[0-9a-z]{24}$"))
    # The refusal above, and nothing else.
    assert (seen.strangers, len(seen.errors)) == ([], 1)
    assert "400" in seen.errors[0]


def test_what_nobody_sees_is_not_looked_at_again(merchant: Actor, visit: Callable[..., Visit]):
    """A page that is hidden asks nothing, and asks at once when it is shown again."""
    seen = visit()
    sign_in(seen, merchant)
    seen.page.clock.install()
    seen.page.goto("/app/webhooks")
    hook = merchant.get("/client/webhooks").json["webhooks"][0]["id"]

    def asked() -> int:
        return sum(path == "/app/webhooks" for path, _ in seen.around.sizes)

    def show(*, shown: bool) -> None:
        seen.page.evaluate(
            """(shown) => {
              Object.defineProperty(document, "hidden", { value: !shown, configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
            }""",
            shown,
        )

    with seen.page.expect_response("**/app/webhooks"):
        seen.page.clock.fast_forward(31_000)
    assert asked() == 2
    merchant.call("PATCH", f"/client/webhooks/{hook}", json={"enabled": False})
    show(shown=False)
    seen.page.clock.run_for(600_000)
    with seen.page.expect_response("**/app/webhooks"):
        show(shown=True)
    expect(seen.page.get_by_text("You switched it off.")).to_be_visible()
    assert asked() == 3
    assert (seen.strangers, seen.errors) == ([], [])


@pytest.mark.parametrize("scripted", [True, False])
@pytest.mark.parametrize("width", [320, 360])
def test_what_one_is_told_is_cards_on_a_phone(
    merchant: Actor, visit: Callable[..., Visit], width: int, *, scripted: bool
):
    """Each event is a card as wide as the page, its three ways side by side; nothing scrolls."""
    seen = visit(viewport={"width": width, "height": 800})
    sign_in(seen, merchant)
    if not scripted:
        seen.page.route("**/static/*.js", lambda route: route.abort())
    for language in ("en", "ru"):
        seen.page.goto(f"/app/notifications/preferences?lang={language}")
        rows = seen.page.locator(".matrix tbody tr:not(.titles)")
        assert rows.count() == len(notices.LETTERS) + 1
        for left, right, tops in rows.evaluate_all(_CARDS):
            assert left >= 0
            assert right <= width
            assert len(set(tops)) == 1, "side by side"
        box = rows.first.locator("input").bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
    rows.nth(0).locator("label").click()
    assert rows.nth(0).locator("input").is_checked() is False
    seen.page.get_by_role("button", name="Сохранить").click()
    expect(seen.page.get_by_text("Сохранено.")).to_be_visible()
    told = merchant.get("/client/notifications/preferences").json["preferences"]
    assert [row["email"] for row in told if row["kind"] == "deposit.confirmed"] == [False]
