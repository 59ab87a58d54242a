"""Ends sockets at their moment: one thread for all of them, since a thread each is dear.

A timer of its own for each delivery costs more than the delivery.
"""

import heapq
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_WORTH_SWEEPING = 64


class Hold:
    """A socket that is shut down at its moment, unless it was released before."""

    def __init__(self, line: socket.socket, ended: Callable[[], None]) -> None:
        self.released = False
        self._line = line
        self._ended = ended
        self._lock = threading.Lock()

    def release(self) -> None:
        """Let go; afterwards the socket is never touched again, whoever has its number by then."""
        with self._lock:
            self.released = True

    def end(self) -> None:
        """Shut the socket down."""
        with self._lock:
            if self.released:
                return
            self.released = True
            self._ended()
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


class Alarm:
    """Holds by their moment, and the thread that waits for the first of them."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._holds: list[tuple[float, int, Hold]] = []
        self._count = itertools.count()
        self._released = 0
        self._thread: threading.Thread | None = None

    def set(self, moment: float, hold: Hold) -> None:
        """End a hold at a moment of the monotonic clock."""
        with self._changed:
            entry = (moment, next(self._count), hold)
            heapq.heappush(self._holds, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True, name="alarm")
                self._thread.start()
            elif self._holds[0] is entry:
                self._changed.notify()

    def release(self, hold: Hold) -> None:
        """Release a hold, and sweep once most of what is kept was released."""
        hold.release()
        with self._changed:
            self._released += 1
            if self._released > max(len(self._holds) // 2, _WORTH_SWEEPING):
                self._holds = [entry for entry in self._holds if not entry[2].released]
                heapq.heapify(self._holds)
                self._released = 0

    def _watch(self) -> None:
        while True:
            self._next().end()

    def _next(self) -> Hold:
        """Wait until the first hold is due."""
        with self._changed:
            while True:
                left = self._holds[0][0] - time.monotonic() if self._holds else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._holds)[2]
                self._changed.wait(left)


alarm = Alarm()
# A fork takes the holds along and leaves the thread behind.
os.register_at_fork(after_in_child=alarm._reset)  # noqa: SLF001 - of this module
