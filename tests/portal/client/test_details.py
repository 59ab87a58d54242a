"""The pages of one line of activity: what the API gave for them stands there, folded."""

import html
import json
import re

import pytest
from flask import Flask

from tests.actors import Actor
from tests.invoices.by_card import tap, tap_simulator
from tests.payouts.orders import accepted
from tests.portal.client.reader import Reader, sign_in
from tests.simulators import Simulator

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
