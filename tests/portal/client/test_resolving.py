"""The resolve box of an invoice: a refund that is asked for, what came short or late (§4.6)."""

from datetime import timedelta

import pytest
from flask import Flask

from protonpay.invoices import claims, receiving, service
from protonpay.invoices.models import InvoiceClaim
from protonpay.kernel import clock
from protonpay.payouts.models import Payout
from protonpay.store.db import db
from tests.actors import Actor
from tests.invoices.asking import Asked, ask, pay_on_chain
from tests.portal.client.reader import Reader, sign_in

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"


@pytest.fixture
def reader(house: Flask, alice: Actor) -> Reader:
    return sign_in(house, alice)


def _claimed(alice: Actor) -> tuple[Asked, InvoiceClaim]:
    made = ask(alice, "50")
    pay_on_chain(made.id, "65")
    return made, claims.ask_back(made.id, wallet_address=WALLET, network="Base")


def test_what_is_asked_back_is_given_back_as_it_was_asked(reader: Reader, alice: Actor):
    made, claim = _claimed(alice)
    screen = reader.open(f"/app/invoices/{made.id}")
    assert "15.00 USDC is asked back to this address" in screen.text
    assert "0x52 9084 0009" in screen.text
    reader.send(f"/app/invoices/{made.id}/refund")
    payout = db.session.query(Payout).one()
    assert (payout.wallet_address, str(payout.amount_micro)) == (WALLET, "15.00")
    assert db.session.get_one(InvoiceClaim, claim.id, populate_existing=True).state == "APPROVED"
    assert "A refund is asked for" not in reader.open(f"/app/invoices/{made.id}").text


def test_what_is_asked_back_is_declined(reader: Reader, alice: Actor):
    made, claim = _claimed(alice)
    before = alice.available
    reader.open(f"/app/invoices/{made.id}")
    reader.send(f"/app/invoices/{made.id}/decline")
    assert db.session.get_one(InvoiceClaim, claim.id, populate_existing=True).state == "DECLINED"
    assert alice.available == before


def test_what_came_short_is_accepted_or_asked_for(reader: Reader, alice: Actor):
    made = ask(alice, "50", description="Tea & cake")
    pay_on_chain(made.id, "20")
    screen = reader.open(f"/app/invoices/{made.id}")
    assert "20.00 of 50.00 USDC is in your balance." in screen.text
    reader.send(f"/app/invoices/{made.id}/accept")
    assert made.status == "PAID"
    assert "Accept as paid" not in reader.open(f"/app/invoices/{made.id}").text


def test_the_rest_is_an_invoice_of_its_own(reader: Reader, alice: Actor):
    made = ask(alice, "50", description="Tea & cake", expiresInSeconds=60)
    pay_on_chain(made.id, "20")
    with clock.frozen(service.find(made.id).invoice.expires_at + timedelta(seconds=1)):
        receiving.expire(made.id)
    links = reader.open(f"/app/invoices/{made.id}").links
    (rest,) = [link for link in links if link.startswith("/app/invoices/new?")]
    fields = reader.open(rest).form("/app/invoices/new").fields
    assert (fields["amount"], fields["description"]) == ("30.00", "Tea & cake")
