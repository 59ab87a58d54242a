"""Payouts that leave together: taken along by one job, ended each by itself."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from protonpay.chains.port import AlreadySent, NotReady, PayeeRefused, Prospect, SendOutcome
from protonpay.chains.port import SendState as S
from protonpay.kernel.money import Usdc
from protonpay.ledger import audit, chart
from protonpay.ledger import service as ledger
from protonpay.payouts import ending, paying, sending
from protonpay.rails import service as rails
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.store.outbox import OutboxRow
from protonpay.wire.http import NoAnswer
from tests.actors import Actor
from tests.events import events_of
from tests.payouts.fake_chain import FAILED, LANDED, LOST, LOST_AND_FREE, WAITING, FakeChain
from tests.payouts.orders import accepted, attempts, broadcast, confirm, jobs, newest, sign, stored
from tests.plans.of_a_kind import change_plan, on_plan
from tests.unchanged import nothing_changes


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@pytest.fixture
def three(alice: Actor, base: FakeChain) -> list[str]:
    """Three payouts of one user that wait on a network which takes many at once."""
    on_plan(alice, cooldown_seconds=0)
    base.most_in_one = 100
    return [accepted(alice, 10) for _ in range(3)]


def _states(payouts: list[str]) -> list[str]:
    return [stored(each).state for each in payouts]


def test_one_job_signs_what_waits_and_the_others_find_it_signed(three: list[str], base: FakeChain):
    assert sign(three[0]) is None

    ((send, orders, _),) = base.signed
    assert [order.payout_id for order in orders] == three
    assert _states(three) == ["SIGNED"] * 3
    assert {stored(each).tx_hash for each in three} == {send.tx_hash}
    (attempt,) = attempts()
    assert (attempt.raw, attempt.sequence, attempt.state) == (send.raw, 7, "OPEN")
    open_ones = select(OutboxRow.job).where(OutboxRow.done_at.is_(None))
    assert list(db.session.scalars(open_ones.where(OutboxRow.job.like("payouts.%")))) == [
        "payouts.broadcast"
    ]
    for other in three[1:]:
        with nothing_changes():
            assert sign(other) is None
    assert [job for job, _ in jobs()].count("payouts.broadcast") == 1


def test_no_more_are_taken_than_one_transaction_carries(
    alice: Actor, three: list[str], base: FakeChain
):
    base.most_in_one = 2

    sign(three[1])

    # Those ordered after it first: what has waited longer may be in a jam.
    assert _states(three) == ["PENDING", "SIGNED", "SIGNED"]
    sign(three[0])
    assert [len(orders) for _, orders, _ in base.signed] == [2, 1]


def test_what_finds_no_room_leaves_by_a_further_transaction_of_the_same_look(
    three: list[str], base: FakeChain
):
    base.most_in_one, base.transactions_together = 2, 2

    assert sign(three[0]) is None

    assert [[order.payout_id for order in orders] for _, orders, _ in base.signed] == [
        three[:2],
        three[2:],
    ]
    assert base.asked.count("read_terms") == 1
    assert [(each.sequence, each.state) for each in attempts()] == [(7, "OPEN"), (8, "OPEN")]
    assert [stored(each).tx_hash for each in three] == [
        send.tx_hash for send, orders, _ in base.signed for _ in orders
    ]
    open_ones = select(OutboxRow.job).where(OutboxRow.done_at.is_(None))
    assert (
        list(db.session.scalars(open_ones.where(OutboxRow.job.like("payouts.%"))))
        == ["payouts.broadcast"] * 2
    )
    assert base.handed == []


def test_a_pause_is_for_every_transaction_of_a_look(three: list[str], base: FakeChain):
    base.most_in_one, base.transactions_together = 2, 2
    rails.pause("Base", reason="a look", by="olga")

    assert sign(three[0]) == Later(5, "payouts_paused")

    assert (base.signed, attempts()) == ([], [])
    assert [stored(each).state for each in three] == ["PENDING"] * 3


def test_all_that_was_signed_after_one_look_is_handed_in_and_asked_about(
    three: list[str], base: FakeChain
):
    base.most_in_one, base.transactions_together = 2, 2
    base.plan("broadcast", NoAnswer("away"), None)

    assert paying.pay(three[0]) is None

    assert base.handed == [send.raw for send, _, _ in base.signed]
    assert _states(three) == ["SENT"] * 3
    asked = select(OutboxRow.job).where(OutboxRow.done_at.is_(None))
    assert (
        list(db.session.scalars(asked.where(OutboxRow.job.like("payouts.%"))))
        == ["payouts.confirm"] * 2
    )
    base.plan("outcome", LANDED, LANDED)
    assert confirm(three[0]) is None
    assert _states(three) == ["COMPLETED"] * 3


def test_a_worker_killed_between_two_of_one_look_hands_the_same_bytes_in_again(
    three: list[str], base: FakeChain
):
    base.most_in_one, base.transactions_together = 2, 2
    base.plan("broadcast", None, Killed())
    with pytest.raises(Killed):
        paying.pay(three[0])
    assert _states(three) == ["SIGNED"] * 3

    for each in (three[0], three[2]):
        broadcast(each)

    assert _states(three) == ["SENT"] * 3
    signed = [send.raw for send, _, _ in base.signed]
    assert base.handed == [*signed, *signed]
    assert len(attempts()) == 2


def test_a_worker_killed_while_it_signs_the_second_stores_neither(
    three: list[str], base: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    base.most_in_one, base.transactions_together = 2, 2
    signs, left = base.sign, [2]

    def dies_at_the_second(*given: Any) -> object:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return signs(*given)

    with monkeypatch.context() as killed:
        killed.setattr(base, "sign", dies_at_the_second)
        with nothing_changes(), pytest.raises(Killed):
            sign(three[0])

    assert (attempts(), base.handed) == ([], [])
    assert sign(three[0]) is None
    assert _states(three) == ["SIGNED"] * 3


def test_all_land_and_are_settled_in_one_go(alice: Actor, three: list[str], base: FakeChain):
    sign(three[0])
    broadcast(three[0])
    assert _states(three) == ["SENT"] * 3
    base.plan("outcome", LANDED)

    assert confirm(three[0]) is None

    assert _states(three) == ["COMPLETED"] * 3
    assert ledger.balance(chart.custody("Base")) == Usdc.parse("30")
    assert [name for name, _ in events_of(alice.id)] == ["payout.completed"] * 3
    assert attempts()[0].state == "LANDED"
    assert audit.findings() == []


def test_each_ends_by_itself(alice: Actor, three: list[str], base: FakeChain):
    sign(three[0])
    broadcast(three[0])
    base.plan("outcome", [LANDED, FAILED, WAITING])

    by_id = sorted(three)
    assert confirm(three[0]) == Later(0.15, "not final")
    assert _states(by_id) == ["COMPLETED", "FAILED", "SENT"]
    assert (attempts()[0].state, attempts()[0].ended_at) == ("OPEN", None)

    base.plan("outcome", LOST)
    assert confirm(three[0]) is None
    assert _states(by_id) == ["COMPLETED", "FAILED", "PENDING"]
    assert attempts()[0].state == "LANDED"
    assert jobs()[-1] == ("payouts.sign", {"payout_id": by_id[2]})
    assert alice.held == Usdc.parse("10.05")
    assert audit.findings() == []


def test_a_bundle_that_is_lost_leaves_its_nonce_to_the_next(three: list[str], base: FakeChain):
    sign(three[0])
    broadcast(three[0])
    base.plan("outcome", LOST_AND_FREE)
    confirm(three[0])
    assert _states(three) == ["PENDING"] * 3

    sign(three[2])

    (_, first), (send, orders, replaces) = base.signed[0][:2], base.signed[1]
    assert {order.payout_id for order in orders} == {order.payout_id for order in first}
    assert (send.sequence, replaces.tx_hash) == (7, base.signed[0][0].tx_hash)
    assert [each.state for each in attempts()] == ["LOST", "OPEN"]


@pytest.mark.parametrize(
    ("why", "state"),
    [
        (PayeeRefused("payee_blacklisted", "no"), "FAILED"),
        (NotReady("treasury_short", "not now"), "PENDING"),
        (AlreadySent("0xfound", "used"), "COMPLETED"),
    ],
)
def test_one_that_is_hindered_holds_up_nobody(
    three: list[str], base: FakeChain, monkeypatch: pytest.MonkeyPatch, why: Exception, state: str
):
    usual = base.read_terms

    def hinders_the_second(orders: object) -> Prospect:
        prospect = usual(orders)
        payable = [order for order in prospect.payable if order.payout_id != three[1]]
        return Prospect(prospect.terms, payable, {three[1]: why})

    monkeypatch.setattr(base, "read_terms", hinders_the_second)
    assert sign(three[0]) is None, "the leader was signed, whatever happens to those it took along"

    assert _states(three) == ["SIGNED", state, "SIGNED"]
    if state == "PENDING":
        assert sign(three[1]) == Later(5, "treasury_short")


def test_a_limit_that_fell_refuses_one_and_signs_the_others(
    alice: Actor, mallory: Actor, base: FakeChain
):
    base.most_in_one = 100
    on_plan(alice, cooldown_seconds=0)
    first, second = accepted(alice, 10), accepted(alice, 10)
    change_plan(alice, cooldown_seconds=60)
    theirs = accepted(mallory, 4)

    sign(theirs)

    assert _states([first, second, theirs]) == ["SIGNED", "FAILED", "SIGNED"]
    assert stored(second).failure_code == "withdrawal_cooldown"


@pytest.mark.parametrize(
    ("where", "step"),
    [("_move", 1), *product(["_entry", "_event"], [1, 2, 3])],
)
def test_a_worker_killed_between_two_ends_ends_none(
    alice: Actor,
    three: list[str],
    base: FakeChain,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    step: int,
):
    sign(three[0])
    broadcast(three[0])
    base.plan("outcome", [LANDED, FAILED, LANDED], [LANDED, FAILED, LANDED])
    attempt_id, left = newest(three[0]), [step]
    does = getattr(ending, where)

    def dies_at(*given: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return does(*given)

    with monkeypatch.context() as killed:
        killed.setattr(ending, where, dies_at)
        with nothing_changes(), pytest.raises(Killed):
            sending.confirm(attempt_id)

    assert sending.confirm(attempt_id) is None
    assert sorted(_states(three)) == ["COMPLETED", "COMPLETED", "FAILED"]
    assert (alice.held, len(events_of(alice.id))) == (Usdc(0), 3)


def test_refused_for_another_is_no_end_of_ones_own(three: list[str], base: FakeChain):
    """Solana: the whole transaction failed for one of its payees."""
    sign(three[0])
    broadcast(three[0])
    another = SendOutcome(S.LOST, reason="another_refused")
    base.plan("outcome", [another, SendOutcome(S.FAILED, reason="account_frozen"), another])

    assert confirm(three[0]) is None

    assert _states(sorted(three)) == ["PENDING", "FAILED", "PENDING"]
    assert (attempts()[0].state, attempts()[0].reason) == ("FAILED", "account_frozen")
    assert sign(min(three)) is None
    assert len(base.signed[-1][1]) == 2
