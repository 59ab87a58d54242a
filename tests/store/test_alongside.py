"""Rows whose work another's job does: which are due, and putting them off together."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.store import alongside, db, outbox
from protonpay.store.bell import bell
from protonpay.store.db import transaction
from protonpay.store.outbox import OutboxRow
from protonpay.store.queue import door

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
JOB = "payouts.confirm"

pytestmark = pytest.mark.usefixtures("house")


def _add(attempt_id: int, seconds: float = 0) -> None:
    with clock.frozen(NOON), transaction():
        outbox.add(JOB, delay_seconds=seconds, attempt_id=attempt_id)


def _rows() -> list[OutboxRow]:
    rows = select(OutboxRow).order_by(OutboxRow.id)
    return list(db.db.session.scalars(rows.execution_options(populate_existing=True)))


def _due(limit: int = 9) -> list[str]:
    until = NOON + SECOND
    return [*alongside.due(JOB, "attempt_id", until=until, waits="not final", limit=limit)]


def test_what_is_due_is_named_longest_due_first():
    for attempt_id, seconds in ((1, 0.5), (2, -3), (3, 1), (4, 1.1)):
        _add(attempt_id, seconds)
    with transaction():
        outbox.add("payouts.broadcast", attempt_id=5)

    assert _due() == ["2", "1", "3"]
    assert _due(limit=2) == ["2", "1"]


def test_what_was_put_off_for_another_reason_is_left_out():
    _add(1, -1)
    _add(2, -1)
    with clock.frozen(NOON - SECOND), transaction():
        alongside.put_off(JOB, "attempt_id", {"1": 0.5}, "nobody answered")
        alongside.put_off(JOB, "attempt_id", {"2": 0.5}, "not final")
    assert _due() == ["2"]


def test_each_is_put_off_to_its_own_time_and_its_entry_is_taken_back():
    _add(1)
    _add(2, 5)
    _add(3)
    assert door.client.llen("rq:queue:settle") == 2
    with clock.frozen(NOON), transaction():
        alongside.put_off(JOB, "attempt_id", {"1": 2, "2": 0.25, "9": 1}, "not final")
        assert door.client.llen("rq:queue:settle") == 2, "not before the commit"

    found = [(row.due_at - NOON, row.last_error, row.leased_until) for row in _rows()]
    assert found[:2] == [
        (timedelta(seconds=2), "not final", None),
        (timedelta(seconds=0.25), "not final", None),
    ]
    assert found[2][0] == timedelta(0)
    assert door.client.lrange("rq:queue:settle", 0, -1) == [f"outbox-{_rows()[2].id}-1".encode()]


def test_what_is_done_stays_done():
    _add(1)
    with transaction():
        outbox.finish(JOB, "attempt_id", ["1"])
    before = _rows()[0].due_at
    with transaction():
        alongside.put_off(JOB, "attempt_id", {"1": 60}, "not final")
    assert _rows()[0].due_at == before


def test_whoever_listens_is_told_when_urgent_rows_are_due_and_of_no_others(
    monkeypatch: pytest.MonkeyPatch,
):
    told: list[datetime] = []
    monkeypatch.setattr(bell, "_tell", told.append)
    _add(1, 0.25)
    with clock.frozen(NOON), transaction():
        outbox.add("holds.follow_return", delay_seconds=5, kind="k", hold_id="h")
        assert told == [NOON + timedelta(seconds=0.25)]
        alongside.put_off(JOB, "attempt_id", {"1": 3}, "not final")
        assert len(told) == 1, "not before the commit"
    assert told[1:] == [NOON + timedelta(seconds=3)]


def test_an_index_finds_them():
    _add(1)
    with transaction():
        db.execute("SET LOCAL enable_seqscan = off", {})
        plan = db.execute(
            "EXPLAIN SELECT id FROM outbox WHERE job = 'payouts.confirm'"
            " AND args ->> 'attempt_id' = ANY (ARRAY['1', '2']) AND done_at IS NULL",
            {},
        ).fetchall()
    assert "ix_outbox_attempt" in str(plan)
