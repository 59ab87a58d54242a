"""Every situation of an invoice, the state it has then and the flags that go with it."""

from datetime import datetime, timedelta

import pytest

from protonpay.invoices import receiving
from protonpay.invoices.models import Invoice
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.store.db import db, transaction
from protonpay.store.jobs import Later
from protonpay.users import service as users
from tests.actors import Actor
from tests.events import events_of
from tests.invoices.asking import Asked, arrive, ask, change, entries_of_invoices, pay_on_chain
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.unchanged import nothing_changes

DAY = timedelta(days=1, seconds=1)
"""An invoice's day, and the second of its end."""


def _look(made: Asked, *members: str) -> tuple:
    return tuple(made.shown[name] for name in ("status", *members))


def _after_its_end(made: Asked) -> None:
    with clock.frozen(clock.now() + DAY):
        receiving.expire(made.id)


def _end_of(made: Asked) -> datetime:
    """The first moment that is not its time any more: the second that it tells is over."""
    told = clock.second(db.session.get_one(Invoice, made.id).expires_at)
    return told + timedelta(seconds=1)


def _late(made: Asked, amount: str) -> str:
    """Pay on chain, two days after it was made."""
    with clock.frozen(clock.now() + 2 * DAY):
        return pay_on_chain(made.id, amount)


def _names(owner: Actor) -> list[str]:
    return [name for name, _ in events_of(owner.id)]


def test_seen_is_confirming_and_final_is_paid(bob: Actor):
    made = ask(bob)
    assert _look(made, "amountDue") == ("PENDING", "50.00")

    incoming_id = arrive(made.id, "50")
    receiving.follow(incoming_id)
    assert _look(made, "amountPaid") == ("CONFIRMING", "0.00")
    assert bob.available == Usdc(0)

    change(incoming_id, "FINAL")
    receiving.follow(incoming_id)
    assert _look(made, "amountPaid", "amountDue", "overpaid", "late") == (
        "PAID",
        "50.00",
        "0.00",
        False,
        False,
    )
    assert bob.available == Usdc.parse("50")
    assert entries_of_invoices() == [f"incoming:{incoming_id}:credit"]


def test_what_vanishes_takes_confirming_back_and_may_come_again(bob: Actor):
    made = ask(bob)
    incoming_id = arrive(made.id, "50")
    receiving.follow(incoming_id)

    change(incoming_id, "VANISHED")
    receiving.follow(incoming_id)
    assert made.status == "PENDING"
    assert made.whole["payments"][0]["status"] == "VANISHED"

    change(incoming_id, "SEEN")
    receiving.follow(incoming_id)
    assert made.status == "CONFIRMING"


def test_what_vanished_before_anybody_looked_was_never_there(bob: Actor):
    made = ask(bob)
    incoming_id = arrive(made.id, "50", state="VANISHED")
    with nothing_changes():
        receiving.follow(incoming_id)
    assert (made.status, made.whole["payments"]) == ("PENDING", [])


def test_one_transfer_however_often_it_is_told(bob: Actor):
    made = ask(bob)
    incoming_id = pay_on_chain(made.id, "50")
    with nothing_changes():
        receiving.follow(incoming_id)
        receiving.follow(incoming_id)
    assert _names(bob) == ["invoice.paid"]


def test_a_part_leaves_it_open(bob: Actor):
    made = ask(bob)
    pay_on_chain(made.id, "20.5")
    assert _look(made, "amountPaid", "amountDue") == ("PENDING", "20.50", "29.50")
    pay_on_chain(made.id, "29.5")
    assert _look(made, "amountPaid", "overpaid") == ("PAID", "50.00", False)
    assert _names(bob) == ["invoice.partially_paid", "invoice.paid"]


def test_a_part_and_the_rest_from_a_balance(bob: Actor, alice: Actor):
    made = ask(bob)
    pay_on_chain(made.id, "20")
    answer = made.paid_by(alice)
    assert answer.get_json()["payment"]["amount"] == "30.00"
    assert (made.status, alice.available, bob.available) == (
        "PAID",
        Usdc.parse("970"),
        Usdc.parse("50"),
    )


@pytest.mark.parametrize(
    ("paid", "status", "short"),
    [("49.499999", "PENDING", False), ("49.5", "PAID", True), ("50", "PAID", False)],
)
def test_within_tolerance(bob: Actor, paid: str, status: str, short: bool):  # noqa: FBT001
    made = ask(bob, tolerance="0.5")
    pay_on_chain(made.id, paid)
    assert _look(made, "underpaidWithinTolerance") == (status, short)


def test_too_much_is_paid_and_said(bob: Actor):
    made = ask(bob)
    pay_on_chain(made.id, "50.000001")
    assert _look(made, "overpaid", "overpaidAmount") == ("PAID", True, "0.000001")
    assert bob.available == Usdc.parse("50.000001")


def test_paid_again_on_chain_is_credited_and_said(bob: Actor, alice: Actor):
    made = ask(bob)
    made.paid_by(alice)
    pay_on_chain(made.id, "50")
    assert _look(made, "overpaidAmount", "late") == ("PAID", "50.00", False)
    assert _names(bob) == ["invoice.paid", "invoice.overpaid"]


def test_expired_empty(bob: Actor):
    made = ask(bob)
    _after_its_end(made)
    assert _look(made, "amountPaid", "amountDue") == ("EXPIRED", "0.00", "0.00")
    assert _names(bob) == ["invoice.expired"]
    with nothing_changes():
        _after_its_end(made)


def test_expired_with_a_part(bob: Actor):
    made = ask(bob)
    pay_on_chain(made.id, "20")
    _after_its_end(made)
    assert _look(made, "amountPaid", "late") == ("EXPIRED", "20.00", False)
    assert bob.available == Usdc.parse("20")


def test_not_before_its_time(bob: Actor):
    made = ask(bob, expiresInSeconds=600)
    with nothing_changes():
        later = receiving.expire(made.id)
    assert isinstance(later, Later)
    assert 590 < later.seconds <= 601
    assert made.status == "PENDING"


@pytest.mark.parametrize(("short_of_it", "late"), [(1, False), (0, True)])
def test_seen_in_its_last_moment_is_in_time_however_late_it_is_final(
    bob: Actor, short_of_it: int, *, late: bool
):
    """T07: what counts is when it was seen; the second that is told as the end counts, whole."""
    made = ask(bob, expiresInSeconds=600)
    end = _end_of(made)
    incoming_id = arrive(made.id, "50", at=end - timedelta(microseconds=short_of_it))
    _after_its_end(made)
    change(incoming_id, "FINAL")
    with clock.frozen(end + DAY):
        receiving.follow(incoming_id)
        assert _look(made, "amountPaid", "late") == (
            "EXPIRED" if late else "PAID",
            "50.00",
            late,
        )


def test_a_read_ends_it_before_the_job_does(bob: Actor):
    made = ask(bob, expiresInSeconds=60)
    end = _end_of(made)
    with clock.frozen(end - timedelta(microseconds=1)), nothing_changes():
        assert made.status == "PENDING"
        assert isinstance(receiving.expire(made.id), Later)
    with clock.frozen(end):
        assert made.status == "EXPIRED"


def test_paid_late_and_taken(bob: Actor):
    made = ask(bob, acceptLate=True)
    _after_its_end(made)
    _late(made, "20")
    assert _look(made, "late", "amountPaid") == ("EXPIRED", True, "20.00")
    _late(made, "30")
    assert _look(made, "late", "amountPaid") == ("PAID", True, "50.00")
    assert _names(bob) == ["invoice.expired", "invoice.late_payment", "invoice.paid"]


def test_paid_late_and_not_taken_is_credited_all_the_same(bob: Actor):
    made = ask(bob)
    _after_its_end(made)
    _late(made, "50")
    assert _look(made, "late", "amountPaid") == ("EXPIRED", True, "50.00")
    assert made.whole["payments"][0]["late"] is True
    assert bob.available == Usdc.parse("50")
    assert _names(bob) == ["invoice.expired", "invoice.late_payment"]


@pytest.mark.parametrize("amount", ["20", "50"])
def test_paid_late_before_any_job_has_ended_it(bob: Actor, amount: str):
    made = ask(bob)
    _late(made, amount)
    assert _look(made, "late", "amountPaid") == ("EXPIRED", True, f"{amount}.00")
    assert sorted(_names(bob)) == ["invoice.expired", "invoice.late_payment"]


def test_late_money_is_followed_before_what_came_in_time(bob: Actor):
    made = ask(bob)
    arrive(made.id, "50", state="FINAL")
    _late(made, "1")
    assert _look(made, "amountPaid") == ("PAID", "51.00")
    assert sorted(_names(bob)) == ["invoice.overpaid", "invoice.paid"]


def test_what_is_seen_in_time_is_waited_for(bob: Actor):
    made = ask(bob)
    incoming_id = arrive(made.id, "50")
    receiving.follow(incoming_id)
    _after_its_end(made)
    assert made.status == "CONFIRMING"
    change(incoming_id, "FINAL")
    with clock.frozen(clock.now() + DAY):
        receiving.follow(incoming_id)
    assert _look(made, "late") == ("PAID", False)


def test_what_was_waited_for_and_vanishes_lets_it_end(bob: Actor):
    made = ask(bob)
    incoming_id = arrive(made.id, "50")
    receiving.follow(incoming_id)
    change(incoming_id, "VANISHED")
    with clock.frozen(clock.now() + DAY):
        receiving.follow(incoming_id)
    assert made.status == "EXPIRED"
    assert _names(bob) == ["invoice.expired"]


def test_seen_in_the_last_moment_and_its_job_comes_after_the_end(bob: Actor):
    made = ask(bob)
    incoming_id = arrive(made.id, "50", state="FINAL")
    _after_its_end(made)
    assert _look(made, "late") == ("PAID", False)
    with nothing_changes():
        receiving.follow(incoming_id)


def test_known_only_after_the_end_yet_seen_in_time(bob: Actor):
    made = ask(bob)
    _after_its_end(made)
    pay_on_chain(made.id, "50", at=clock.now())
    assert _look(made, "late") == ("PAID", False)
    assert sorted(_names(bob)) == ["invoice.expired", "invoice.paid"]


def test_late_money_does_not_fill_up_what_came_in_time(bob: Actor):
    made = ask(bob)
    first = arrive(made.id, "20")
    receiving.follow(first)
    _late(made, "30")
    assert made.status == "CONFIRMING"
    change(first, "FINAL")
    with clock.frozen(clock.now() + 2 * DAY):
        receiving.follow(first)
    assert _look(made, "amountPaid", "late") == ("EXPIRED", "50.00", True)


def test_cancelled(bob: Actor, alice: Actor):
    made = ask(bob)
    assert made.cancel().get_json()["invoice"]["status"] == "CANCELLED"
    assert _names(bob) == ["invoice.cancelled"]
    with nothing_changes():
        refused(made.cancel(), 409, "state_conflict")
        refused(made.paid_by(alice), 409, "state_conflict")
        _after_its_end(made)


def test_cancelled_and_paid_on_chain_nevertheless(bob: Actor):
    made = ask(bob, acceptLate=True)
    made.cancel()
    pay_on_chain(made.id, "50")
    assert _look(made, "amountPaid", "late") == ("CANCELLED", "50.00", True)
    assert bob.available == Usdc.parse("50")
    assert _names(bob) == ["invoice.cancelled", "invoice.late_payment"]


def test_not_cancelled_while_a_payment_is_on_its_way(bob: Actor):
    made = ask(bob)
    receiving.follow(arrive(made.id, "1"))
    with nothing_changes():
        refused(made.cancel(), 409, "state_conflict")
    # Seen, though nobody has followed it yet.
    other = ask(bob)
    arrive(other.id, "1")
    with nothing_changes():
        refused(other.cancel(), 409, "state_conflict")


def test_a_suspended_owner_is_credited_on_chain_and_paid_by_nobody_else(bob: Actor, alice: Actor):
    made, on_chain = ask(bob), ask(bob)
    with transaction():
        users.set_standing(bob.id, "SUSPENDED")
    with nothing_changes():
        refused(made.paid_by(alice), 409, "state_conflict")
    pay_on_chain(on_chain.id, "50")
    assert bob.available == Usdc.parse("50")


def test_the_event_has_the_envelope_of_the_document(bob: Actor):
    made = ask(bob)
    pay_on_chain(made.id, "50", network="Polygon")
    ((name, data),) = events_of(bob.id)
    payment = made.whole["payments"][0]
    assert name == "invoice.paid"
    assert data == {
        "id": made.id,
        "userId": bob.id,
        "amount": "50.00",
        "currency": "USDC",
        "status": "PAID",
        "amountPaid": "50.00",
        "amountDue": "0.00",
        "amountRefunded": "0.00",
        "underpaidWithinTolerance": False,
        "overpaid": False,
        "overpaidAmount": "0.00",
        "late": False,
        "metadata": {},
        "paymentId": payment["id"],
        "paymentAmount": "50.00",
        "method": "CRYPTO",
        "network": "Polygon",
        "txHash": payment["txHash"],
    }


def test_a_further_event_reaches_only_who_asked_for_it(bob: Actor):
    hook = {"url": "https://example.com/hook", "events": ["invoice.expired", "invoice.paid"]}
    answer = bob.post("/client/webhooks", hook)
    assert answer.get_json()["webhook"]["events"] == hook["events"]


def test_a_reorg_that_hands_a_payment_to_another_invoice(bob: Actor, alice: Actor):
    first, second = ask(bob), ask(alice)
    incoming_id = arrive(first.id, "50")
    receiving.follow(incoming_id)
    with transaction() as session:
        session.get_one(receiving.Incoming, incoming_id).holder_id = second.id
    change(incoming_id, "FINAL")
    receiving.follow(incoming_id)
    assert (first.status, second.status) == ("PENDING", "PAID")
    assert (bob.available, alice.available) == (Usdc(0), Usdc.parse("1050"))


def test_a_commission_is_taken_off_what_is_credited_and_not_off_what_was_paid(bob: Actor):
    on_plan(bob, deposit_commission_bps=100)
    made = ask(bob)
    pay_on_chain(made.id, "50")
    assert _look(made, "amountPaid") == ("PAID", "50.00")
    assert bob.available == Usdc.parse("49.5")
    (line,) = bob.get("/client/activity").get_json()["activity"]
    assert (line["amount"], line["fee"]) == ("49.50", "0.50")


def test_history_has_what_is_seen_and_not_what_vanished(bob: Actor):
    made = ask(bob)
    incoming_id = arrive(made.id, "50")
    receiving.follow(incoming_id)
    (line,) = bob.get("/client/activity").get_json()["activity"]
    assert (line["type"], line["status"], line["direction"]) == ("DEPOSIT", "PENDING", "IN")
    assert bob.get("/client/dashboard").get_json()["totalDeposited"] == "0.00"
    change(incoming_id, "VANISHED")
    receiving.follow(incoming_id)
    assert bob.get("/client/activity").get_json()["activity"] == []
