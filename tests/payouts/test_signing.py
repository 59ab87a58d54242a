"""Signing a payout against each answer a network can give."""

import pytest

from protonpay.auth import service as auth
from protonpay.chains.port import AlreadySent, NotReady, PayeeRefused
from protonpay.kernel import clock
from protonpay.payouts import waits
from protonpay.store.jobs import Later
from tests.actors import Actor
from tests.events import events_of
from tests.payouts.fake_chain import FakeChain
from tests.payouts.orders import (
    BOOKED,
    SILENT,
    TRIED,
    WALLETS,
    accepted,
    attempts,
    books,
    jobs,
    newest,
    only_waits,
    put,
    sign,
    stored,
    usdc,
)
from tests.plans.of_a_kind import change_plan, on_plan
from tests.unchanged import nothing_changes, only_changes


def test_a_payout_is_signed_and_stored_before_anybody_sees_it(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    moment = clock.now()

    with clock.frozen(moment), only_changes("payouts", *TRIED, "send_lanes", "outbox"):
        assert sign(payout_id) is None

    (send, (order,), replaces), (attempt,) = base.signed[0], attempts(payout_id)
    assert (order.payout_id, order.to, order.amount) == (payout_id, WALLETS["Base"], usdc("50"))
    assert replaces is None
    assert (attempt.network, attempt.sender, attempt.state) == ("Base", base.sender, "OPEN")
    assert (attempt.raw, attempt.tx_hash, attempt.sequence) == (send.raw, send.tx_hash, 7)
    assert attempt.terms == {"fee": 21_000, "expires": 0}
    assert (attempt.created_at, attempt.ended_at, attempt.reason) == (moment, None, None)
    payout = stored(payout_id)
    assert (payout.state, payout.tx_hash) == ("SIGNED", send.tx_hash)
    assert jobs()[-1] == ("payouts.broadcast", {"attempt_id": newest(payout_id)})
    assert base.handed == []
    assert alice.held == usdc("50.05")


def test_where_there_are_no_nonces_none_is_given_out(alice: Actor, solana: FakeChain):
    payout_id = accepted(alice, network="Solana")

    with only_changes("payouts", *TRIED, "outbox"):
        assert sign(payout_id) is None

    assert [attempt.sequence for attempt in attempts(payout_id)] == [None]


@pytest.mark.parametrize("call", ["read_terms", "next_sequence"])
def test_a_node_that_does_not_answer_is_asked_again(alice: Actor, base: FakeChain, call: str):
    payout_id = accepted(alice)
    base.plan(call, SILENT)

    with only_waits(payout_id, "node_silent"):
        assert sign(payout_id) == Later(2, repr(SILENT))
    assert sign(payout_id) is None
    assert stored(payout_id).state == "SIGNED"


@pytest.mark.parametrize("code", ["treasury_short", "gas_short", "usdc_paused"])
def test_a_payout_waits_as_long_as_we_cannot_send(alice: Actor, base: FakeChain, code: str):
    payout_id = accepted(alice)
    base.plan("read_terms", *[NotReady(code, "not now")] * 3)

    with only_waits(payout_id, code):
        assert sign(payout_id) == Later(5, code)
    for _ in range(2):
        with nothing_changes():
            assert sign(payout_id) == Later(5, code)
    assert sign(payout_id) is None


@pytest.mark.parametrize("code", ["payee_blacklisted", "payee_not_a_wallet"])
def test_a_payee_who_can_never_be_paid_gets_everything_back(
    alice: Actor, base: FakeChain, code: str
):
    payout_id = accepted(alice)
    before = books(alice)
    base.plan("read_terms", PayeeRefused(code, "Circle blocks this address."))
    moment = clock.now()

    with clock.frozen(moment), only_changes("payouts", "events", *BOOKED):
        assert sign(payout_id) is None

    assert (before[:2], books(alice)) == (
        ("949.95", "50.05"),
        ("1000.00", "0.00", "0.00", "0.00"),
    )
    payout = stored(payout_id)
    assert (payout.state, payout.failure_code, payout.ended_at) == ("FAILED", code, moment)
    assert payout.tx_hash is None
    assert base.signed == []
    assert events_of(alice.id) == [
        (
            "payout.failed",
            {
                "id": payout_id,
                "userId": alice.id,
                "amount": "50.00",
                "fee": "0.05",
                "currency": "USDC",
                "network": "Base",
                "walletAddress": WALLETS["Base"],
                "txHash": None,
                "status": "FAILED",
                "reason": code,
            },
        )
    ]
    shown = alice.get(f"/client/withdraw/{payout_id}").get_json()["payout"]
    assert (shown["status"], shown["failureCode"]) == ("FAILED", code)


def test_a_payout_the_chain_says_was_paid_is_settled_and_not_signed(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    base.plan("read_terms", AlreadySent("0xfound", "the authorization is used"))

    with only_changes("payouts", "events", *BOOKED):
        assert sign(payout_id) is None

    assert base.signed == []
    payout = stored(payout_id)
    assert (payout.state, payout.tx_hash) == ("COMPLETED", "0xfound")
    assert books(alice) == ("949.95", "0.00", "50.00", "0.05")
    ((name, data),) = events_of(alice.id)
    assert (name, data["txHash"]) == ("payout.completed", "0xfound")


def test_a_payment_that_is_not_final_is_waited_for(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    base.plan("read_terms", AlreadySent(None, "seen in a block that may go"))

    with only_waits(payout_id, "already_sent"):
        assert sign(payout_id) == Later(5, "already_sent")
    assert base.signed == []


@pytest.mark.parametrize("state", ["SIGNED", "SENT", "COMPLETED", "FAILED"])
def test_only_what_is_pending_is_signed(alice: Actor, base: FakeChain, state: str):
    payout_id = accepted(alice)
    put(payout_id, state)

    with nothing_changes():
        assert sign(payout_id) is None
    assert base.asked == []


def test_the_cooldown_is_asked_again_before_a_signature(alice: Actor, base: FakeChain):
    on_plan(alice, cooldown_seconds=0)
    first, second = accepted(alice), accepted(alice)
    change_plan(alice, cooldown_seconds=60)

    assert sign(second) is None
    assert sign(first) is None

    assert (stored(first).state, stored(second).state) == ("SIGNED", "FAILED")
    assert stored(second).failure_code == "withdrawal_cooldown"
    assert alice.held == usdc("50.05")
    assert [name for name, _ in events_of(alice.id)] == ["payout.failed"]


def test_what_a_suspended_account_has_ordered_waits_until_it_is_reinstated(
    alice: Actor, base: FakeChain
):
    payout_id = accepted(alice)
    auth.suspend(alice.id)

    with only_waits(payout_id, "account_suspended"):
        assert sign(payout_id) == Later(5, "account_suspended")
    assert waits.told(stored(payout_id)) == "account_frozen"
    assert base.signed == []

    auth.reinstate(alice.id)
    assert sign(payout_id) is None
    assert stored(payout_id).state == "SIGNED"


@pytest.mark.parametrize(
    ("column", "code"),
    [
        ("single_limit_micro", "plan_limit_exceeded"),
        ("daily_limit_micro", "daily_limit_exceeded"),
    ],
)
def test_a_limit_that_fell_meanwhile_is_kept(alice: Actor, base: FakeChain, column: str, code: str):
    on_plan(alice)
    payout_id = accepted(alice)
    change_plan(alice, **{column: 49_999_999})

    with only_changes("payouts", "events", *BOOKED):
        assert sign(payout_id) is None

    assert (stored(payout_id).state, stored(payout_id).failure_code) == ("FAILED", code)
    assert (alice.available, alice.held) == (usdc("1000"), usdc("0"))
    assert base.signed == []
