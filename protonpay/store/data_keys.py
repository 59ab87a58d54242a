"""The keys that seal secrets, and their change while everything runs.

A change has three steps, each harmless when it is done twice or stopped anywhere: a new key is
committed; every sealed column of every table is sealed anew with it, a row at a time and only if
it is still what was read; a key that nothing is sealed with any more is dropped, a day after its
successor, when no process and no open transaction can still seal with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    and_,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel import clock
from protonpay.store.db import APPLICATION_ROLE, LOCK, Base, transaction
from protonpay.store.secrets import BY_DATA_KEY, Unreadable, prefix, safe
from protonpay.store.types import Sealed, UtcDateTime

KEPT = timedelta(days=1)
"""How long a key outlives its successor's coming, even when nothing is sealed with it."""


class DataKey(Base):
    """A key, sealed under ``DATA_KEY``; the highest version seals, every one opens."""

    __tablename__ = "data_keys"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Resealed:
    """What became of one column.

    Attributes:
        column: ``table.column``.
        done: rows sealed anew.
        unreadable: rows that no key opens: they stay as they are, and so do the keys.
    """

    column: str
    done: int
    unreadable: int


def kept(database_url: str) -> Mapping[int, bytes]:
    """Read the committed keys by version, on a connection of its own.

    Not on the caller's: what seals may be in the middle of a transaction, or outside of one, and
    a pool whose every connection waits for one more would never end.
    """
    with psycopg.connect(
        database_url, connect_timeout=3, options=f"-c role={APPLICATION_ROLE}"
    ) as connection:
        return dict(connection.execute("SELECT version, sealed FROM data_keys").fetchall())


def add() -> int:
    """Commit a new key, and every older one under the present ``DATA_KEY``; return its version.

    Raises:
        Unreadable: a key is sealed under neither ``DATA_KEY`` nor ``DATA_KEY_PREVIOUS``.
    """
    with transaction() as session:
        # One at a time: two at once would choose the same number.
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("data_keys"))))
        keys = session.scalars(select(DataKey).with_for_update(**LOCK)).all()
        for key in keys:
            key.sealed = safe.rewrapped(key.version, key.sealed)
        version = max((key.version for key in keys), default=0) + 1
        session.add(
            DataKey(version=version, sealed=safe.fresh_key(version), created_at=clock.now())
        )
    safe.forget()
    return version


def reseal() -> Iterator[Resealed]:
    """Seal everything anew that an older key sealed, column after column."""
    newest = max(versions(), default=None)
    if newest is None:
        return
    for column in sealed_columns():
        done = unreadable = 0
        place: Sequence[Any] | None = None
        while batch := _older(column, newest, place):
            place = batch[-1].key
            outcomes = [_reseal(column, found) for found in batch]
            done += outcomes.count(True)
            unreadable += outcomes.count(None)
        yield Resealed(f"{column.table.name}.{column.name}", done, unreadable)


def drop_unused() -> list[int]:
    """Drop the keys that nothing is sealed with, ``KEPT`` after their successors; return them."""
    dropped = []
    with transaction() as session:
        keys = session.scalars(select(DataKey).order_by(DataKey.version)).all()
        for key, successor in pairwise(keys):
            if successor.created_at + KEPT <= clock.now() and not used(key.version):
                session.execute(delete(DataKey).where(DataKey.version == key.version))
                dropped.append(key.version)
    return dropped


def versions() -> Mapping[int, datetime]:
    """Return every key's version, and when it was made."""
    with transaction() as session:
        rows = session.execute(select(DataKey.version, DataKey.created_at))
        return {row.version: row.created_at for row in rows}


def used(version: int | None) -> int:
    """Count what a key sealed; None for ``DATA_KEY`` itself."""
    begins = BY_DATA_KEY if version is None else prefix(version)
    with transaction() as session:
        return sum(
            session.scalar(
                select(func.count())
                .select_from(column.table)
                .where(func.substr(column, 1, len(begins)) == begins)
            )
            or 0
            for column in sealed_columns()
        )


def sealed_columns() -> list[Column[Any]]:
    """Return every column of every table whose type says that it is sealed."""
    return [
        column
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed)
    ]


@dataclass(frozen=True)
class _Found:
    key: Sequence[Any]
    sealed: bytes
    purpose: str


def _older(column: Column[Any], newest: int, after: Sequence[Any] | None) -> list[_Found]:
    """Return the next rows in the order of the primary key that an older key sealed."""
    table, begins = column.table, prefix(newest)
    keys, named = list(table.primary_key), column.type.named  # type: ignore[attr-defined] # Sealed
    asked = (
        select(*keys, column, *(table.c[name] for name in named))
        # What is empty was erased on purpose.
        .where(func.length(column) > 0, func.substr(column, 1, len(begins)) != begins)
        .order_by(*keys)
        .limit(column.type.at_once)  # type: ignore[attr-defined] # Sealed
    )
    if after is not None:
        asked = asked.where(tuple_(*keys) > tuple_(*after))
    with transaction() as session:
        rows = session.execute(asked).all()
    return [
        _Found(
            key=row[: len(keys)],
            sealed=bytes(row[len(keys)]),
            purpose=column.type.purpose_of(dict(zip(named, row[len(keys) + 1 :], strict=True))),  # type: ignore[attr-defined]
        )
        for row in rows
    ]


def _reseal(column: Column[Any], found: _Found) -> bool | None:
    """Seal one anew: True; False when somebody changed it meanwhile; None if it does not open."""
    try:
        secret = safe.open_bytes(found.sealed, found.purpose)
    except Unreadable:
        return None
    mine = and_(
        *(one == value for one, value in zip(column.table.primary_key, found.key, strict=True))
    )
    with transaction() as session:
        done = session.execute(
            update(column.table)
            .where(mine, column == found.sealed)
            .values({column: safe.seal_bytes(secret, found.purpose)})
        )
    return bool(done.rowcount)  # type: ignore[attr-defined] # an UPDATE's result has it
