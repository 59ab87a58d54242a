"""Every step may run twice, and may break off anywhere: money moves once."""

from collections.abc import Callable

import psycopg
import pytest

from protonpay.chains.port import PayeeRefused, Prospect, SignedSend
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.payouts import sending
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.events import events_of
from tests.payouts.fake_chain import FAILED, LANDED, LOST, LOST_AND_FREE, FakeChain
from tests.payouts.orders import (
    accepted,
    attempts,
    broadcast,
    confirm,
    jobs,
    sent,
    sign,
    stored,
    usdc,
)
from tests.unchanged import nothing_changes


class Killed(BaseException):
    """The process ends here: nothing catches it."""


def dies(*_: object, **__: object) -> None:
    raise Killed


def broken_off(step: Callable[[str], object], payout_id: str) -> None:
    """Run a step that dies before its transaction commits."""
    with nothing_changes(), pytest.raises(Killed):
        step(payout_id)


def test_signing_twice_signs_once(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    sign(payout_id)

    with nothing_changes():
        assert sign(payout_id) is None
    assert len(base.signed) == 1


def test_a_payout_signed_by_another_while_the_node_was_asked_is_not_signed_again(
    alice: Actor, base: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    """Two workers hold the same job for a moment; the row decides, under the user's lock."""
    payout_id = accepted(alice)
    ask = base.next_sequence

    def meanwhile() -> int | None:
        monkeypatch.setattr(base, "next_sequence", ask)
        sign(payout_id)
        return ask()

    monkeypatch.setattr(base, "next_sequence", meanwhile)
    assert sign(payout_id) is None

    assert [attempt.sequence for attempt in attempts(payout_id)] == [7]
    assert len(base.signed) == 1
    assert [job for job, _ in jobs()] == ["payouts.sign", "payouts.broadcast"]


@pytest.mark.parametrize("refusal", [PayeeRefused("payee_blacklisted", "no")])
def test_a_refusal_that_comes_after_a_signature_fails_nothing(
    alice: Actor, base: FakeChain, monkeypatch: pytest.MonkeyPatch, refusal: PayeeRefused
):
    """The bytes of the other worker may land: they say how it ends."""
    payout_id = accepted(alice)

    def meanwhile(_orders: object) -> Prospect:
        monkeypatch.undo()
        sign(payout_id)
        return Prospect({}, (), {payout_id: refusal})

    monkeypatch.setattr(base, "read_terms", meanwhile)
    assert sign(payout_id) is None

    assert stored(payout_id).state == "SIGNED"
    assert alice.held == usdc("50.05")


def test_while_it_is_signed_nobody_else_can_end_it(
    base: FakeChain, open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
):
    """Another worker may just have been told that its payee is refused: it waits for the row."""
    payout_id = accepted(make_actor(open_house.app, "Ann", funded="100"))
    makes, found = base.sign, list[Exception]()

    def meanwhile(*given: object) -> SignedSend:
        with open_house.superuser() as another:
            another.execute("SET lock_timeout = '20ms'")
            try:
                another.execute("UPDATE payouts SET state = 'FAILED' WHERE id = %s", [payout_id])
            except psycopg.errors.LockNotAvailable as waits:
                found.append(waits)
        return makes(*given)

    monkeypatch.setattr(base, "sign", meanwhile)
    assert sign(payout_id) is None

    assert len(found) == 1
    assert stored(payout_id).state == "SIGNED"


@pytest.mark.parametrize(
    "where",
    [
        "ending.move",
        "outbox.finish",
        "outbox.add_begun",
        "attempts.store",
        "attempts.take_sequence",
    ],
)
def test_a_worker_killed_while_it_stores_a_signature_leaves_nothing(
    alice: Actor, base: FakeChain, monkeypatch: pytest.MonkeyPatch, where: str
):
    payout_id = accepted(alice)
    with monkeypatch.context() as killed:
        killed.setattr(f"protonpay.payouts.signing.{where}", dies)
        broken_off(sign, payout_id)

    assert sign(payout_id) is None
    assert [attempt.sequence for attempt in attempts(payout_id)] == [7]
    assert stored(payout_id).state == "SIGNED"


def test_a_worker_killed_between_handing_over_and_saying_so_hands_the_same_bytes_again(
    alice: Actor, base: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    payout_id = accepted(alice)
    sign(payout_id)
    with monkeypatch.context() as killed:
        killed.setattr(sending.ending, "move", dies)
        broken_off(broadcast, payout_id)

    assert broadcast(payout_id) is None

    raw = attempts(payout_id)[0].raw
    assert base.handed == [raw, raw]
    assert len(base.signed) == 1
    assert [job for job, _ in jobs()].count("payouts.confirm") == 1


def test_broadcasting_twice_asks_for_the_outcome_once(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    sent(payout_id)

    with nothing_changes():
        assert broadcast(payout_id) is None
    assert len(set(base.handed)) == 1


@pytest.mark.parametrize("outcome", [LANDED, FAILED])
@pytest.mark.parametrize(
    "where",
    [
        "attempts.end",
        "ending._move",
        "ending.ledger.post_all",
        "ending.publish_all",
        "ending._said",
    ],
)
def test_a_worker_killed_at_the_end_leaves_everything_as_it_was(
    alice: Actor, base: FakeChain, monkeypatch: pytest.MonkeyPatch, where: str, outcome: object
):
    payout_id = accepted(alice)
    sent(payout_id)
    base.plan("outcome", outcome, outcome)
    with monkeypatch.context() as killed:
        killed.setattr(f"protonpay.payouts.sending.{where}", dies)
        broken_off(confirm, payout_id)

    assert confirm(payout_id) is None

    landed = outcome is LANDED
    assert stored(payout_id).state == ("COMPLETED" if landed else "FAILED")
    assert ledger.balance(chart.custody("Base")) == usdc("50" if landed else "0")
    assert alice.held == Usdc(0)
    assert len(events_of(alice.id)) == 1


@pytest.mark.parametrize("outcome", [LANDED, FAILED, LOST])
def test_an_end_that_two_workers_see_happens_once(
    alice: Actor, base: FakeChain, monkeypatch: pytest.MonkeyPatch, outcome: object
):
    payout_id = accepted(alice)
    sent(payout_id)
    base.plan("outcome", outcome, outcome)
    ask = base.outcomes

    def meanwhile(send: object) -> object:
        monkeypatch.undo()
        confirm(payout_id)
        return ask(send)

    monkeypatch.setattr(base, "outcomes", meanwhile)
    assert confirm(payout_id) is None

    assert len(attempts(payout_id)) == 1
    ends = [job for job, _ in jobs()].count("payouts.sign")
    assert ends == (2 if outcome is LOST else 1)
    assert len(events_of(alice.id)) == (0 if outcome is LOST else 1)
    assert str(alice.available + alice.held) == {LANDED: "949.95"}.get(outcome, "1000.00")


def test_an_old_question_about_a_new_send_is_not_asked(alice: Actor, base: FakeChain):
    """A confirmation that runs late finds a send that is signed and not handed over yet."""
    payout_id = accepted(alice)
    sent(payout_id)
    base.plan("outcome", LOST, LANDED)
    confirm(payout_id)
    sign(payout_id)

    with nothing_changes():
        assert confirm(payout_id) is None
    assert len(base.handed) == 1


@pytest.mark.parametrize("outcome", [LANDED, FAILED])
def test_after_the_end_no_step_does_anything(alice: Actor, base: FakeChain, outcome: object):
    payout_id = accepted(alice)
    sent(payout_id)
    base.plan("outcome", outcome)
    confirm(payout_id)
    asked = list(base.asked)

    for step in (sign, broadcast, confirm):
        with nothing_changes():
            assert step(payout_id) is None
    assert base.asked == asked


def test_a_worker_killed_while_it_gives_a_send_up_leaves_its_nonce_taken(
    alice: Actor, base: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    payout_id = accepted(alice)
    sent(payout_id)
    base.plan("outcome", LOST_AND_FREE, LOST_AND_FREE)
    with monkeypatch.context() as killed:
        killed.setattr("protonpay.payouts.ending.outbox.add_each", dies)
        broken_off(confirm, payout_id)
    confirm(payout_id)

    assert sent(payout_id).sequence == 7
    assert [each.state for each in attempts(payout_id)] == ["LOST", "OPEN"]


def test_a_worker_killed_while_it_fills_a_free_nonce_leaves_it_free(
    alice: Actor, base: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    payout_id = accepted(alice)
    sent(payout_id)
    base.plan("outcome", LOST_AND_FREE)
    confirm(payout_id)
    with monkeypatch.context() as killed:
        killed.setattr(sending.attempts, "store", dies)
        broken_off(sign, payout_id)

    assert sent(payout_id).sequence == 7
