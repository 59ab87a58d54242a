"""A withdrawal is taken back before it is signed and not after; each step says when it was made."""

from datetime import timedelta
from typing import Any

import pytest

from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.payouts.approval import threshold
from protonpay.store.db import transaction
from protonpay.users import service as users
from tests.actors import Actor
from tests.payouts.fake_chain import LANDED, LOST_AND_FREE, FakeChain
from tests.payouts.orders import (
    accepted,
    broadcast,
    confirm,
    jobs,
    only_waits,
    put,
    sent,
    sign,
    stored,
    withdraw,
)
from tests.refusals import refused
from tests.unchanged import nothing_changes


def shown(actor: Actor, payout_id: str) -> dict[str, Any]:
    told: dict[str, Any] = actor.get(f"/client/withdraw/{payout_id}").get_json()["payout"]
    return told


def cancel(actor: Actor, payout_id: str) -> Any:
    return actor.post(f"/client/withdraw/{payout_id}/cancel")


def test_a_withdrawal_is_taken_back_whole_and_once(alice: Actor, base: FakeChain):
    before = alice.available
    one = accepted(alice)
    assert shown(alice, one)["cancellable"] is True
    told = cancel(alice, one).get_json()["payout"]
    assert (told["status"], told["failureCode"]) == ("FAILED", "cancelled")
    assert (told["cancellable"], told["waitingFor"]) == (False, None)
    assert (alice.available, alice.held) == (before, ZERO)
    with nothing_changes():
        assert cancel(alice, one).get_json()["payout"] == told
    with nothing_changes():
        assert sign(one) is None, "a job that comes late finds nothing to do"
    assert base.signed == []


def test_what_is_taken_back_counts_towards_no_limit(alice: Actor):
    one = accepted(alice)
    cancel(alice, one)
    assert withdraw(alice).status_code == 200, "no cooldown"
    quote = alice.post("/client/withdraw/quote", {"amount": "1", "network": "Base"})
    assert quote.json["quote"]["dailyLimitLeft"] == "49950.00"


def test_who_has_frozen_withdrawals_may_take_one_back(alice: Actor):
    one = accepted(alice)
    with transaction():
        users.lock(alice.id).withdrawals_frozen_at = clock.now()
    assert cancel(alice, one).status_code == 200


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


def test_what_the_chain_bears_already_is_not_taken_back(alice: Actor, base: FakeChain):
    one = accepted(alice)
    with only_waits(one, "already_sent"), transaction():
        payout = stored(one)
        payout.waits_for, payout.waits_since = "already_sent", clock.now()
    with nothing_changes():
        refused(cancel(alice, one), 409, "state_conflict")


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
