"""The pay page in its other forms: as a receipt for paper, without scripts, in another language."""

from collections.abc import Callable

from flask.testing import FlaskClient

from protonpay.kernel import clock
from tests.actors import Actor
from tests.invoices.asking import ask, pay_on_chain
from tests.portal.test_pay_page import DAY, Page, get, opened, shop

__all__ = ["opened", "shop"]


def test_a_receipt_is_for_paper_and_stays_as_it_is(
    shop: Actor, alice: Actor, client: FlaskClient, opened: Callable[..., Page]
):
    made = ask(shop, description="Monthly subscription")
    early = get(client, f"/pay/{made.id}/receipt")
    assert (early.status_code, early.location) == (303, f"/pay/{made.id}"), "nothing has arrived"
    pay_on_chain(made.id, "20")
    made.paid_by(alice)

    first = get(client, f"/pay/{made.id}/receipt")
    with clock.frozen(clock.now() + 30 * DAY):
        later = get(client, f"/pay/{made.id}/receipt")

    page = Page(first.text)
    for said in ("Receipt", made.id, "Monthly subscription", "20.00 USDC · Base", "0xhash", "UTC"):
        assert said in page.text
    assert "Received 50.00 USDC" in page.text
    assert page.refresh is None
    assert later.text == first.text
    assert f"/pay/{made.id}/receipt" in [link["href"] for link in opened(made).all("a")]
    assert get(client, f"/pay/cm{'a' * 23}/receipt").status_code == 404


def test_the_plain_page_needs_no_script(shop: Actor, client: FlaskClient):
    """T13: the same page; it looks again by itself, and can be told not to."""
    made = ask(shop)
    page = Page(get(client, f"/pay/{made.id}/plain").text)
    assert page.all("script") == []
    assert page.refresh == "15"
    assert {"href": "?refresh=off"} in page.all("a")
    assert len(page.all("svg")) == 3
    assert Page(get(client, f"/pay/{made.id}/plain?refresh=off").text).refresh is None


def test_the_language_is_switched_in_place(shop: Actor, client: FlaskClient):
    made = ask(shop)
    switches = {
        link["hreflang"]: link["href"]
        for link in Page(get(client, f"/pay/{made.id}?refresh=off").text).all("a")
        if "hreflang" in link
    }
    assert switches["ru"] == "?refresh=off&lang=ru"
    assert "Ожидаем оплату" in get(client, f"/pay/{made.id}{switches['ru']}").text


def test_a_description_is_text_on_a_receipt_too(alice: Actor, bob: Actor, client: FlaskClient):
    made = ask(bob, "5", description="<b>Tea</b>")
    made.paid_by(alice)
    assert "&lt;b&gt;Tea&lt;/b&gt;" in get(client, f"/pay/{made.id}/receipt").text
