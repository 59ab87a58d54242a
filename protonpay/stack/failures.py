"""What can go wrong with the stack, in words for the one who started it."""

from pathlib import Path

_LAST_BYTES = 16_384


class StackError(Exception):
    """The stack cannot run; the message says why and what to do about it."""


class StartFailed(StackError):
    """A part ended, or was not ready in time; carries the end of what it said.

    Attributes:
        said: the last lines of its log.
    """

    def __init__(self, name: str, why: str, log: Path, *, since: int = 0) -> None:
        super().__init__(f"{name} {why}; its log is {log}")
        self.said = last_lines(log, since)


def last_lines(log: Path, since: int = 0, count: int = 20) -> list[str]:
    """Return the end of a log, however long it is; empty when there is none.

    Args:
        log: the file.
        since: what stands before this byte is of an earlier run.
        count: the most lines wanted.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - _LAST_BYTES))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []
