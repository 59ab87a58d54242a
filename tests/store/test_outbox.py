"""A row is due until its job acknowledges it, whatever becomes of the queue."""

import json
from datetime import timedelta

import pytest
from rq.job import Job
from rq.serializers import JSONSerializer

from protonpay.kernel import clock
from protonpay.store import db, outbox, queue
from protonpay.store.db import transaction
from protonpay.store.jobs import CARDS, CHAIN, JOBS, MAINTENANCE, QUEUES
from protonpay.store.outbox import QUEUED_LEASE, RUNNING_LEASE, OutboxRow, Ticket
from protonpay.store.queue import RedisDoor, door, named
from tests.committed import OpenHouse
from tests.store.outboxed import NOON, SECOND, add, all_rows, everything, sweep, the_row, waiting_in

pytestmark = pytest.mark.usefixtures("house")


class TestAdding:
    def test_a_row_due_at_once_is_in_the_queue_when_it_is_committed(self):
        with clock.frozen(NOON), transaction():
            outbox.add("payouts.sign", payout_id="p", attempt=3)
            assert waiting_in() == []

        row = the_row()
        assert (row.job, row.args) == ("payouts.sign", {"payout_id": "p", "attempt": 3})
        assert (row.fence, row.failures, row.done_at, row.dead_at) == (1, 0, None, None)
        assert (row.due_at, row.created_at) == (NOON, NOON)
        assert row.leased_until == NOON + QUEUED_LEASE
        assert waiting_in() == [f"outbox-{row.id}-1"]

    def test_a_row_for_later_is_in_nobodys_hands(self):
        add(delay_seconds=60)
        row = the_row()
        assert (row.due_at, row.fence, row.leased_until) == (NOON + 60 * SECOND, 0, None)
        assert waiting_in() == []

    def test_what_is_undone_leaves_no_row_and_no_entry(self):
        def stumble() -> None:
            with transaction():
                outbox.add("payouts.sign", payout_id="p")
                raise LookupError

        with pytest.raises(LookupError):
            stumble()
        assert (all_rows(), waiting_in()) == ([], [])

    def test_a_job_the_table_does_not_have_is_refused(self):
        with pytest.raises(KeyError), transaction():
            outbox.add("payouts.dance", payout_id="p")
        assert all_rows() == []

    def test_the_entry_names_the_function_and_carries_ids_as_json(self):
        ticket = add()
        entry = Job.fetch(
            f"outbox-{ticket.row_id}-1", connection=door.client, serializer=JSONSerializer
        )
        job = JOBS["payouts.sign"]
        assert entry.func_name == job.path
        assert (list(entry.args), entry.timeout) == ([ticket.row_id, 1], job.timeout_seconds)
        assert json.loads(entry.data) == [job.path, None, [ticket.row_id, 1], {}]

    def test_each_job_goes_to_its_own_queue(self):
        for job in JOBS:
            add(job=job)
        for name in QUEUES:
            expected = sum(job.queue == name for job in JOBS.values())
            assert len(waiting_in(name)) == expected

    def test_without_redis_the_row_stands_and_the_caller_goes_on(self, monkeypatch):
        away = RedisDoor()
        away.bind("redis://127.0.0.1:9")
        with monkeypatch.context() as patch:
            patch.setattr(door, "_client", away.client)
            add()
        assert waiting_in() == []
        assert sweep(NOON + QUEUED_LEASE + SECOND) == 1
        assert waiting_in() == [f"outbox-{the_row().id}-2"]


class TestSweeping:
    def test_leaves_what_is_not_due(self):
        add(delay_seconds=60)
        assert sweep(NOON + 59 * SECOND) == 0
        assert waiting_in() == []

    def test_pushes_what_is_due(self):
        ticket = add(delay_seconds=60)
        assert sweep(NOON + 60 * SECOND) == 1
        assert waiting_in() == [f"outbox-{ticket.row_id}-1"]
        assert (the_row().fence, the_row().leased_until) == (1, NOON + 60 * SECOND + QUEUED_LEASE)

    def test_leaves_what_waits_in_the_queue(self):
        add()
        assert sweep(NOON + QUEUED_LEASE) == 0

    def test_an_emptied_redis_costs_a_delay(self):
        ticket = add()
        door.client.flushdb()
        assert sweep(NOON + SECOND) == 0
        assert sweep(NOON + QUEUED_LEASE + SECOND) == 1
        assert waiting_in() == [f"outbox-{ticket.row_id}-2"]

    def test_takes_the_longest_due_first_and_no_more_than_its_limit(self):
        delays = (30, 10, 50, 20, 40)
        ids = {delay: add(delay).row_id for delay in delays}
        assert sweep(NOON + 60 * SECOND, limit=2) == 2
        assert set(waiting_in()) == {f"outbox-{ids[10]}-1", f"outbox-{ids[20]}-1"}
        assert sweep(NOON + 60 * SECOND, limit=2) == 2
        assert sweep(NOON + 60 * SECOND, limit=2) == 1
        assert sweep(NOON + 60 * SECOND, limit=2) == 0

    def test_is_not_stopped_by_a_job_it_does_not_know(self):
        """Another release may write rows while this one still sweeps."""
        add(delay_seconds=1)
        with transaction():
            db.execute("UPDATE outbox SET job = 'payouts.invented_tomorrow'", {})
        ticket = add(delay_seconds=2)
        before = everything()[0]
        assert sweep(NOON + 3 * SECOND) == 1
        assert waiting_in() == [f"outbox-{ticket.row_id}-1"]
        assert everything()[0] == before

    def test_adds_nothing_to_a_queue_that_is_long_already(self):
        """Handing rows out again makes the entries that wait stale: a worker would never end."""
        tickets = [add() for _ in range(3)]
        other = add(job="deposits.card_check")
        for number in range(200):
            door.client.rpush(named(CHAIN).key, f"waits-{number}")

        assert sweep(NOON + QUEUED_LEASE + SECOND) == 1
        assert f"outbox-{other.row_id}-2" in waiting_in(CARDS)
        with clock.frozen(NOON + QUEUED_LEASE + SECOND):
            assert [outbox.begin(ticket) for ticket in tickets] == [{"payout_id": "p"}] * 3

    def test_what_is_under_way_goes_before_what_has_not_begun_however_long_the_queue(self):
        for number in range(200):
            door.client.rpush(named(CHAIN).key, f"waits-{number}")
        late = add(delay_seconds=1, job="payouts.broadcast")

        assert sweep(NOON + 2 * SECOND) == 1

        assert waiting_in()[0] == f"outbox-{late.row_id}-1"

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
        assert {row.fence for row in all_rows()} == {1}
        assert sorted(waiting_in()) == sorted(f"outbox-{row.id}-1" for row in all_rows())


class TestRunning:
    def test_who_begins_gets_the_arguments_and_a_lease(self):
        ticket = add()
        with clock.frozen(NOON + 3 * SECOND):
            assert outbox.begin(ticket) == {"payout_id": "p"}
        assert the_row().leased_until == NOON + 3 * SECOND + RUNNING_LEASE

    def test_a_renewed_lease_keeps_the_sweeper_away(self):
        ticket = add()
        with clock.frozen(NOON):
            outbox.begin(ticket)
        with clock.frozen(NOON + 9 * SECOND):
            outbox.renew(ticket)
        assert sweep(NOON + 18 * SECOND) == 0
        assert sweep(NOON + 20 * SECOND) == 1

    def test_a_worker_that_falls_silent_loses_its_row(self):
        ticket = add()
        with clock.frozen(NOON):
            outbox.begin(ticket)
        assert sweep(NOON + RUNNING_LEASE) == 0
        assert sweep(NOON + RUNNING_LEASE + SECOND) == 1
        assert outbox.begin(ticket) is None
        assert outbox.begin(Ticket(ticket.row_id, 2)) == {"payout_id": "p"}

    def test_what_is_acknowledged_is_done_for_good(self):
        ticket = add()
        with clock.frozen(NOON):
            outbox.begin(ticket)
            outbox.postpone(ticket, 1, "not yet")
            outbox.ack(ticket)
        row = the_row()
        assert (row.done_at, row.leased_until, row.last_error) == (NOON, None, None)
        before = everything()
        assert outbox.begin(ticket) is None
        outbox.ack(ticket)
        outbox.postpone(ticket, 1, "late")
        assert outbox.fail(ticket, "late") is False
        assert sweep(NOON + timedelta(days=30)) == 0
        assert everything() == before

    def test_postponing_is_no_failure_however_often(self):
        ticket = add()
        for _ in range(50):
            with clock.frozen(NOON):
                outbox.postpone(ticket, 7, "not final")
        row = the_row()
        assert (row.failures, row.dead_at, row.last_error) == (0, None, "not final")
        assert (row.due_at, row.leased_until) == (NOON + 7 * SECOND, None)
        assert sweep(NOON + 6 * SECOND) == 0
        assert sweep(NOON + 7 * SECOND) == 1

    def test_a_late_renewal_does_not_take_a_postponed_row_back(self):
        ticket = add()
        with clock.frozen(NOON):
            outbox.begin(ticket)
            outbox.postpone(ticket, 1, "not final")
            before = everything()
            outbox.renew(ticket)
        assert everything() == before
        assert sweep(NOON + SECOND) == 1

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
        ticket = add()
        sweep(NOON + QUEUED_LEASE + SECOND)
        before = everything()
        assert not late(ticket)
        assert everything() == before

    def test_long_reasons_are_cut(self):
        ticket = add()
        outbox.postpone(ticket, 1, "x" * 5000)
        assert len(the_row().last_error or "") == 2000


def test_old_rows_that_are_done_are_deleted_and_no_others():
    done, fresh, waiting = add(), add(), add()
    with clock.frozen(NOON - timedelta(days=8)):
        outbox.ack(done)
    with clock.frozen(NOON - timedelta(days=6)):
        outbox.ack(fresh)
    with clock.frozen(NOON):
        assert outbox.prune() == 1
    assert [row.id for row in all_rows()] == [fresh.row_id, waiting.row_id]


def test_the_backlog_counts_by_job():
    add(delay_seconds=-90)
    add(delay_seconds=-30)
    add(delay_seconds=60)
    dead = add(job="deposits.card_check")
    done = add(job="deposits.card_callback")
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
