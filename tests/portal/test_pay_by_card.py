"""The card path of the pay page: the price before anybody leaves, and "do not pay again"."""

from html.parser import HTMLParser

from flask.testing import FlaskClient
from sqlalchemy import select

from protonpay.invoices.models import InvoiceCard
from protonpay.store.db import db
from tests.actors import Actor
from tests.invoices.asking import Asked, ask
from tests.invoices.by_card import asked, press, tap, tap_simulator
from tests.simulators import Simulator

__all__ = ["tap", "tap_simulator"]
FORM = {"way": "tap USD", "email": "payer@example.com"}


class Read(HTMLParser):
    """A page's text, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.forms: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).replace("\xa0", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        if tag == "form":
            self.forms.append(dict(attrs).get("action") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _read(client: FlaskClient, made: Asked, language: str = "en") -> Read:
    answer = client.get(f"/pay/{made.id}", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return Read(answer.text)


def _page_of(made: Asked) -> InvoiceCard:
    found = select(InvoiceCard).filter_by(invoice_id=made.id)
    return db.session.scalars(found, execution_options={"populate_existing": True}).one()


def test_the_whole_way(bob: Actor, client: FlaskClient, tap: Simulator):
    """T15: choose, see the price, pay, come back before the provider told us, be told."""
    made = ask(bob, "50")
    assert f"/pay/{made.id}/card" in _read(client, made).forms

    answer = client.post(f"/pay/{made.id}/card", data=FORM)
    assert (answer.status_code, answer.location) == (303, f"/pay/{made.id}?network=card#card")
    page = _page_of(made)
    open_one = _read(client, made)
    assert page.page_url in open_one.links
    assert "Pay 50.00 USD at 127.0.0.1" in open_one.text
    assert "do not pay again: this page will show it" in open_one.text
    assert open_one.forms == [f"/pay/{made.id}/sent"], "no second page is opened"

    press(page, "paid")
    back = client.get(f"/pay/{made.id}/card/{page.deposit_id}?tap_id={'x' * 30}")
    assert (back.status_code, back.location) == (303, f"/pay/{made.id}")
    for language, said in (("en", "Do not pay again."), ("ru", "платите повторно")):
        waiting = _read(client, made, language)
        assert said in waiting.text
        assert (waiting.forms, "solana:" in "".join(waiting.links)) == ([], False)

    asked(page)
    assert "has received 50.00 USDC." in _read(client, made).text


def test_a_declined_card_is_said_and_another_way_offered(
    bob: Actor, client: FlaskClient, tap: Simulator
):
    made = ask(bob, "50")
    client.post(f"/pay/{made.id}/card", data=FORM)
    page = _page_of(made)
    press(page, "declined")
    client.get(f"/pay/{made.id}/card/{page.deposit_id}")
    asked(page)
    for language, said in (("en", "The card was declined"), ("ru", "Карта отклонена")):
        read = _read(client, made, language)
        assert said in read.text
        assert read.forms[0] == f"/pay/{made.id}/card"


def test_a_provider_without_an_answer_is_asked_again_and_nobody_is_sent_away(
    bob: Actor, client: FlaskClient, tap: Simulator
):
    made = ask(bob, "50")
    tap.pull("faults", fault="reset", call="create")
    refused = client.post(f"/pay/{made.id}/card", data=FORM, headers={"Accept-Language": "ru"})
    assert refused.status_code == 400
    assert "Ничего не списано." in refused.text
    first = _page_of(made).deposit_id
    assert client.post(f"/pay/{made.id}/card", data=FORM).status_code == 303
    assert _page_of(made).deposit_id == first


def test_what_a_form_may_not_say(bob: Actor, client: FlaskClient, tap: Simulator):
    made = ask(bob, "50")
    for form in (
        {},
        {**FORM, "email": "nobody"},
        {**FORM, "email": "a@b\r\nx@example.com"},
        {**FORM, "way": "nobody USD"},
        {**FORM, "way": "tap RUB"},
        {**FORM, "way": "tap"},
        {**FORM, "way": "yookassa RUB"},
    ):
        answer = client.post(f"/pay/{made.id}/card", data=form)
        assert answer.status_code == 400, form
        # An address that is none is said beside its field, and stays in it.
        beside = form.get("email") != FORM["email"]
        assert ('id="email-said" class="said bad"' in answer.text) is beside
        assert ('role="alert">' in answer.text.partition('id="card"')[2]) is not beside
        assert ('value="nobody"' in answer.text) is (form.get("email") == "nobody")
    assert db.session.scalars(select(InvoiceCard)).all() == []


def test_what_cannot_be_paid_opens_no_page(bob: Actor, client: FlaskClient, tap: Simulator):
    made = ask(bob, "50")
    made.cancel()
    assert client.post(f"/pay/{made.id}/card", data=FORM).status_code == 303
    assert db.session.scalars(select(InvoiceCard)).all() == []
    nobodys = "cm" + "a" * 23
    assert client.post(f"/pay/{nobodys}/card", data=FORM).status_code == 404
    assert client.get(f"/pay/{made.id}/card/{nobodys}").status_code == 404
