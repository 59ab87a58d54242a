"""Wait for what happens next: a read of the log that answers when there is something to tell.

A wait holds a thread of this process, so it ends by itself before a process that is told to stop
would lose patience; few may wait in a process, and an account once in all of them. Who may not is
answered at once, as if it had not asked to wait: nothing is refused, and nothing can be lost,
since the log is what counts.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis
import structlog

from protonpay.events.service import Stretch
from protonpay.store.db import release
from protonpay.store.queue import door

log = structlog.get_logger(__name__)

LONGEST_WAIT = 15
"""Seconds; less than a process gets to end (``graceful_timeout``)."""

_LOOK_EVERY_SECONDS = 0.25
_THREADS_FOR_ONE = 4
_SPARE_SECONDS = 5


class Room:
    """How many may wait in this process: one of four threads, bound by create_app."""

    def __init__(self) -> None:
        self._nothing = threading.Event()
        self.bind(1)

    def bind(self, threads: int) -> None:
        """Set how many threads this process answers with."""
        self._places = threading.BoundedSemaphore(max(threads // _THREADS_FOR_ONE, 1))

    @contextmanager
    def place(self, user_id: str, seconds: int) -> Iterator[bool]:
        """Take a place for an account; yield whether there was one."""
        if not self._places.acquire(blocking=False):
            yield False
            return
        try:
            mine = _take_turn(user_id, seconds)
            try:
                yield mine
            finally:
                if mine:
                    _end_turn(user_id)
        finally:
            self._places.release()

    def pause(self) -> None:
        """Let a moment pass, with no connection to the database in hand."""
        release()
        self._nothing.wait(_LOOK_EVERY_SECONDS)


room = Room()


def read(
    look: Callable[[], Stretch], user_id: str, wait: int, *, check_still: Callable[[], None]
) -> Stretch:
    """Look at the log; where there is no event, wait for one.

    Args:
        look: reads what is wanted of it.
        user_id: whose log.
        wait: for so many seconds at most; 0 for not at all.
        check_still: refuses who may not be told any more what has happened meanwhile.
    """
    found = look()
    if found.events or not wait:
        return found
    until = time.monotonic() + wait
    with room.place(user_id, wait) as waits:
        while waits and not found.events and time.monotonic() < until:
            room.pause()
            found = look()
            if found.events:
                check_still()
    return found


def _turn(user_id: str) -> str:
    return f"events:wait:{user_id}"


def _take_turn(user_id: str, seconds: int) -> bool:
    try:
        # It ends by itself, should this process not come to say so.
        return bool(door.client.set(_turn(user_id), 1, ex=seconds + _SPARE_SECONDS, nx=True))
    except redis.RedisError as error:
        log.warning("nobody_waits_without_redis", error=repr(error))
        return False


def _end_turn(user_id: str) -> None:
    try:
        door.client.delete(_turn(user_id))
    except redis.RedisError as error:
        log.warning("nobody_waits_without_redis", error=repr(error))
