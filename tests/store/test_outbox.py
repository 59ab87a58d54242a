"""A row is due until its job acknowledges it, whatever becomes of the queue."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.store import db, outbox, queue
from protonpay.store.db import transaction
from protonpay.store.jobs import CARDS, CHAIN, JOBS, MAINTENANCE, QUEUES
from protonpay.store.outbox import QUEUED_LEASE, RUNNING_LEASE, OutboxRow, Ticket
from protonpay.store.queue import RedisDoor, door, named
from tests.committed import OpenHouse

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.usefixtures("house")


def _rows() -> list[OutboxRow]:
    rows = select(OutboxRow).order_by(OutboxRow.id).execution_options(populate_existing=True)
    return list(db.db.session.scalars(rows))


def _row() -> OutboxRow:
    (row,) = _rows()
    return row


def _state() -> list[tuple[Any, ...]]:
    db.db.session.expire_all()
    return db.execute("SELECT * FROM outbox ORDER BY id", {}).fetchall()


def _waiting(of: str = CHAIN) -> list[str]:
    return named(of).job_ids


def _add(delay_seconds: int = 0, job: str = "payouts.sign", at: datetime = NOON) -> Ticket:
    with clock.frozen(at), transaction():
        outbox.add(job, delay_seconds=delay_seconds, payout_id="p")
    last = _rows()[-1]
    return Ticket(last.id, last.fence)


def _sweep(at: datetime, limit: int = 200) -> int:
    with clock.frozen(at):
        return outbox.sweep(limit)


class TestAdding:
    def test_a_row_due_at_once_is_in_the_queue_when_it_is_committed(self):
        with clock.frozen(NOON), transaction():
            outbox.add("payouts.sign", payout_id="p", attempt=3)
            assert _waiting() == []

        row = _row()
        assert (row.job, row.args) == ("payouts.sign", {"payout_id": "p", "attempt": 3})
        assert (row.fence, row.failures, row.done_at, row.dead_at) == (1, 0, None, None)
        assert (row.due_at, row.created_at) == (NOON, NOON)
        assert row.leased_until == NOON + QUEUED_LEASE
        assert _waiting() == [f"outbox-{row.id}-1"]

    def test_a_row_for_later_is_in_nobodys_hands(self):
        _add(delay_seconds=60)
        row = _row()
        assert (row.due_at, row.fence, row.leased_until) == (NOON + 60 * SECOND, 0, None)
        assert _waiting() == []

    def test_what_is_undone_leaves_no_row_and_no_entry(self):
        def stumble() -> None:
            with transaction():
                outbox.add("payouts.sign", payout_id="p")
                raise LookupError

        with pytest.raises(LookupError):
            stumble()
        assert (_rows(), _waiting()) == ([], [])

    def test_a_job_the_table_does_not_have_is_refused(self):
        with pytest.raises(KeyError), transaction():
            outbox.add("payouts.dance", payout_id="p")
        assert _rows() == []

    def test_the_entry_names_the_function_and_carries_ids_as_json(self):
        ticket = _add()
        entry = Job.fetch(
            f"outbox-{ticket.row_id}-1", connection=door.client, serializer=JSONSerializer
        )
        job = JOBS["payouts.sign"]
        assert entry.func_name == job.path
        assert (list(entry.args), entry.timeout) == ([ticket.row_id, 1], job.timeout_seconds)
        assert json.loads(entry.data) == [job.path, None, [ticket.row_id, 1], {}]

    def test_each_job_goes_to_its_own_queue(self):
        for job in JOBS:
            _add(job=job)
        for name in QUEUES:
            expected = sum(job.queue == name for job in JOBS.values())
            assert len(_waiting(name)) == expected

    def test_without_redis_the_row_stands_and_the_caller_goes_on(self, monkeypatch):
        away = RedisDoor()
        away.bind("redis://127.0.0.1:9")
        with monkeypatch.context() as patch:
            patch.setattr(door, "_client", away.client)
            _add()
        assert _waiting() == []
        assert _sweep(NOON + QUEUED_LEASE + SECOND) == 1
        assert _waiting() == [f"outbox-{_row().id}-2"]


class TestSweeping:
    def test_leaves_what_is_not_due(self):
        _add(delay_seconds=60)
        assert _sweep(NOON + 59 * SECOND) == 0
        assert _waiting() == []

    def test_pushes_what_is_due(self):
        ticket = _add(delay_seconds=60)
        assert _sweep(NOON + 60 * SECOND) == 1
        assert _waiting() == [f"outbox-{ticket.row_id}-1"]
        assert (_row().fence, _row().leased_until) == (1, NOON + 60 * SECOND + QUEUED_LEASE)

    def test_leaves_what_waits_in_the_queue(self):
        _add()
        assert _sweep(NOON + QUEUED_LEASE) == 0

    def test_an_emptied_redis_costs_a_delay(self):
        ticket = _add()
        door.client.flushdb()
        assert _sweep(NOON + SECOND) == 0
        assert _sweep(NOON + QUEUED_LEASE + SECOND) == 1
        assert _waiting() == [f"outbox-{ticket.row_id}-2"]

    def test_takes_the_longest_due_first_and_no_more_than_its_limit(self):
        delays = (30, 10, 50, 20, 40)
        ids = {delay: _add(delay).row_id for delay in delays}
        assert _sweep(NOON + 60 * SECOND, limit=2) == 2
        assert set(_waiting()) == {f"outbox-{ids[10]}-1", f"outbox-{ids[20]}-1"}
        assert _sweep(NOON + 60 * SECOND, limit=2) == 2
        assert _sweep(NOON + 60 * SECOND, limit=2) == 1
        assert _sweep(NOON + 60 * SECOND, limit=2) == 0

    def test_is_not_stopped_by_a_job_it_does_not_know(self):
        """Another release may write rows while this one still sweeps."""
        _add(delay_seconds=1)
        with transaction():
            db.execute("UPDATE outbox SET job = 'payouts.invented_tomorrow'", {})
        ticket = _add(delay_seconds=2)
        before = _state()[0]
        assert _sweep(NOON + 3 * SECOND) == 1
        assert _waiting() == [f"outbox-{ticket.row_id}-1"]
        assert _state()[0] == before

    def test_adds_nothing_to_a_queue_that_is_long_already(self):
        """Handing rows out again makes the entries that wait stale: a worker would never end."""
        tickets = [_add() for _ in range(3)]
        other = _add(job="deposits.card_check")
        for number in range(200):
            door.client.rpush(named(CHAIN).key, f"waits-{number}")

        assert _sweep(NOON + QUEUED_LEASE + SECOND) == 1
        assert f"outbox-{other.row_id}-2" in _waiting(CARDS)
        with clock.frozen(NOON + QUEUED_LEASE + SECOND):
            assert [outbox.begin(ticket) for ticket in tickets] == [{"payout_id": "p"}] * 3

    def test_what_is_under_way_goes_before_what_has_not_begun_however_long_the_queue(self):
        for number in range(200):
            door.client.rpush(named(CHAIN).key, f"waits-{number}")
        late = _add(delay_seconds=1, job="payouts.broadcast")

        assert _sweep(NOON + 2 * SECOND) == 1

        assert _waiting()[0] == f"outbox-{late.row_id}-1"

    def test_twenty_at_once_push_each_row_once(self, open_house: OpenHouse):
        with transaction() as session:
            for number in range(150):
                session.add(
                    OutboxRow(
                        job="payouts.sign", args={}, due_at=NOON + number * SECOND, created_at=NOON
                    )
                )
        swept = open_house.inside_at_once([lambda: outbox.sweep(20)] * 20)

        assert sum(swept) == 150
        assert outbox.sweep() == 0
        assert {row.fence for row in _rows()} == {1}
        assert sorted(_waiting()) == sorted(f"outbox-{row.id}-1" for row in _rows())


class TestRunning:
    def test_who_begins_gets_the_arguments_and_a_lease(self):
        ticket = _add()
        with clock.frozen(NOON + 3 * SECOND):
            assert outbox.begin(ticket) == {"payout_id": "p"}
        assert _row().leased_until == NOON + 3 * SECOND + RUNNING_LEASE

    def test_a_renewed_lease_keeps_the_sweeper_away(self):
        ticket = _add()
        with clock.frozen(NOON):
            outbox.begin(ticket)
        with clock.frozen(NOON + 9 * SECOND):
            outbox.renew(ticket)
        assert _sweep(NOON + 18 * SECOND) == 0
        assert _sweep(NOON + 20 * SECOND) == 1

    def test_a_worker_that_falls_silent_loses_its_row(self):
        ticket = _add()
        with clock.frozen(NOON):
            outbox.begin(ticket)
        assert _sweep(NOON + RUNNING_LEASE) == 0
        assert _sweep(NOON + RUNNING_LEASE + SECOND) == 1
        assert outbox.begin(ticket) is None
        assert outbox.begin(Ticket(ticket.row_id, 2)) == {"payout_id": "p"}

    def test_what_is_acknowledged_is_done_for_good(self):
        ticket = _add()
        with clock.frozen(NOON):
            outbox.begin(ticket)
            outbox.postpone(ticket, 1, "not yet")
            outbox.ack(ticket)
        row = _row()
        assert (row.done_at, row.leased_until, row.last_error) == (NOON, None, None)
        before = _state()
        assert outbox.begin(ticket) is None
        outbox.ack(ticket)
        outbox.postpone(ticket, 1, "late")
        assert outbox.fail(ticket, "late") is False
        assert _sweep(NOON + timedelta(days=30)) == 0
        assert _state() == before

    def test_postponing_is_no_failure_however_often(self):
        ticket = _add()
        for _ in range(50):
            with clock.frozen(NOON):
                outbox.postpone(ticket, 7, "not final")
        row = _row()
        assert (row.failures, row.dead_at, row.last_error) == (0, None, "not final")
        assert (row.due_at, row.leased_until) == (NOON + 7 * SECOND, None)
        assert _sweep(NOON + 6 * SECOND) == 0
        assert _sweep(NOON + 7 * SECOND) == 1

    def test_a_late_renewal_does_not_take_a_postponed_row_back(self):
        ticket = _add()
        with clock.frozen(NOON):
            outbox.begin(ticket)
            outbox.postpone(ticket, 1, "not final")
            before = _state()
            outbox.renew(ticket)
        assert _state() == before
        assert _sweep(NOON + SECOND) == 1

    @pytest.mark.parametrize(
        "late",
        [
            outbox.renew,
            outbox.ack,
            lambda ticket: outbox.postpone(ticket, 1, "late"),
            lambda ticket: outbox.fail(ticket, "late"),
            outbox.begin,
        ],
        ids=["renew", "ack", "postpone", "fail", "begin"],
    )
    def test_who_comes_with_an_old_fence_changes_nothing(self, late):
        ticket = _add()
        _sweep(NOON + QUEUED_LEASE + SECOND)
        before = _state()
        assert not late(ticket)
        assert _state() == before

    def test_long_reasons_are_cut(self):
        ticket = _add()
        outbox.postpone(ticket, 1, "x" * 5000)
        assert len(_row().last_error or "") == 2000


class TestFailing:
    def test_waits_as_the_table_says_and_then_is_dead(self):
        ticket, waits = _add(), JOBS["payouts.sign"].retry_seconds
        for failures, seconds in enumerate(waits, 1):
            with clock.frozen(NOON):
                assert outbox.fail(ticket, f"failure {failures}") is False
            row = _row()
            assert (row.failures, row.due_at) == (failures, NOON + seconds * SECOND)
            assert (row.leased_until, row.last_error) == (None, f"failure {failures}")
        with clock.frozen(NOON):
            assert outbox.fail(ticket, "the last") is True
        assert (_row().dead_at, _row().last_error) == (NOON, "the last")
        assert list(waits) == sorted(waits)

    def _kill(self) -> Ticket:
        ticket = _add()
        for _ in range(len(JOBS["payouts.sign"].retry_seconds) + 1):
            outbox.fail(ticket, "again")
        door.client.flushdb()
        return ticket

    def test_a_dead_row_is_left_to_an_operator(self):
        ticket = self._kill()
        before = _state()
        assert _sweep(NOON + timedelta(days=30)) == 0
        assert outbox.begin(ticket) is None
        outbox.ack(ticket)
        assert [row.id for row in outbox.dead_rows()] == [ticket.row_id]
        assert _state() == before

    def test_a_replayed_row_is_due_again_with_all_its_retries(self):
        ticket, alive = self._kill(), _add(delay_seconds=60)
        with clock.frozen(NOON):
            assert outbox.replay([ticket.row_id, alive.row_id, 10**9]) == 1
        row = _rows()[0]
        assert (row.dead_at, row.failures, row.due_at) == (None, 0, NOON)
        assert _sweep(NOON) == 1
        assert _waiting() == [f"outbox-{ticket.row_id}-2"]
        assert outbox.dead_rows() == []


class TestFinishing:
    """Work done along with other work needs no job of its own any more."""

    @staticmethod
    def _three() -> list[Ticket]:
        with clock.frozen(NOON), transaction():
            for name in ("p", "q", "r"):
                outbox.add("payouts.sign", payout_id=name)
            outbox.add("payouts.broadcast", payout_id="p")
        return [Ticket(row.id, row.fence) for row in _rows()]

    def test_its_rows_end_and_their_entries_are_taken_back(self):
        first, second, _, other = self._three()
        with clock.frozen(NOON + SECOND), transaction():
            outbox.finish("payouts.sign", "payout_id", ["p", "r", "s"])
            assert len(_waiting()) == 4, "not before the commit"

        done = [row.done_at for row in _rows()]
        assert done == [NOON + SECOND, None, NOON + SECOND, None]
        assert _waiting() == [f"outbox-{other.row_id}-1", f"outbox-{second.row_id}-1"]
        assert not door.client.exists(f"rq:job:outbox-{first.row_id}-1")
        assert outbox.begin(first) is None, "whoever has it in hand finds nothing to do"

    def test_an_entry_that_was_pushed_again_is_taken_back_with_the_one_before(self):
        self._three()
        _sweep(NOON + QUEUED_LEASE + SECOND)
        assert len(_waiting()) == 8
        with transaction():
            outbox.finish("payouts.sign", "payout_id", ["p", "q", "r"])
        assert len(_waiting()) == 2

    def test_what_is_undone_ends_nothing(self):
        self._three()

        def stumble() -> None:
            with transaction():
                outbox.finish("payouts.sign", "payout_id", ["p"])
                raise LookupError

        with pytest.raises(LookupError):
            stumble()
        assert [row.done_at for row in _rows()] == [None] * 4
        assert len(_waiting()) == 4

    def test_a_row_that_somebody_holds_is_left_to_its_job(self, open_house: OpenHouse):
        first, second, *_ = self._three()
        db.db.session.commit()
        with open_house.superuser() as somebody, somebody.transaction():
            somebody.execute("SELECT FROM outbox WHERE id = %s FOR UPDATE", [first.row_id])
            with transaction():
                outbox.finish("payouts.sign", "payout_id", ["p", "q"])
        open_ones = {row.id for row in _rows() if row.done_at is None}
        assert first.row_id in open_ones
        assert second.row_id not in open_ones

    def test_an_index_finds_them(self):
        self._three()
        with transaction():
            db.execute("SET LOCAL enable_seqscan = off", {})
            plan = db.execute(
                "EXPLAIN SELECT id FROM outbox WHERE job = 'payouts.sign'"
                " AND args ->> 'payout_id' = ANY (ARRAY['p', 'q']) AND done_at IS NULL",
                {},
            ).fetchall()
        assert "ix_outbox_sign" in str(plan)


def test_old_rows_that_are_done_are_deleted_and_no_others():
    done, fresh, waiting = _add(), _add(), _add()
    with clock.frozen(NOON - timedelta(days=8)):
        outbox.ack(done)
    with clock.frozen(NOON - timedelta(days=6)):
        outbox.ack(fresh)
    with clock.frozen(NOON):
        assert outbox.prune() == 1
    assert [row.id for row in _rows()] == [fresh.row_id, waiting.row_id]


def test_the_backlog_counts_by_job():
    _add(delay_seconds=-90)
    _add(delay_seconds=-30)
    _add(delay_seconds=60)
    dead = _add(job="deposits.card_check")
    done = _add(job="deposits.card_callback")
    with transaction():
        db.execute("UPDATE outbox SET dead_at = now() WHERE id = %(id)s", {"id": dead.row_id})
    outbox.ack(done)
    with clock.frozen(NOON):
        lines = outbox.backlog()
    assert lines == [
        outbox.Backlog("deposits.card_check", waiting=0, due=0, oldest_due_seconds=0, dead=1),
        outbox.Backlog("payouts.sign", waiting=3, due=2, oldest_due_seconds=90, dead=0),
    ]


def test_maintenance_has_a_queue_of_its_own():
    assert {job.queue for job in JOBS.values()} <= set(QUEUES)
    assert MAINTENANCE in QUEUES
    assert queue.has_room(JOBS["payouts.sign"])
