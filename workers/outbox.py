"""The sweeper: what is due and in nobody's hands goes to the queue again."""

from protonpay.store import outbox
from workers.job import drain, periodic

_ROWS = 200


@periodic("outbox.sweep")
def sweep() -> None:
    """Push every due row that nobody holds."""
    drain(lambda: outbox.sweep(_ROWS), _ROWS)
