"""Tiny processes in the place of real ones, and ways to watch processes come and go."""

import asyncio
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from protonpay.stack.child import Command
from protonpay.stack.console import Console
from protonpay.stack.part import Part, said_ready
from protonpay.stack.supervisor import Supervisor, run

# Says it is ready, notes its beginning and its end, and lives until it is told to go.
LIVES = (
    'echo "$0 up" >>$DIARY; trap \'echo "$0 down" >>$DIARY; exit 0\' TERM; echo ready; {more}'
    "while :; do sleep 10 & wait $!; done"
)


def lives(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


class Little:
    """A stack of shell scripts under a real supervisor."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "log"
        self.diary_file = folder / "diary"
        self.diary_file.touch()
        self.parts: list[Part] = []
        self.text = io.StringIO()

    def add(self, name: str, script: str = LIVES.format(more=""), **about: Any) -> None:
        """Add a part that is a shell script."""
        program = ("/bin/sh", "-c", script, name)
        command = Command(program, env={"DIARY": str(self.diary_file)}, folder=self.logs.parent)
        defaults = {"ready": said_ready, "grace_seconds": 5.0, "start_seconds": 10.0}
        self.parts.append(Part(name, f"stand-in {name}", lambda: command, **{**defaults, **about}))

    @property
    def diary(self) -> list[str]:
        """What the scripts noted."""
        return self.diary_file.read_text().splitlines()

    @property
    def printed(self) -> str:
        """What a person saw."""
        return self.text.getvalue()

    def supervisor(self) -> Supervisor:
        return Supervisor(self.parts, logs=self.logs, mark="test", console=Console(self.text))

    def run(self, while_it_runs: Callable[[Supervisor], None] = lambda _: None) -> int:
        """Run it all, do something once it is ready, ask it to stop; return the exit status."""
        supervisor = self.supervisor()

        def ready() -> None:
            loop = asyncio.get_running_loop()
            loop.run_in_executor(None, self._then_stop, while_it_runs, supervisor)

        console = Console(self.text)
        return asyncio.run(run(supervisor, console, ready=ready, stopping=lambda: None))

    @staticmethod
    def _then_stop(act: Callable[[Supervisor], None], supervisor: Supervisor) -> None:
        try:
            act(supervisor)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
