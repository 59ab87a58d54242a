"""What was published: the events of an account, read from the bytes that are sent."""

import json
from typing import Any

from sqlalchemy import select

from protonpay.store.db import db
from protonpay.store.events import EventRow


def events_of(user_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Return name and data of every event of an account, in the order they happened."""
    rows = db.session.execute(
        select(EventRow.name, EventRow.core)
        .where(EventRow.user_id == user_id)
        .order_by(EventRow.happened_at, EventRow.id)
    )
    return [(name, json.loads(core)["data"]) for name, core in rows]
