"""Handing in and confirming a payout against each answer a network can give."""

import pytest
from sqlalchemy.exc import IntegrityError

from protonpay.chains.port import SendOutcome, SendState
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.payouts import sending
from protonpay.payouts.models import AttemptedPayout, PayoutAttempt
from protonpay.store.db import db
from protonpay.store.jobs import Later
from tests.actors import Actor
from tests.events import events_of
from tests.payouts.fake_chain import FAILED, LANDED, LOST, UNSEEN, WAITING, FakeChain
from tests.payouts.orders import (
    ENDED,
    SILENT,
    TRIED,
    WALLETS,
    accepted,
    attempts,
    books,
    broadcast,
    confirm,
    jobs,
    newest,
    sent,
    sign,
    stored,
    usdc,
)
from tests.unchanged import nothing_changes, only_changes

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
    assert books(alice) == ("949.95", "0.00", "50.00", "0.05")
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
            assert confirm(payout_id) == Later(0.15, reason)
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
    assert books(alice) == ("949.95", "0.00", "50.00", "0.05")


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
    assert books(alice) == ("1000.00", "0.00", "0.00", "0.00")
    assert [(each.state, each.reason) for each in attempts(payout_id)] == [("FAILED", reason)]
    ((name, data),) = events_of(alice.id)
    assert (name, data["reason"], data["txHash"]) == ("payout.failed", code, attempt.tx_hash)


@pytest.mark.parametrize("code", ["treasury_short", "treasury_frozen", "gas_short"])
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
    assert books(alice) == ("949.95", "0.00", "50.00", "0.05")
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
        "small": 9,
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
