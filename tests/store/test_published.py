"""An event is written by the transaction that made it happen, byte for byte, once."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import select

from protonpay.kernel import clock, ids
from protonpay.store import db, events
from protonpay.store.db import transaction
from protonpay.store.events import EventRow
from protonpay.store.queue import named
from tests.actors import Actor

NOON = datetime(2026, 3, 14, 12, 30, 15, 999_999, tzinfo=UTC)
DATA = {"id": "cm1", "amount": "100.00", "note": "жду ✓"}


def _rows() -> list[EventRow]:
    return list(db.db.session.scalars(select(EventRow).order_by(EventRow.id)))


def _publish(user_id: str) -> None:
    with clock.frozen(NOON), transaction():
        events.publish("payout.completed", user_id, DATA)
        assert named("webhooks").job_ids == []


def test_an_event_is_kept_as_the_bytes_that_will_be_sent(alice: Actor):
    _publish(alice.id)

    (row,) = _rows()
    assert row.id.startswith("evt_c")
    assert ids.ID_PATTERN.fullmatch(row.id.removeprefix("evt_"))
    assert (row.user_id, row.name, row.happened_at) == (alice.id, "payout.completed", NOON)
    assert row.dispatched_at is None
    assert (
        row.core
        == (
            '{"event":"payout.completed","data":{"id":"cm1","amount":"100.00","note":"жду ✓"},'
            '"timestamp":"2026-03-14T12:30:15Z"}'
        ).encode()
    )
    assert json.loads(row.core)["data"] == DATA


def test_its_dispatch_is_rung_for_after_the_commit_once_for_many(alice: Actor):
    for _ in range(3):
        with transaction():
            events.publish("payout.completed", alice.id, DATA)
    assert len(_rows()) == 3
    assert len(named("webhooks").job_ids) == 1


def test_what_is_undone_did_not_happen(alice: Actor):
    def stumble() -> None:
        with transaction():
            events.publish("payout.completed", alice.id, DATA)
            raise LookupError

    with pytest.raises(LookupError):
        stumble()
    assert (_rows(), named("webhooks").job_ids) == ([], [])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET core = ''",
        "UPDATE events SET name = 'payout.failed'",
        "DELETE FROM events",
    ],
)
def test_what_happened_cannot_be_rewritten(alice: Actor, statement: str):
    _publish(alice.id)
    before = db.execute("SELECT * FROM events", {}).fetchall()
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction():
        db.execute(statement, {})
    assert db.execute("SELECT * FROM events", {}).fetchall() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET core = ''",
        "UPDATE events SET sequence = 2",
        "UPDATE events SET sequence = NULL, dispatched_at = NULL",
        "DELETE FROM events",
        "TRUNCATE events",
        "UPDATE events_rest SET core = ''",
        "DELETE FROM events_rest",
    ],
)
def test_its_owner_cannot_rewrite_it_either(alice: Actor, statement: str):
    _publish(alice.id)
    with transaction():
        assert len(events.number(10)) == 1
    before = db.execute("SELECT * FROM events", {}).fetchall()
    with pytest.raises(psycopg.errors.RestrictViolation), transaction():
        db.driver().execute(f"SET LOCAL ROLE NONE; {statement}")
    assert db.execute("SELECT * FROM events", {}).fetchall() == before
