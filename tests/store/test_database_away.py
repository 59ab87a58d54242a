"""A database that is busy, away, or silent about a commit: which of the three is told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from protonpay.kernel.errors import Unavailable
from protonpay.stack import postgres
from protonpay.store import db, outbox
from protonpay.store.db import APPLICATION_ROLE, as_unavailable, driver_url, transaction
from tests.actors import make_actor
from tests.committed import OpenHouse
from tests.store.dropped_line import line_dropped_at_commit
from tests.store.notes import note, note_in_a_transaction


def _code(action: Callable[[], Any]) -> tuple[str, int | None]:
    with pytest.raises(Unavailable) as refusal:
        action()
    return refusal.value.code, refusal.value.retry_after


BUSY = ("database_busy", 1)


def _kill_own_line(house: OpenHouse) -> None:
    pid = db.driver().info.backend_pid
    with house.superuser() as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


class TestBusyOrAway:
    def test_a_lock_that_is_not_given(self, open_house: OpenHouse, seen):
        with open_house.superuser() as other, other.transaction():
            other.execute("LOCK notes")

            def wait() -> None:
                with transaction():
                    db.execute("SET LOCAL lock_timeout = '20ms'", {})
                    note(1)

            assert _code(wait) == BUSY
        assert seen() == []

    @pytest.mark.parametrize("through", ["driver", "pipeline", "session"])
    def test_a_statement_that_takes_too_long(self, seen, through: str):
        def dream() -> None:
            db.execute("SET LOCAL statement_timeout = '20ms'", {})
            if through == "pipeline":
                with db.pipelined():
                    db.execute("SELECT pg_sleep(10)", {})
                    note(2)
            if through == "driver":
                db.execute("SELECT pg_sleep(10)", {})
            db.current().execute(text("SELECT pg_sleep(10)"))

        assert _code(lambda: note_in_a_transaction(1, then=dream)) == BUSY
        assert seen() == []

    @pytest.mark.parametrize("through", ["driver", "pipeline", "session"])
    def test_a_line_that_is_cut(self, open_house: OpenHouse, seen, through: str):
        def go_on() -> None:
            _kill_own_line(open_house)
            if through == "pipeline":
                with db.pipelined():
                    note(2)
                    note(4)
            if through == "driver":
                note(2)
            db.current().execute(text("INSERT INTO notes VALUES (2)"))

        assert _code(lambda: note_in_a_transaction(1, then=go_on)) == BUSY
        assert seen() == []
        note_in_a_transaction(3)
        assert seen() == [3]

    def test_a_read_on_a_line_that_is_cut_leaves_nothing_broken(self, open_house: OpenHouse, seen):
        db.execute("SELECT 1", {})
        _kill_own_line(open_house)
        with pytest.raises(psycopg.OperationalError) as cut:
            db.execute("SELECT 1", {})
        assert as_unavailable(cut.value)
        db.release()
        assert db.execute("SELECT 1", {}).fetchone() == (1,)

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_line_that_is_cut_under_a_request(
        self, open_house: OpenHouse, monkeypatch, when: str
    ):
        caller = make_actor(open_house.app, "Caller", funded="5")
        db.release()
        execute = db.execute

        def cut(*arguments: Any) -> Any:
            if when == "before":
                _kill_own_line(open_house)
            found = execute(*arguments)
            if when == "after" and "invoice_payments" in arguments[0]:  # the last one
                _kill_own_line(open_house)
            return found

        with monkeypatch.context() as patch:
            patch.setattr(db, "execute", cut)
            answer = open_house.at_once([lambda: caller.get("/client/balance")])[0]

        assert answer.status_code == (503 if when == "before" else 200)
        assert caller.get("/client/balance").get_json()["balanceUsdc"] == "5.00"

    def test_two_that_wait_for_each_other(self, open_house: OpenHouse, seen):
        with open_house.superuser() as connection:
            connection.execute(
                f"ALTER DATABASE {open_house.database} SET deadlock_timeout = '20ms'"
            )
        note_in_a_transaction(1, 2)
        meet = threading.Barrier(2)

        def take(first: int, second: int) -> None:
            with transaction():
                db.execute("DELETE FROM notes WHERE n = %(n)s", {"n": first})
                meet.wait(10)
                db.execute("DELETE FROM notes WHERE n = %(n)s", {"n": second})

        results = open_house.inside_at_once([lambda: take(1, 2), lambda: take(2, 1)])

        loser = next(result for result in results if result is not None)
        assert results.count(None) == 1
        assert (loser.code, loser.retry_after) == BUSY
        assert seen() == []

    def test_no_free_connection(self, open_house: OpenHouse):
        options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.02}
        small = create_engine(driver_url(open_house.url), **options)
        with small.connect(), _instead(open_house.app, small):
            assert _code(lambda: note_in_a_transaction(1)) == BUSY
        small.dispose()

    @pytest.mark.slow
    def test_a_server_that_is_killed_and_comes_back(self, app: Flask, tmp_path: Path):
        with postgres.running(tmp_path, durable=False) as server:
            server.order("CREATE ROLE {}", APPLICATION_ROLE)
            server.order("GRANT {} TO {}", APPLICATION_ROLE, postgres.ROLE)
            server.order("CHECKPOINT")  # it is a forgetful one
            options = app.config["SQLALCHEMY_ENGINE_OPTIONS"]
            engine = create_engine(driver_url(server.url()), **options)
            with app.app_context(), _instead(app, engine):

                def lose_it() -> None:
                    with transaction():
                        db.execute("SELECT 1", {})
                        server.kill()
                        # Who serves this connection may outlive the postmaster by a moment.
                        deadline = time.monotonic() + 10
                        while time.monotonic() < deadline:
                            db.execute("SELECT 1", {})

                assert _code(lose_it) == BUSY
                assert _code(_select) == BUSY
                server.start()
                assert _select() == (1,)
            engine.dispose()


def _select() -> Any:
    with transaction():
        return db.execute("SELECT 1", {}).fetchone()


@contextmanager
def _instead(app: Flask, engine: Engine) -> Iterator[None]:
    """Put another engine in the place of the application's."""
    engines = db.db._app_engines[app]
    db.release()
    before, engines[None] = engines[None], engine
    try:
        yield
    finally:
        db.release()
        engines[None] = before


class TestOutcomeUnknown:
    """Unknown is not no: the one case in which 503 does not mean that nothing was done."""

    def test_an_answer_lost_while_committing(self, open_house: OpenHouse, seen):
        server = open_house.server
        with line_dropped_at_commit(server.port) as port:
            url = server.network_url(open_house.database).replace(f":{server.port}/", f":{port}/")
            engine = create_engine(driver_url(url))
            told: list[str] = []
            with _instead(open_house.app, engine):
                ending = _code(
                    lambda: note_in_a_transaction(
                        1, then=lambda: db.after_commit(lambda: told.append("x"))
                    )
                )
            engine.dispose()
        assert ending == ("outcome_unknown", None)
        assert seen() == [1]
        assert told == []

    def test_a_server_that_goes_away_while_it_commits(self, open_house: OpenHouse, seen):
        ending = _code(lambda: note_in_a_transaction(1, then=lambda: _kill_own_line(open_house)))
        assert ending == ("outcome_unknown", None)
        assert seen() == []

    def test_what_is_flushed_by_the_commit_and_fails_was_not_done(
        self, open_house: OpenHouse, seen
    ):
        def add_and_lose() -> None:
            with transaction() as session:
                session.execute(text("SELECT 1"))
                session.add(outbox.OutboxRow(job="payouts.sign", args={}))
                _kill_own_line(open_house)

        with pytest.raises((Unavailable, IntegrityError)) as refusal:
            add_and_lose()
        assert getattr(refusal.value, "code", "") == "database_busy"


@pytest.mark.parametrize(
    "state",
    ["55P03", "57014", "40P01", "40001", "57P01", "57P02", "57P03", "53300", "25P03", "08006"],
)
def test_waiting_is_the_answer_to(state: str):
    error = psycopg.errors.lookup(state)()
    for form in (error, DBAPIError("…", None, error)):
        busy = as_unavailable(form)
        assert busy
        assert (busy.code, busy.retry_after) == BUSY


@pytest.mark.parametrize("state", ["23505", "23503", "42601", "42501", "22003", "0A000", "25P02"])
def test_waiting_is_no_answer_to(state: str):
    error = psycopg.errors.lookup(state)()
    assert as_unavailable(error) is None
    assert as_unavailable(DBAPIError("…", None, error)) is None


def test_neither_is_it_to_what_is_not_the_database():
    assert as_unavailable(ValueError()) is None
    assert as_unavailable(PoolTimeout())
