"""Pooled connections: one that leads nowhere is replaced, one at rest is not asked."""

import select
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, create_engine

from protonpay.store.db import driver_url
from tests.committed import OpenHouse
from tests.patience import until


@pytest.fixture
def pool(open_house: OpenHouse):
    """A pool of one connection, with the application's own options."""
    options = open_house.app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    engine = create_engine(driver_url(open_house.url), **{**options, "pool_size": 1})
    yield engine
    engine.dispose()


def _pid(pool: Engine) -> int:
    with pool.connect() as connection:
        return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def _of(superuser: "psycopg.Connection[Any]", pid: int, column: str) -> Any:
    query = f"SELECT {column} FROM pg_stat_activity WHERE pid = %s"
    row = superuser.execute(query, (pid,)).fetchone()
    return row and row[0]


def test_one_whose_server_has_gone_is_replaced(open_house: OpenHouse, pool: Engine):
    first = _pid(pool)
    with open_house.superuser() as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (first,))

    assert _pid(pool) != first


def test_one_that_is_closed_is_replaced(pool: Engine):
    first = _pid(pool)
    with pool.connect() as connection:
        closed = connection.connection.driver_connection
    closed.close()

    assert _pid(pool) != first


def test_one_at_rest_is_not_asked(open_house: OpenHouse, pool: Engine):
    pid = _pid(pool)
    with open_house.superuser() as superuser:
        before = _of(superuser, pid, "query_start")
        with pool.connect():
            assert _of(superuser, pid, "query_start") == before


def test_one_that_was_told_something_is_asked_and_kept(open_house: OpenHouse, pool: Engine):
    with pool.connect() as connection:
        line = connection.connection.driver_connection
        connection.exec_driver_sql("LISTEN news")
        connection.commit()
    pid = line.info.backend_pid
    with open_house.superuser() as superuser:
        asked = _of(superuser, pid, "query_start")
        superuser.execute("NOTIFY news")
        until(lambda: select.select([line], [], [], 0)[0])
        with pool.connect():
            assert _of(superuser, pid, "query_start") != asked
            assert _of(superuser, pid, "state") == "idle"

    assert _pid(pool) == pid
