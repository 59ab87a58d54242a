"""Where a payer goes back to, and who may frame the pay page (portal reference §3.6; T16)."""

import re

import pytest

from protonpay.invoices.addresses import back_to
from tests.actors import Actor
from tests.invoices.asking import ask
from tests.refusals import refused
from tests.unchanged import nothing_changes

SHOP = "https://shop.example.com"


def policy(actor: Actor, invoice_id: str, part: str = "") -> str:
    answer = actor.client.get(f"/pay/{invoice_id}{part}")
    assert answer.status_code == 200
    (framed_by,) = re.findall(r"frame-ancestors ([^;]*)", answer.headers["Content-Security-Policy"])
    return str(framed_by)


def test_only_the_named_site_may_frame_the_page(alice: Actor):
    assert policy(alice, ask(alice).id) == "'none'"
    assert policy(alice, ask(alice, embedOrigin=f"{SHOP}/").id) == SHOP
    assert policy(alice, ask(alice, embedOrigin="http://localhost:3000").id) == (
        "http://localhost:3000"
    )


def test_the_page_names_the_site_that_is_told_and_no_other(alice: Actor):
    page = alice.client.get(f"/pay/{ask(alice, embedOrigin=SHOP).id}").text
    assert f'data-origin="{SHOP}"' in page
    assert "data-origin" not in alice.client.get(f"/pay/{ask(alice).id}").text


def test_a_payer_is_led_back_only_once_it_is_paid(alice: Actor, bob: Actor):
    made = ask(alice, "5", redirectUrl=f"{SHOP}/thanks?order=7")
    before = alice.client.get(f"/pay/{made.id}").text
    assert SHOP not in before
    alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": "5"})
    assert bob.post(f"/client/invoices/{made.id}/pay").status_code == 200
    after = alice.client.get(f"/pay/{made.id}").text
    assert f'href="{SHOP}/thanks?order=7&amp;invoiceId={made.id}"' in after
    assert "Return to shop.example.com" in after


@pytest.mark.parametrize(
    ("url", "led_to"),
    [
        (f"{SHOP}/", f"{SHOP}/?invoiceId=c1"),
        (f"{SHOP}/a?b=&c=%20#d", f"{SHOP}/a?b=&c=+&invoiceId=c1#d"),
        (f"{SHOP}/?invoiceId=forged", f"{SHOP}/?invoiceId=c1"),
    ],
)
def test_the_invoice_is_named_and_nothing_else_changes(url: str, led_to: str):
    assert back_to(url, "c1") == led_to


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//shop.example.com",
        "https://",
        "https://user:secret@shop.example.com/",
        "https://shop.example.com:99999/",
        "https://shop.example.com/\u202e",
        "https://shop.example.com/ x",
        'https://shop.example.com/"onload=',
        "https:\\\\shop.example.com",
    ],
)
@pytest.mark.parametrize("member", ["redirectUrl", "embedOrigin"])
def test_what_is_no_address_of_a_site_is_refused(alice: Actor, member: str, url: str):
    with nothing_changes():
        answer = alice.post("/client/invoices", {"amount": "5", member: url})
        refused(answer, 400, "invalid_url")
    assert list(answer.get_json()["errors"]["json"]) == [member]


@pytest.mark.parametrize(
    "origin", [f"{SHOP}/path", f"{SHOP}?x=1", "https://*.example.com", f"{SHOP};script-src", "*"]
)
def test_more_than_an_origin_is_refused(alice: Actor, origin: str):
    """No text of a seller's gets into a policy but one origin."""
    with nothing_changes():
        answer = alice.post("/client/invoices", {"amount": "5", "embedOrigin": origin})
        refused(answer, 400, "invalid_url")


def test_the_plain_page_is_framed_by_nobody_either(alice: Actor):
    assert policy(alice, ask(alice).id, "/plain") == "'none'"
