"""The event log: what happened to an account, as bytes made once, in the transaction that did it.

A row waits until it is numbered, right after its commit; who is told of it, is decided above
this floor. Numbers of an account begin at one and have no gaps, and nobody sees one before those
below it (ADR 21).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Text, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel import clock, events, ids
from protonpay.store import db, queue
from protonpay.store.db import Base
from protonpay.store.jobs import PERIODIC
from protonpay.store.types import UtcDateTime

_PUBLISH = """
    INSERT INTO events (id, user_id, name, core, happened_at, audience, object_id)
    VALUES (%(id)s, %(user_id)s, %(name)s, %(core)s, %(happened_at)s, %(audience)s, %(object_id)s)
"""

_PUBLISH_ALL = """
    INSERT INTO events (id, user_id, name, core, happened_at, audience, object_id)
    SELECT * FROM unnest(%(id)s::text[], %(user_id)s::text[], %(name)s::text[], %(core)s::bytea[],
        %(happened_at)s::timestamptz[], %(audience)s::text[], %(object_id)s::text[])
"""

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(%(lock)s)"
_LOCK = 0x4556454E5453  # "EVENTS"
_NUMBER = """
    WITH waiting AS MATERIALIZED (
        SELECT id, user_id, name, happened_at, audience FROM events WHERE sequence IS NULL
        ORDER BY happened_at, id LIMIT %(limit)s),
    counted AS (
        INSERT INTO event_counters AS counter (user_id, last)
        SELECT user_id, count(*) FROM waiting GROUP BY user_id ORDER BY user_id
        ON CONFLICT (user_id) DO UPDATE SET last = counter.last + EXCLUDED.last
        RETURNING user_id, last),
    placed AS (
        SELECT waiting.*, counted.last + 1 - row_number() OVER (
            PARTITION BY waiting.user_id ORDER BY happened_at DESC, id DESC) AS sequence
        FROM waiting JOIN counted USING (user_id))
    UPDATE events SET sequence = placed.sequence, dispatched_at = %(now)s FROM placed
    WHERE events.id = placed.id AND events.happened_at = placed.happened_at
    RETURNING events.id, events.user_id, events.name, events.happened_at, events.audience
"""


class EventRow(Base):
    """One event of one account.

    Attributes:
        id: the ``webhook-id`` of every delivery of it.
        core: the body without its signature, byte for byte.
        happened_at: its month is where the row is kept.
        sequence: its number in the account's log; None for the moment until it has one.
        audience: the one endpoint it is for; None for all that want its name.
        object_id: what it is about, ``data.id``; None if that has none.
        dispatched_at: its deliveries were written down; None while it waits.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_waiting", "happened_at", "id", postgresql_where=text("sequence IS NULL")),
        Index("ix_events_sequence", "user_id", "sequence"),
        Index(
            "ix_events_audience",
            "audience",
            "happened_at",
            postgresql_where=text("audience IS NOT NULL"),
        ),
        Index(
            "ix_events_object",
            *("user_id", "object_id", "sequence"),
            postgresql_where=text("object_id IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(Text)
    core: Mapped[bytes] = mapped_column(LargeBinary)
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    dispatched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    audience: Mapped[str | None] = mapped_column(Text)
    object_id: Mapped[str | None] = mapped_column(Text)


class EventCounter(Base):
    """How many events of an account have a number.

    Attributes:
        told: up to which of them its owner's letters are written.
    """

    __tablename__ = "event_counters"
    __table_args__ = (
        Index("ix_event_counters_untold", "user_id", postgresql_where=text("told < last")),
    )

    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
    told: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


@dataclass(frozen=True, slots=True)
class About:
    """Which events of an account; None is any. Their numbers have gaps then.

    Attributes:
        name: one of ``kernel/events.py``.
        object_id: what they are about, their ``data.id``.
    """

    name: str | None = None
    object_id: str | None = None


EVERYTHING = About()


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event that has just got its number."""

    id: str
    user_id: str
    name: str
    happened_at: datetime
    audience: str | None


def publish(
    name: str, user_id: str, data: Mapping[str, Any], *, audience: str | None = None
) -> str:
    """Write down that something happened to an account, in the caller's transaction.

    Args:
        name: one of ``kernel/events.py``.
        user_id: whose event it is; becomes ``data.userId``.
        data: what integrators see, named member by member: never a row dumped whole.
        audience: the one endpoint it is for, if it is not for all that want its name.

    Returns:
        The event's id.

    Raises:
        RuntimeError: no transaction is open.
    """
    db.current()
    parameters = _parameters(name, user_id, data, audience)
    db.execute(_PUBLISH, parameters)
    db.after_commit(_ring)
    return str(parameters["id"])


def publish_all(happened: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
    """Write down several events as ``publish`` does, by one statement.

    Args:
        happened: name, user and data of each.

    Raises:
        RuntimeError: no transaction is open.
    """
    db.current()
    if not happened:
        return
    each = [_parameters(*one) for one in happened]
    db.execute(_PUBLISH_ALL, {column: [one[column] for one in each] for column in each[0]})
    db.after_commit(_ring)


def number(limit: int) -> list[Numbered]:
    """Give the events that wait their numbers, in the caller's transaction, oldest first.

    One transaction at a time does it, and no posting waits for it.

    Args:
        limit: at most so many.

    Raises:
        RuntimeError: no transaction is open.
    """
    db.current()
    db.execute(_ONE_AT_A_TIME, {"lock": _LOCK})
    rows = db.execute(_NUMBER, {"limit": limit, "now": clock.now()}).fetchall()
    return [Numbered(*row) for row in rows]


def between(
    user_id: str,
    *,
    after: int = 0,
    before: int | None = None,
    limit: int,
    about: About = EVERYTHING,
    newest_first: bool = False,
) -> Sequence[EventRow]:
    """Return the events of an account above one number and below another.

    Args:
        user_id: whose.
        after: 0 for all that are kept.
        before: None for all up to the newest.
        limit: at most so many, from the end that is read first.
        about: these only.
        newest_first: highest number first, and not lowest.
    """
    wanted = select(EventRow).where(EventRow.user_id == user_id, EventRow.sequence > after)
    if before is not None:
        wanted = wanted.where(EventRow.sequence < before)
    if about.name is not None:
        wanted = wanted.where(EventRow.name == about.name)
    if about.object_id is not None:
        wanted = wanted.where(EventRow.object_id == about.object_id)
    order = EventRow.sequence.desc() if newest_first else EventRow.sequence
    return db.db.session.scalars(wanted.order_by(order).limit(limit)).all()


def find(user_id: str, event_id: str) -> EventRow | None:
    """Return a numbered event of an account; None if there is none, or it is somebody else's."""
    return db.db.session.scalar(
        select(EventRow).where(
            EventRow.id == event_id, EventRow.user_id == user_id, EventRow.sequence.is_not(None)
        )
    )


def count_for(user_id: str, audience: str, since: datetime) -> int:
    """Return how many events an account had for one endpoint alone since a moment."""
    counted = select(func.count()).where(
        EventRow.audience == audience,
        EventRow.happened_at > since,
        EventRow.user_id == user_id,
    )
    return db.db.session.scalars(counted).one()


def last_number(user_id: str) -> int:
    """Return how many events of an account have a number; the newest has this one."""
    found = db.db.session.get(EventCounter, user_id, populate_existing=True)
    return found.last if found else 0


def untold(limit: int) -> Sequence[tuple[str, int, int]]:
    """Return accounts with events that no letter was considered for: user, told, last number."""
    behind = EventCounter.told < EventCounter.last
    wanted = select(EventCounter.user_id, EventCounter.told, EventCounter.last).where(behind)
    rows = db.db.session.execute(wanted.order_by(EventCounter.user_id).limit(limit))
    return [(user_id, told, last) for user_id, told, last in rows]


def tell(user_id: str, told: int, now_told: int) -> bool:
    """Move how far an account's letters are written, in the caller's transaction.

    Returns:
        Whether it stood where the caller believes; if not, somebody else has written them.
    """
    moved = (
        update(EventCounter)
        .where(EventCounter.user_id == user_id, EventCounter.told == told)
        .values(told=now_told)
        .returning(EventCounter.user_id)
    )
    return db.current().scalar(moved) is not None


def _parameters(
    name: str, user_id: str, data: Mapping[str, Any], audience: str | None = None
) -> dict[str, object]:
    now = clock.now()
    return {
        "id": ids.new_event_id(),
        "user_id": user_id,
        "name": name,
        "core": events.core_bytes(name, data, now),
        "happened_at": now,
        "audience": audience,
        "object_id": data.get("id"),
    }


def _ring() -> None:
    queue.ring("events.dispatch", PERIODIC["events.dispatch"])
