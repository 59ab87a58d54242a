"""Tables of months: rows fall into theirs, and old ones go whole."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from protonpay.kernel import clock
from protonpay.store import db, events, months
from protonpay.store.db import transaction
from tests.actors import Actor

TABLES = ("events", "request_log", "webhook_attempts", "webhook_deliveries")


def there() -> dict[str, list[str]]:
    rows = db.execute(
        "SELECT inhparent::regclass::text, inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent::regclass::text = ANY(%(tables)s) ORDER BY 2",
        {"tables": list(TABLES)},
    ).fetchall()
    found: dict[str, list[str]] = {}
    for table, month in rows:
        found.setdefault(table, []).append(month.removeprefix(table + "_"))
    return found


def month(moment: datetime) -> str:
    return f"y{moment.year}m{moment.month:02d}"


def test_months_are_made_ahead_and_making_them_again_changes_nothing(house: object):
    now = clock.now()
    for table in TABLES:
        assert {"rest", month(now), month(now + timedelta(days=85))} <= set(there()[table])
    before = there()
    assert months.keep() == months.Kept([], [])
    assert there() == before


def test_what_is_made_ahead_on_any_day_is_no_more_than_a_migration_made(house: object):
    days = """
        SELECT count(*), count(*) FILTER (WHERE day + %(ahead)s <= day + interval '3 months')
        FROM generate_series(timestamptz '2024-01-01', '2028-12-31', '1 day') AS of (day)
    """
    every, covered = db.execute(days, {"ahead": months._AHEAD}).fetchone() or (0, 0)
    assert (every, covered) == (1827, 1827)


def test_an_event_falls_into_its_month_and_what_has_none_is_kept_too(alice: Actor):
    now = clock.now()
    for at in (now, datetime(2026, 3, 14, tzinfo=UTC)):
        with clock.frozen(at), transaction():
            events.publish("payout.failed", alice.id, {"id": "c1"})
    rows = db.execute("SELECT tableoid::regclass::text FROM events ORDER BY happened_at", {})
    assert [name for (name,) in rows] == ["events_rest", f"events_{month(now)}"]


def test_what_is_too_old_goes_with_its_month_and_the_numbers_go_on(alice: Actor):
    now = clock.now()
    old = now - timedelta(days=460)
    for table in TABLES:
        with transaction():
            parameters = {"table": table, "old": old, "now": now}
            db.execute("SELECT make_months(%(table)s, %(old)s, %(now)s)", parameters)
    for at in (old, now):
        with clock.frozen(at), transaction():
            events.publish("payout.failed", alice.id, {"id": "c1"})
            events.number(10)
    dropped = months.keep().dropped
    assert f"events_{month(old)}" in dropped
    assert f"webhook_deliveries_{month(old)}" in dropped
    assert f"webhook_attempts_{month(now - timedelta(days=150))}" in dropped
    assert not {f"events_{month(now)}", f"events_{month(now - timedelta(days=380))}"} & set(dropped)
    with transaction():
        events.publish("payout.failed", alice.id, {"id": "c2"})
        events.number(10)
    assert [row.sequence for row in events.between(alice.id, limit=10)] == [2, 3]


def test_a_month_whose_rows_came_before_it_is_named(alice: Actor):
    with clock.frozen(datetime(2026, 3, 14, tzinfo=UTC)), transaction():
        events.publish("payout.failed", alice.id, {"id": "c1"})
    assert months.keep(months_from=datetime(2026, 3, 1, tzinfo=UTC)).blocked == ["events_y2026m03"]


@pytest.mark.parametrize(
    "call",
    [
        "make_months('users', now(), now())",
        "drop_months('journal_entries', now())",
        "drop_months('events; DROP TABLE users', now())",
    ],
)
def test_no_other_table_is_touched(house: object, call: str):
    with pytest.raises(psycopg.errors.RaiseException), transaction():
        db.execute(f"SELECT {call}", {})


def test_this_month_and_the_last_cannot_be_dropped(house: object):
    now = clock.now()
    with transaction():
        db.execute("SELECT drop_months('events', %(far)s)", {"far": now + timedelta(days=9999)})
    assert month(now) in there()["events"]
