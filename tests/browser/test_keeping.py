"""What an owner reads and does about one thing: an invoice with all it can have, its event."""

from collections.abc import Callable

import pytest

from protonpay.webhooks import service as webhooks
from tests.actors import Actor
from tests.browser.driving import Visit, sign_in
from tests.browser.looking import LANGUAGES, USUAL, look, speaking
from tests.invoices.asking import ask, pay_on_chain

pytestmark = pytest.mark.slow  # a real browser


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_invoice_and_its_event_are_whole(
    merchant: Actor, visit: Callable[..., Visit], language: str
):
    """T40, T41: with own data, a note, events that went out, every fold open; what changed."""
    made = ask(merchant, "50", metadata={"order": "1042", "comment": "x" * 500})
    note = {"note": "Two parts.\nAs agreed by phone."}
    assert merchant.call("PATCH", f"/client/invoices/{made.id}", json=note).status_code == 200
    for amount in ("20", "25"):
        pay_on_chain(made.id, amount)
        webhooks.dispatch()
    events = merchant.get(f"/client/events?object={made.id}").get_json()["events"]
    paid = ask(merchant, "5").id
    pay_on_chain(paid, "5")
    webhooks.dispatch()
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, merchant)
        seen.page.goto(f"/app?lang={asked}")
        pages = {
            "app-invoice-kept": f"/app/invoices/{made.id}",
            "app-invoice-told": f"/app/invoices/{paid}",
            "app-event-changed": f"/app/events/{events[-1]['id']}",
        }
        for name, path in pages.items():
            seen.page.goto(path)
            for fold in seen.page.locator("main details.card > summary").all():
                fold.click()
            look(seen, name, language)
            assert language == "pseudo" or seen.violations() == [], path
        assert (seen.strangers, seen.errors) == ([], [])
