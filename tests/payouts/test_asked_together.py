"""Attempts that are asked about together: one look, each with an end and a next time of its own."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from protonpay.kernel import clock
from protonpay.ledger import audit
from protonpay.payouts import paying, sending
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.store.outbox import RUNNING_LEASE, OutboxRow
from tests.actors import Actor
from tests.events import events_of
from tests.payouts.fake_chain import FAILED, LANDED, UNSEEN, WAITING, FakeChain
from tests.payouts.orders import SILENT, accepted, attempts, confirm, jobs, newest, sent, stored
from tests.plans.of_a_kind import on_plan
from tests.unchanged import nothing_changes


@pytest.fixture
def three(alice: Actor, base: FakeChain) -> list[str]:
    """Three payouts on their way, each in a transaction of its own."""
    on_plan(alice, cooldown_seconds=0)
    ordered = [accepted(alice, 10) for _ in range(3)]
    for payout_id in ordered:
        sent(payout_id)
    return ordered


def _row(payout_id: str) -> OutboxRow:
    """Return the row of the payout's confirmation."""
    about = OutboxRow.args["attempt_id"].as_integer() == newest(payout_id)
    rows = select(OutboxRow).where(OutboxRow.job == "payouts.confirm", about)
    return db.session.scalars(rows.execution_options(populate_existing=True)).one()


def _due(payout_id: str, moment: datetime) -> None:
    row = _row(payout_id)
    db.session.execute(update(OutboxRow).where(OutboxRow.id == row.id).values(due_at=moment))
    db.session.commit()


def _states(payouts: list[str]) -> list[str]:
    return [stored(each).state for each in payouts]


def test_one_look_ends_all_that_are_due_and_the_others_jobs_find_nothing(
    alice: Actor, three: list[str], base: FakeChain
):
    base.plan("outcome", LANDED, FAILED, LANDED)

    assert confirm(three[0]) is None

    assert _states(three) == ["COMPLETED", "FAILED", "COMPLETED"]
    assert [each.state for each in attempts()] == ["LANDED", "FAILED", "LANDED"]
    assert len(events_of(alice.id)) == 3
    assert audit.findings() == []
    # Its own row is ended by its own job.
    assert [_row(each).done_at is None for each in three] == [True, False, False]
    asked = list(base.asked)
    for other in three[1:]:
        with nothing_changes():
            assert confirm(other) is None
    assert base.asked == asked


def test_those_that_wait_have_each_a_next_time(three: list[str], base: FakeChain):
    base.plan("outcome", WAITING, UNSEEN, LANDED)
    moment = clock.now()
    with clock.frozen(moment):
        assert confirm(three[0]) == Later(0.15, "not final")

    assert _states(three) == ["SENT", "SENT", "COMPLETED"]
    assert _row(three[1]).due_at == moment + timedelta(seconds=1), "not handed in again at once"
    assert _row(three[1]).last_error == "not final"
    assert base.handed[3:] == [attempts(three[1])[0].raw]


@pytest.mark.parametrize(("minutes", "seconds"), [(0.5, 3), (1, 6), (20, 15), (2000, 15)])
def test_what_takes_long_is_asked_about_less_often(
    three: list[str], base: FakeChain, minutes: float, seconds: int
):
    later = attempts(three[0])[0].created_at + timedelta(minutes=minutes)
    with clock.frozen(later):
        assert confirm(three[0]) == Later(seconds, "not final")


def test_who_is_not_due_or_elsewhere_is_not_taken_along(
    mallory: Actor, three: list[str], base: FakeChain, polygon: FakeChain
):
    elsewhere = accepted(mallory, 4, "Polygon")
    sent(elsewhere)
    _due(three[1], clock.now() + timedelta(seconds=5))
    base.plan("outcome", LANDED, LANDED, LANDED)
    polygon.plan("outcome", LANDED)

    confirm(three[0])

    assert _states([*three, elsewhere]) == ["COMPLETED", "SENT", "COMPLETED", "SENT"]


def test_of_a_silence_each_asks_alone_next_time(three: list[str], base: FakeChain):
    base.plan("outcome", SILENT)
    assert confirm(three[0]) == Later(2, repr(SILENT))
    assert [_row(each).last_error for each in three[1:]] == [repr(SILENT)] * 2

    with clock.frozen(clock.now() + timedelta(seconds=3)):
        base.plan("outcome", LANDED, LANDED, LANDED)
        confirm(three[1])
    assert _states(three) == ["COMPLETED", "COMPLETED", "SENT"], "the first's row never failed"


class Killed(BaseException):
    """The process ends here: nothing catches it."""


def dies(*_: object, **__: object) -> None:
    raise Killed


def test_a_worker_killed_in_the_middle_of_several_ends_none(
    three: list[str], base: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    base.plan("outcome", *[LANDED] * 6)
    with monkeypatch.context() as killed:
        killed.setattr(sending.outbox, "finish", dies)
        with nothing_changes(), pytest.raises(Killed):
            confirm(three[0])

    assert confirm(three[0]) is None
    assert _states(three) == ["COMPLETED"] * 3


def test_what_is_signed_is_handed_in_by_the_same_job(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)

    assert paying.pay(payout_id) is None

    assert stored(payout_id).state == "SENT"
    assert base.handed == [attempts(payout_id)[0].raw]
    open_ones = select(OutboxRow.job).where(
        OutboxRow.done_at.is_(None), OutboxRow.job.like("payouts.%")
    )
    assert list(db.session.scalars(open_ones)) == ["payouts.confirm"]


def test_a_worker_killed_before_it_hands_in_leaves_a_row_for_the_next(
    alice: Actor, base: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    payout_id, moment = accepted(alice), clock.now()
    with monkeypatch.context() as killed, clock.frozen(moment):
        killed.setattr(base, "broadcast", dies)
        with pytest.raises(Killed):
            paying.pay(payout_id)

    assert stored(payout_id).state == "SIGNED"
    assert jobs()[-1] == ("payouts.broadcast", {"attempt_id": newest(payout_id)})
    row = db.session.scalars(select(OutboxRow).where(OutboxRow.job == "payouts.broadcast")).one()
    assert (row.due_at, row.leased_until) == (moment, moment + RUNNING_LEASE)
    assert sending.broadcast(newest(payout_id)) is None
    assert base.handed == [attempts(payout_id)[0].raw]
