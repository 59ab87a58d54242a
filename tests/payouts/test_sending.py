"""Each step of a payout against each answer a network can give."""

import pytest
from sqlalchemy.exc import IntegrityError

from protonpay.chains.port import AlreadySent, NotReady, PayeeRefused, SendOutcome, SendState
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.payouts import sending
from protonpay.payouts.models import AttemptedPayout, PayoutAttempt
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.wire.http import NoAnswer
from tests.actors import Actor
from tests.events import events_of
from tests.payouts.fake_chain import FAILED, LANDED, LOST, UNSEEN, WAITING, FakeChain
from tests.payouts.orders import (
    WALLETS,
    accepted,
    attempts,
    broadcast,
    confirm,
    jobs,
    newest,
    put,
    sent,
    sign,
    stored,
    usdc,
)
from tests.plans.of_a_kind import change_plan, on_plan
from tests.unchanged import nothing_changes, only_changes

SILENT = NoAnswer("POST 127.0.0.1:8545: ReadTimeout")
# What is held was appended and never folded, so no folded balance moves.
BOOKED = ("journal_entries", "postings", "ledger_pending")
TRIED = ("payout_attempts", "attempted_payouts")
ENDED = ("payouts", *TRIED, "events", *BOOKED)


def _books(actor: Actor) -> tuple[str, str, str, str]:
    custody, fees = ledger.balance(chart.custody("Base")), ledger.balance(chart.FEES)
    return str(actor.available), str(actor.held), str(custody), str(fees)


# Signing


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

    with nothing_changes():
        assert sign(payout_id) == Later(2, repr(SILENT))
    assert sign(payout_id) is None
    assert stored(payout_id).state == "SIGNED"


@pytest.mark.parametrize("code", ["treasury_short", "gas_short", "usdc_paused"])
def test_a_payout_waits_as_long_as_we_cannot_send(alice: Actor, base: FakeChain, code: str):
    payout_id = accepted(alice)
    base.plan("read_terms", *[NotReady(code, "not now")] * 3)

    for _ in range(3):
        with nothing_changes():
            assert sign(payout_id) == Later(5, code)
    assert sign(payout_id) is None


@pytest.mark.parametrize("code", ["payee_blacklisted", "payee_not_a_wallet"])
def test_a_payee_who_can_never_be_paid_gets_everything_back(
    alice: Actor, base: FakeChain, code: str
):
    payout_id = accepted(alice)
    before = _books(alice)
    base.plan("read_terms", PayeeRefused(code, "Circle blocks this address."))
    moment = clock.now()

    with clock.frozen(moment), only_changes("payouts", "events", *BOOKED):
        assert sign(payout_id) is None

    assert (before[:2], _books(alice)) == (
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
    assert _books(alice) == ("949.95", "0.00", "50.00", "0.05")
    ((name, data),) = events_of(alice.id)
    assert (name, data["txHash"]) == ("payout.completed", "0xfound")


def test_a_payment_that_is_not_final_is_waited_for(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    base.plan("read_terms", AlreadySent(None, "seen in a block that may go"))

    with nothing_changes():
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


# Broadcasting


def test_the_stored_bytes_are_handed_to_the_node(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    sign(payout_id)

    with only_changes("payouts", "outbox"):
        assert broadcast(payout_id) is None

    assert base.handed == [attempts(payout_id)[0].raw]
    assert stored(payout_id).state == "SENT"
    assert jobs()[-1] == ("payouts.confirm", {"attempt_id": newest(payout_id)})


def test_what_became_of_bytes_nobody_answered_for_is_asked_next(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    sign(payout_id)
    base.plan("broadcast", SILENT)

    assert broadcast(payout_id) is None

    assert stored(payout_id).state == "SENT"
    assert jobs()[-1] == ("payouts.confirm", {"attempt_id": newest(payout_id)})


def test_without_an_open_attempt_nothing_is_handed_over(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)

    with nothing_changes():
        assert broadcast(payout_id) is None
        assert confirm(payout_id) is None
    assert base.asked == []


# Confirming


def test_a_payout_that_landed_is_settled_and_told(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    attempt = sent(payout_id)
    base.plan("outcome", LANDED)
    moment = clock.now()

    with clock.frozen(moment), only_changes(*ENDED):
        assert confirm(payout_id) is None

    payout = stored(payout_id)
    assert (payout.state, payout.failure_code, payout.ended_at) == ("COMPLETED", None, moment)
    assert payout.tx_hash == attempt.tx_hash
    (attempt,) = attempts(payout_id)
    assert (attempt.state, attempt.ended_at, attempt.sequence_used) == ("LANDED", moment, True)
    assert _books(alice) == ("949.95", "0.00", "50.00", "0.05")
    assert events_of(alice.id) == [
        (
            "payout.completed",
            {
                "id": payout_id,
                "userId": alice.id,
                "amount": "50.00",
                "fee": "0.05",
                "currency": "USDC",
                "network": "Base",
                "walletAddress": WALLETS["Base"],
                "txHash": attempt.tx_hash,
                "status": "COMPLETED",
            },
        )
    ]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (WAITING, "not final"),
        (SendOutcome(SendState.WAITING, reason="fee_too_low"), "fee_too_low"),
    ],
)
def test_what_is_not_final_is_asked_again(
    alice: Actor, base: FakeChain, outcome: SendOutcome, reason: str
):
    payout_id = accepted(alice)
    sent(payout_id)
    base.plan("outcome", *[outcome] * 3)

    for _ in range(3):
        with nothing_changes():
            assert confirm(payout_id) == Later(1, reason)
    assert len(base.handed) == 1


def test_bytes_the_node_does_not_know_are_handed_over_again(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    attempt = sent(payout_id)
    base.plan("outcome", UNSEEN, UNSEEN)

    with nothing_changes():
        assert confirm(payout_id) == Later(1, "not final")
        assert confirm(payout_id) == Later(1, "not final")
    assert base.handed == [attempt.raw] * 3
    assert len(base.signed) == 1


@pytest.mark.parametrize("call", ["outcome", "broadcast"])
def test_a_silence_changes_nothing_however_long_it_lasts(alice: Actor, base: FakeChain, call: str):
    payout_id = accepted(alice)
    sent(payout_id)
    if call == "broadcast":
        base.plan("outcome", *[UNSEEN] * 4)
    base.plan(call, *[SILENT] * 4)

    for _ in range(4):
        with nothing_changes():
            assert confirm(payout_id) == Later(2, repr(SILENT))
    base.plan("outcome", LANDED)
    confirm(payout_id)
    assert stored(payout_id).state == "COMPLETED"


def test_a_payment_that_landed_by_other_bytes_is_named_by_its_own_hash(
    alice: Actor, base: FakeChain
):
    payout_id = accepted(alice)
    sent(payout_id)
    elsewhere = SendOutcome(SendState.LANDED, sequence_used=False, tx_hash="0xelsewhere")
    base.plan("outcome", elsewhere)

    assert confirm(payout_id) is None

    assert stored(payout_id).tx_hash == "0xelsewhere"
    (attempt,) = attempts(payout_id)
    assert (attempt.state, attempt.sequence_used) == ("LANDED", False)
    ((_, data),) = events_of(alice.id)
    assert data["txHash"] == "0xelsewhere"
    assert _books(alice) == ("949.95", "0.00", "50.00", "0.05")


@pytest.mark.parametrize("reason", ["blocked_on_chain", None])
def test_a_payout_refused_on_chain_comes_back_with_its_fee(
    alice: Actor, base: FakeChain, reason: str | None
):
    payout_id = accepted(alice)
    attempt = sent(payout_id)
    base.plan("outcome", SendOutcome(SendState.FAILED, reason=reason))

    with only_changes(*ENDED):
        assert confirm(payout_id) is None

    code = reason or "refused_on_chain"
    assert (stored(payout_id).state, stored(payout_id).failure_code) == ("FAILED", code)
    assert _books(alice) == ("1000.00", "0.00", "0.00", "0.00")
    assert [(each.state, each.reason) for each in attempts(payout_id)] == [("FAILED", reason)]
    ((name, data),) = events_of(alice.id)
    assert (name, data["reason"], data["txHash"]) == ("payout.failed", code, attempt.tx_hash)


@pytest.mark.parametrize("code", ["treasury_short", "gas_short"])
def test_what_failed_for_want_of_our_own_funds_is_signed_anew(
    alice: Actor, base: FakeChain, code: str
):
    payout_id = accepted(alice)
    sent(payout_id)
    base.plan("outcome", SendOutcome(SendState.FAILED, reason=code))

    with only_changes("payouts", *TRIED, "outbox"):
        assert confirm(payout_id) is None

    assert stored(payout_id).state == "PENDING"
    assert jobs()[-1] == ("payouts.sign", {"payout_id": payout_id})
    assert alice.held == usdc("50.05")
    assert sent(payout_id).sequence == 8
    assert [each.state for each in attempts(payout_id)] == ["FAILED", "OPEN"]


def test_what_can_never_land_is_signed_anew_and_the_hold_stays(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    old = sent(payout_id)
    base.plan("outcome", LOST)

    with only_changes("payouts", *TRIED, "outbox"):
        assert confirm(payout_id) is None
    assert stored(payout_id).state == "PENDING"
    assert jobs()[-1] == ("payouts.sign", {"payout_id": payout_id})

    new = sent(payout_id)
    assert new.raw != old.raw
    base.plan("outcome", LANDED)
    confirm(payout_id)
    assert [each.state for each in attempts(payout_id)] == ["LOST", "LANDED"]
    assert stored(payout_id).tx_hash == new.tx_hash
    assert _books(alice) == ("949.95", "0.00", "50.00", "0.05")
    assert [name for name, _ in events_of(alice.id)] == ["payout.completed"]


def test_while_it_is_under_way_a_client_sees_pending(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)

    def shown() -> tuple[str, str | None]:
        payout = alice.get(f"/client/withdraw/{payout_id}").get_json()["payout"]
        return payout["status"], payout["txHash"]

    assert shown() == ("PENDING", None)
    attempt = sent(payout_id)
    assert shown() == ("PENDING", attempt.tx_hash)
    base.plan("outcome", LANDED)
    confirm(payout_id)
    assert shown() == ("COMPLETED", attempt.tx_hash)


# What the database itself holds


def test_the_database_allows_one_open_attempt_of_a_payout(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    attempt = sent(payout_id)
    second = PayoutAttempt(
        network="Base",
        sender=attempt.sender,
        sequence=99,
        sequence_used=True,
        raw=b"others",
        tx_hash="0xother",
        terms={},
        state="OPEN",
        created_at=clock.now(),
    )
    db.session.add(second)
    db.session.flush()

    db.session.add(AttemptedPayout(attempt_id=second.id, payout_id=payout_id, state="OPEN"))
    with pytest.raises(IntegrityError, match="uq_attempted_payouts_open"):
        db.session.flush()


def test_heads_are_noted_and_a_silent_node_is_left_out(
    base: FakeChain, polygon: FakeChain, solana: FakeChain
):
    polygon.plan("head", SILENT)

    sending.look_at_heads()

    heads = sending.beats.chain_heads()
    assert set(heads) == {"Base", "Solana"}
    assert heads["Base"] == {
        "latest": 10,
        "finalized": 8,
        "finalizedAt": 1_790_000_000,
        "seenAt": heads["Base"]["seenAt"],
        "age": heads["Base"]["age"],
    }
    assert 0 <= heads["Base"]["age"] <= 2


def test_a_failed_end_keeps_the_books_of_everyone_else(
    alice: Actor, mallory: Actor, base: FakeChain
):
    hers, theirs = accepted(alice, 50), accepted(mallory, 4)
    sent(hers)
    sent(theirs)
    base.plan("outcome", FAILED, LANDED)

    confirm(hers)
    confirm(theirs)

    assert (alice.available, alice.held) == (usdc("1000"), Usdc(0))
    assert (mallory.available, mallory.held) == (usdc("0.95"), Usdc(0))
    assert ledger.balance(chart.custody("Base")) == usdc("4")
