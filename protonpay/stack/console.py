"""What a person sees: one line per part, in colour only on a terminal."""

import os
import sys
from typing import TextIO

_GREEN, _RED, _YELLOW, _DIM, _BOLD = "32", "31", "33", "2", "1"


class Console:
    """The lines a stack prints."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._colour = self._out.isatty() and not os.environ.get("NO_COLOR")

    def line(self, text: str = "") -> None:
        """Print a line; a reader who has gone is no reason to fall."""
        try:
            print(text, file=self._out, flush=True)
        except OSError:
            # What is left in the buffer would fail again at the end, and be the exit status.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())

    def heading(self, text: str) -> None:
        """Print what begins now."""
        self.line(self._in(_BOLD, text))

    def up(self, name: str, what: str, address: str, seconds: float) -> None:
        """Say that a part is ready."""
        mark, took = self._in(_GREEN, "ok"), self._in(_DIM, f"{seconds:5.1f} s")
        where = f"  {self._in(_DIM, address)}" if address else ""
        self.line(f"  {mark}  {name:<11}{took}  {what}{where}")

    def trouble(self, text: str) -> None:
        """Say that something goes wrong and is being dealt with."""
        self.line(f"  {self._in(_YELLOW, '..')}  {text}")

    def failure(self, text: str, details: list[str]) -> None:
        """Say that it cannot go on, and what was last heard."""
        for detail in details:
            self.line(f"      {self._in(_DIM, detail)}")
        self.line(f"{self._in(_RED, 'failed')}  {text}")

    def table(self, rows: list[tuple[str, str]]) -> None:
        """Print names and values."""
        for name, value in rows:
            self.line(f"  {self._in(_DIM, f'{name:<14}')}{value}")

    def _in(self, colour: str, text: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colour else text
