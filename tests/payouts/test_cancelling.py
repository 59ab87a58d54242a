"""A withdrawal is taken back before it is signed and not after; each step says when it was made."""

from datetime import timedelta
from typing import Any

import pytest

from protonpay.chains.port import AlreadySent, NotReady
from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.payouts.approval import threshold
from protonpay.rails import service as rails
from protonpay.store.db import transaction
from protonpay.store.jobs import Later
from protonpay.users import service as users
from protonpay.wire.http import NoAnswer
from tests.actors import Actor
from tests.payouts.fake_chain import LANDED, LOST_AND_FREE, FakeChain
from tests.payouts.orders import (
    accepted,
    broadcast,
    confirm,
    jobs,
    put,
    sent,
    sign,
    stored,
    usdc,
    withdraw,
)
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes


def shown(actor: Actor, payout_id: str) -> dict[str, Any]:
    told: dict[str, Any] = actor.get(f"/client/withdraw/{payout_id}").get_json()["payout"]
    return told


def cancel(actor: Actor, payout_id: str) -> Any:
    return actor.post(f"/client/withdraw/{payout_id}/cancel")


def test_a_withdrawal_is_taken_back_whole_and_once(alice: Actor, base: FakeChain):
    before = alice.available
    one = accepted(alice)
    assert shown(alice, one)["cancellable"] is True
    with only_changes("payouts"):
        told = cancel(alice, one).get_json()["payout"]
    assert (told["status"], told["cancellable"]) == ("PENDING", False)
    assert told["waitingFor"] == "cancellation"
    with nothing_changes():
        assert cancel(alice, one).get_json()["payout"] == told

    assert sign(one) is None
    told = shown(alice, one)
    assert (told["status"], told["failureCode"]) == ("FAILED", "cancelled")
    assert (told["cancellable"], told["waitingFor"]) == (False, None)
    assert (alice.available, alice.held) == (before, ZERO)
    with nothing_changes():
        assert cancel(alice, one).get_json()["payout"] == told
        assert sign(one) is None, "a job that comes late finds nothing to do"
    assert base.signed == []


@pytest.mark.usefixtures("base")
def test_what_is_taken_back_counts_towards_no_limit(alice: Actor):
    one = accepted(alice)
    cancel(alice, one)
    sign(one)
    assert withdraw(alice).status_code == 200, "no cooldown"
    quote = alice.post("/client/withdraw/quote", {"amount": "1", "network": "Base"})
    assert quote.json["quote"]["dailyLimitLeft"] == "49950.00"


@pytest.mark.usefixtures("base")
def test_who_has_frozen_withdrawals_may_take_one_back(alice: Actor):
    one = accepted(alice)
    with transaction():
        users.lock(alice.id).withdrawals_frozen_at = clock.now()
    assert cancel(alice, one).status_code == 200
    sign(one)
    assert stored(one).failure_code == "cancelled"


def test_nothing_that_is_signed_is_taken_back(alice: Actor, base: FakeChain):
    one = accepted(alice)
    sign(one)
    for step in (lambda: None, lambda: broadcast(one), lambda: land(base, one)):
        step()
        assert shown(alice, one)["cancellable"] is False
        with nothing_changes():
            refused(cancel(alice, one), 409, "state_conflict")


def land(chain: FakeChain, payout_id: str) -> None:
    chain.plan("outcome", LANDED)
    confirm(payout_id)


def test_what_was_sent_is_not_given_back(alice: Actor, base: FakeChain):
    """Of a database that was restored: the chain bears the mark of what no row of ours knows."""
    one = accepted(alice)
    cancel(alice, one)
    base.plan("read_terms", AlreadySent("0xfound", "an earlier send"))
    sign(one)
    told = shown(alice, one)
    assert (told["status"], told["txHash"]) == ("COMPLETED", "0xfound")
    with nothing_changes():
        refused(cancel(alice, one), 409, "state_conflict")


@pytest.mark.parametrize(
    "silence", [NoAnswer("the node is away"), AlreadySent(None, "in a block that may go")]
)
def test_as_long_as_it_is_unknown_whether_it_was_sent_it_waits(
    alice: Actor, base: FakeChain, silence: Exception
):
    one = accepted(alice)
    cancel(alice, one)
    base.plan("read_terms", silence, NoAnswer("and again"))
    for _ in range(2):
        assert isinstance(sign(one), Later)
    assert (stored(one).state, alice.held) == ("PENDING", usdc("50.05"))

    sign(one)
    assert stored(one).failure_code == "cancelled"


@pytest.mark.parametrize("code", ["treasury_short", "usdc_paused"])
def test_what_cannot_be_sent_now_is_given_back(alice: Actor, base: FakeChain, code: str):
    before, one = alice.available, accepted(alice)
    cancel(alice, one)
    base.plan("read_terms", NotReady(code, "its mark was looked for and is not there"))
    assert sign(one) is None
    assert (stored(one).failure_code, alice.available) == ("cancelled", before)


def test_a_pause_is_nobodys_reason_to_wait_for_money(alice: Actor, base: FakeChain):
    on_plan(alice, cooldown_seconds=0)
    other, before = accepted(alice), alice.available
    one = accepted(alice)
    cancel(alice, one)
    rails.pause("Base", reason="a look", by="olga")
    assert sign(one) is None
    assert (stored(one).failure_code, alice.available) == ("cancelled", before)
    assert sign(other) == Later(5, "payouts_paused")
    assert (stored(other).state, base.signed) == ("PENDING", [])


def test_who_is_taken_along_is_given_back_too(alice: Actor, base: FakeChain):
    base.most_in_one = 2
    on_plan(alice, cooldown_seconds=0)
    first, second = accepted(alice), accepted(alice)
    cancel(alice, second)
    sign(first)
    assert [send.payout_ids for send, *_ in base.signed] == [(first,)]
    assert (stored(first).state, stored(second).failure_code) == ("SIGNED", "cancelled")


def test_what_a_person_looks_at_is_theirs_to_decide(alice: Actor):
    threshold.bind(Usdc.parse("10"))
    one = accepted(alice)
    threshold.bind(None)
    assert (shown(alice, one)["cancellable"], shown(alice, one)["approvedAt"]) == (False, None)
    with nothing_changes():
        refused(cancel(alice, one), 409, "state_conflict")


def test_nobody_takes_back_what_is_somebody_elses(alice: Actor, bob: Actor):
    one = accepted(alice)
    with nothing_changes():
        refused(cancel(bob, one), 404, "not_found")


def test_each_step_says_when_it_was_made(alice: Actor, base: FakeChain):
    began = clock.now().replace(microsecond=0)
    moments = {}
    steps = ("approvedAt", "signedAt", "sentAt", "endedAt")
    with clock.frozen(began):
        one = accepted(alice)
    for number, step in enumerate((sign, broadcast, lambda each: land(base, each)), 1):
        told = shown(alice, one)
        assert [name for name in steps if told[name]] == list(steps[:number])
        moments[steps[number]] = clock.to_text(began + timedelta(seconds=number))
        with clock.frozen(began + timedelta(seconds=number)):
            step(one)
    told = shown(alice, one)
    assert {name: told[name] for name in moments} == moments
    assert told["createdAt"] == told["approvedAt"] == clock.to_text(began)


def test_what_has_to_be_signed_anew_is_not_signed_any_more(alice: Actor, base: FakeChain):
    one = accepted(alice)
    sent(one)
    base.plan("outcome", LOST_AND_FREE)
    confirm(one)
    told = shown(alice, one)
    assert (told["status"], told["signedAt"], told["sentAt"]) == ("PENDING", None, None)
    assert told["cancellable"] is True, "its old bytes can never land"


@pytest.mark.parametrize("state", ["SIGNED", "SENT", "COMPLETED", "FAILED", "ON_HOLD"])
def test_only_what_waits_can_be_taken_back(alice: Actor, state: str):
    one = accepted(alice)
    put(one, state)
    with nothing_changes():
        refused(cancel(alice, one), 409, "state_conflict")
    assert [args for job, args in jobs() if job == "payouts.sign"] != []
