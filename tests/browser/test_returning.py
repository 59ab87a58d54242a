"""A session ends while a form is filled in: the reader signs in over the page, which stays."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.actors import PASSWORD, Actor
from tests.browser.driving import Visit, sign_in
from tests.browser.looking import LANGUAGES, USUAL, look, speaking
from tests.portal.client.test_returning import end

pytestmark = pytest.mark.slow  # a real browser


def fill(seen: Visit, actor: Actor) -> None:
    """Answer the dialog."""
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.locator("input[name=email]").fill(actor.email)
    dialog.locator("input[name=password]").fill(PASSWORD)
    dialog.locator("form[action='/login'] button").click()


def test_a_filled_form_stays_and_is_sent_once(alice: Actor, visit: Callable[..., Visit]):
    """T28: with the wrong password first; nothing is sent by signing in itself."""
    seen = visit(viewport={"width": 360, "height": 800})
    sign_in(seen, alice)
    seen.page.goto("/app/invoices/new")
    seen.page.locator("#amount").fill("12,5")
    seen.page.locator("#description").fill("Tea for two")
    end(alice)
    create = seen.page.get_by_role("button", name="Create the invoice")
    create.dblclick()
    dialog = seen.page.get_by_role("dialog")
    expect(dialog.locator("input[name=email]")).to_be_focused()
    assert seen.violations() == []
    dialog.locator("input[name=email]").fill(alice.email)
    dialog.locator("input[name=password]").fill("not this one at all")
    dialog.locator("input[name=password]").press("Enter")
    expect(dialog.get_by_role("alert")).to_be_visible()
    fill(seen, alice)
    expect(dialog).to_be_hidden()
    expect(seen.page.get_by_text("Nothing was sent yet")).to_be_visible()
    expect(create).to_be_focused()
    assert seen.page.locator("#amount").input_value() == "12,5"
    assert alice.get("/client/invoices").json["invoices"] == []
    seen.shot("app-again-signed-in-en-light-360")
    create.click()
    seen.page.wait_for_url("**/app/invoices/c*")
    (made,) = alice.get("/client/invoices").json["invoices"]
    assert (made["amount"], made["description"]) == ("12.50", "Tea for two")
    assert seen.strangers == []
    # The refusal, and redirects that the script looks at and does not follow.
    assert [said for said in seen.errors if "401" not in said and "ERR_FAILED" not in said] == []


def test_who_does_not_sign_in_keeps_the_page(alice: Actor, visit: Callable[..., Visit]):
    seen = visit()
    sign_in(seen, alice)
    seen.page.goto("/app/addresses")
    seen.page.locator("#label").fill("Treasury")
    seen.page.locator("#network").select_option("Base")
    seen.page.locator("#address").fill("0x52908400098527886E0F7030069857D2E4169EE7")
    end(alice)
    seen.page.locator("#address").press("Enter")
    expect(seen.page.get_by_role("dialog")).to_be_visible()
    seen.page.keyboard.press("Escape")
    expect(seen.page.get_by_role("dialog")).to_be_hidden()
    assert seen.page.locator("#label").input_value() == "Treasury"
    assert alice.get("/client/addresses").json["addresses"] == []


def test_nobody_elses_form_is_sent(alice: Actor, bob: Actor, visit: Callable[..., Visit]):
    """Somebody else signs in over the page, or has in another tab: what was typed is not theirs."""
    seen = visit()
    sign_in(seen, alice)
    seen.page.goto(f"/app/transfer/confirm?toIdentifier={bob.email}&amount=5")
    other = seen.context.new_page()
    other.goto("/app")
    other.get_by_role("button", name="Sign out").first.click()
    other.locator("#email").fill(bob.email)
    other.locator("#password").fill(PASSWORD)
    other.locator("form.stack button").click()
    other.wait_for_url("**/app")
    seen.page.get_by_role("button", name="Transfer 5.00 USDC").click()
    expect(seen.page.get_by_text("acts for another account by now")).to_be_visible()
    assert (str(alice.available), str(bob.available)) == ("1000.00", "0.00")
    seen.page.goto(f"/app/transfer/confirm?toIdentifier={alice.email}&amount=5")
    end(bob)
    seen.page.get_by_role("button", name="Transfer 5.00 USDC").click()
    fill(seen, alice)
    seen.page.wait_for_url("**/app")
    assert (str(alice.available), str(bob.available)) == ("1000.00", "0.00")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_dialog_is_whole(alice: Actor, visit: Callable[..., Visit], language: str):
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        seen.page.goto(f"/app/team?lang={asked}")
        seen.page.locator("#email").fill("bookkeeper@example.com")
        end(alice)
        seen.page.locator("#email").press("Enter")
        expect(seen.page.get_by_role("dialog")).to_be_visible()
        look(seen, "app-again", language, whole=False)
