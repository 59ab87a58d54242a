"""Secrets that were replaced and still work: for how long, and how many at once."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict
from protonpay.store.db import current

LONGEST = timedelta(days=7)
USUAL = timedelta(days=1)
MOST_SECRETS = 3
"""The newest one included."""


def make_room(replaced: type[Any], mine: ColumnElement[bool], overlap: timedelta) -> None:
    """Forget those that have ended, and make sure that one more may work on beside the new one.

    Joins the caller's transaction, which holds the lock of whoever gets the new secret.

    Args:
        replaced: the model of replaced secrets; ``ends_at`` says until when each works.
        mine: which of them are of whoever gets a new one.
        overlap: how long the old one still works; zero for one that has leaked: then every
            older one ends at once, too.

    Raises:
        Conflict: three secrets are alive (``too_many_secrets``).
    """
    over = mine if not overlap else mine & (replaced.ends_at <= clock.now())
    current().execute(delete(replaced).where(over))
    if not overlap:
        return
    alive = current().scalar(select(func.count()).select_from(replaced).where(mine)) or 0
    if alive + 1 >= MOST_SECRETS:
        said = "At most {limit} secrets at once. Wait until the oldest one ends."
        raise Conflict("too_many_secrets", said, limit=MOST_SECRETS)
