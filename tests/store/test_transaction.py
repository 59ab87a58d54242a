"""The only commit: all or nothing, and the truth about which of the two."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from protonpay.kernel.errors import Conflict
from protonpay.store import db, events, idempotency, outbox
from protonpay.store.db import APPLICATION_ROLE, transaction
from tests.committed import OpenHouse
from tests.store.notes import note, note_in_a_transaction, stumble


class TestAllOrNothing:
    def test_nobody_sees_anything_before_the_commit(self, seen):
        with transaction():
            note(1)
            assert seen() == []
        assert seen() == [1]

    def test_a_failure_undoes_everything(self, seen):
        with pytest.raises(LookupError):
            note_in_a_transaction(1, 2, then=stumble)
        assert seen() == []

    def test_an_interruption_undoes_everything_too(self, seen):
        def interrupt() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            note_in_a_transaction(1, then=interrupt)
        assert seen() == []

    def test_the_next_one_begins_afresh_after_a_failure(self, seen):
        with pytest.raises(LookupError):
            note_in_a_transaction(1, then=stumble)
        note_in_a_transaction(2)
        assert seen() == [2]

    def test_one_inside_another_joins_it(self, seen):
        with transaction() as outer:
            note(1)
            with transaction() as inner:
                assert inner is outer
                note(2)
            assert seen() == []
        assert seen() == [1, 2]

    def test_one_inside_another_is_undone_with_it(self, seen):
        with pytest.raises(LookupError):
            note_in_a_transaction(1, then=lambda: (note_in_a_transaction(2), stumble()))
        assert seen() == []

    def test_a_refusal_undoes_everything_but_the_one_it_is_kept_with(self, seen):
        told: list[str] = []

        def refuse(*, kept: bool) -> None:
            db.after_commit(lambda: told.append("x"))
            other, said = Conflict("other", "Another."), Conflict("no", "No.")
            db.kept(said if kept else other)
            raise said

        with pytest.raises(Conflict):
            note_in_a_transaction(1, then=lambda: refuse(kept=False))
        assert (seen(), told) == ([], [])
        with pytest.raises(Conflict, match="No"), transaction():
            note_in_a_transaction(2, then=lambda: refuse(kept=True))
        assert (seen(), told) == ([2], ["x"])

    def test_a_failed_statement_cannot_be_swallowed(self, seen):
        def swallow() -> None:
            with pytest.raises(psycopg.errors.UniqueViolation):
                note(1)

        with pytest.raises(RuntimeError, match="nothing to commit"):
            note_in_a_transaction(1, then=swallow)
        assert seen() == []

    @pytest.mark.parametrize("then", ["read", "go on"])
    def test_what_fails_in_a_pipeline_is_told_and_undone(self, seen, then: str):
        def send() -> None:
            with db.pipelined():
                note(1)
                note(2)
                found = db.execute("SELECT n FROM notes", {})
                if then == "read":
                    found.fetchall()

        with pytest.raises(psycopg.errors.UniqueViolation):
            note_in_a_transaction(1, then=send)
        assert seen() == []

    def test_what_is_sent_in_a_pipeline_is_done_and_its_rows_can_be_read_after_it(self, seen):
        with transaction():
            with db.pipelined():
                note(1)
                found = db.execute("SELECT n FROM notes", {})
                note(2)
            assert found.fetchall() == [(1,)]
        assert seen() == [1, 2]

    def test_a_failure_inside_a_savepoint_can(self, seen):
        def swallow() -> None:
            with pytest.raises(IntegrityError), db.current().begin_nested():
                db.current().execute(text("INSERT INTO notes VALUES (1)"))

        note_in_a_transaction(1, then=swallow)
        assert seen() == [1]

    def test_what_one_inside_another_wrote_is_refused_at_its_own_end(self, open_house: OpenHouse):
        missing = outbox.OutboxRow(job="payouts.sign", args={})
        ends: list[str] = []

        def inner() -> None:
            with pytest.raises(IntegrityError), transaction() as session:
                session.add(missing)
            ends.append("heard of it")
            stumble()

        with pytest.raises(LookupError), transaction():
            inner()
        assert ends == ["heard of it"]

    def test_one_without_a_statement_takes_no_connection(self, seen):
        with transaction():
            pass
        assert db.db.engine.pool.checkedout() == 0


class TestAfterCommit:
    def test_hooks_run_once_it_stands_in_their_order(self, seen):
        told: list[Any] = []
        with transaction():
            db.after_commit(lambda: told.append(("first", seen())))
            with transaction():
                db.after_commit(lambda: told.append(("second", seen())))
            note(1)
            assert told == []
        assert told == [("first", [1]), ("second", [1])]

    def test_hooks_never_run_for_what_was_undone(self, seen):
        told: list[str] = []
        with pytest.raises(LookupError):
            note_in_a_transaction(
                1, then=lambda: (db.after_commit(lambda: told.append("x")), stumble())
            )
        note_in_a_transaction(2)
        assert told == []

    def test_a_broken_hook_breaks_neither_the_caller_nor_the_next_hook(self, seen):
        told: list[str] = []
        with transaction():
            note(1)
            db.after_commit(stumble)
            db.after_commit(lambda: told.append("next"))
        assert (seen(), told) == ([1], ["next"])

    def test_a_hook_may_open_a_transaction_of_its_own(self, seen):
        with transaction():
            note(1)
            db.after_commit(lambda: note_in_a_transaction(2))
        assert seen() == [1, 2]


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    "joins",
    [
        db.current,
        db.commit_without_waiting,
        lambda: db.after_commit(stumble),
        lambda: outbox.add("payouts.sign", payout_id="p"),
        lambda: events.publish("payout.failed", "u", {}),
        lambda: idempotency.begin("d"),
        idempotency.advance,
        idempotency.unbind,
    ],
    ids=[
        "current",
        "commit",
        "after_commit",
        "outbox.add",
        "events.publish",
        "begin",
        "advance",
        "unbind",
    ],
)
def test_what_joins_a_transaction_refuses_to_work_without_one(joins):
    with pytest.raises(RuntimeError, match="none is open"):
        joins()


@pytest.mark.usefixtures("open_house")
def test_a_commit_that_does_not_wait_is_one_commit():
    def shown() -> str:
        return str(db.execute("SHOW synchronous_commit", {}).fetchone()[0])

    with transaction():
        # The house's server never waits.
        db.execute("SET synchronous_commit = on", {})
    with transaction():
        db.commit_without_waiting()
        assert shown() == "off"
    assert shown() == "on"


@pytest.mark.usefixtures("house")
def test_every_connection_has_its_limits_and_its_role():
    db.execute("RESET idle_in_transaction_session_timeout", {})  # the house is patient
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "role")
    shown = [db.execute(f"SHOW {name}", {}).fetchone()[0] for name in names]
    assert shown == ["2s", "5s", "10s", APPLICATION_ROLE]
