"""One process of ours: started tied to us, logging to a file, stopped with everything below it."""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from protonpay.stack.account import tethered
from protonpay.stack.failures import StartFailed

MARK = "PROTONPAY_STACK"
"""Environment variable of everything a stack starts: whose it is, when nobody remembers."""

_LARGEST_LOG = 16_000_000


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run.

    Attributes:
        program: its command line.
        env: what it gets beside the environment of this process; None takes a variable away.
        who: the user, as the tether says it.
        stop: the signal that asks it to end, sent as well when we die.
        folder: where it works.
    """

    program: tuple[str, ...]
    env: Mapping[str, str | None] = field(default_factory=dict)
    who: str = "self"
    stop: signal.Signals = signal.SIGTERM
    folder: Path = Path("/")


class Child:
    """A running program.

    Start it from the main thread: the kernel ties it to the thread that starts it.
    """

    def __init__(self, command: Command, log: Path, *, mark: str = "") -> None:
        self.command = command
        self.log = log
        self.log_start = _rotated(log)
        self._process = self._spawn(mark)

    def _spawn(self, mark: str) -> "subprocess.Popen[bytes]":
        env = {**os.environ, **self.command.env, MARK: mark}
        with self.log.open("ab") as output:
            return subprocess.Popen(
                tethered(list(self.command.program), self.command.who, self.command.stop),
                env={name: value for name, value in env.items() if value is not None},
                cwd=self.command.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C at the terminal is for the one who starts and stops in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return how it ended (an exit status, or minus a signal); None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """Wait for the end, at most so long."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send the signal that asks it to end."""
        if self.poll() is None:
            self._process.send_signal(self.command.stop)

    def kill(self) -> None:
        """End it now, with every process of its group."""
        with suppress(ProcessLookupError, PermissionError):  # nobody is left in it
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self, grace_seconds: float) -> None:
        """Ask, wait, insist."""
        self.ask_to_stop()
        self.wait(grace_seconds)
        self.kill()

    def has_said(self, line: str) -> bool:
        """Tell whether it has printed exactly this line since it started."""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            return line.encode() in file.read().splitlines()

    def failure(self, name: str, why: str) -> StartFailed:
        """Return the error that says so, with what it has said since it started."""
        return StartFailed(name, why, self.log, since=self.log_start)


def how_it_ended(status: int) -> str:
    """Say a wait status in words."""
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _rotated(log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    size = log.stat().st_size if log.exists() else 0
    if size < _LARGEST_LOG:
        return size
    log.replace(log.with_suffix(".log.1"))
    return 0
