"""A database that is lent to one test after another, each time as it was the first time.

Copying a database and removing it again takes half a second of a core, most of it for files; what a
test leaves behind is a few rows. Who changed more than rows gets, and leaves, one of their own.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from protonpay.stack.postgres import SUPERUSER, Postgres
from tests.patience import until

_FEW = 5_000
"""Rows of a table that are sooner deleted than a database is copied."""

_CATALOGUES = (
    *("pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_default_acl", "pg_extension"),
    *("pg_index", "pg_largeobject_metadata", "pg_namespace", "pg_policy", "pg_proc", "pg_rewrite"),
    *("pg_sequence", "pg_trigger", "pg_type"),
)
_OF_THE_DATABASE = """
    SELECT 'pg_db_role_setting', count(*), sum(xmin::text::bigint) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_TABLES = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1
"""
_SEQUENCES = """
    SELECT seqrelid::regclass::text, coalesce(last_value, start_value), last_value IS NOT NULL
    FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_sequences ON (schemaname, sequencename) = (nspname, relname)
"""
_EVERYBODY = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend'
"""
_Connection = psycopg.Connection[tuple[Any, ...]]
_Marks = Mapping[str, tuple[int, int | None]]
"""How many rows there are, and a sum over the transactions that wrote them, of each table."""


class Premises:
    """The database of those tests whose work is committed.

    Args:
        server: where it is.
        template: what it is a copy of.
        furnish: what is done in it at first; it is given the database's address.
        called: how its name begins; a number follows.
    """

    def __init__(
        self, server: Postgres, template: str, furnish: Callable[[str], None], *, called: str
    ) -> None:
        self._server, self._template, self._furnish = server, template, furnish
        self._names = (f"{called}_{number}" for number in itertools.count(1))
        self._name: str | None = None
        self._catalogue: _Marks = {}
        self._rows: _Marks = {}
        self._contents: dict[str, bytes] = {}
        self._numbers: list[tuple[Any, ...]] = []

    def lend(self) -> str:
        """Return the name of a database in which nobody has done anything yet."""
        if self._name is None:
            name = next(self._names)
            self._furnish(self._server.create_database(name, template=self._template))
            with self._inside(name) as connection:
                self._catalogue = _marks(connection, _CATALOGUES, _OF_THE_DATABASE)
                self._rows = _marks(connection, [name for (name,) in connection.execute(_TABLES)])
                filled = [table for table, (count, _) in self._rows.items() if count]
                self._contents = {table: _read(connection, table) for table in filled}
                self._numbers = connection.execute(_SEQUENCES).fetchall()
            self._name = name
        return self._name

    def take_back(self) -> None:
        """Undo what was done in it; where that is more than some rows, remove it."""
        assert self._name is not None
        name, self._name = self._name, None
        left = self._left(name)
        with self._inside(left) as connection:
            restored = self._restore(connection)
        if restored:
            self._name = left
        else:
            self._server.drop_database(left)

    def _left(self, name: str) -> str:
        """Show everybody out, and give it another name: who comes back does not find it."""
        left = next(self._names)

        def renamed() -> bool:
            self._server.query(_EVERYBODY, name)
            try:
                self._server.order("ALTER DATABASE {} RENAME TO {}", name, left)
            except psycopg.errors.ObjectInUse:
                return False
            return True

        until(renamed, what="leaving")
        return left

    def _restore(self, connection: _Connection) -> bool:
        if _marks(connection, _CATALOGUES, _OF_THE_DATABASE) != self._catalogue:
            return False
        rows = _marks(connection, list(self._rows))
        changed = [table for table in rows if rows[table] != self._rows[table]]
        if any(rows[table][0] > _FEW for table in changed):
            return False
        with connection.transaction():
            # Nothing is checked and nothing is told: what is appended only can be deleted.
            connection.execute("SET LOCAL session_replication_role = replica")
            for table in changed:
                connection.execute(f"DELETE FROM {table}")
                _write(connection, table, self._contents.get(table, b""))
            for was, now in zip(self._numbers, connection.execute(_SEQUENCES), strict=True):
                if was != now:
                    connection.execute("SELECT setval(%s, %s, %s)", was)
        filled = [table for table in changed if table in self._contents]
        self._rows = {**self._rows, **_marks(connection, filled)}
        return True

    def _inside(self, name: str) -> _Connection:
        """Connect as the one whom nothing stops."""
        return psycopg.connect(self._server.url(name, user=SUPERUSER), autocommit=True)


def _marks(
    connection: _Connection, tables: "tuple[str, ...] | list[str]", more: str = ""
) -> _Marks:
    each = [f"SELECT '{table}', count(*), sum(xmin::text::bigint) FROM {table}" for table in tables]
    query = " UNION ALL ".join([*each, *([more] if more else [])])
    found = connection.execute(query).fetchall() if query else []  # type: ignore[arg-type]
    return {str(name): (count, marks) for name, count, marks in found}


def _read(connection: _Connection, table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT") as rows:  # type: ignore[arg-type]
        return b"".join(bytes(part) for part in rows)


def _write(connection: _Connection, table: str, contents: bytes) -> None:
    if contents:
        with connection.cursor().copy(f"COPY {table} FROM STDIN") as rows:  # type: ignore[arg-type]
            rows.write(contents)
