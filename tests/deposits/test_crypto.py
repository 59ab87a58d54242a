"""What follows a transfer on chain: in any order, twice, at once, and once only."""

import itertools
import json

import pytest
from sqlalchemy import text

from protonpay.chains.watch import Arrival
from protonpay.deposits import crypto
from protonpay.kernel.errors import NotFound
from protonpay.kernel.money import Usdc
from protonpay.ledger import audit, chart
from protonpay.ledger import service as ledger
from protonpay.store.db import db, transaction
from protonpay.wallets import recording
from protonpay.wallets.models import Incoming
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse, open_house
from tests.plans.of_a_kind import on_plan
from tests.unchanged import nothing_changes
from tests.wallets.pools import follow_all, told, transfers

__all__ = ["open_house"]

AMOUNT = Usdc.parse("12.5")


def _arrives(actor: Actor, *, final: bool, amount: Usdc = AMOUNT, block: int = 7) -> Incoming:
    arrival = Arrival("0xours", "0xtheirs", amount, "0xhash", 0, block, f"0xblock{block}")
    with transaction():
        held = {"0xours": ("user", actor.id)}
        recording.record("Base", [arrival], held, final=final)
    return transfers()[-1]


def _vanishes() -> None:
    with transaction():
        recording.vanish("Base", "0xhash", 0)


def _crypto(actor: Actor) -> list[dict]:
    lines = actor.get("/client/activity").get_json()["activity"]
    return [line for line in lines if line["method"] == "CRYPTO"]


def _events() -> list[dict]:
    told_of = "SELECT core FROM events WHERE name = 'deposit.confirmed'"
    return [json.loads(bytes(core))["data"] for core in db.session.scalars(text(told_of))]


def test_seen_is_pending_and_moves_nothing(bob: Actor):
    _arrives(bob, final=False)
    follow_all()

    (line,) = _crypto(bob)
    assert (line["type"], line["status"], line["amount"]) == ("DEPOSIT", "PENDING", "12.50")
    assert (line["network"], line["txHash"], line["party"]) == ("Base", "0xhash", "0xtheirs")
    assert bob.available == Usdc(0)
    assert bob.get("/client/dashboard").get_json()["totalDeposited"] == "0.00"
    assert _events() == []


def test_final_is_confirmed_credited_and_told(bob: Actor):
    _arrives(bob, final=True)
    follow_all()

    (line,) = _crypto(bob)
    assert (line["status"], bob.available) == ("CONFIRMED", AMOUNT)
    assert ledger.balance(chart.custody("Base")) == Usdc(-12_500_000)
    assert bob.get("/client/dashboard").get_json()["totalDeposited"] == "12.50"
    assert _events() == [
        {
            "id": line["id"],
            "userId": bob.id,
            "amount": "12.50",
            "currency": "USDC",
            "network": "Base",
            "txHash": "0xhash",
            "status": "CONFIRMED",
        }
    ]
    deposit = bob.get(f"/client/deposit/{line['id']}").get_json()["deposit"]
    assert (deposit["method"], deposit["network"], deposit["txHash"]) == (
        "CRYPTO",
        "Base",
        "0xhash",
    )
    assert (deposit["paidAmount"], deposit["paidCurrency"]) == ("12.50", "USDC")
    assert (deposit["rate"], deposit["provider"]) == (None, None)
    assert audit.findings() == []


def test_it_is_credited_once_however_often_it_is_followed(bob: Actor):
    incoming = _arrives(bob, final=True)
    crypto.follow(incoming.id)
    with nothing_changes():
        follow_all()
        _arrives(bob, final=True)
        _arrives(bob, final=False)


def test_what_vanished_before_anybody_followed_it_leaves_nothing(bob: Actor):
    _arrives(bob, final=False)
    _vanishes()
    follow_all()
    assert _crypto(bob) == []
    assert db.session.scalar(text("SELECT count(*) FROM deposits")) == 0


def test_what_vanished_is_seen_again_and_final(bob: Actor):
    for step in (
        lambda: _arrives(bob, final=False),
        _vanishes,
        lambda: _arrives(bob, final=False, block=9),
        _vanishes,
        lambda: _arrives(bob, final=True, block=11),
    ):
        step()
        follow_all()
    assert [line["status"] for line in _crypto(bob)] == ["CONFIRMED"]
    assert bob.available == AMOUNT
    assert db.session.scalar(text("SELECT count(*) FROM incoming")) == 1


def test_a_block_that_changes_asks_for_nothing(bob: Actor):
    _arrives(bob, final=False, block=7)
    before = told()
    row = _arrives(bob, final=False, block=8)
    assert (told(), row.block, row.block_hash) == (before, 8, "0xblock8")


def test_a_reorg_that_changes_amount_and_payee_is_followed(bob: Actor, alice: Actor):
    _arrives(bob, final=False)
    follow_all()
    _arrives(alice, final=True, amount=Usdc.parse("3"))
    follow_all()
    assert (_crypto(bob), [line["amount"] for line in _crypto(alice)]) == ([], ["3.00"])
    assert (bob.available, alice.available) == (Usdc(0), Usdc.parse("1003"))


def test_what_is_final_never_vanishes(bob: Actor):
    _arrives(bob, final=True)
    with nothing_changes():
        _vanishes()


def test_the_commission_that_was_shown_stays_whatever_plan_follows(bob: Actor):
    _arrives(bob, final=False)
    follow_all()
    on_plan(bob, deposit_commission_bps=100)
    _arrives(bob, final=True)
    follow_all()
    assert (bob.available, ledger.balance(chart.FEES)) == (AMOUNT, Usdc(0))
    (line,) = _crypto(bob)
    assert (line["status"], line["amount"]) == ("CONFIRMED", "12.50")


def test_the_plans_commission_is_the_houses(bob: Actor):
    db.session.execute(text("UPDATE plans SET deposit_commission_bps = 100"))
    _arrives(bob, final=True)
    follow_all()
    assert (bob.available, ledger.balance(chart.FEES)) == (Usdc.parse("12.375"), Usdc(125_000))
    assert _crypto(bob)[0]["amount"] == "12.375"
    assert ledger.balance(chart.custody("Base")) == Usdc(-12_500_000)


def test_an_unknown_transfer_is_an_error(house):
    with nothing_changes(), pytest.raises(NotFound):
        crypto.follow("cnobody")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_jobs_in_any_order_end_alike(bob: Actor, order):
    _arrives(bob, final=False)
    _vanishes()
    _arrives(bob, final=True)
    jobs = told()
    assert len(jobs) == 3
    for number in order:
        crypto.follow(jobs[number])
    assert ([line["status"] for line in _crypto(bob)], bob.available) == (["CONFIRMED"], AMOUNT)


def test_many_workers_at_once_credit_once(open_house: OpenHouse):
    user = make_actor(open_house.app, "Crowd")
    arrival = Arrival("0xours", None, AMOUNT, "0xhash", 0, 7, "0xblock")

    def find(*, final: bool):
        with transaction():
            recording.record("Base", [arrival], {"0xours": ("user", user.id)}, final=final)

    finds = [lambda f=final: find(final=f) for final in (False, True) * 6]
    assert open_house.inside_at_once(finds) == [None] * 12
    (incoming_id,) = {row.id for row in transfers() if row.state == "FINAL"}
    db.session.rollback()

    ends = open_house.inside_at_once([lambda: crypto.follow(incoming_id)] * 12)

    assert ends == [None] * 12
    assert user.available == AMOUNT
    assert len(_events()) == 1
    assert db.session.scalar(text("SELECT count(*) FROM deposits")) == 1
    assert audit.findings() == []
