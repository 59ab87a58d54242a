"""POST /client/transfer (API document)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from protonpay.kernel import clock, ids
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.store import events as store_events
from protonpay.store.db import db
from protonpay.transfers import service
from protonpay.transfers.models import Transfer
from tests.actors import Actor, make_actor
from tests.events import events_of
from tests.nasty import NASTY
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

MOVED = ("transfers", "journal_entries", "postings", "ledger_balances", "ledger_pending", "events")


def send(sender: Actor, to: Any, amount: Any = 25, **more: Any):
    return sender.post("/client/transfer", {"toIdentifier": to, "amount": amount, **more})


def usdc(amount: str) -> Usdc:
    return Usdc.parse(amount)


def test_the_documents_example_is_answered_as_documented(alice: Actor, bob: Actor):
    moment = clock.now()
    with clock.frozen(moment), only_changes(*MOVED):
        answer = send(alice, bob.email, 25, note="Payment for services")

    assert (answer.status_code, answer.content_type) == (200, "application/json")
    body = answer.get_json()
    assert list(body) == ["transfer", "newBalance"]
    transfer = body["transfer"]
    assert ids.ID_PATTERN.fullmatch(transfer.pop("id"))
    assert transfer == {
        "direction": "OUT",
        "amount": "25.00",
        "fee": "0",
        "fromUser": alice.public_id,
        "toUser": bob.email,
        "status": "COMPLETED",
        "note": "Payment for services",
        "createdAt": clock.to_text(moment),
    }
    assert body["newBalance"] == "975.00"


@pytest.mark.checklist(90)
def test_the_amount_moves_at_once_and_the_answer_says_what_is_left(alice: Actor, bob: Actor):
    answer = send(alice, bob.email, "25.000001")

    assert (alice.available, bob.available) == (usdc("974.999999"), usdc("25.000001"))
    assert answer.get_json()["newBalance"] == "974.999999"
    assert alice.get("/client/balance").get_json()["balanceUsdc"] == "974.999999"
    assert bob.get("/client/balance").get_json()["balanceUsdc"] == "25.000001"


def test_the_row_says_what_happened(alice: Actor, bob: Actor):
    answer = send(alice, bob.email, 25, note="rent")

    row = db.session.get_one(Transfer, answer.get_json()["transfer"]["id"])
    assert (row.sender_id, row.recipient_id) == (alice.id, bob.id)
    assert (row.amount_micro, row.fee_micro) == (usdc("25"), usdc("0"))
    assert (row.to_identifier, row.note) == (bob.email, "rent")


def test_a_public_id_leads_to_the_same_person(alice: Actor, bob: Actor):
    answer = send(alice, bob.public_id)

    assert answer.get_json()["transfer"]["toUser"] == bob.public_id
    assert bob.available == usdc("25")


def test_an_address_in_another_case_leads_to_the_same_person(alice: Actor, bob: Actor):
    answer = send(alice, bob.email.upper())

    assert answer.get_json()["transfer"]["toUser"] == bob.email.upper()
    assert bob.available == usdc("25")


def test_everything_may_be_sent(alice: Actor, bob: Actor):
    answer = send(alice, bob.email, "1000")

    assert answer.get_json()["newBalance"] == "0.00"
    assert (alice.available, bob.available) == (usdc("0"), usdc("1000"))


def test_the_smallest_amount_there_is_may_be_sent(alice: Actor, bob: Actor):
    assert send(alice, bob.email, "0.000001").get_json()["transfer"]["amount"] == "0.000001"
    assert bob.available == Usdc(1)


def test_what_arrived_can_be_sent_on_at_once(alice: Actor, bob: Actor, mallory: Actor):
    send(alice, bob.email, 100)

    assert send(bob, mallory.email, 100).get_json()["newBalance"] == "0.00"
    assert mallory.available == usdc("105")


@pytest.mark.checklist(85)
@pytest.mark.parametrize("amount", ["1000.000001", 1001, "9223372036854"])
def test_more_than_there_is_is_refused(alice: Actor, bob: Actor, amount: Any):
    with nothing_changes():
        refused(send(alice, bob.email, amount), 400, "insufficient_balance")


def test_what_is_held_for_a_payout_cannot_be_sent(alice: Actor, bob: Actor):
    order = {
        "amount": 900,
        "walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7",
        "network": "Base",
    }
    assert alice.post("/client/withdraw", order).status_code == 200

    with nothing_changes():
        refused(send(alice, bob.email, 100), 400, "insufficient_balance")
    assert send(alice, bob.email, "99.95").get_json()["newBalance"] == "0.00"


@pytest.mark.checklist(85)
@pytest.mark.parametrize(
    "amount",
    [0, -1, "0", "-1", "0.0000001", "1e2", "NaN", "Infinity", True, None, [], {}, "", " 1", "1_0"],
    ids=repr,
)
def test_an_amount_is_exact_and_above_zero(alice: Actor, bob: Actor, amount: Any):
    with nothing_changes():
        body = refused(send(alice, bob.email, amount), 400, "validation_error")

    assert list(body["errors"]["json"]) == ["amount"]


@pytest.mark.checklist(83)
def test_nobody_sends_to_themselves(alice: Actor):
    for to in (alice.email, alice.email.upper(), alice.public_id):
        with nothing_changes():
            refused(send(alice, to), 400, "self_transfer")


@pytest.mark.checklist(83)
def test_a_tag_is_another_address_and_nobody_has_it(alice: Actor):
    with nothing_changes():
        refused(send(alice, alice.email.replace("@", "+tag@")), 404, "recipient_not_found")


@pytest.mark.checklist(84, 88)
@pytest.mark.parametrize(
    "to",
    [
        *("nobody@example.com", "PP-00000000", "PP-ILOU0000", "%", "_", "*", "bob", "@"),
        *("' OR 1=1--", "'; DROP TABLE transfers; --", "x" * 254, " ", "\u202e"),
    ],
)
def test_nobody_is_there(alice: Actor, bob: Actor, to: str):
    with nothing_changes():
        refused(send(alice, to), 404, "recipient_not_found")


def test_an_id_of_ours_is_not_how_people_are_named(alice: Actor, bob: Actor):
    with nothing_changes():
        refused(send(alice, bob.id), 404, "recipient_not_found")


def test_spaces_around_an_address_make_it_another(alice: Actor, bob: Actor):
    for to in (f" {bob.email}", f"{bob.email} ", f"{bob.email}\n"):
        refused(send(alice, to), 404, "recipient_not_found")


@pytest.mark.checklist(88)
@pytest.mark.parametrize(
    "to", [None, "", 1, True, [], {}, ["bob@example.com"], {"$ne": ""}, "x" * 255, "a\0b"], ids=repr
)
def test_an_identifier_is_text_of_a_sensible_length(alice: Actor, to: Any):
    with nothing_changes():
        body = refused(send(alice, to), 400, "validation_error")

    assert list(body["errors"]["json"]) == ["toIdentifier"]


def _suspend(actor: Actor) -> None:
    db.session.execute(
        text("UPDATE users SET standing = 'SUSPENDED' WHERE id = :id"), {"id": actor.id}
    )


@pytest.mark.checklist(84)
def test_who_is_suspended_receives_nothing_and_is_not_told_apart(alice: Actor, bob: Actor):
    _suspend(bob)

    with nothing_changes():
        refused(send(alice, bob.email), 404, "recipient_not_found")
        refused(send(alice, bob.public_id), 404, "recipient_not_found")


def test_who_is_suspended_sends_nothing(alice: Actor, bob: Actor):
    _suspend(alice)

    with nothing_changes():
        refused(send(alice, bob.email), 403, "account_suspended")


@pytest.mark.parametrize("extra", ["fee", "status", "userId", "fromUser", "newBalance", "id"])
def test_nothing_else_is_the_clients_to_say(alice: Actor, bob: Actor, extra: str):
    with nothing_changes():
        body = refused(send(alice, bob.email, **{extra: "0"}), 400, "validation_error")

    assert body["errors"] == {"json": {extra: ["Unknown field."]}}


@pytest.mark.checklist(89)
@pytest.mark.parametrize("note", [None, "x", "x" * 500, "й" * 500, "👨‍👩‍👧‍👦" * 71])
def test_a_note_has_500_characters_at_most(alice: Actor, bob: Actor, note: str | None):
    assert send(alice, bob.email, note=note).get_json()["transfer"]["note"] == note


@pytest.mark.checklist(89)
@pytest.mark.parametrize("note", ["", "x" * 501, "й" * 501, 1, True, [], {}, "a\0b"], ids=repr)
def test_any_other_note_is_refused(alice: Actor, bob: Actor, note: Any):
    with nothing_changes():
        body = refused(send(alice, bob.email, note=note), 400, "validation_error")

    assert list(body["errors"]["json"]) == ["note"]


@pytest.mark.checklist(28, 89)
@pytest.mark.slow
def test_a_note_comes_back_as_it_was_sent(alice: Actor, bob: Actor):
    for note in NASTY:
        transfer = send(alice, bob.email, "0.01", note=note).get_json()["transfer"]
        assert transfer["note"] == note
        assert db.session.get_one(Transfer, transfer["id"]).note == note


def test_a_fee_is_paid_on_top_by_the_sender(alice: Actor, bob: Actor):
    on_plan(alice, transfer_fee_micro=1_500_000)

    answer = send(alice, bob.email, 25).get_json()

    assert answer["transfer"]["fee"] == "1.50"
    assert answer["newBalance"] == "973.50"
    assert (alice.available, bob.available) == (usdc("973.5"), usdc("25"))
    assert ledger.balance(chart.FEES) == usdc("1.5")


def test_a_fee_that_is_not_covered_is_not_covered(alice: Actor, bob: Actor):
    on_plan(alice, transfer_fee_micro=1)

    for amount in ("1000", str(Usdc(2**63 - 1))):
        with nothing_changes():
            refused(send(alice, bob.email, amount), 400, "insufficient_balance")
    assert send(alice, bob.email, "999.999999").status_code == 200
    assert alice.available == usdc("0")


def test_the_recipients_plan_costs_the_sender_nothing(alice: Actor, bob: Actor):
    on_plan(bob, transfer_fee_micro=1_500_000)

    assert send(alice, bob.email).get_json()["transfer"]["fee"] == "0"


def test_both_sides_hear_of_it_and_nobodys_address_is_told(alice: Actor, bob: Actor):
    transfer_id = send(alice, bob.email, 25, note="secret").get_json()["transfer"]["id"]

    common = {
        "id": transfer_id,
        "amount": "25.00",
        "currency": "USDC",
        "from": alice.public_id,
        "to": bob.public_id,
        "status": "COMPLETED",
        "fee": "0",
    }
    outgoing = common | {"userId": alice.id, "direction": "OUT"}
    incoming = common | {"userId": bob.id, "direction": "IN"}
    assert events_of(alice.id) == [("transfer.completed", outgoing)]
    assert events_of(bob.id) == [("transfer.completed", incoming)]


def test_the_senders_fee_is_the_senders_matter(alice: Actor, bob: Actor):
    on_plan(alice, transfer_fee_micro=1_500_000)
    send(alice, bob.email)

    ((_, outgoing),) = events_of(alice.id)
    ((_, incoming),) = events_of(bob.id)
    assert (outgoing["fee"], incoming["fee"]) == ("1.50", "0")


def test_the_books_have_one_entry_of_it(alice: Actor, bob: Actor):
    transfer_id = send(alice, bob.email).get_json()["transfer"]["id"]

    entries = db.session.execute(
        text("SELECT kind FROM journal_entries WHERE reference = :r"),
        {"r": f"transfer:{transfer_id}"},
    ).all()
    assert entries == [("transfer",)]


@pytest.mark.parametrize("step", ["publish", "ledger"])
def test_a_transfer_that_breaks_half_way_never_was(
    alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch, step: str
):
    def fails(*_: object) -> None:
        raise RuntimeError

    with nothing_changes(), monkeypatch.context() as broken:
        if step == "publish":
            broken.setattr(service, "publish", fails)
        else:
            broken.setattr(service.ledger, "post", fails)
        refused(send(alice, bob.email), 500, "internal_error")
    assert send(alice, bob.email).status_code == 200


def test_a_bell_that_does_not_ring_undoes_nothing(
    alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(store_events.queue, "ring", fails)

    assert send(alice, bob.email).status_code == 200
    assert bob.available == usdc("25")


def test_two_equal_orders_are_two_transfers(alice: Actor, bob: Actor):
    first, second = (send(alice, bob.email).get_json()["transfer"]["id"] for _ in range(2))

    assert first != second
    assert bob.available == usdc("50")
    count = select(func.count()).select_from(Transfer)
    assert db.session.scalars(count).one() == 2


def test_a_transfer_cannot_be_changed_afterwards(alice: Actor, bob: Actor):
    send(alice, bob.email)

    for change in ("UPDATE transfers SET amount_micro = 1", "DELETE FROM transfers"):
        with pytest.raises(Exception, match="permission denied"), db.session.begin_nested():
            db.session.execute(text(change))


def test_ids_sort_by_time(alice: Actor, bob: Actor):
    now = clock.now()
    made = []
    for second in range(3):
        with clock.frozen(now + timedelta(seconds=second)):
            made.append(send(alice, bob.email).get_json()["transfer"]["id"])

    assert made == sorted(made)
    assert all(re.fullmatch(r"c[0-9a-z]{24}", each) for each in made)


def test_many_small_ones_add_up(house: object, alice: Actor):
    carol = make_actor(alice.client.application, "Carol")
    for _ in range(10):
        send(alice, carol.email, "0.1")

    assert (alice.available, carol.available) == (usdc("999"), usdc("1"))


def test_each_side_sees_the_transfer_in_its_own_way(alice: Actor, bob: Actor):
    on_plan(alice, transfer_fee_micro=250_000)
    sent = send(alice, bob.email, 25, note="rent").get_json()["transfer"]

    path = f"/client/transfer/{sent['id']}"
    assert alice.get(path).get_json() == {"transfer": sent}
    assert (sent["direction"], sent["fee"], sent["toUser"]) == ("OUT", "0.25", bob.email)
    received = {**sent, "direction": "IN", "fee": "0", "toUser": bob.public_id}
    assert bob.get(path).get_json() == {"transfer": received}
    assert alice.get("/client/transfers").get_json()["transfers"] == [sent]
    assert bob.get("/client/transfers").get_json()["transfers"] == [received]
