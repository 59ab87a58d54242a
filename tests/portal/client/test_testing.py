"""The screen on which a sandbox is tried, and the buttons that lead to it."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from protonpay.store.db import db
from protonpay.test_mode import service
from protonpay.test_mode.models import Payment
from tests.actors import Actor, make_actor
from tests.api_keys.keys import make_key
from tests.conftest import PASSPHRASE
from tests.invoices.asking import ask
from tests.kyc.test_kyc import status, submit
from tests.portal.client.reader import Reader, sign_in
from tests.portal.client.test_team import invited
from tests.refusals import refused
from tests.test_mode.payments import paid_in_test
from tests.unchanged import nothing_changes
from tests.wallets import pools

PAY = "/app/test/payments"


@pytest.fixture
def reader(house: Flask, alice: Actor, keyring_path: Path) -> Reader:
    pools.fill(keyring_path, PASSPHRASE)
    return sign_in(house, alice)


def asked() -> list[tuple[str, str, str | None]]:
    rows = db.session.scalars(select(Payment).order_by(Payment.created_at, Payment.id))
    return [(row.network, str(row.amount_micro), row.invoice_id) for row in rows]


def test_who_has_nothing_yet_presses_a_button_and_is_led_to_where_it_arrives(
    house: Flask, keyring_path: Path
):
    pools.fill(keyring_path, PASSPHRASE)
    reader = sign_in(house, make_actor(house, "Newcomer"))
    reader.open("/app")
    fields = reader.at.form(PAY).fields
    assert "Test USDC is on its way" in reader.send(PAY).text
    assert "Latest deposits" in reader.at.text
    reader.again(PAY, fields)
    assert asked() == [("Solana", "100.00", None)], "two clicks are one"


def test_the_button_beside_an_address_pays_that_address(reader: Reader):
    reader.open("/app/deposit?network=Polygon")
    reader.send(PAY)
    assert asked() == [("Polygon", "100.00", None)]
    assert reader.answer is not None
    assert reader.answer.request.full_path == "/app/deposit?network=Polygon"


def test_an_invoice_is_paid_in_part(reader: Reader, alice: Actor):
    invoice = ask(alice, "20")
    reader.open("/app/test")
    (fields,) = [form.fields for form in reader.at.forms if "invoiceId" in form.fields]
    assert fields["invoiceId"] == invoice.id
    answer = reader.again(PAY, {**fields, "network": "Base", "amount": "7,5"})
    assert answer.headers["Location"] == f"/app/invoices/{invoice.id}"
    assert asked() == [("Base", "7.50", invoice.id)]
    assert f"/app/invoices/{invoice.id}" in reader.open("/app/test").links


def test_what_is_refused_is_said_beside_its_own_field(reader: Reader, alice: Actor):
    ask(alice, "20")
    reader.open("/app/test")
    with nothing_changes():
        shown = reader.send(PAY, amount="much")
    assert reader.status == 400
    assert shown.html.count('aria-invalid="true"') == 1
    with nothing_changes():
        reader.send(PAY, amount="10001")
    assert "At most 10000 USDC in one test payment." in reader.at.text
    with nothing_changes():
        reader.send(PAY, amount="5", network="Base", vanishes="yes")
    assert "A payment vanishes on Solana alone" in reader.at.text
    reader.send(PAY, amount="5", network="Solana", vanishes="yes")
    assert db.session.scalars(select(Payment.vanishes)).all() == [True]


def test_somebody_decides_who_they_are(reader: Reader, alice: Actor):
    assert "/app/identity" in reader.open("/app/test").links
    submit(alice)
    reader.open("/app/test")
    reader.send("/app/test/kyc", outcome="REJECTED", reason="document_expired")
    assert (status(alice)["status"], status(alice)["reason"]) == ("REJECTED", "document_expired")
    submit(alice)
    reader.open("/app/test")
    assert "is decided" in reader.send("/app/test/kyc", outcome="APPROVED").text
    assert status(alice)["status"] == "APPROVED"


def test_an_invoice_ends_on_its_own_page(reader: Reader, alice: Actor):
    invoice = ask(alice, "20")
    reader.open(f"/app/invoices/{invoice.id}")
    ending = f"/app/test/invoices/{invoice.id}/expire"
    fields = reader.at.form(ending).fields
    assert "The time of this invoice is over." in reader.send(ending).text
    assert invoice.status == "EXPIRED"
    assert ending not in reader.at.html
    with nothing_changes():
        again = reader.again(ending, {**fields, "key": "another-press"})
    assert again.status_code == 409


def test_why_a_payment_was_not_sent_is_said(
    reader: Reader, alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    refused_one, waiting = paid_in_test(alice), paid_in_test(alice)
    assert service.begin(refused_one)
    service.not_sent(refused_one)
    monkeypatch.setattr(service, "PATIENCE", timedelta(0))
    assert service.put_off(waiting) is None
    shown = reader.open("/app/test").text
    assert "The node refused it: nothing was sent." in shown
    assert "Its node did not answer for an hour: nothing was sent." in shown


def test_a_fault_is_asked_for_and_taken_back(reader: Reader, alice: Actor):
    key = make_key(alice)
    reader.open("/app/test")
    said = reader.send("/app/test/faults", kind="unavailable", call="POST /client/withdraw").text
    assert "meets this fault" in said
    assert "POST /client/withdraw" in said
    assert key.get("/client/balance").status_code == 200
    (removal,) = [form for form in reader.at.forms if form.action.endswith("/remove")]
    assert "taken back" in reader.send(removal.action).text
    refused(key.post("/client/withdraw", {}), 400, "validation_error")
    assert reader.again(removal.action, removal.fields).status_code == 404
    reader.open("/app/test")
    reader.send("/app/test/faults", kind="internal_error")
    refused(key.get("/client/balance"), 500, "internal_error")


@pytest.mark.parametrize(
    ("role", "sees"),
    [("developer", (False, True)), ("payer", (False, False)), ("admin", (True, True))],
)
def test_a_member_sees_what_their_role_may(
    house: Flask, alice: Actor, bob: Actor, role: str, sees: tuple[bool, bool]
):
    reader = invited(house, alice, bob, role)
    reader.send("/app/team/act", publicId=alice.public_id)
    shown = reader.open("/app/test")
    assert reader.status == 200
    assert ("Decide my identity check" in shown.text, "See a webhook arrive" in shown.text) == sees


def test_where_money_is_real_no_page_offers_it(
    reader: Reader, house: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    assert "/app/test" in reader.open("/app").links
    monkeypatch.setitem(house.jinja_env.globals, "test_data", None)
    invoice = ask(alice, "20")
    for path in ("/app", "/app/deposit?network=Base", f"/app/invoices/{invoice.id}"):
        shown = reader.open(path)
        assert reader.status == 200
        assert "/app/test" not in shown.html
