"""Work that must happen because a transaction committed.

The row is written in the transaction it follows from and is **due until its job
acknowledges it**, whatever becomes of the queue. A row's ``fence`` counts how often it
was handed out: who comes back with an older number comes too late and changes nothing.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg import sql
from sqlalchemy import (
    BigInteger,
    Identity,
    Index,
    Integer,
    Text,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel import clock
from protonpay.store import queue
from protonpay.store.bell import bell
from protonpay.store.db import (
    LOCK,
    Base,
    after_commit,
    commit_without_waiting,
    current,
    db,
    driver,
    transaction,
)
from protonpay.store.jobs import JOBS
from protonpay.store.types import UtcDateTime

QUEUED_LEASE = timedelta(seconds=15)
"""How long a pushed row may wait in the queue before it counts as lost and is pushed again."""
RUNNING_LEASE = timedelta(seconds=10)
"""How long a silent worker keeps a row; a living one renews it every third of that."""

LONGEST_ERROR = 2000
"""Characters of an error or reason that are kept."""


# Every job pays for two of these: at the driver it costs a third of the same through the ORM.
_SETTLE = """
    UPDATE outbox SET {} WHERE id = %(id)s AND fence = %(fence)s
        AND done_at IS NULL AND dead_at IS NULL
    RETURNING args
"""
_WRITE = """
    INSERT INTO outbox (job, args, due_at, fence, failures, leased_until, created_at)
    SELECT %(job)s, work, %(due_at)s, %(fence)s, 0, %(leased_until)s, %(now)s
    FROM unnest(%(works)s::jsonb[]) WITH ORDINALITY AS each (work, place) ORDER BY place
    RETURNING id
"""
_FINISH = """
    UPDATE outbox SET done_at = %(now)s, leased_until = NULL, last_error = NULL
    WHERE id = ANY (ARRAY(
        SELECT id FROM outbox
        WHERE job = {job} AND args ->> {argument} = ANY (%(values)s) AND done_at IS NULL
        FOR NO KEY UPDATE SKIP LOCKED))
    RETURNING id, fence
"""


class OutboxRow(Base):
    """One piece of work.

    Attributes:
        fence: how often the row was handed to the queue.
        failures: how often its job raised; postponing is no failure.
        leased_until: the row belongs to a queue entry or a worker until then.
        dead_at: its retries are used up: an operator looks and replays it.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    job: Mapped[str] = mapped_column(Text)
    args: Mapped[dict[str, Any]] = mapped_column(JSONB)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(Integer, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dead_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "ix_outbox_due",
            "due_at",
            postgresql_where=text("done_at IS NULL AND dead_at IS NULL"),
        ),
        Index("ix_outbox_done", "done_at", postgresql_where=text("done_at IS NOT NULL")),
        Index(
            "ix_outbox_attempt",
            text("(args ->> 'attempt_id')"),
            postgresql_where=text(
                "job IN ('payouts.broadcast', 'payouts.confirm', 'payouts.outbid')"
                " AND done_at IS NULL"
            ),
        ),
        Index(
            "ix_outbox_sign",
            text("(args ->> 'payout_id')"),
            postgresql_where=text("job = 'payouts.sign' AND done_at IS NULL"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Ticket:
    """A row in somebody's hands: worthless once the row was handed out again."""

    row_id: int
    fence: int


def add(job: str, *, delay_seconds: float = 0, **args: str | int) -> None:
    """Write down work to be done, in the caller's transaction.

    Due at once it is pushed right after the commit; a lost push costs a sweep.

    Raises:
        KeyError: the job table has no such job.
        RuntimeError: no transaction is open.
    """
    add_each(job, [args], delay_seconds=delay_seconds)


def add_each(
    job: str, works: Sequence[Mapping[str, str | int]], *, delay_seconds: float = 0
) -> None:
    """Write down several works of one job, each with its arguments; as ``add``."""
    entry = JOBS[job]
    now = clock.now()
    due = now + timedelta(seconds=delay_seconds)
    if delay_seconds != 0:
        if _write(job, works, due_at=due, fence=0, leased_until=None):
            after_commit(lambda: bell.ring_at(job, due))
        return
    for row_id in _write(job, works, due_at=due, fence=1, leased_until=now + QUEUED_LEASE):
        after_commit(functools.partial(queue.push, entry, row_id, 1))


def add_begun(job: str, works: Sequence[Mapping[str, str | int]]) -> None:
    """Write down works that the caller does itself right after its transaction, then finishes.

    They are in the caller's hands like rows that a worker has begun: should the caller die, they
    are handed out once their lease has run out.
    """
    now = clock.now()
    _write(job, works, due_at=now, fence=1, leased_until=now + RUNNING_LEASE)


def _write(job: str, works: Sequence[Mapping[str, str | int]], **columns: Any) -> Sequence[int]:
    current()
    each = [json.dumps(dict(work)) for work in works]
    values = {"job": job, "works": each, "now": clock.now(), **columns}
    return [row_id for (row_id,) in driver().execute(_WRITE, values).fetchall()]


def finish(job: str, argument: str, values: Sequence[str]) -> None:
    """End the rows of jobs whose work the caller's transaction has done along with its own.

    What is in the queue for them is taken out after the commit. A row that somebody holds just
    now is left to its job, which finds nothing to do.

    Args:
        job: its name; there is an index of its open rows by the argument.
        argument: which of their arguments names the work.
        values: its values.
    """
    # Written out, not as parameters: only then is the index sure to be used.
    command = sql.SQL(_FINISH).format(job=sql.Literal(job), argument=sql.Literal(argument))
    current()
    ended = driver().execute(command, {"now": clock.now(), "values": list(values)}).fetchall()
    after_commit(lambda: queue.take_back(JOBS[job], ended))


def sweep(limit: int = 200, *, urgent_only: bool = False) -> int:
    """Push every due row that nobody holds; return how many were pushed.

    Covers an emptied Redis, killed workers, lost pushes and rows whose time has come. A queue
    that is long already gets nothing: what waits there is still good, and handing its rows
    out again would make all of it stale. What is urgent is pushed all the same, and goes first.
    """
    now = clock.now()
    roomy = [
        name
        for name, job in JOBS.items()
        if job.urgent or (not urgent_only and queue.has_room(job))
    ]
    due = (
        select(OutboxRow.id)
        .where(
            OutboxRow.job.in_(roomy),
            OutboxRow.due_at <= now,
            OutboxRow.done_at.is_(None),
            OutboxRow.dead_at.is_(None),
            OutboxRow.leased_until.is_(None) | (OutboxRow.leased_until < now),
        )
        .order_by(OutboxRow.due_at)
        .limit(limit)
        .with_for_update(**LOCK, skip_locked=True)
        # A plain subquery may be run again for each row, and then lock beyond its limit.
        .cte("due")
    )
    with transaction() as session:
        rows = session.execute(
            update(OutboxRow)
            .where(OutboxRow.id.in_(select(due.c.id)))
            .values(fence=OutboxRow.fence + 1, leased_until=now + QUEUED_LEASE)
            .returning(OutboxRow.id, OutboxRow.fence, OutboxRow.job)
        ).all()
    for row_id, fence, job in rows:
        queue.push(JOBS[job], row_id, fence)
    return len(rows)


def begin(ticket: Ticket) -> Mapping[str, Any] | None:
    """Take a row for running and return its arguments, or None if it is not ours any more."""
    return _settle(ticket, "leased_until = %(until)s", until=clock.now() + RUNNING_LEASE)


def renew(ticket: Ticket) -> None:
    """Say that the work is still going on; a row that was put back meanwhile stays put back."""
    kept = "leased_until = CASE WHEN leased_until IS NOT NULL THEN %(until)s END"
    _settle(ticket, kept, until=clock.now() + RUNNING_LEASE)


def ack(ticket: Ticket) -> None:
    """Say that the work is done."""
    done = "done_at = %(now)s, leased_until = NULL, last_error = NULL"
    _settle(ticket, done, lasting=True, now=clock.now())


def postpone(ticket: Ticket, delay_seconds: float, reason: str) -> datetime | None:
    """Put the row back for later; no failure, and no limit to it: unknown stays unknown.

    Returns:
        When it is due; None if it is not ours any more.
    """
    due = clock.now() + timedelta(seconds=delay_seconds)
    later = "due_at = %(due)s, leased_until = NULL, last_error = %(reason)s"
    args = _settle(ticket, later, due=due, reason=reason[:LONGEST_ERROR])
    return None if args is None else due


def fail(ticket: Ticket, error: str) -> bool:
    """Note a failure and wait longer each time; return True when the row is dead now."""
    with transaction() as session:
        row = session.scalar(
            select(OutboxRow)
            .where(OutboxRow.id == ticket.row_id, OutboxRow.fence == ticket.fence)
            .with_for_update(**LOCK)
        )
        if row is None or row.done_at is not None:
            return False
        now, waits = clock.now(), JOBS[row.job].retry_seconds
        row.last_error, row.leased_until = error[:LONGEST_ERROR], None
        if row.failures < len(waits):
            row.due_at = now + timedelta(seconds=waits[row.failures])
        else:
            row.dead_at = now
        row.failures += 1
        return row.dead_at is not None


def replay(row_ids: Sequence[int]) -> int:
    """Make dead rows due again; return how many there were."""
    with transaction() as session:
        revived = session.scalars(
            update(OutboxRow)
            .where(OutboxRow.id.in_(row_ids), OutboxRow.dead_at.is_not(None))
            .values(dead_at=None, failures=0, due_at=clock.now(), leased_until=None)
            .returning(OutboxRow.id)
        ).all()
    return len(revived)


def _settle(
    ticket: Ticket, change: LiteralString, *, lasting: bool = False, **values: Any
) -> Mapping[str, Any] | None:
    # Who holds a row, and until when, need not last: a database that dies and has forgotten it
    # hands the row out again, as it does when a worker dies. That the work is done must last.
    command = sql.SQL(_SETTLE).format(sql.SQL(change))
    with transaction():
        if not lasting:
            commit_without_waiting()
        held = {"id": ticket.row_id, "fence": ticket.fence}
        found = driver().execute(command, {**held, **values}).fetchone()
    return None if found is None else found[0]


def prune(keep: timedelta = timedelta(days=7)) -> int:
    """Delete rows done longer ago than ``keep``; return how many."""
    old = clock.now() - keep
    with transaction() as session:
        gone = session.scalars(
            delete(OutboxRow).where(OutboxRow.done_at < old).returning(OutboxRow.id)
        ).all()
    return len(gone)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How a job's rows stand."""

    job: str
    waiting: int
    due: int
    oldest_due_seconds: int
    dead: int


def backlog() -> list[Backlog]:
    """Count the rows that are not done, by job."""
    now = clock.now()
    waiting = OutboxRow.dead_at.is_(None)
    due = waiting & (OutboxRow.due_at <= now)
    oldest = func.coalesce(func.min(OutboxRow.due_at).filter(due), now)
    rows = db.session.execute(
        select(
            OutboxRow.job,
            func.count().filter(waiting),
            func.count().filter(due),
            oldest,
            func.count().filter(OutboxRow.dead_at.is_not(None)),
        )
        .where(OutboxRow.done_at.is_(None))
        .group_by(OutboxRow.job)
        .order_by(OutboxRow.job)
    )
    return [
        Backlog(job, count, due_now, int((now - since).total_seconds()), dead)
        for job, count, due_now, since, dead in rows
    ]


def dead_rows(limit: int = 50) -> Sequence[OutboxRow]:
    """Return rows whose retries are used up, oldest first."""
    dead = select(OutboxRow).where(OutboxRow.dead_at.is_not(None)).order_by(OutboxRow.id)
    return db.session.scalars(dead.limit(limit)).all()
