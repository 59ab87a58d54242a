"""Rows of a job whose work another row's job does along with its own.

As with payouts that leave or are asked about together: whoever comes first takes along what else
is due, so that one question serves them all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from psycopg import sql

from protonpay.kernel import clock
from protonpay.store import queue
from protonpay.store.bell import bell
from protonpay.store.db import after_commit, current, driver
from protonpay.store.jobs import JOBS
from protonpay.store.outbox import LONGEST_ERROR

_DUE = """
    SELECT args ->> {argument} FROM outbox
    WHERE job = {job} AND done_at IS NULL AND dead_at IS NULL AND due_at <= %(until)s
      AND (last_error IS NULL OR last_error = %(waits)s)
    ORDER BY due_at LIMIT %(limit)s
"""
_NOWHERE = """
    SELECT value FROM unnest(%(values)s::text[]) WITH ORDINALITY AS wanted (value, place)
    WHERE NOT EXISTS (
        SELECT FROM outbox WHERE job = {job} AND args ->> {argument} = wanted.value
          AND done_at IS NULL AND dead_at IS NULL)
    ORDER BY place
"""
_PUT_OFF = """
    WITH wanted AS (
        SELECT * FROM unnest(%(values)s::text[], %(dues)s::timestamptz[]) AS w (value, due)),
    found AS (
        SELECT outbox.id, wanted.due, outbox.leased_until IS NOT NULL AS queued
        FROM outbox JOIN wanted ON args ->> {argument} = wanted.value
        WHERE job = {job} AND done_at IS NULL AND dead_at IS NULL
        FOR NO KEY UPDATE OF outbox SKIP LOCKED)
    UPDATE outbox SET due_at = found.due, leased_until = NULL, last_error = %(reason)s
    FROM found WHERE outbox.id = found.id
    RETURNING outbox.id, fence, queued
"""


def nowhere(job: str, argument: str, values: Sequence[str]) -> Sequence[str]:
    """Return those of some values that no open row of a job is about, in their order.

    Args:
        job: its name; there is an index of its open rows by the argument.
        argument: which of their arguments names the work.
        values: its values.
    """
    command = sql.SQL(_NOWHERE).format(job=sql.Literal(job), argument=sql.Literal(argument))
    rows = driver().execute(command, {"values": list(values)}).fetchall()
    return [value for (value,) in rows]


def due(job: str, argument: str, *, until: datetime, waits: str, limit: int) -> Sequence[str]:
    """Return what open rows of a job are about that are due until then, longest due first.

    Args:
        job: its name.
        argument: which of their arguments names the work.
        until: later ones are left out.
        waits: as are those that were put off for another reason than this.
        limit: the most that are wanted.
    """
    command = sql.SQL(_DUE).format(job=sql.Literal(job), argument=sql.Literal(argument))
    rows = driver().execute(command, {"until": until, "waits": waits, "limit": limit}).fetchall()
    return [value for (value,) in rows]


def put_off(job: str, argument: str, seconds: Mapping[str, float], reason: str) -> None:
    """Put back rows whose work was done along with another's and is to be done again later.

    What is in the queue for them is taken out after the commit, as in ``finish``.

    Args:
        job: its name; there is an index of its open rows by the argument.
        argument: which of their arguments names the work.
        seconds: its value → from now until it is due again.
        reason: why it is not done.
    """
    now = clock.now()
    dues = [now + timedelta(seconds=each) for each in seconds.values()]
    command = sql.SQL(_PUT_OFF).format(job=sql.Literal(job), argument=sql.Literal(argument))
    current()
    wanted = {"values": [*seconds], "dues": dues, "reason": reason[:LONGEST_ERROR]}
    rows = driver().execute(command, wanted).fetchall()
    queued = [(row_id, fence) for row_id, fence, was_queued in rows if was_queued]
    if queued:
        after_commit(lambda: queue.take_back(JOBS[job], queued))
    after_commit(lambda: _announce(job, dues))


def _announce(job: str, dues: Sequence[datetime]) -> None:
    for due_at in set(dues):
        bell.ring_at(job, due_at)
