"""Rows that are good for a while only, and are dropped by whoever makes the next one."""

from typing import Any

from sqlalchemy import delete, select

from protonpay.kernel import clock
from protonpay.store.db import current

_AT_ONCE = 100


def drop(model: Any) -> None:
    """Drop some rows whose ``expires_at`` has passed, in the caller's transaction.

    Those that somebody else is dropping at this moment are left to them: two who clean up at once
    neither wait for each other nor lock each other out.
    """
    (key,) = model.__table__.primary_key
    over = (
        select(key)
        .where(model.expires_at < clock.now())
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    current().execute(delete(model).where(key.in_(over)))
