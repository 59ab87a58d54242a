"""Starts parts in the order they need one another, keeps them running, stops them in reverse."""

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from protonpay.stack.child import Child, how_it_ended
from protonpay.stack.console import Console
from protonpay.stack.failures import StackError, StartFailed
from protonpay.stack.part import Part, in_order

_LOOK_EVERY_SECONDS = 0.05
_PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STEADY_SECONDS = 60.0


class Supervisor:
    """Runs parts until it is told to stop.

    Everything happens in one thread: the kernel ties a child to the thread that started it.
    Only checks and preparations, which may block, run beside it.
    """

    def __init__(self, parts: Iterable[Part], *, logs: Path, mark: str, console: Console) -> None:
        self._parts = in_order(parts)
        self._logs = logs
        self._mark = mark
        self._console = console
        self._children: dict[str, Child] = {}
        self._minders: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._up = {name: asyncio.Event() for name in self._parts}
        self._down = {name: asyncio.Event() for name in self._parts}

    async def start(self) -> None:
        """Start every part, side by side where nothing is waited for.

        Raises:
            StackError: a part cannot run here.
            StartFailed: a part ended, or was not ready in time.
        """
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._somebody_ended)
        try:
            async with asyncio.TaskGroup() as group:
                for part in self._parts.values():
                    group.create_task(self._bring_up(part))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures

    async def stop(self) -> None:
        """Stop every part, each before what it needs."""
        for minder in self._minders:
            minder.cancel()
        await asyncio.gather(*(self._take_down(part) for part in self._parts.values()))

    def kill(self) -> None:
        """End everything now."""
        for child in self._children.values():
            child.kill()

    async def _bring_up(self, part: Part) -> None:
        for need in part.needs:
            await self._up[need].wait()
        if part.step and await asyncio.to_thread(part.done):
            self._up[part.name].set()
            return
        began = time.monotonic()
        await self._start(part)
        self._console.up(part.name, part.what, part.address, time.monotonic() - began)
        self._up[part.name].set()
        if part.command and not part.step:
            self._minders.append(asyncio.create_task(self._mind(part)))

    async def _start(self, part: Part) -> None:
        await asyncio.to_thread(part.prepare)
        log = self._logs / f"{part.name}.log"
        child = None
        if part.command:
            child = self._children[part.name] = Child(part.command(), log, mark=self._mark)
        if child and part.step:
            await self._until_done(part, child)
        else:
            await self._until_ready(part, child, log)
        await asyncio.to_thread(part.furnish)

    async def _until_done(self, part: Part, child: Child) -> None:
        try:
            status = await asyncio.wait_for(self._end_of(child), part.start_seconds)
        except TimeoutError:
            raise child.failure(part.name, "did not end in time") from None
        if status != 0:
            raise child.failure(part.name, how_it_ended(status))

    async def _until_ready(self, part: Part, child: Child | None, log: Path) -> None:
        deadline = time.monotonic() + part.start_seconds
        while not await asyncio.to_thread(part.ready, child):
            status = child.poll() if child else None
            if child and status is not None:
                raise child.failure(part.name, how_it_ended(status))
            if time.monotonic() > deadline:
                since = child.log_start if child else 0
                raise StartFailed(part.name, "was not ready in time", log, since=since)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _mind(self, part: Part) -> None:
        """Start a part again whenever it ends, ever later if it does not stay."""
        failures = 0
        while True:
            child, began = self._children[part.name], time.monotonic()
            status = await self._end_of(child)
            child.kill()  # what it had started itself
            steady = time.monotonic() - began > _STEADY_SECONDS
            failures = await self._bring_back(part, how_it_ended(status), 0 if steady else failures)

    async def _bring_back(self, part: Part, why: str, failures: int) -> int:
        while True:
            pause = _PAUSES_SECONDS[min(failures, len(_PAUSES_SECONDS) - 1)]
            self._console.trouble(f"{part.name} {why}; starts again in {pause} s")
            await asyncio.sleep(pause)
            failures += 1
            began = time.monotonic()
            try:
                await self._start(part)
            except StackError as failure:
                self._children[part.name].kill()
                why = str(failure).removeprefix(f"{part.name} ")
            else:
                self._console.up(part.name, "is back", part.address, time.monotonic() - began)
                return failures

    async def _take_down(self, part: Part) -> None:
        for other in self._parts.values():
            if part.name in other.needs:
                await self._down[other.name].wait()
        child = self._children.get(part.name)
        if child:
            child.ask_to_stop()
            try:
                await asyncio.wait_for(self._end_of(child), part.grace_seconds)
            except TimeoutError:
                self._console.trouble(f"{part.name} takes too long to stop, and is ended")
            child.kill()
        self._down[part.name].set()

    async def _end_of(self, child: Child) -> int:
        while (status := child.poll()) is None:
            await self._changed.wait()
        return status

    def _somebody_ended(self) -> None:
        # Whoever waits looks for itself; whoever waits from now on gets an event of its own.
        self._changed.set()
        self._changed = asyncio.Event()


async def run(
    supervisor: Supervisor,
    console: Console,
    *,
    ready: Callable[[], None],
    stopping: Callable[[], None],
) -> int:
    """Start, wait for a signal, stop. A second signal ends everything at once.

    Args:
        supervisor: with its parts.
        console: where to say what happens.
        ready: called once everything is.
        stopping: called before anything is stopped.

    Returns:
        The exit status: 0 after a clean stop, 1 when it could not start.
    """
    asked = asyncio.Event()
    _on_signals(supervisor, asked)
    try:
        await _unless(asked, supervisor.start())
        if not asked.is_set():
            ready()
            await asked.wait()
    except StackError as failure:
        console.failure(str(failure), failure.said if isinstance(failure, StartFailed) else [])
        return 1
    finally:
        stopping()
        await supervisor.stop()
    return 0


async def _unless(asked: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    task, waiter = asyncio.create_task(work), asyncio.create_task(asked.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if not task.done():
        task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _on_signals(supervisor: Supervisor, asked: asyncio.Event) -> None:
    def take() -> None:
        if asked.is_set():
            supervisor.kill()
        asked.set()

    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(wanted, take)
