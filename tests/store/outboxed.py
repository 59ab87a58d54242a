"""Rows of the outbox: one is added, all are read."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.store import db, outbox
from protonpay.store.db import transaction
from protonpay.store.jobs import CHAIN
from protonpay.store.outbox import OutboxRow, Ticket
from protonpay.store.queue import named

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def all_rows() -> list[OutboxRow]:
    rows = select(OutboxRow).order_by(OutboxRow.id).execution_options(populate_existing=True)
    return list(db.db.session.scalars(rows))


def the_row() -> OutboxRow:
    (row,) = all_rows()
    return row


def everything() -> list[tuple[Any, ...]]:
    db.db.session.expire_all()
    return db.execute("SELECT * FROM outbox ORDER BY id", {}).fetchall()


def waiting_in(of: str = CHAIN) -> list[str]:
    return named(of).job_ids


def add(delay_seconds: int = 0, job: str = "payouts.sign", at: datetime = NOON) -> Ticket:
    with clock.frozen(at), transaction():
        outbox.add(job, delay_seconds=delay_seconds, payout_id="p")
    last = all_rows()[-1]
    return Ticket(last.id, last.fence)


def sweep(at: datetime, limit: int = 200) -> int:
    with clock.frozen(at):
        return outbox.sweep(limit)
