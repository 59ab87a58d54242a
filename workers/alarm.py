"""A thread that looks for urgent work at the moment when it is due.

The sweeper comes round once a second and would do the same; a payout that is final should not
wait for it. What a process forgets as it dies, the sweeper finds.
"""

import heapq
import threading
from datetime import UTC, datetime, timedelta

import structlog
from flask import Flask

from protonpay.kernel import clock
from protonpay.store import outbox
from protonpay.store.bell import bell
from protonpay.store.db import release

log = structlog.get_logger(__name__)

_TICK = timedelta(milliseconds=100)
_A_TICK = datetime(2000, 1, 1, tzinfo=UTC)


class Alarm:
    """Sweeps for urgent rows whenever one of them becomes due."""

    def __init__(self) -> None:
        self._app: Flask | None = None
        self._set: list[datetime] = []
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="alarm")

    def start(self, app: Flask) -> None:
        """Begin in this process; after the fork, never before."""
        self._app = app
        bell.bind(self.set)
        self._thread.start()

    def stop(self) -> None:
        """End, whatever is set."""
        bell.bind(None)
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join()

    def set(self, moment: datetime) -> None:
        """Have urgent rows looked for at the tick after that: one sweep for all of a tick's."""
        moment += (_A_TICK - moment) % _TICK
        with self._changed:
            if moment not in self._set:
                heapq.heappush(self._set, moment)
                self._changed.notify()

    def _run(self) -> None:
        while self._wait():
            if self._app is not None:
                with self._app.app_context():
                    _sweep()

    def _wait(self) -> bool:
        """Return when the first of the moments has come; it and all that passed are taken out.

        Returns:
            False at the end of it.
        """
        with self._changed:
            while not self._over:
                now = clock.now()
                passed = len(self._set)
                while self._set and self._set[0] <= now:
                    heapq.heappop(self._set)
                if len(self._set) < passed:
                    return True
                left = (self._set[0] - now).total_seconds() if self._set else None
                self._changed.wait(left)
        return False


def _sweep() -> None:
    try:
        outbox.sweep(urgent_only=True)
    except Exception as error:  # noqa: BLE001 - the sweeper of everything comes round anyway
        log.warning("urgent_not_swept", error=repr(error))
    finally:
        release()


alarm = Alarm()
