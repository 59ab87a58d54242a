"""After a refusal: balances, rows, outbox and events are as they were."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import text

from protonpay.store.db import db

Contents = Mapping[str, tuple[int, str]]

# A table of months is one table.
_TABLES = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""


def tables() -> list[str]:
    """Return the name of every table, those of months once."""
    return list(db.session.scalars(text(_TABLES)))


def contents() -> Contents:
    """Return the number of rows of every table, and a digest of all that they hold."""
    each = (
        f"SELECT '{table}', count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
        f" FROM {table} AS t"
        for table in tables()
        if table != "alembic_version"
    )
    rows = db.session.execute(text(" UNION ALL ".join(each)))
    return {name: (count, digest) for name, count, digest in rows}


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Assert that the block leaves the database exactly as it was."""
    with only_changes():
        yield


@contextmanager
def only_changes(*tables: str) -> Iterator[None]:
    """Assert that the block changes these tables, each of them, and no other."""
    before = contents()
    yield
    after = contents()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == set(tables), sorted(changed ^ set(tables))
