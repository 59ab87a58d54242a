"""Many conversations in one thread: each says what it waits for, and goes on when that comes.

A conversation is a generator. It yields what it waits for and until when; a wait that lasts longer
ends with ``TimeoutError`` inside it. Threads instead, one for each, cost more than what they say.
"""

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_NEVER = float("inf")


class Wait(NamedTuple):
    """What a conversation waits for.

    Attributes:
        on: a socket, or what another thread will have answered.
        events: ``READ`` or ``WRITE`` of a socket.
        until: on the monotonic clock.
    """

    on: "socket.socket | Future[Any]"
    events: int
    until: float


Steps = Generator[Wait, None, T]
"""A conversation that comes to a ``T``."""


def answer_of(future: "Future[T]", until: float) -> Steps[T]:
    """Wait for what another thread answers; raise what it raised."""
    if not future.done():
        yield Wait(future, 0, until)
    return future.result()


@dataclass(eq=False, slots=True)
class _Task(Generic[T]):
    steps: Steps[T]
    done: Callable[[T], object]
    until: float = _NEVER
    on: object = None
    events: int = 0
    watched: int | None = None


class Loop:
    """Brings conversations on, in the thread that calls ``run`` or ``turn``."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)  # noqa: FBT003 - the standard library's own way
        self._rope.setblocking(False)  # noqa: FBT003
        self._selector.register(self._bell, READ, None)
        self._tasks: set[_Task[Any]] = set()
        self._ready: deque[tuple[_Task[Any], object]] = deque()
        # No task's time is up before this moment; the first may be later.
        self._earliest = _NEVER
        self._rung = False
        self._over = False
        self._thread: threading.Thread | None = None

    def start(self, steps: Steps[T], done: Callable[[T], object]) -> None:
        """Begin a conversation; from any thread.

        Args:
            steps: raises nothing.
            done: told what it came to, in the loop's thread.
        """
        self._ready.append((_Task(steps, done), None))
        self._ring()

    def run_in_thread(self, name: str) -> None:
        """Run in a thread of its own until closed; a second time does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True, name=name)
            self._thread.start()

    def close(self) -> None:
        """End the thread and let go of all that is open."""
        self._over = True
        self._ring()
        if self._thread is not None:
            self._thread.join()
        for task in self._tasks:
            task.steps.close()
        self._selector.close()
        self._bell.close()
        self._rope.close()

    def turn(self) -> bool:
        """Wait until something can go on, and bring it on; return whether anything is left."""
        ready = self._ready
        left = 0 if ready else max(self._earliest - time.monotonic(), 0)
        for key, _ in self._selector.select(None if left == _NEVER else left):
            if key.data is None:
                self._hear()
            else:
                self._bring_on(key.data)
        while ready:
            task, waited_for = ready.popleft()
            # What it waited for may come when its time was up already.
            if task.on is waited_for:
                self._bring_on(task)
        if time.monotonic() >= self._earliest:
            self._end_the_late()
        return bool(self._tasks)

    def _run(self) -> None:
        while not self._over:
            self.turn()

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            with suppress(BlockingIOError):
                self._rope.send(b"!")

    def _hear(self) -> None:
        self._bell.recv(64)
        # From here on whoever adds something rings again.
        self._rung = False

    def _end_the_late(self) -> None:
        now = time.monotonic()
        for task in [task for task in self._tasks if task.until <= now]:
            self._bring_on(task, TimeoutError())
        self._earliest = min((task.until for task in self._tasks), default=_NEVER)

    def _bring_on(self, task: _Task[Any], error: Exception | None = None) -> None:
        try:
            wait = next(task.steps) if error is None else task.steps.throw(error)
        except StopIteration as end:
            self._forget(task)
            task.done(end.value)
            return
        if task.on is None:
            self._tasks.add(task)
        task.until = wait.until
        self._earliest = min(self._earliest, wait.until)
        # The object, not its number: a number that was closed is soon another's.
        if wait.on is not task.on or wait.events != task.events:
            self._watch(task, wait)

    def _watch(self, task: _Task[Any], wait: Wait) -> None:
        on = wait.on
        if isinstance(on, Future):
            self._unwatch(task)
            task.on, task.events = on, 0
            on.add_done_callback(lambda _: self._answered(task, on))
            return
        if on is task.on and task.watched is not None:
            self._selector.modify(task.watched, wait.events, task)
        else:
            self._unwatch(task)
            task.watched = on.fileno()
            self._selector.register(task.watched, wait.events, task)
        task.on, task.events = on, wait.events

    def _answered(self, task: _Task[Any], future: "Future[Any]") -> None:
        self._ready.append((task, future))
        self._ring()

    def _unwatch(self, task: _Task[Any]) -> None:
        if task.watched is not None:
            self._selector.unregister(task.watched)
            task.watched = None

    def _forget(self, task: _Task[Any]) -> None:
        self._unwatch(task)
        self._tasks.discard(task)
        task.on = self
