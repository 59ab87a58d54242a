"""An invoice that ended with a part paid: its payer asks for the rest, its owner decides."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from protonpay.store.db import db, transaction
from tests.actors import Actor
from tests.invoices.asking import Asked, ask, pay_on_chain
from tests.mail.letters import waiting
from tests.portal.client.reader import sign_in
from tests.portal.test_pay_page import Page, opened, shop
from tests.refusals import refused
from tests.unchanged import nothing_changes

__all__ = ["opened", "shop"]


def over(made: Asked, ago: timedelta = timedelta(minutes=1)) -> None:
    """Let an invoice have ended."""
    with transaction():
        ended = "UPDATE invoices SET expires_at = now() - :ago WHERE id = :id"
        db.session.execute(text(ended), {"ago": ago, "id": made.id})
    db.session.expire_all()


def part_paid(shop: Actor, amount: str = "50", paid: str = "20") -> Asked:
    made = ask(shop, amount, description="Monthly subscription")
    pay_on_chain(made.id, paid)
    over(made)
    return made


@pytest.fixture
def anybody(house: Flask) -> FlaskClient:
    return house.test_client()


def test_the_payer_asks_the_owner_issues_the_page_leads_there(
    house: Flask, shop: Actor, anybody: FlaskClient, opened: Callable[..., Page]
):
    made = part_paid(shop)
    assert "30.00 USDC is missing." in opened(made).text
    before = len(waiting(shop.email))
    answer = anybody.post(f"/pay/{made.id}/rest")
    assert (answer.status_code, answer.location) == (303, f"/pay/{made.id}#rest")
    (letter,) = waiting(shop.email)[before:]
    assert letter.subject.endswith("A payer would pay the rest: 30.00 USDC")
    assert f"/app/invoices/{made.id}" in letter.text
    page = opened(made)
    assert "was asked for an invoice" in page.text
    assert page.refresh == "15", "its owner will decide"
    with nothing_changes():
        assert anybody.post(f"/pay/{made.id}/rest").status_code == 400, "once a day"

    reader = sign_in(house, shop)
    said = reader.open(f"/app/invoices/{made.id}")
    assert "Its payer asked for an invoice for the rest" in said.text
    (link,) = [each for each in said.links if each.startswith("/app/invoices/new?")]
    reader.open(link)
    fields = reader.at.form("/app/invoices/new").fields
    assert (fields["amount"], fields["restOf"]) == ("30.00", made.id)
    reader.send("/app/invoices/new")
    further = shop.get("/client/invoices").json["invoices"][0]
    assert (further["restOf"], further["amount"]) == (made.id, "30.00")
    page = opened(made)
    assert "has issued an invoice for the rest: 30.00 USDC" in page.text
    onward = f"/pay/{further['id']}"
    assert onward in [link.get("href") for link in page.all("a")]
    shop.post(f"/client/invoices/{further['id']}/cancel")
    assert onward not in [link.get("href") for link in opened(made).all("a")]


def test_only_what_ended_short_has_a_rest(
    shop: Actor, anybody: FlaskClient, opened: Callable[..., Page]
):
    still_open, paid, empty = ask(shop, "50"), ask(shop, "50"), ask(shop, "50")
    pay_on_chain(still_open.id, "20")
    pay_on_chain(paid.id, "50")
    over(empty)
    accepted = part_paid(shop)
    shop.post(f"/client/invoices/{accepted.id}/accept")
    for made in (still_open, paid, empty, accepted):
        assert "is missing. Ask" not in opened(made).text
        with nothing_changes():
            assert anybody.post(f"/pay/{made.id}/rest").status_code == 400
    assert anybody.post("/pay/cm00000000000000000000000/rest").status_code == 404


def test_the_page_looks_again_once_it_is_there(shop: Actor, anybody: FlaskClient):
    made = part_paid(shop)

    def version() -> str:
        return anybody.get(f"/pay/{made.id}/events").get_data(as_text=True)

    first = version()
    anybody.post(f"/pay/{made.id}/rest")
    asked = version()
    ask(shop, "30", restOf=made.id)
    assert len({first, asked, version()}) == 3


def test_nobody_leads_to_an_invoice_of_another(shop: Actor, mallory: Actor):
    made = part_paid(shop)
    order = {"amount": 30, "currency": "USDC", "restOf": made.id}
    with nothing_changes():
        refused(mallory.post("/client/invoices", order), 400, "unknown_invoice")
        refused(shop.post("/client/invoices", {**order, "restOf": "x"}), 400, "unknown_invoice")
