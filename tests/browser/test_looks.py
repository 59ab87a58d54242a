"""Pages of our own showing, in Chromium: the components and the reference of the API."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Visit
from tests.browser.looking import KEPT, LANGUAGES, USUAL, look, speaking

pytestmark = pytest.mark.slow  # a real browser

# Axe takes half a minute for the whole reference: each kind of part, some in each look.
PARTS = {
    "ru": ("header", "#authentication", "#wallets-you-have-linked", "#providers"),
    "en": (".contents", "#transfers", "#errors"),
}
# It reads the page whole whichever parts it is asked about: the others go before. That no two have
# one name is all that it says of them together.
_LEAVE = """(parts) => {
  const names = [...document.querySelectorAll("[id]")].map((each) => each.id);
  document.querySelectorAll("main section, main article").forEach((each) =>
    parts.some((part) => each.closest(part) || each.querySelector(part)) || each.remove());
  return names.filter((name, at) => names.indexOf(name) !== at);
}"""
PLACES = ("top", "invoices", "payouts_withdraw", "events", "errors")


PUBLIC = ("", "components", "login", "register", "forgot", "pay/nobodys", "nothing-here")
OF_LETTERS = ("verify-email", "reset-password", "freeze", "keep-second-factor")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_for_anybody_is_whole(visit: Callable[..., Visit], language: str):
    """T40, T41, T44: in three languages and widths; axe finds nothing in either theme."""
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        for path in PUBLIC:
            seen.page.goto(f"/{path}")
            look(seen, path.replace("/", "-") or "front", language)
            assert seen.page.locator("html").get_attribute("lang") == asked, path
            assert language == "pseudo" or seen.violations() == [], (path, language)
        assert seen.strangers == []
        assert [said for said in seen.errors if "404" not in said] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_of_a_letter_is_whole(visit: Callable[..., Visit], language: str):
    """T40, T41: before it is sent, and after it was refused."""
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        for name in OF_LETTERS:
            seen.page.goto(f"/{name}?token=nobodys")
            look(seen, f"letter-{name}-asks", language)
            if name == "reset-password":
                seen.page.locator("#password").fill("correct horse battery")
            with seen.page.expect_navigation():
                seen.page.locator("form button").click()
            expect(seen.page.get_by_role("alert")).to_be_visible()
            if language != "pseudo":
                look(seen, f"letter-{name}-refused", language)
                assert seen.violations() == [], name
        assert seen.strangers == []


def test_the_components_do_what_they_say(visit: Callable[..., Visit]):
    """Dialogs take and give back the focus, values are copied, messages close: by keyboard."""
    seen = visit(permissions=["clipboard-read", "clipboard-write"])
    seen.page.goto("/components")
    opens = seen.page.locator("[data-opens=sure]")
    opens.press("Enter")
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("button").first).to_be_focused()
    assert seen.violations() == []
    seen.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opens).to_be_focused()
    seen.page.locator(".copied:has(.grouped) .copy").press("Enter")
    expect(seen.page.locator("p.told")).to_have_text("Address copied")
    copied = seen.page.evaluate("navigator.clipboard.readText()")
    assert copied == "0x52908400098527886E0F7030069857D2E4169EE7"
    seen.page.locator("[data-closes]").press("Enter")
    expect(seen.page.locator(".toast")).to_have_count(0)
    seen.page.get_by_label("curl").press("ArrowRight")
    expect(seen.page.locator(".tabs pre:visible")).to_have_text(re.compile("^requests"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reference_is_whole(visit: Callable[..., Visit], language: str):
    """T40, T41, T44 of the longest page; what is told of a call is English in every language."""
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        seen.page.goto("/docs")
        look(seen, "docs", language, whole=False, said=False)
        if language == "pseudo":
            return
        for place in PLACES:
            seen.page.evaluate("id => document.getElementById(id).scrollIntoView()", place)
            seen.shot(f"docs-{place}-{language}-{USUAL[language]}-{KEPT[language]}", whole=False)
        assert seen.page.evaluate(_LEAVE, PARTS[language]) == []
        assert seen.violations(*PARTS[language]) == []
        assert (seen.strangers, seen.errors) == ([], [])


def test_the_reference_finds_and_remembers(visit: Callable[..., Visit]):
    """What its script adds."""
    seen = visit()
    seen.page.goto("/docs")
    seen.page.keyboard.press("/")
    seen.page.keyboard.type("post invoices")
    expect(seen.page.locator(".found")).to_have_text("9")
    expect(seen.page.locator(".contents li[data-words]:visible")).to_have_count(9)
    seen.page.get_by_label("Python").check()
    seen.page.reload()
    expect(seen.page.get_by_label("Python")).to_be_checked()


def test_a_phone_begins_with_the_text_of_the_reference(visit: Callable[..., Visit]):
    """Its contents are behind a word, open for who asks or finds, and gone for who follows them."""
    seen = visit(viewport={"width": 360, "height": 800})
    seen.page.goto("/docs")
    listed = seen.page.locator(".contents .list")
    expect(listed).to_be_hidden()
    seen.shot("docs-folded-360", whole=False)
    seen.page.locator(".contents .all > summary").click()
    expect(listed).to_be_visible()
    seen.page.locator(".contents a[href='#errors']").click()
    expect(listed).to_be_hidden()
    seen.page.locator("#find").fill("post invoices")
    expect(listed).to_be_visible()


def test_the_reference_is_whole_without_its_script(visit: Callable[..., Visit]):
    """T13 of the reference: one language of examples at a time, every call in the contents."""
    seen = visit(java_script_enabled=False)
    seen.page.goto("/docs")
    first = seen.page.locator("#auth_register")
    assert first.locator(".of-sh").is_visible()
    seen.page.get_by_label("JavaScript").check()
    assert first.locator(".of-js").is_visible()
    assert not first.locator(".of-sh").is_visible()
    assert not seen.page.locator(".find").is_visible()
    assert seen.page.get_by_role("link", name="Back to the portal").get_attribute("href") == "/app"
