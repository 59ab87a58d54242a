"""The migrations to tables of months, with rows in the tables before them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg.errors import RestrictViolation, UniqueViolation

from protonpay.kernel.events import core_bytes
from tests.conftest import migrate

BEFORE = "0022"
USERS = ("cmalice", "cmbob")
STATES = ("PENDING", "DELIVERED", "EXHAUSTED", "CANCELLED")
# Of three months, one of them this one; two of Alice's at the same moment.
NOW = datetime.now(UTC).replace(microsecond=123_456)
MOMENTS = [NOW - timedelta(days=days) for days in (70, 35, 35, 2, 1, 0)]

_USER = """
    INSERT INTO users (id, public_id, name, email, email_key, password_hash, role, standing, plan,
                       created_at, language)
    VALUES (%(id)s, upper(%(id)s), 'A', %(id)s, %(id)s, 'x', 'USER', 'ACTIVE', 'BASIC', now(), 'en')
"""
_ENDPOINT = """
    INSERT INTO webhook_endpoints (id, user_id, url, events, secret, created_at)
    VALUES ('hook-' || %(id)s, %(id)s, 'https://a.example.com/', '{kyc.approved}', '\\x01', now())
"""
_EVENT = """
    INSERT INTO events (id, user_id, name, core, happened_at, dispatched_at)
    VALUES (%(id)s, %(user)s, 'kyc.approved', %(core)s, %(at)s, %(dispatched)s)
"""
_DELIVERY = """
    INSERT INTO webhook_deliveries (event_id, endpoint_id, state, attempts, due_at, ended_at)
    VALUES (%(event)s, %(hook)s, %(state)s, %(attempts)s, %(due)s, %(ended)s) RETURNING id
"""
_ATTEMPT = """
    INSERT INTO webhook_attempts
        (delivery_id, number, began_at, milliseconds, status, outcome, answer_head)
    VALUES (%s, %s, %s, 12, 500, 'http_error', 'Жанна ☕') RETURNING id
"""
_KEPT = {
    "events": "SELECT id, user_id, name, core, happened_at, dispatched_at FROM events ORDER BY id",
    "webhook_deliveries": "SELECT id, event_id, endpoint_id, state, attempts, due_at, leased_until,"
    " ended_at FROM webhook_deliveries ORDER BY id",
    "webhook_attempts": "SELECT id, delivery_id, number, began_at, milliseconds, status, outcome,"
    " answer_head FROM webhook_attempts ORDER BY id",
    "webhook_endpoints": "SELECT id, user_id, url, events, secret FROM webhook_endpoints",
}


def fill(connection: psycopg.Connection[Any]) -> None:
    """Write what had happened; the newest event of each account waits to be told of."""
    for user in USERS:
        connection.execute(_USER, {"id": user})
        connection.execute(_ENDPOINT, {"id": user})
        for number, moment in enumerate(MOMENTS):
            event = f"evt-{user}-{number}"
            told = None if moment == NOW else moment + timedelta(seconds=1)
            told_of = core_bytes("kyc.approved", {"id": f"of {event}"}, moment)
            wanted = {"id": event, "user": user, "core": told_of, "at": moment}
            connection.execute(_EVENT, {**wanted, "dispatched": told})
            if told is not None:
                _deliver(connection, event, f"hook-{user}", STATES[number % 4], told)


def _deliver(
    connection: psycopg.Connection[Any], event: str, hook: str, state: str, told: datetime
) -> None:
    wanted = {"event": event, "hook": hook, "state": state, "attempts": 2}
    ended = None if state == "PENDING" else told
    row = connection.execute(_DELIVERY, {**wanted, "due": told, "ended": ended}).fetchone()
    assert row is not None
    for number in (1, 2):
        connection.execute(_ATTEMPT, (row[0], number, told + timedelta(days=number)))


@pytest.fixture
def upgraded(services: SimpleNamespace) -> Iterator[Any]:
    """A database that was filled at the revision before, and what stood in it."""
    url = services.postgres.create_database("upgraded")
    try:
        migrate(url, BEFORE)
        with psycopg.connect(url, autocommit=True) as connection:
            fill(connection)
            kept = {name: connection.execute(query).fetchall() for name, query in _KEPT.items()}
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            yield SimpleNamespace(ask=connection.execute, kept=kept)
    finally:
        services.postgres.drop_database("upgraded")


def test_every_row_is_there_as_it_was_and_goes_on(upgraded: Any):
    def all_of(query: str) -> list[Any]:
        rows: list[Any] = upgraded.ask(query).fetchall()
        return rows

    assert [len(rows) for rows in upgraded.kept.values()] == [12, 10, 20, 2]
    assert {name: all_of(query) for name, query in _KEPT.items()} == upgraded.kept

    # Numbers without gaps, in the order of what happened; what waits has none yet.
    for user in USERS:
        numbers = all_of(
            f"SELECT sequence FROM events WHERE user_id = '{user}' ORDER BY happened_at, id"
        )
        assert [number for (number,) in numbers] == [1, 2, 3, 4, 5, None]
    counters = all_of("SELECT user_id, last FROM event_counters ORDER BY 1")
    assert counters == [(user, 5) for user in USERS]

    # Each row in its month, none in the table for the rest.
    for table in ("events", "webhook_deliveries", "webhook_attempts"):
        assert all_of(f"SELECT count(*) FROM {table}_rest") == [(0,)]
        months = all_of(f"SELECT DISTINCT right(tableoid::regclass::text, 8) FROM {table}")
        assert len(months) >= 3
    where = "SELECT bool_and(d.event_at = e.happened_at) FROM webhook_deliveries d JOIN events e"
    assert all_of(f"{where} ON e.id = d.event_id") == [(True,)]

    # What each is about is known of those, too.
    assert all_of("SELECT bool_and(object_id = 'of ' || id) FROM events") == [(True,)]

    # A lane is due when its first pending delivery is; no attempt was asked for by hand.
    lanes = "SELECT endpoint_id, due_at, failures, probe_at FROM webhook_lanes ORDER BY 1"
    due = MOMENTS[0] + timedelta(seconds=1)
    assert all_of(lanes) == [(f"hook-{user}", due, 0, None) for user in USERS]
    assert all_of("SELECT DISTINCT manual, url, signature FROM webhook_attempts") == [
        (False, None, None)
    ]

    # Ids go on above those that were given, and what was unique still is.
    new = (
        "INSERT INTO webhook_deliveries (event_id, event_at, endpoint_id, state, attempts, due_at)"
    )
    same = f"{new} SELECT event_id, event_at, endpoint_id, 'PENDING', 0, now() FROM"
    with pytest.raises(UniqueViolation):
        upgraded.ask(f"{same} webhook_deliveries LIMIT 1")
    waiting = f"(SELECT 'evt-{USERS[0]}-5', now(), 'hook-{USERS[1]}') AS e (event_id, event_at,"
    ((given,),) = all_of(f"{same} {waiting} endpoint_id) RETURNING id")
    assert given > max(row[0] for row in upgraded.kept["webhook_deliveries"])
    with pytest.raises(RestrictViolation):
        upgraded.ask("UPDATE events SET core = 'x' WHERE sequence = 1")
