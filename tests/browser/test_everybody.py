"""Pages for who uses no mouse, few colours, no motion or paper; and what no page lets out."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from protonpay.kernel import clock
from protonpay.wallets import service as wallets
from tests.actors import PASSWORD, Actor
from tests.browser.driving import Visit, sign_in, sign_in_by_hand
from tests.invoices.asking import ask, pay_on_chain

pytestmark = pytest.mark.slow  # a real browser

PATIENCE = 60_000  # ms
_LONGEST = 120
# Where the focus is, whether that can be seen, and whether something lies over it (2.4.7, 2.4.11).
_FOCUS = """() => {
  const on = document.activeElement;
  if (on === document.body) return null;
  const seen = on.matches(".ways > input") ? on.nextElementSibling : on;
  const { left, top, width, height } = seen.getBoundingClientRect();
  const over = document.elementFromPoint(left + Math.min(width, innerWidth) / 2, top + height / 2);
  const { outlineStyle, outlineWidth } = getComputedStyle(seen);
  on.dataset.reached = "yes";
  return {
    what: on.outerHTML.slice(0, 120),
    ringed: outlineStyle !== "none" && parseFloat(outlineWidth) >= 1,
    covered: !over || !(seen.contains(over) || over.contains(seen)),
  };
}"""
_UNREACHED = """() => [
    ...document.querySelectorAll("a[href], button, input, select, textarea, summary"),
  ]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled)
  .filter((each) => !each.dataset.reached && each.type !== "radio" && each.type !== "hidden")
  .map((each) => each.outerHTML.slice(0, 120))"""


def walk(seen: Visit) -> list[str]:
    """Go through the page by Tab; return all that was reached.

    Raises:
        AssertionError: the focus cannot be seen, something lies over it, or something has none.
    """
    went = []
    seen.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    for _ in range(_LONGEST):
        seen.page.keyboard.press("Tab")
        focus = seen.page.evaluate(_FOCUS)
        if focus is None:
            break
        assert focus["ringed"], focus["what"]
        assert not focus["covered"], focus["what"]
        went.append(focus["what"])
    assert seen.page.evaluate(_UNREACHED) == []
    return went


@pytest.mark.parametrize("path", ["/app", "/app/activity", "/app/keys", "/app/security"])
def test_every_screen_is_walked_through_by_keyboard(
    merchant: Actor, visit: Callable[..., Visit], path: str
):
    """2.1.1, 2.4.3, 2.4.7, 2.4.11: on a phone, too, where a bar lies over the page."""
    seen = visit(viewport={"width": 360, "height": 700})
    sign_in(seen, merchant)
    seen.page.goto(path)
    went = walk(seen)
    assert 'class="skip"' in went[0], "the first stop leads past the head"
    seen.page.goto(f"{path}#menu")
    expect(seen.page.locator("nav.menu")).to_be_visible()
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.closest('nav.menu') !== null")
    seen.page.keyboard.press("Escape")
    expect(seen.page.locator("nav.menu")).to_be_hidden()


def test_an_invoice_is_paid_by_keyboard_alone(shop: Actor, visit: Callable[..., Visit]):
    """T01, T41: everything is reached, the address is copied, what came is said; the receipt."""
    made = ask(shop, "50", description="Monthly subscription")
    seen = visit(permissions=["clipboard-read", "clipboard-write"])
    seen.page.goto(f"/pay/{made.id}")
    went = " ".join(walk(seen))
    assert 'name="by"' in went, "one of the ways to pay"
    assert '"solana:' in went, "the link that opens a wallet"
    seen.page.get_by_role("button", name="Copy").first.press("Enter")
    copied = seen.page.evaluate("navigator.clipboard.readText()")
    assert copied in {"50.00", *wallets.addresses_of("invoice", made.id).values()}
    pay_on_chain(made.id, "50")
    expect(seen.page.get_by_role("status").locator("h1")).to_have_text(
        "The payment has arrived", timeout=PATIENCE
    )
    walk(seen)
    seen.page.get_by_role("link", name="Receipt").press("Enter")
    expect(seen.page.locator("h1")).to_have_text("Receipt")
    walk(seen)


def test_few_colours_and_no_motion(shop: Actor, visit: Callable[..., Visit]):
    """T42: a code is read in colours of the reader's own; nothing moves for who wants that."""
    made = ask(shop, "50")
    seen = visit(forced_colors="active", color_scheme="dark", reduced_motion="reduce")
    seen.page.goto(f"/pay/{made.id}?network=base")
    seen.shot("pay-pending-forced-colours")
    assert seen.read_code("#base .qr") == wallets.addresses_of("invoice", made.id)["Base"]
    moves = "document.querySelector('h1').style.animation = 'spin 9s infinite'"
    named = "getComputedStyle(document.querySelector('h1')).animationName"
    seen.page.evaluate(moves)
    assert seen.page.evaluate(named) == "none"
    seen.page.emulate_media(reduced_motion="no-preference")
    assert seen.page.evaluate(named) == "spin"
    seen.page.goto("/components")
    seen.shot("components-forced-colours")
    for part in (".button", ".chip", ".field input", ".card"):
        width = "e => parseFloat(getComputedStyle(e).borderTopWidth)"
        assert seen.page.locator(part).first.evaluate(width) >= 1, part


def test_paper_has_the_statement_and_nothing_else(merchant: Actor, visit: Callable[..., Visit]):
    """T42: dark screens print on white; what is for hands is left out."""
    month = f"{clock.now():%Y-%m}"
    with clock.frozen(clock.now() + timedelta(days=32)):
        seen = visit(color_scheme="dark")
        sign_in(seen, merchant)
        for path in (f"/app/statements/{month}", f"/pay/{ask(merchant, '5').id}"):
            seen.page.goto(path)
            seen.page.emulate_media(media="print")
            for part in ("header", ".menu", ".bar", ".calls", ".actions", ".chart-table", "form"):
                for each in seen.page.locator(part).all():
                    assert path.startswith("/pay") or each.is_hidden(), part
            paper = "getComputedStyle(document.body)"
            assert seen.page.evaluate(f"{paper}.backgroundColor") in {
                "rgb(247, 249, 252)",
                "rgb(255, 255, 255)",
            }
            assert seen.page.evaluate(f"{paper}.color") in {"rgb(22, 32, 46)", "rgb(0, 0, 0)"}
            if path.startswith("/app"):
                for part in ("dl.facts", "figure.chart svg", "table"):
                    expect(seen.page.locator(part).last).to_be_visible()
                expect(seen.page.get_by_text("1,487.50").last).to_be_visible()
            seen.shot(f"paper-{path.split('/')[-2]}")
            assert seen.page.pdf().startswith(b"%PDF")
            seen.page.emulate_media(media="screen")


def test_no_secret_is_in_a_page_its_storage_or_its_address(
    merchant: Actor, visit: Callable[..., Visit]
):
    """T44, T46: what opens the account stays in a cookie that no script can read."""
    seen = visit()
    sign_in_by_hand(seen, merchant)
    (cookie,) = [each for each in seen.context.cookies() if each.get("httpOnly")]
    assert (cookie["sameSite"], cookie["path"]) == ("Lax", "/")
    secrets = (PASSWORD, cookie["value"], merchant.token)
    for path in ("/app", "/app/security", "/app/keys", "/app/webhooks", "/app/preferences"):
        seen.page.goto(path)
        held = seen.page.evaluate(
            "[document.documentElement.outerHTML, document.cookie, location.href,"
            " JSON.stringify(localStorage), JSON.stringify(sessionStorage)].join(' ')"
        )
        assert [secret for secret in secrets if secret in held] == [], path
        assert "eyJ" not in held, "no token of any kind"
    assert (seen.strangers, seen.errors) == ([], [])
