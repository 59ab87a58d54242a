"""Balances right before entries, at a cost that does not grow with the account's history.

Every few hundred entries the balance is kept beside the moment it was had at. What is asked for is
the nearest of these before it and the few entries between them. Entries are in the order of a
statement: by moment, then by id. An entry has the moment its transaction began and an id from when
it was posted, so the two differ where transactions overlap: a checkpoint is of a moment, and says
which ids can lie on either side of it.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.statements.models import BalanceCheckpoint
from protonpay.store import db

SETTLES = timedelta(hours=1)
"""An entry has the moment its transaction began, and is there when that commits."""
_EVERY = 500
"""Entries between two checkpoints."""
_AT_ONCE = 50_000
"""Entries that one statement reads to make some."""

_END = """
    SELECT min(entry_id) FROM unnest(%(mine)s::bigint[]) AS a (account) CROSS JOIN LATERAL (
        (SELECT entry_id FROM postings WHERE destination = a.account AND entry_id >= %(first)s
         ORDER BY entry_id OFFSET %(count)s LIMIT 1)
        UNION ALL
        (SELECT entry_id FROM postings WHERE source = a.account AND entry_id >= %(first)s
         ORDER BY entry_id OFFSET %(count)s LIMIT 1)
    ) AS ends
"""
# Each entry is read by its id (``OFFSET 0``): of a long history few are, whatever the planner
# believes.
# What is read may end in the middle of a moment's entries: ids end it. So nothing is kept of the
# last hour of it, as nothing is of the last hour there is.
_KEEP = """
    INSERT INTO balance_checkpoints (user_id, at, micro, last_before, first_from)
    SELECT %(user)s, posted_at, %(micro)s + change, greatest(last, %(last)s), first
    FROM (
        SELECT posted_at, change, last, first, newest,
               entries / %(every)s > lag(entries / %(every)s) OVER (ORDER BY posted_at) AS kept
        FROM (
            SELECT posted_at,
                   coalesce(sum(change) OVER before, 0)::bigint AS change,
                   coalesce(sum(entries) OVER before, 0)::bigint AS entries,
                   max(last) OVER before AS last,
                   min(first) OVER (ORDER BY posted_at DESC) AS first,
                   max(posted_at) OVER () AS newest
            FROM (
                SELECT e.posted_at, sum(m.micro) AS change, count(*) AS entries,
                       min(e.id) AS first, max(e.id) AS last
                FROM (
                    SELECT entry_id, micro FROM postings WHERE destination = ANY(%(mine)s)
                    AND entry_id >= %(first)s AND entry_id < %(end)s
                    UNION ALL
                    SELECT entry_id, -micro FROM postings WHERE source = ANY(%(mine)s)
                    AND entry_id >= %(first)s AND entry_id < %(end)s
                ) AS m CROSS JOIN LATERAL (
                    SELECT id, posted_at FROM journal_entries WHERE id = m.entry_id OFFSET 0
                ) AS e
                WHERE e.posted_at >= CAST(%(at)s AS timestamptz) GROUP BY e.posted_at
            ) AS moments
            WINDOW before AS (ORDER BY posted_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ) AS running
    ) AS found
    WHERE kept AND posted_at < %(settled)s AND (%(whole)s OR posted_at < newest - %(settles)s)
    ON CONFLICT DO NOTHING
"""
_BEFORE = """
    SELECT w.id, coalesce(below.micro, 0) + coalesce((
        SELECT sum(m.micro) FROM (
            SELECT entry_id, micro FROM postings WHERE destination = ANY(%(mine)s)
            AND entry_id >= coalesce(below.first_from, 0)
            AND entry_id <= coalesce(above.last_before, %(highest)s)
            UNION ALL
            SELECT entry_id, -micro FROM postings WHERE source = ANY(%(mine)s)
            AND entry_id >= coalesce(below.first_from, 0)
            AND entry_id <= coalesce(above.last_before, %(highest)s)
        ) AS m CROSS JOIN LATERAL (
            SELECT id, posted_at FROM journal_entries WHERE id = m.entry_id OFFSET 0
        ) AS e
        WHERE e.posted_at >= coalesce(below.at, '-infinity')
        AND (e.posted_at, e.id) < (w.posted_at, w.id)
    ), 0)::bigint
    FROM journal_entries w
    LEFT JOIN LATERAL (
        SELECT at, micro, first_from FROM balance_checkpoints
        WHERE user_id = %(user)s AND at <= w.posted_at ORDER BY at DESC LIMIT 1
    ) AS below ON true
    LEFT JOIN LATERAL (
        SELECT last_before FROM balance_checkpoints
        WHERE user_id = %(user)s AND at > w.posted_at ORDER BY at LIMIT 1
    ) AS above ON true
    WHERE w.id = ANY(%(entries)s)
"""
_HIGHEST = 2**63 - 1


def before(user_id: str, accounts: Sequence[int], entries: Sequence[int]) -> Mapping[int, Usdc]:
    """Return what a user had right before each of some entries, by the entry's id.

    Args:
        user_id: whose.
        accounts: available, held, and debt if there ever was one.
        entries: ids of entries of theirs.
    """
    if not entries:
        return {}
    _keep(user_id, accounts)
    asked = {"user": user_id, "mine": list(accounts), "entries": list(entries)}
    rows = db.execute(_BEFORE, {**asked, "highest": _HIGHEST})
    return {entry_id: Usdc(micro) for entry_id, micro in rows}


def _keep(user_id: str, accounts: Sequence[int]) -> None:
    """Make what checkpoints are lacking: seldom any, and of a long history once many."""
    count = _AT_ONCE
    while True:
        newest = select(BalanceCheckpoint).filter_by(user_id=user_id)
        newest = newest.order_by(BalanceCheckpoint.at.desc()).limit(1)
        at = db.db.session.scalar(newest)
        asked = {
            "user": user_id,
            "mine": list(accounts),
            "first": at.first_from if at else 0,
            "count": count,
        }
        [end] = db.execute(_END, asked).fetchone() or [None]
        asked |= {
            "at": at.at if at else "-infinity",
            "micro": at.micro.micro if at else ZERO.micro,
            "last": at.last_before if at else 0,
            "end": _HIGHEST if end is None else end,
            "whole": end is None,
            "every": _EVERY,
            "settled": clock.now() - SETTLES,
            "settles": SETTLES,
        }
        with db.transaction():
            made = db.execute(_KEEP, asked).rowcount
        if end is None:
            return
        if not made:
            count *= 2  # so much within an hour
