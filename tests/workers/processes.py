"""Processes of the tests' own: forked from here, killed as the world kills."""

import os
import signal
import stat
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from protonpay.store.db import db, release
from protonpay.store.queue import door
from tests.committed import OpenHouse
from tests.patience import until


class Forked:
    """A child of this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def wait(self) -> int:
        """Wait for the end and return the exit code, or minus the signal."""
        until(self.ended)
        assert self.status is not None
        return self.status

    def children(self) -> list[int]:
        """The processes it has forked itself, those that live."""
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(pid) for pid in found if lives(int(pid))]


@contextmanager
def forked(house: OpenHouse, work: Callable[[], object]) -> Iterator[Forked]:
    """Run something in a process of its own as long as the block lasts."""
    release()
    pid = os.fork()
    if pid == 0:
        _become(house, work)
    child = Forked(pid)
    try:
        yield child
    finally:
        if not child.ended():
            child.send(signal.SIGKILL)
            child.wait()


def _become(house: OpenHouse, work: Callable[[], object]) -> None:
    code = 1
    try:
        with house.app.app_context():
            _leave_the_parents_things_alone()
            work()
            code = 0
    except BaseException:  # noqa: BLE001 - this process has nobody to tell
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _leave_the_parents_things_alone() -> None:
    db.engine.dispose(close=False)
    door.client.connection_pool.reset()
    # Services lock their folders, and a lock lives as long as anybody has it open.
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if stat.S_ISDIR(os.fstat(int(entry.name)).st_mode):
                os.close(int(entry.name))


def lives(pid: int) -> bool:
    """Tell whether a process runs: a zombie does not."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return said.rpartition(")")[2].split()[0] != "Z"
