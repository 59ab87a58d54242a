"""A payout to an address of ours stays inside: no chain carries it, and nobody notices."""

from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from protonpay.invoices import receiving
from protonpay.kernel.errors import Unavailable
from protonpay.ledger import audit, chart
from protonpay.ledger import service as ledger
from protonpay.reconciliation import books
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.wallets import service as wallets
from protonpay.wallets import unswept
from tests.actors import Actor, make_actor
from tests.events import events_of
from tests.invoices.asking import ask
from tests.payouts.fake_chain import FakeChain
from tests.payouts.orders import WALLETS, accepted, attempts, only_waits, sign, stored, withdraw
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.wallets import pools
from tests.wallets.conftest import fill

__all__ = ["fill"]


def address_of(actor: Actor, network: str = "Base") -> str:
    answer = actor.post("/client/deposit/crypto", {"network": network})
    assert answer.status_code == 200, answer.get_json()
    address: str = answer.get_json()["deposit"]["address"]
    return address


def sent_to(actor: Actor, address: str, amount: str = "50", network: str = "Base") -> str:
    answer = withdraw(actor, amount, network, walletAddress=address)
    assert answer.status_code == 200, answer.get_json()
    payout_id: str = answer.get_json()["payout"]["id"]
    return payout_id


def follow_invoices() -> None:
    for incoming_id in pools.told():
        receiving.follow(incoming_id)


def test_another_users_address_is_credited_and_no_chain_is_asked(
    alice: Actor, bob: Actor, base: FakeChain, fill
):
    fill()
    payout_id = sent_to(alice, address_of(bob))
    custody, fees = ledger.balance(chart.custody("Base")), ledger.balance(chart.FEES)

    assert sign(payout_id) is None
    for _ in range(2):
        pools.follow_all()

    assert base.asked == []
    assert base.signed == []
    assert attempts(payout_id) == []
    assert (str(alice.available), str(alice.held)) == ("949.95", "0.00")
    assert str(bob.available) == "50.00"
    assert ledger.balance(chart.custody("Base")) == custody
    assert str(ledger.balance(chart.FEES) - fees) == "0.05"
    assert str(ledger.balance(chart.INSIDE)) == "0.00"
    assert audit.findings(whole_chain=True) == []

    name = f"internal:{payout_id}"
    (sent,) = alice.get("/client/activity").get_json()["activity"]
    assert (sent["type"], sent["status"], sent["txHash"]) == ("WITHDRAWAL", "COMPLETED", name)
    (came,) = bob.get("/client/activity").get_json()["activity"]
    assert (came["type"], came["status"], came["txHash"]) == ("DEPOSIT", "CONFIRMED", name)
    assert [event for event, _ in events_of(alice.id)] == ["payout.completed"]
    assert [event for event, _ in events_of(bob.id)] == ["deposit.confirmed"]


def test_a_repeated_job_pays_once(alice: Actor, bob: Actor, base: FakeChain, fill):
    fill()
    payout_id = sent_to(alice, address_of(bob))
    assert sign(payout_id) is None

    with nothing_changes():
        assert sign(payout_id) is None
    assert len(pools.transfers()) == 1


def test_nothing_of_it_lies_at_the_address(
    house: Flask, alice: Actor, bob: Actor, base: FakeChain, fill
):
    fill()
    address = address_of(bob)
    sign(sent_to(alice, address))
    pools.follow_all()

    assert str(unswept.totals()["Base"]) == "0.00"
    assert books.arrived("Base", [address], 10**9) == {}
    assert books.credits_without_transfer("Base") == []
    book = books.of_network("Base", 0)
    assert book.arrived == book.credited == 0
    assert -book.booked == -book.balance


def test_an_invoice_is_paid_by_it(alice: Actor, bob: Actor, base: FakeChain, fill):
    fill()
    made = ask(bob, "50")
    sign(sent_to(alice, wallets.addresses_of("invoice", made.id)["Base"]))

    follow_invoices()

    assert made.status == "PAID"
    assert str(bob.available) == "50.00"
    assert str(ledger.balance(chart.INSIDE)) == "0.00"
    assert audit.findings(whole_chain=True) == []


def test_an_address_is_ours_on_every_network_of_its_family(
    alice: Actor, bob: Actor, polygon: FakeChain, fill
):
    fill()
    payout_id = sent_to(alice, address_of(bob, "Base"), network="Polygon")
    assert sign(payout_id) is None
    pools.follow_all()
    assert polygon.signed == []
    assert str(bob.available) == "50.00"


def test_ones_own_address_is_refused(alice: Actor, base: FakeChain, fill):
    fill()
    own = address_of(alice)
    quote = {"amount": 50, "network": "Base", "walletAddress": own}
    with nothing_changes():
        refused(withdraw(alice, walletAddress=own), 400, "own_deposit_address")
        told = alice.post("/client/withdraw/quote", quote).get_json()["quote"]
    assert told["problems"] == ["own_deposit_address"]


@pytest.mark.parametrize("network", ["Base", "Polygon"])
def test_the_address_of_ones_own_invoice_is_refused(
    alice: Actor, bob: Actor, base: FakeChain, polygon: FakeChain, fill, network: str
):
    fill()
    made = ask(alice, "50")
    own = wallets.addresses_of("invoice", made.id)["Base"]
    quote = {"amount": 50, "network": network, "walletAddress": own}
    with nothing_changes():
        refused(withdraw(alice, 50, network, walletAddress=own), 400, "own_invoice_address")
        told = alice.post("/client/withdraw/quote", quote).get_json()["quote"]
    assert told["problems"] == ["own_invoice_address"]
    assert (made.status, str(alice.available)) == ("PENDING", "1000.00")
    # To somebody else it is an address like any other.
    theirs = wallets.addresses_of("invoice", ask(bob, "50").id)["Base"]
    quote["walletAddress"] = theirs
    assert alice.post("/client/withdraw/quote", quote).get_json()["quote"]["problems"] == []


def test_the_quote_says_so(alice: Actor, bob: Actor, base: FakeChain, fill):
    fill()
    quote = {"amount": 50, "network": "Base", "walletAddress": address_of(bob)}
    with nothing_changes():
        inside = alice.post("/client/withdraw/quote", quote).get_json()["quote"]
        outside = alice.post(
            "/client/withdraw/quote", quote | {"walletAddress": WALLETS["Base"]}
        ).get_json()["quote"]
    assert (inside["internal"], inside["problems"]) == (True, [])
    assert (outside["internal"], outside["problems"]) == (False, [])


def test_it_is_never_taken_along_by_others(alice: Actor, bob: Actor, base: FakeChain, fill):
    fill()
    base.most_in_one = 10
    inside = sent_to(alice, address_of(bob))
    carol = make_actor(alice.client.application, "Carol", funded="100")
    outside = accepted(carol)

    assert sign(outside) is None

    ((_, orders, _),) = base.signed
    assert [order.payout_id for order in orders] == [outside]
    assert stored(inside).state == "PENDING"


def test_a_pause_and_a_freeze_hold_it_back_too(
    house: Flask, alice: Actor, bob: Actor, base: FakeChain, fill
):
    fill()
    payout_id = sent_to(alice, address_of(bob))
    run = house.test_cli_runner().invoke
    words = ("--network", "Base", "--reason", "a look", "--by", "olga")
    assert run(args=["ops", "payouts", "pause", *words]).exit_code == 0
    with only_waits(payout_id, "payouts_paused"):
        assert sign(payout_id) == Later(5, "payouts_paused")
    run(args=["ops", "payouts", "resume", *words])
    run(args=["users", "freeze", alice.email, "--reason", "asked"])
    with only_waits(payout_id, "withdrawals_frozen"):
        assert sign(payout_id) == Later(5, "withdrawals_frozen")
    run(args=["users", "thaw", alice.email, "--reason", "it was me"])
    assert sign(payout_id) is None


def test_what_the_book_does_not_hold_does_not_stay_inside_either(
    alice: Actor, bob: Actor, base: FakeChain, fill
):
    fill()
    on_plan(alice, cooldown_seconds=0)
    accepted(alice, 500)
    payout_id = sent_to(alice, address_of(bob))
    more = text("UPDATE payouts SET amount_micro = 2 * amount_micro WHERE id = :id")
    db.session.execute(more, {"id": payout_id})
    db.session.commit()

    with only_waits(payout_id, "hold_missing"):
        assert sign(payout_id) == Later(5, "hold_missing")


def test_a_database_that_is_busy_decides_nothing(
    alice: Actor, bob: Actor, base: FakeChain, fill, services: Any
):
    """Somebody holds the switch for longer than anybody waits for it."""
    fill()
    payout_id = sent_to(alice, address_of(bob))
    db.session.execute(text("SET lock_timeout = '20ms'"))
    database = db.session.scalar(text("SELECT current_database()"))
    db.session.commit()

    with psycopg.connect(services.postgres.url(database)) as another:
        another.execute("SELECT FROM rail_switches WHERE rail = 'Base' FOR UPDATE")
        with nothing_changes(), pytest.raises(Unavailable, match="database_busy"):
            sign(payout_id)

    assert sign(payout_id) is None
    assert stored(payout_id).state == "COMPLETED"


def test_an_address_that_nobody_signed_is_nobodys(alice: Actor, bob: Actor, base: FakeChain, fill):
    fill()
    address = address_of(bob)
    forged = text("UPDATE deposit_addresses SET proof = '\\x00' WHERE address = :a")
    db.session.execute(text("SET ROLE NONE"))
    db.session.execute(forged, {"a": address})
    db.session.execute(text("SET ROLE protonpay_app"))
    db.session.commit()
    payout_id = sent_to(alice, address)
    assert sign(payout_id) is None
    assert len(base.signed) == 1
    assert pools.transfers() == []
