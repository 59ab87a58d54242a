"""What happened, as bytes made once, in the transaction that made it happen.

A row is waiting until somebody was told whom it concerns; who that is, is decided above
this floor.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel import clock, events, ids
from protonpay.store import db, queue
from protonpay.store.db import Base
from protonpay.store.jobs import PERIODIC
from protonpay.store.types import UtcDateTime

_PUBLISH = """
    INSERT INTO events (id, user_id, name, core, happened_at)
    VALUES (%(id)s, %(user_id)s, %(name)s, %(core)s, %(happened_at)s)
"""


class EventRow(Base):
    """One event of one account.

    Attributes:
        id: the ``webhook-id`` of every delivery of it.
        core: the body without its signature, byte for byte.
        dispatched_at: its deliveries were written down; None while it waits.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_waiting", "happened_at", postgresql_where=text("dispatched_at IS NULL")),
        Index("ix_events_user_id", "user_id", "happened_at"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(Text)
    core: Mapped[bytes] = mapped_column(LargeBinary)
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    dispatched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def publish(name: str, user_id: str, data: Mapping[str, Any]) -> None:
    """Write down that something happened to an account, in the caller's transaction.

    Args:
        name: one of ``kernel/events.py``.
        user_id: whose event it is; becomes ``data.userId``.
        data: what integrators see, named member by member: never a row dumped whole.

    Raises:
        RuntimeError: no transaction is open.
    """
    now = clock.now()
    db.current()
    parameters = {
        "id": ids.new_event_id(),
        "user_id": user_id,
        "name": name,
        "core": events.core_bytes(name, data, now),
        "happened_at": now,
    }
    db.execute(_PUBLISH, parameters)
    db.after_commit(_ring)


def _ring() -> None:
    queue.ring("events.dispatch", PERIODIC["events.dispatch"])
