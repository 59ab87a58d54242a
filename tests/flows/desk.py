"""Where an operator types commands: a process for each, of one that knows the product.

A command is what the shell would run, in a process of its own with an environment of its own.
Only its imports are done before: a test that asks again and again would wait for nothing else, and
a city whose every process imports the product for itself is long in founding.
"""

import gc
import multiprocessing
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from flask.cli import main as flask
from gunicorn.app.wsgiapp import run as gunicorn

from tests.flows import mortal

_PROGRAMS: Mapping[str, Callable[[], object]] = {
    "flask": flask,
    "gunicorn": gunicorn,
    "mortal": mortal.main,
}
_knowing = multiprocessing.get_context("forkserver")
# The limits import valkey when an application is made. This module last: it freezes everything.
_knowing.set_forkserver_preload(["protonpay.app", "workers.commands", "valkey", __name__])
_PATIENCE = 120
# Known for good: no child looks for garbage in it, or would write to every page that it shares.
gc.freeze()


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def typed(environ: Mapping[str, str], *arguments: str) -> Done:
    """Run ``flask`` with these arguments and nothing but this environment, and wait for its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _start(environ, ("flask", "--app", "wsgi", *arguments), out, err)
        process.join(_PATIENCE)
        assert process.exitcode is not None, f"flask {arguments} has no end"
        return Done(process.exitcode, out.read_text(), err.read_text())


def started(environ: Mapping[str, str], *command: str, log: Path) -> BaseProcess:
    """Start ``flask``, ``gunicorn`` or ``mortal``, which says everything to a log."""
    return _start(environ, command, log, log)


def _start(
    environ: Mapping[str, str], command: tuple[str, ...], out: Path, err: Path
) -> BaseProcess:
    process = _knowing.Process(target=_run, args=(dict(environ), command, out, err))
    process.start()
    return process


def _run(environ: dict[str, str], command: tuple[str, ...], out: Path, err: Path) -> None:
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 - for as long as it lives
    sys.stdout, sys.stderr = open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115 - as well
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = [*command]
    _PROGRAMS[command[0]]()


def complaints(folder: Path, most: int = 25) -> list[str]:
    """Return the last warnings and errors of every log in a folder, the newest last."""
    lines = [line for log in folder.glob("*.log") for line in log.read_text().splitlines()]
    told = [line for line in lines if re.search(r'"level": "(warning|error)"', line)]
    return [line[:600] for line in sorted(told, key=_moment)[-most:]]


def _moment(line: str) -> str:
    return line.rpartition('"timestamp": ')[2]
