"""Told when a row that is urgent becomes due, before the sweeper comes round."""

from collections.abc import Callable
from datetime import datetime

from protonpay.store.jobs import JOBS


class Bell:
    """Who is told when a row that is urgent becomes due, before the sweeper comes round."""

    def __init__(self) -> None:
        self._tell: Callable[[datetime], None] | None = None

    def bind(self, tell: Callable[[datetime], None] | None) -> None:
        """Have this called with each such moment, from any thread; None: nobody."""
        self._tell = tell

    def ring_at(self, job: str, due: datetime) -> None:
        """Say that a row of a job is due then; lost, it costs a sweep."""
        if self._tell is not None and JOBS[job].urgent:
            self._tell(due)


bell = Bell()
