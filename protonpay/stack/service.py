"""A server of somebody else's that we run: what Postgres and Valkey have in common."""

import fcntl
import os
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Self

from protonpay.stack.account import Account, choose
from protonpay.stack.child import Child, Command, how_it_ended
from protonpay.stack.failures import StackError

_PROBE_EVERY_SECONDS = 0.02
LONGEST_SOCKET_PATH = 107
"""Bytes that the kernel has for a socket's address."""


class Service(ABC):
    """A server with a folder.

    The supervisor calls the four verbs itself; tests use ``start``, ``stop`` and ``kill``.

    Attributes:
        folder: everything it keeps; belongs to one server at a time.
        log: where its output goes.
    """

    name: str
    start_seconds = 60.0
    grace_seconds = 10.0

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.log = log or self.folder / f"{self.name}.log"
        self._child: Child | None = None
        self._lock: int | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make ready to start: repeatable, after an interruption at any point too."""

    @abstractmethod
    def command(self) -> Command:
        """Return how it is started; after ``prepare``."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether it answers a real question."""

    @abstractmethod
    def furnish(self) -> None:
        """Put in what its users expect to find; repeatable, once it answers."""

    @cached_property
    def account(self) -> Account:
        """Whom it runs as, found out on first use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return choose(self.folder)

    @cached_property
    def sockets(self) -> Path:
        """The folder of its socket: private, its path short enough."""
        return self.account.lodge(self.folder / "run", longest=LONGEST_SOCKET_PATH - 20)

    def start(self) -> None:
        """Start it, and come back when it can be used.

        Raises:
            StackError: it cannot run here, or the folder is in use.
            StartFailed: it ended, or did not answer in time.
        """
        self._take_folder()
        try:
            self.prepare()
            self._child = Child(self.command(), self.log, mark=str(self.folder))
            self._wait_until_it_answers(self._child)
            self.furnish()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order: nothing is lost."""
        if self._child:
            self._child.stop(self.grace_seconds)
        self._forget()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._child:
            self._child.kill()
        self._forget()

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._child is None:
            raise StackError(f"{self.name} does not run")
        return self._child.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_it_answers(self, child: Child) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self.answers():
            status = child.poll()
            if status is not None:
                raise child.failure(self.name, how_it_ended(status))
            if time.monotonic() > deadline:
                raise child.failure(self.name, "did not answer in time")
            time.sleep(_PROBE_EVERY_SECONDS)

    def _take_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StackError(f"another {self.name} of ours runs in {self.folder}") from None
        self._lock = lock

    def _forget(self) -> None:
        self._child = None
        if self._lock is not None:
            with suppress(OSError):
                os.close(self._lock)
            self._lock = None
