"""In a sandbox nobody waits for an invoice's end: it ends now, as its time would end it."""

import pytest

from protonpay.invoices import receiving
from tests.actors import Actor
from tests.events import events_of
from tests.invoices.asking import Asked, arrive, ask, change, pay_on_chain
from tests.moments import Moments
from tests.refusals import refused
from tests.unchanged import nothing_changes


def end(of: Asked, by: Actor | None = None):
    return (by or of.owner).post(f"/client/test/invoices/{of.id}/expire")


def test_it_ends_with_its_event_and_once(alice: Actor):
    made = ask(alice, "50")
    answer = end(made)
    assert answer.status_code == 200, answer.get_json()
    told = answer.get_json()["invoice"]
    assert (told["status"], told["amountDue"]) == ("EXPIRED", "0.00")
    assert told == made.shown
    assert [name for name, _ in events_of(alice.id)] == ["invoice.expired"]
    with nothing_changes():
        refused(end(made), 409, "state_conflict")
        assert receiving.expire(made.id) is None, "its own end comes to nothing"


def test_what_came_before_the_end_was_in_time_and_what_comes_after_is_late(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    moments = Moments(monkeypatch)
    made = ask(alice, "50")
    pay_on_chain(made.id, "20")
    assert end(made).status_code == 200
    moments.pass_by(1)
    pay_on_chain(made.id, "30")
    assert (made.status, made.shown["amountPaid"]) == ("EXPIRED", "50.00")
    assert [each["late"] for each in made.whole["payments"]] == [False, True]


def test_a_payment_on_its_way_is_waited_for(alice: Actor):
    made = ask(alice, "50")
    transfer = arrive(made.id, "50")
    with nothing_changes():
        refused(end(made), 409, "state_conflict")
    change(transfer, "FINAL")
    receiving.follow(transfer)
    assert (made.status, made.shown["paidAt"] is None) == ("PAID", False)
    with nothing_changes():
        refused(end(made), 409, "state_conflict")


def test_anothers_invoice_is_not_there(alice: Actor, mallory: Actor):
    made = ask(alice, "50")
    with nothing_changes():
        refused(end(made, mallory), 404, "not_found")
    assert made.status == "PENDING"
