"""POST /client/invoices/{id}/refund: to the balance it came from, or on chain to a wallet."""

from typing import Any

import pytest

from protonpay.invoices import receiving, refunding
from protonpay.kernel.money import Usdc
from protonpay.payouts.models import Payout
from protonpay.store.db import transaction
from protonpay.store.jobs import Later
from tests.actors import Actor, make_actor
from tests.events import events_of
from tests.invoices.asking import arrive, ask, entries_of_invoices, pay_on_chain
from tests.refusals import refused
from tests.unchanged import nothing_changes

WALLET = {"walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7", "network": "Base"}


def _end(payout_id: str, *states: str) -> None:
    with transaction() as session:
        for state in states:
            session.get_one(Payout, payout_id).state = state
            session.flush()


def test_all_of_it_back_to_the_balance(alice: Actor, bob: Actor):
    made = ask(bob)
    made.paid_by(alice)

    body = made.refund().get_json()

    assert (body["refund"]["amount"], body["refund"]["status"]) == ("50.00", "COMPLETED")
    assert (body["invoice"]["status"], body["invoice"]["amountRefunded"]) == ("REFUNDED", "50.00")
    assert (alice.available, bob.available) == (Usdc.parse("1000"), Usdc(0))
    assert entries_of_invoices()[1:] == [f"invoice_refund:{body['refund']['id']}"]
    assert [name for name, _ in events_of(bob.id)] == ["invoice.paid", "invoice.refunded"]


def test_a_part_and_the_rest(alice: Actor, bob: Actor):
    made = ask(bob)
    made.paid_by(alice)
    assert made.refund(amount="20").get_json()["invoice"]["status"] == "PARTIALLY_REFUNDED"
    with nothing_changes():
        refused(made.refund(amount="30.000001"), 400, "invalid_amount")
    assert made.refund().get_json()["refund"]["amount"] == "30.00"
    assert made.status == "REFUNDED"


def test_twice(alice: Actor, bob: Actor):
    made = ask(bob)
    made.paid_by(alice)
    made.refund()
    with nothing_changes():
        refused(made.refund(), 409, "state_conflict")
        refused(made.refund(amount="1"), 409, "state_conflict")


def test_the_owner_has_spent_it(alice: Actor, bob: Actor):
    made = ask(bob)
    made.paid_by(alice)
    bob.post("/client/transfer", {"toIdentifier": alice.public_id, "amount": "1"})
    with nothing_changes():
        refused(made.refund(), 400, "insufficient_balance")
    assert made.refund(amount="49").status_code == 200


def test_while_it_is_open_nothing_goes_back(bob: Actor):
    empty, part = ask(bob), ask(bob)
    pay_on_chain(part.id, "20")
    with nothing_changes():
        refused(empty.refund(), 409, "state_conflict")
        refused(part.refund(**WALLET), 409, "state_conflict")
    part.cancel()
    assert part.refund(amount="5", **WALLET).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"walletAddress": WALLET["walletAddress"]},
        {"network": "Base"},
        {"amount": "0"},
        {"amount": "-1"},
        {"payerId": "cm" + "a" * 23},
    ],
    ids=str,
)
def test_what_is_no_refund(alice: Actor, bob: Actor, body: dict[str, Any]):
    made = ask(bob)
    made.paid_by(alice)
    with nothing_changes():
        refused(made.refund(**body), 400, "validation_error")


def test_on_chain_by_an_ordinary_payout(house: Any):
    owner = make_actor(house, "Owner", funded="1")
    made = ask(owner)
    pay_on_chain(made.id, "50")
    with nothing_changes():
        refused(made.refund(), 400, "wallet_address_required")
        refused(made.refund(**{**WALLET, "network": "Solana"}), 400, "invalid_address")

    body = made.refund(**WALLET).get_json()
    assert (body["refund"]["status"], body["invoice"]["status"]) == ("PENDING", "PAID")
    payout_id = body["refund"]["payoutId"]
    assert owner.get(f"/client/withdraw/{payout_id}").get_json()["payout"]["amount"] == "50.00"
    with nothing_changes():
        refused(made.refund(**WALLET), 409, "state_conflict")
        assert isinstance(refunding.follow(body["refund"]["id"]), Later)

    _end(payout_id, "COMPLETED")
    assert refunding.follow(body["refund"]["id"]) is None
    assert made.status == "REFUNDED"
    assert made.whole["refunds"][0]["status"] == "COMPLETED"
    with nothing_changes():
        assert refunding.follow(body["refund"]["id"]) is None


def test_a_payout_that_fails_gives_nothing_back_and_can_be_tried_again(house: Any):
    owner = make_actor(house, "Owner", funded="100")
    made = ask(owner)
    pay_on_chain(made.id, "50")
    body = made.refund(**WALLET).get_json()

    _end(body["refund"]["payoutId"], "FAILED")
    refunding.follow(body["refund"]["id"])

    assert made.status == "PAID"
    assert made.whole["refunds"][0]["status"] == "FAILED"
    assert [name for name, _ in events_of(owner.id)] == ["invoice.paid"]
    # The withdrawal's money is given back by its own room, and it may be asked for anew.
    assert made.refund(**WALLET).get_json()["refund"]["amount"] == "50.00"


def test_each_way_gives_back_what_came_in_it(house: Any, alice: Actor):
    owner = make_actor(house, "Owner", funded="1")
    made = ask(owner)
    pay_on_chain(made.id, "20")
    made.paid_by(alice)
    with nothing_changes():
        refused(made.refund(amount="30.5"), 400, "invalid_amount")
        refused(made.refund(amount="20.5", **WALLET), 400, "invalid_amount")
    assert made.refund().get_json()["refund"]["amount"] == "30.00"
    assert made.refund(**WALLET).get_json()["refund"]["amount"] == "20.00"


def test_expired_with_a_part_given_back(house: Any):
    owner = make_actor(house, "Owner", funded="1")
    made = ask(owner)
    pay_on_chain(made.id, "20")
    made.cancel()
    body = made.refund(**WALLET).get_json()
    _end(body["refund"]["payoutId"], "COMPLETED")
    refunding.follow(body["refund"]["id"])
    assert made.status == "REFUNDED"


def test_paid_again_after_all_was_given_back(alice: Actor, bob: Actor):
    made = ask(bob)
    made.paid_by(alice)
    made.refund()
    pay_on_chain(made.id, "3")
    assert (made.status, bob.available) == ("PARTIALLY_REFUNDED", Usdc.parse("3"))
    assert events_of(bob.id)[-1][0] == "invoice.late_payment"
    assert made.shown["late"] is True


def test_seen_and_not_final_is_not_given_back(bob: Actor):
    made = ask(bob)
    receiving.follow(arrive(made.id, "50"))
    with nothing_changes():
        refused(made.refund(**WALLET), 409, "state_conflict")


def test_history_of_a_refund(alice: Actor, bob: Actor):
    made = ask(bob)
    made.paid_by(alice)
    made.refund(amount="20")
    back, _ = alice.get("/client/activity").get_json()["activity"]
    gave, _ = bob.get("/client/activity").get_json()["activity"]
    assert (back["direction"], back["amount"], back["party"]) == ("IN", "20.00", bob.public_id)
    assert (gave["direction"], gave["amount"], gave["party"]) == ("OUT", "20.00", alice.public_id)
    assert back["invoiceId"] == gave["invoiceId"] == made.id
