"""What the tests of committed work stand on: each finds the database as the first one found it."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from tests.premises import Premises

MODEL = "model_of_premises"
AT_FIRST = [(1, "a tab\t, a backslash \\ and\nan end of line"), (2, None)]
BORN = "SELECT oid FROM pg_database WHERE datname = current_database()"
OF_HERE = "SELECT datname FROM pg_database WHERE datname LIKE 'premises%'"
Do = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def do(services: SimpleNamespace) -> Do:
    """Run statements in a database."""

    def run(database: str, statements: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(services.postgres.url(database), autocommit=True) as connection:
            done = connection.execute(statements)  # type: ignore[call-overload]
            return done.fetchall() if done.description else []

    return run


@pytest.fixture
def premises(services: SimpleNamespace, do: Do) -> Iterator[Premises]:
    """Rows that nobody may delete, the second put there by who moves in, and an empty table."""
    server = services.postgres
    server.create_database(MODEL)
    do(
        MODEL,
        r"""
        CREATE TABLE stored (number serial PRIMARY KEY, text text);
        CREATE TABLE pointing (number integer REFERENCES stored);
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'append-only'; END $$;
        CREATE TRIGGER append_only BEFORE DELETE ON stored
        FOR EACH ROW EXECUTE FUNCTION refuse();
        INSERT INTO stored (text) VALUES (E'a tab\t, a backslash \\ and\nan end of line');
        """,
    )

    def furnish(url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO stored (text) VALUES (NULL)")

    yield Premises(server, MODEL, furnish, called="premises")
    for name in (MODEL, *(name for (name,) in do("postgres", OF_HERE))):
        server.drop_database(name)


@pytest.mark.parametrize(
    "work",
    [
        "INSERT INTO stored (text) VALUES ('more'); INSERT INTO pointing VALUES (1), (3)",
        "UPDATE stored SET text = 'other' WHERE number = 1",
        "UPDATE stored SET number = number + 7",
        "SELECT setval('stored_number_seq', 1, false)",
        "BEGIN; CREATE TABLE never (number integer); ROLLBACK",
    ],
)
def test_rows_are_undone_where_they_are(premises: Premises, do: Do, work: str):
    first = premises.lend()
    born = do(first, BORN)
    do(first, work)
    for _ in range(2):
        premises.take_back()
        name = premises.lend()
        assert do(name, BORN) == born, "it is the same one"
        assert do(name, "SELECT * FROM stored ORDER BY number") == AT_FIRST
        assert do(name, "SELECT * FROM pointing") == []
        assert do(name, "INSERT INTO stored (text) VALUES ('next') RETURNING number") == [(3,)]
        do(name, work)


@pytest.mark.parametrize(
    "work",
    [
        "CREATE TABLE more (number integer)",
        "ALTER TABLE stored DISABLE TRIGGER append_only",
        "ALTER TABLE stored ALTER COLUMN text SET DEFAULT ''",
        "DROP FUNCTION refuse CASCADE",
        "ALTER DATABASE premises_1 SET work_mem = '1MB'",
        "INSERT INTO pointing SELECT 1 FROM generate_series(1, 6000)",
    ],
)
def test_what_is_more_than_some_rows_goes_with_its_database(premises: Premises, do: Do, work: str):
    name = premises.lend()
    born = do(name, BORN)
    do(name, work)
    premises.take_back()
    assert do("postgres", OF_HERE) == [], "it is removed"
    after = premises.lend()
    assert do(after, BORN) != born
    assert do(after, "SELECT * FROM stored ORDER BY number") == AT_FIRST


def test_who_is_still_there_is_shown_out_and_finds_no_way_back(
    premises: Premises, services: SimpleNamespace, do: Do
):
    url = services.postgres.url(premises.lend())
    with psycopg.connect(url) as lingering:
        lingering.execute("LOCK TABLE stored")
        lingering.execute("UPDATE stored SET text = 'other'")
        premises.take_back()
        with pytest.raises(psycopg.OperationalError):
            lingering.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)
    assert do(premises.lend(), "SELECT * FROM stored ORDER BY number") == AT_FIRST
