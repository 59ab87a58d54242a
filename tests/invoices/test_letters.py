"""An invoice is sent to who shall pay it; its owner is told what is asked back."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from protonpay.store.db import db, transaction
from tests.actors import Actor
from tests.invoices.asking import Asked, ask, pay_on_chain
from tests.mail.letters import waiting
from tests.payouts.orders import WALLETS
from tests.refusals import refused
from tests.teams.people import set_column, verify
from tests.unchanged import nothing_changes

BUYER = "buyer@example.com"


@pytest.fixture
def seller(alice: Actor) -> Actor:
    verify(alice)
    return alice


def send(made: Asked, email: str = BUYER, **more: str) -> Any:
    return made.owner.post(f"/client/invoices/{made.id}/send", {"email": email, **more})


@pytest.mark.parametrize(
    ("language", "subject"),
    [("en", "asks you for 1,250.50 USDC"), ("ru", "просит оплатить 1\xa0250,50 USDC")],
)
def test_a_letter_leads_to_the_pay_page(seller: Actor, language: str, subject: str):
    made = ask(seller, "1250.5", description="[Pay here]\nhttps://evil.example")
    told = send(made, language=language).json["letter"]
    assert (told["email"], told["language"]) == (BUYER, language)
    (letter,) = waiting(BUYER)
    assert subject in letter.subject
    assert f"{made.url}?lang={language}" in letter.text
    assert seller.email in letter.text, "who answers"
    assert "evil" not in letter.text, "the seller words nothing of it"
    assert made.whole["letters"] == [told]


def test_a_name_makes_no_button_of_its_own(seller: Actor):
    set_column(seller, "name", "Shop\n\n[Pay here]\nhttps://evil.example")
    send(ask(seller))
    (letter,) = waiting(BUYER)
    assert 'href="https://evil.example' not in letter.html


def test_in_the_owners_language_unless_it_is_said(seller: Actor):
    set_column(seller, "language", "ru")
    assert send(ask(seller)).json["letter"]["language"] == "ru"


def test_three_of_one_within_a_day_twenty_of_an_account_within_an_hour(seller: Actor):
    one = ask(seller)
    for number in range(3):
        send(one, f"b{number}@example.com")
    with nothing_changes():
        answer = send(one)
        refused(answer, 429, "too_many_letters")
    assert int(answer.headers["Retry-After"]) <= timedelta(days=1).total_seconds()
    for number in range(17):
        assert send(ask(seller), f"c{number}@example.com").status_code == 200
    other = ask(seller)
    with nothing_changes():
        refused(send(other), 429, "too_many_letters")
    with transaction():
        # An hour passes for the letters, and for nobody's token.
        db.session.execute(text("SET ROLE NONE"))
        ago = "UPDATE invoice_letters SET created_at = created_at - interval '61 minutes'"
        db.session.execute(text(ago))
        db.session.execute(text("SET ROLE protonpay_app"))
    assert send(other).status_code == 200
    with nothing_changes():
        refused(send(one), 429, "too_many_letters")


def test_who_may_not_write_and_what_is_over_is_not_sent(seller: Actor, bob: Actor, mallory: Actor):
    made, theirs = ask(seller), ask(bob)
    path = f"/client/invoices/{made.id}/send"
    with nothing_changes():
        refused(send(theirs), 403, "email_unverified")
        refused(mallory.post(path, {"email": BUYER}), 404, "not_found")
        refused(send(made, "no address"), 400, "validation_error")
        refused(send(made, language="de"), 400, "validation_error")
    made.cancel()
    with nothing_changes():
        refused(send(made), 409, "state_conflict")


def test_its_payer_sees_no_letters(house: Flask, seller: Actor):
    made = ask(seller)
    send(made)
    assert BUYER not in house.test_client().get(f"/pay/{made.id}").get_data(as_text=True)


def test_the_owner_is_told_what_is_asked_back(house: Flask, seller: Actor):
    made = ask(seller, "10")
    pay_on_chain(made.id, "13.5")
    before = len(waiting(seller.email))
    form = {"address": WALLETS["Base"], "network": "Base", "sure": "yes"}
    asked = house.test_client()
    for _ in range(2):  # the second one is refused, and tells nothing
        asked.post(f"/pay/{made.id}/claim", data=form)
    (letter,) = waiting(seller.email)[before:]
    assert letter.subject.endswith("A payer asks 3.50 USDC back")
    assert WALLETS["Base"] in letter.text
    assert f"/app/invoices/{made.id}" in letter.text
