"""Processes that outlived the one who started them, and their end.

Whoever is started dies with its parent (see ``tether``), and what had a child of its own
may not. So each carries a mark in its environment, or works in a folder that is ours alone.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

_LOOK_EVERY_SECONDS = 0.02
_KILL_SECONDS = 10.0

Find = Callable[[], list[int]]


def marked(name: str, value: str) -> list[int]:
    """Return the processes with ``name=value`` in their environment, our own line left out."""
    wanted = f"{name}={value}".encode()
    line = set(_own_line())
    return [
        pid
        for pid in _processes()
        if pid not in line and wanted in _read(pid, "environ").split(b"\0")
    ]


def working_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is exactly this folder."""
    wanted = str(folder.resolve())
    found = []
    for pid in _processes():
        with suppress(OSError):
            if str(Path(f"/proc/{pid}/cwd").readlink()) == wanted:
                found.append(pid)
    return found


def end(find: Find, ask: signal.Signals, grace_seconds: float) -> int:
    """Ask every process found to end, wait, then insist.

    Args:
        find: looks again each time it is called, for the ones that are left.
        ask: the signal that asks.
        grace_seconds: how long they may take.

    Returns:
        How many there were.
    """
    pids = find()
    _send(pids, ask)
    if not _gone(find, grace_seconds):
        _send(find(), signal.SIGKILL)
        _gone(find, _KILL_SECONDS)
    return len(pids)


def _gone(find: Find, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while find():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True


def _send(pids: list[int], wanted: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, wanted)


def _processes() -> list[int]:
    """Return what runs; the dead that nobody has waited for are nobody's orphans."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _state(pid) not in ("Z", "X", "")]


def _state(pid: int) -> str:
    # After the name, which may hold anything but ends with the last parenthesis.
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return fields[0].decode() if fields else ""


def _own_line() -> Iterator[int]:
    pid = os.getpid()
    while pid > 0:
        yield pid
        fields = _read(pid, "stat").rpartition(b")")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
