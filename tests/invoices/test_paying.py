"""POST /client/invoices/{id}/pay."""

import re
from datetime import timedelta

import pytest

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.store.db import transaction
from protonpay.users import service as users
from tests.actors import Actor
from tests.events import events_of
from tests.invoices.asking import ask, entries_of_invoices, pay_on_chain
from tests.refusals import refused
from tests.unchanged import nothing_changes


def test_one_entry_and_both_sides_know(alice: Actor, bob: Actor):
    made = ask(bob, "50", description="Monthly subscription")

    body = made.paid_by(alice).get_json()

    payment = body["payment"]
    assert (payment["amount"], payment["method"], payment["status"]) == (
        "50.00",
        "BALANCE",
        "CREDITED",
    )
    assert body["newBalance"] == "950.00"
    assert (body["invoice"]["id"], body["invoice"]["status"]) == (made.id, "PAID")
    assert "late" not in body["invoice"], "what its owner alone sees"
    assert entries_of_invoices() == [f"invoice_payment:{payment['id']}"]
    assert (alice.available, bob.available) == (Usdc.parse("950"), Usdc.parse("50"))
    assert [name for name, _ in events_of(bob.id)] == ["invoice.paid"]
    assert events_of(alice.id) == []


@pytest.mark.checklist(111)
def test_an_id_that_nobody_guesses(alice: Actor):
    """``payUrl`` ends in 16 random characters, 82 bits."""
    urls = {ask(alice).url for _ in range(50)}
    tails = {re.fullmatch(r".*/pay/c[0-9a-z]{8}([0-9a-z]{16})", url)[1] for url in urls}
    assert len(tails) == 50
    assert len({tail[:3] for tail in tails}) > 40


@pytest.mark.checklist(111)
def test_paying_twice(alice: Actor, bob: Actor, mallory: Actor):
    """The second payment is 409, by the same or by another payer."""
    made = ask(bob, "5")
    made.paid_by(alice)
    with nothing_changes():
        refused(made.paid_by(alice), 409, "state_conflict")
        refused(made.paid_by(mallory), 409, "state_conflict")


@pytest.mark.checklist(111)
def test_paying_what_has_expired(alice: Actor, bob: Actor):
    """Expired is 409, whether or not its job has run."""
    made = ask(bob, expiresInSeconds=60)
    with clock.frozen(clock.now() + timedelta(seconds=61)):
        with nothing_changes():
            refused(made.paid_by(alice), 409, "state_conflict")
        assert made.status == "EXPIRED"
        with nothing_changes():
            refused(made.paid_by(alice), 409, "state_conflict")


@pytest.mark.checklist(111)
def test_paying_ones_own(alice: Actor):
    """Nobody pays themselves."""
    made = ask(alice)
    with nothing_changes():
        refused(made.paid_by(alice), 409, "own_invoice")


def test_more_than_there_is(bob: Actor, mallory: Actor):
    made = ask(bob, "5.000001")
    with nothing_changes():
        refused(made.paid_by(mallory), 400, "insufficient_balance")
    assert ask(bob, "5").paid_by(mallory).status_code == 200


def test_a_suspended_payer(bob: Actor, alice: Actor):
    made = ask(bob)
    with transaction():
        users.set_standing(alice.id, "SUSPENDED")
    with nothing_changes():
        refused(made.paid_by(alice), 403, "account_suspended")


def test_a_frozen_payer(bob: Actor, alice: Actor):
    made = ask(bob)
    with transaction():
        users.freeze(alice.id)
    with nothing_changes():
        refused(made.paid_by(alice), 403, "withdrawals_frozen")


@pytest.mark.checklist(112)
@pytest.mark.parametrize("amount", ["49.999999", "0.000001", "25"])
def test_another_amount_is_no_payment(bob: Actor, amount: str):
    """Less than was asked for is no payment of it, though it is credited."""
    made = ask(bob)
    pay_on_chain(made.id, amount)
    assert made.status == "PENDING"
    assert bob.available == Usdc.parse(amount)
    assert [name for name, _ in events_of(bob.id)] == ["invoice.partially_paid"]
    # Another token or network is no transfer of USDC to an address of ours: wallets tell
    # of none (tests/wallets), so nothing comes here. On a sibling network it is USDC:


@pytest.mark.checklist(112)
def test_another_network_of_the_same_family_pays(bob: Actor):
    """Base and Polygon share an address; native USDC on either pays, once each."""
    made = ask(bob)
    pay_on_chain(made.id, "25", network="Base")
    pay_on_chain(made.id, "25", network="Polygon")
    assert made.status == "PAID"


def test_history_of_both_sides(alice: Actor, bob: Actor):
    made, other = ask(bob, "50"), ask(bob, "7")
    made.paid_by(alice)
    pay_on_chain(other.id, "7", network="Solana")

    (out,) = alice.get("/client/activity").get_json()["activity"]
    chain, came = bob.get("/client/activity").get_json()["activity"]

    assert (out["type"], out["direction"], out["amount"]) == ("TRANSFER", "OUT", "50.00")
    assert (out["party"], out["invoiceId"], out["status"]) == (
        bob.public_id,
        made.id,
        "COMPLETED",
    )
    assert (came["type"], came["direction"], came["party"]) == ("TRANSFER", "IN", alice.public_id)
    assert (chain["type"], chain["method"], chain["network"]) == ("DEPOSIT", "CRYPTO", "Solana")
    assert (chain["status"], chain["amount"], chain["invoiceId"]) == ("CONFIRMED", "7.00", other.id)
    assert chain["txHash"].startswith("0xhash")
    dashboard = bob.get("/client/dashboard").get_json()
    assert (dashboard["totalDeposited"], dashboard["totalWithdrawn"]) == ("7.00", "0.00")
