"""The pages of one line of activity: what the API gave for them stands there, folded."""

import html
import json
import re

import pytest
from flask import Flask

from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.locales import formats
from protonpay.store import db
from tests.actors import Actor
from tests.invoices.asking import ask
from tests.invoices.by_card import open_page, tap, tap_simulator
from tests.overview.test_lists import transfer
from tests.payouts.orders import accepted
from tests.portal.client.reader import Reader, sign_in
from tests.simulators import Simulator
from tests.statements.history import usdc

__all__ = ["tap", "tap_simulator"]

HOSTILE = "</code><script>alert(1)</script> & «чай»"
FOLDED = re.compile(
    r'<details class="card"><summary>([^<]*)</summary><pre tabindex="0"><code>([^<]*)</code>'
)
SAID = {"en": "As the API gives it", "ru": "Как это отдаёт API"}


@pytest.fixture
def reader(house: Flask, alice: Actor) -> Reader:
    return sign_in(house, alice)


def given(reader: Reader, path: str, language: str) -> str:
    """Return the JSON of a page; nothing of it is a tag."""
    reader.open(f"{path}?lang={language}")
    assert reader.status == 200
    ((said, text),) = FOLDED.findall(reader.at.html)
    assert said == SAID[language]
    return html.unescape(text)


@pytest.mark.parametrize("language", SAID)
def test_a_transfer_as_the_api_gives_it(reader: Reader, alice: Actor, bob: Actor, language: str):
    """A note is anybody's text: it stays text."""
    body = {"toIdentifier": bob.email, "amount": "12.5", "note": HOSTILE}
    one = alice.post("/client/transfer", body).json["transfer"]["id"]
    text = given(reader, f"/app/transfers/{one}", language)
    assert json.loads(text) == alice.get(f"/client/transfer/{one}").json
    assert '\n  "transfer": {\n    "' in text
    assert "«чай»" in text
    assert "<script>alert" not in reader.at.html


@pytest.mark.parametrize("language", SAID)
def test_a_withdrawal_as_the_api_gives_it(reader: Reader, alice: Actor, language: str):
    one = accepted(alice, "10")
    text = given(reader, f"/app/withdrawals/{one}", language)
    assert json.loads(text) == alice.get(f"/client/withdraw/{one}").json


@pytest.mark.parametrize("language", SAID)
def test_a_deposit_as_the_api_gives_it(reader: Reader, alice: Actor, tap: Simulator, language: str):
    body = {"amount": "10", "currency": "USD", "provider": "tap"}
    one = alice.post("/client/deposit/card", body).json["deposit"]["id"]
    text = given(reader, f"/app/deposits/{one}", language)
    assert json.loads(text) == alice.get(f"/client/deposit/{one}").json


def test_a_deposit_leads_to_the_invoice_that_it_pays(reader: Reader, alice: Actor, tap: Simulator):
    made = ask(alice, "10")
    page = open_page(made)
    one = alice.get(f"/client/deposit/{page.deposit_id}").json["deposit"]
    assert one["invoiceId"] == made.id

    screen = reader.open(f"/app/deposits/{page.deposit_id}")

    assert f"For the invoice {made.id}" in screen.text
    assert f"/app/invoices/{made.id}" in screen.links
    body = {"amount": "10", "currency": "USD", "provider": "tap"}
    other = alice.post("/client/deposit/card", body).json["deposit"]
    assert other["invoiceId"] is None
    assert "For the invoice" not in reader.open(f"/app/deposits/{other['id']}").text


BOOKED = {
    "en": ("In the book", "Transfer our fee in it: 0.50", "\u221213.00", "Balance after"),
    "ru": (
        "\u0412 книге учёта",
        "Перевод в том числе комиссия: 0,50",
        "\u221213,00",
        "Баланс после",
    ),
}


@pytest.mark.parametrize("language", BOOKED)
def test_a_transfer_has_its_line_of_the_book(
    reader: Reader, alice: Actor, bob: Actor, language: str
):
    one = transfer(alice, bob)
    balance = ledger.balance(chart.available(alice.id)) - usdc("13")
    with db.transaction():
        ledger.post(entries.transfer(one, alice.id, bob.id, usdc("12.5"), usdc("0.5")))

    screen = reader.open(f"/app/transfers/{one}?lang={language}")

    for said in BOOKED[language]:
        assert said in screen.text
    after = formats.usdc(language, balance).replace("\xa0", " ")
    assert f"{BOOKED[language][2]} {after}" in screen.text


def test_what_is_under_way_is_not_asked_about(reader: Reader, alice: Actor):
    """Its page looks every few seconds: a call less, each time."""
    one = accepted(alice, "10")
    screen = reader.open(f"/app/withdrawals/{one}")
    assert "In the book Nothing: the book has what is final." in screen.text
    assert f"/client/activity/{one}/entries" not in screen.html
