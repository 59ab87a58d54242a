"""How a job ends is written on its row, whatever the job does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.kernel.errors import Unavailable
from protonpay.store import beats, db, outbox, queue
from protonpay.store.db import transaction
from protonpay.store.jobs import JOBS, PERIODIC, Later
from protonpay.store.outbox import OutboxRow, Ticket
from protonpay.telemetry import metrics
from workers.job import drain, job, periodic

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
NAME = "payouts.sign"

pytestmark = pytest.mark.usefixtures("house", "own_jobs")


class Panic(BaseException):
    """As a compiled library raises it: no Exception."""


class _Seen(list[str]):
    """A job that notes what it was given."""

    __name__ = "seen"

    def __call__(self, payout_id: str) -> None:
        self.append(payout_id)


@pytest.fixture
def ticket() -> Ticket:
    with clock.frozen(NOON), transaction():
        outbox.add(NAME, payout_id="p")
    return Ticket(_row().id, 1)


def _row() -> OutboxRow:
    rows = select(OutboxRow).execution_options(populate_existing=True)
    return db.db.session.scalars(rows).one()


def _run(work: Any, ticket: Ticket) -> None:
    with clock.frozen(NOON):
        job(NAME)(work)(ticket.row_id, ticket.fence)


def _counted(end: str) -> float:
    return metrics.JOBS.labels(NAME, end)._value.get()


def _raise(error: BaseException) -> Any:
    def work(payout_id: str) -> None:
        raise error

    return work


def test_a_job_gets_its_arguments_by_name_and_is_done(ticket: Ticket):
    seen, before = [], _counted("done")

    def work(payout_id: str) -> None:
        seen.append((payout_id, _row().leased_until))

    _run(work, ticket)

    assert seen == [("p", NOON + outbox.RUNNING_LEASE)]
    assert (_row().done_at, _row().leased_until) == (NOON, None)
    assert _counted("done") == before + 1


def test_a_job_that_is_not_finished_comes_back_later(ticket: Ticket):
    before = _counted("later")
    _run(lambda **_: Later(30, "not final"), ticket)
    row = _row()
    assert (row.done_at, row.leased_until, row.failures) == (None, None, 0)
    assert (row.due_at, row.last_error) == (NOON + timedelta(seconds=30), "not final")
    assert _counted("later") == before + 1


@pytest.mark.parametrize(
    "error",
    [LookupError("a bug"), Unavailable("database_busy", "Busy."), Panic("out of range")],
    ids=repr,
)
def test_a_job_that_raises_comes_back_after_its_first_wait(ticket: Ticket, error: BaseException):
    before = _counted("failed")
    _run(_raise(error), ticket)
    row = _row()
    assert (row.done_at, row.dead_at, row.leased_until, row.failures) == (None, None, None, 1)
    assert row.due_at == NOON + timedelta(seconds=JOBS[NAME].retry_seconds[0])
    assert row.last_error == repr(error)
    assert _counted("failed") == before + 1


def test_a_job_that_raises_too_often_is_dead(ticket: Ticket):
    before = _counted("dead")
    for _ in JOBS[NAME].retry_seconds:
        _run(_raise(LookupError()), ticket)
    assert _row().dead_at is None
    _run(_raise(LookupError()), ticket)
    assert _row().dead_at == NOON
    assert _counted("dead") == before + 1
    _run(seen := _Seen(), ticket)
    assert seen == []


def test_a_job_that_fails_in_the_middle_leaves_nothing_half_done(ticket: Ticket):
    def work(payout_id: str) -> None:
        with transaction():
            db.execute("UPDATE plans SET cooldown_seconds = 1", {})
            raise LookupError

    _run(work, ticket)
    assert db.execute("SELECT cooldown_seconds FROM plans", {}).fetchone() == (60,)


def test_a_stale_job_does_not_run(ticket: Ticket):
    before, seen = _counted("stale"), _Seen()
    with clock.frozen(NOON + outbox.QUEUED_LEASE + timedelta(seconds=1)):
        assert outbox.sweep() == 1
    _run(seen, ticket)
    assert (seen, _counted("stale")) == ([], before + 1)
    assert _row().done_at is None
    _run(seen, Ticket(ticket.row_id, 2))
    assert (seen, _row().done_at) == (["p"], NOON)


def test_a_job_whose_row_was_handed_out_while_it_ran_changes_nothing(ticket: Ticket):
    swept = []

    def work(payout_id: str) -> None:
        with clock.frozen(NOON + outbox.RUNNING_LEASE + timedelta(seconds=1)):
            swept.append(outbox.sweep())

    _run(work, ticket)
    assert swept == [1]
    row = _row()
    assert (row.done_at, row.fence, row.failures) == (None, 2, 0)


def test_a_job_that_is_done_does_not_run_twice(ticket: Ticket):
    seen = _Seen()
    _run(seen, ticket)
    _run(seen, ticket)
    assert seen == ["p"]


def test_being_told_to_stop_is_no_failure(ticket: Ticket):
    with pytest.raises(SystemExit):
        _run(_raise(SystemExit()), ticket)
    row = _row()
    assert (row.failures, row.done_at) == (0, None)
    assert row.leased_until == NOON + outbox.RUNNING_LEASE


def test_a_job_shows_that_its_queue_is_served(ticket: Ticket):
    _run(_Seen(), ticket)
    with clock.frozen(NOON):
        assert beats.queue_ages() == {JOBS[NAME].queue: 0}


class TestRounds:
    NAME = "ledger.fold"

    def _ring(self) -> bool:
        return queue.ring(self.NAME, PERIODIC[self.NAME])

    def test_a_round_lets_the_next_one_in_as_it_begins(self):
        self._ring()
        rung = []
        periodic(self.NAME)(lambda: rung.append(self._ring()))()
        assert rung == [True]

    def test_a_round_shows_that_its_queue_is_served(self):
        with clock.frozen(NOON):
            periodic(self.NAME)(lambda: None)()
            assert beats.queue_ages() == {"maintenance": 0}

    def test_a_failing_round_is_the_queues_to_remember(self):
        self._ring()

        def stumble() -> None:
            raise LookupError

        with pytest.raises(LookupError):
            periodic(self.NAME)(stumble)()
        assert self._ring()

    def test_draining_goes_on_while_batches_come_back_full(self):
        batches = iter([10, 10, 3, 10])
        drain(lambda: next(batches), 10)
        assert list(batches) == [10]
