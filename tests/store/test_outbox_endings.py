"""How work of the outbox ends: it fails, for good at last, or was done along with other work."""

from datetime import timedelta
from functools import partial

import pytest

from protonpay.kernel import clock
from protonpay.store import db, outbox
from protonpay.store.db import transaction
from protonpay.store.jobs import JOBS
from protonpay.store.outbox import QUEUED_LEASE, Ticket
from protonpay.store.queue import door
from tests.committed import OpenHouse
from tests.store.outboxed import NOON, SECOND, add, all_rows, everything, sweep, the_row, waiting_in

pytestmark = pytest.mark.usefixtures("house")


class TestFailing:
    def test_waits_as_the_table_says_and_then_is_dead(self):
        ticket, waits = add(), JOBS["payouts.sign"].retry_seconds
        for failures, seconds in enumerate(waits, 1):
            with clock.frozen(NOON):
                assert outbox.fail(ticket, f"failure {failures}") is False
            row = the_row()
            assert (row.failures, row.due_at) == (failures, NOON + seconds * SECOND)
            assert (row.leased_until, row.last_error) == (None, f"failure {failures}")
        with clock.frozen(NOON):
            assert outbox.fail(ticket, "the last") is True
        assert (the_row().dead_at, the_row().last_error) == (NOON, "the last")
        assert list(waits) == sorted(waits)

    def _kill(self) -> Ticket:
        ticket = add()
        for _ in range(len(JOBS["payouts.sign"].retry_seconds) + 1):
            outbox.fail(ticket, "again")
        door.client.flushdb()
        return ticket

    def test_a_dead_row_is_left_to_an_operator(self):
        ticket = self._kill()
        before = everything()
        assert sweep(NOON + timedelta(days=30)) == 0
        assert outbox.begin(ticket) is None
        outbox.ack(ticket)
        assert [row.id for row in outbox.dead_rows()] == [ticket.row_id]
        assert everything() == before

    def test_a_replayed_row_is_due_again_with_all_its_retries(self):
        ticket, alive = self._kill(), add(delay_seconds=60)
        with clock.frozen(NOON):
            assert outbox.replay([ticket.row_id, alive.row_id, 10**9]) == 1
        row = all_rows()[0]
        assert (row.dead_at, row.failures, row.due_at) == (None, 0, NOON)
        assert sweep(NOON) == 1
        assert waiting_in() == [f"outbox-{ticket.row_id}-2"]
        assert outbox.dead_rows() == []


class TestFinishing:
    """Work done along with other work needs no job of its own any more."""

    @staticmethod
    def _three() -> list[Ticket]:
        with clock.frozen(NOON), transaction():
            for name in ("p", "q", "r"):
                outbox.add("payouts.sign", payout_id=name)
            outbox.add("payouts.broadcast", payout_id="p")
        return [Ticket(row.id, row.fence) for row in all_rows()]

    def test_its_rows_end_and_their_entries_are_taken_back(self):
        first, second, _, other = self._three()
        with clock.frozen(NOON + SECOND), transaction():
            outbox.finish("payouts.sign", "payout_id", ["p", "r", "s"])
            assert len(waiting_in()) == 4, "not before the commit"

        done = [row.done_at for row in all_rows()]
        assert done == [NOON + SECOND, None, NOON + SECOND, None]
        assert waiting_in() == [f"outbox-{other.row_id}-1", f"outbox-{second.row_id}-1"]
        assert not door.client.exists(f"rq:job:outbox-{first.row_id}-1")
        assert outbox.begin(first) is None, "whoever has it in hand finds nothing to do"

    def test_an_entry_that_was_pushed_again_is_taken_back_with_the_one_before(self):
        self._three()
        sweep(NOON + QUEUED_LEASE + SECOND)
        assert len(waiting_in()) == 8
        with transaction():
            outbox.finish("payouts.sign", "payout_id", ["p", "q", "r"])
        assert len(waiting_in()) == 2

    def test_what_is_undone_ends_nothing(self):
        self._three()

        def stumble() -> None:
            with transaction():
                outbox.finish("payouts.sign", "payout_id", ["p"])
                raise LookupError

        with pytest.raises(LookupError):
            stumble()
        assert [row.done_at for row in all_rows()] == [None] * 4
        assert len(waiting_in()) == 4

    def test_a_row_that_somebody_holds_is_left_to_its_job(self, open_house: OpenHouse):
        first, second, *_ = self._three()
        db.db.session.commit()
        with open_house.superuser() as somebody, somebody.transaction():
            somebody.execute("SELECT FROM outbox WHERE id = %s FOR UPDATE", [first.row_id])
            with transaction():
                outbox.finish("payouts.sign", "payout_id", ["p", "q"])
        open_ones = {row.id for row in all_rows() if row.done_at is None}
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


def test_only_that_work_is_done_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch):
    hurried = list[str]()
    for step, act in {
        "begin": outbox.begin,
        "renew": outbox.renew,
        "postpone": lambda ticket: outbox.postpone(ticket, 1, "not final"),
        "fail": lambda ticket: outbox.fail(ticket, "an error"),
        "ack": outbox.ack,
    }.items():
        monkeypatch.setattr(outbox, "commit_without_waiting", partial(hurried.append, step))
        act(add())
    assert hurried == ["begin", "renew", "postpone"]
