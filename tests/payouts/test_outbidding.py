"""Bytes that are not mined are outbid; whichever lands, the payout is settled once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from protonpay.chains.port import SendOutcome, SendState
from protonpay.kernel import clock
from protonpay.payouts.models import OutbidSend
from protonpay.payouts.sending import OUTBID_AFTER
from protonpay.rails import service as rails
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.wire.http import NoAnswer
from tests.actors import Actor
from tests.events import events_of
from tests.payouts.fake_chain import LANDED, UNSEEN, FakeChain
from tests.payouts.orders import (
    TRIED,
    accepted,
    attempts,
    books,
    confirm,
    jobs,
    outbid,
    sent,
    stored,
)
from tests.unchanged import nothing_changes, only_changes

SOON = OUTBID_AFTER - timedelta(seconds=1)


def kept() -> list[str]:
    return list(db.session.scalars(select(OutbidSend.tx_hash).order_by(OutbidSend.outbid_at)))


def asked_for() -> int:
    return [job for job, _ in jobs()].count("payouts.outbid")


def test_what_is_not_mined_is_asked_to_be_outbid_once_at_a_time(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    signed_at = sent(payout_id).created_at
    with clock.frozen(signed_at + SOON), nothing_changes():
        confirm(payout_id)
    with clock.frozen(signed_at + OUTBID_AFTER):
        with only_changes("outbox"):
            confirm(payout_id)
        with nothing_changes():
            confirm(payout_id)
    assert asked_for() == 1
    assert "outbid" not in base.asked, "who settles does not sign"


def test_dearer_bytes_are_stored_beside_the_old_ones_and_handed_in(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    first = sent(payout_id)
    old, raw, signed_at = first.tx_hash, first.raw, first.created_at
    base.plan("outbid", b"+", b"+")

    with clock.frozen(signed_at + SOON), nothing_changes():
        assert outbid(payout_id) is None
    moment = signed_at + OUTBID_AFTER
    with clock.frozen(moment), only_changes("payouts", TRIED[0], "outbid_sends"):
        assert outbid(payout_id) is None

    (now,) = attempts(payout_id)
    assert (now.raw, now.sequence, now.state, kept()) == (raw + b"+", first.sequence, "OPEN", [old])
    second = now.tx_hash
    assert stored(payout_id).tx_hash == second != old
    assert base.handed == [raw, raw + b"+"]
    base.plan("outcome", UNSEEN)
    with clock.frozen(moment + SOON), nothing_changes():
        assert outbid(payout_id) is None
        confirm(payout_id)
    assert base.handed == [raw, raw + b"+", raw + b"+"]
    with clock.frozen(moment + OUTBID_AFTER):
        outbid(payout_id)
    assert kept() == [old, second]


@pytest.mark.parametrize("which", ["first", "second"])
def test_whichever_lands_is_booked_once_under_its_own_name(
    alice: Actor, base: FakeChain, which: str
):
    payout_id = accepted(alice)
    first = sent(payout_id)
    old, signed_at = first.tx_hash, first.created_at
    base.plan("outbid", b"+")
    with clock.frozen(signed_at + OUTBID_AFTER):
        outbid(payout_id)
    new = attempts(payout_id)[0].tx_hash
    by_old = SendOutcome(SendState.LANDED, tx_hash=old)
    base.plan("outcome", LANDED if which == "second" else by_old)

    confirm(payout_id)
    with nothing_changes():
        confirm(payout_id)

    assert stored(payout_id).tx_hash == (new if which == "second" else old)
    assert books(alice) == ("949.95", "0.00", "50.00", "0.05")
    assert [name for name, _ in events_of(alice.id)] == ["payout.completed"]


def test_where_it_does_not_help_or_payouts_are_paused_nothing_is_signed(
    alice: Actor, base: FakeChain
):
    payout_id = accepted(alice)
    signed_at = sent(payout_id).created_at
    rails.pause("Base", reason="a look", by="olga")
    base.plan("outbid", None, b"+")

    with clock.frozen(signed_at + OUTBID_AFTER), nothing_changes():
        assert outbid(payout_id) is None
        assert outbid(payout_id) is None

    assert (kept(), len(base.handed)) == ([], 1)


def test_a_node_that_says_nothing_is_asked_again_and_what_it_did_not_take_is_handed_in_again(
    alice: Actor, base: FakeChain
):
    payout_id = accepted(alice)
    first = sent(payout_id)
    moment, silent = first.created_at + OUTBID_AFTER, NoAnswer("nothing")
    base.plan("outbid", silent, b"+")
    base.plan("broadcast", silent)

    with clock.frozen(moment), nothing_changes():
        assert isinstance(outbid(payout_id), Later)
    with clock.frozen(moment):
        assert outbid(payout_id) is None
    assert kept() == [first.tx_hash]
    with clock.frozen(moment), nothing_changes():
        assert outbid(payout_id) is None, "they are new"
        base.plan("outcome", UNSEEN)
        confirm(payout_id)
    assert base.handed[-1] == first.raw + b"+"
