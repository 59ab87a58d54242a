"""Where an operator types ``flask …``: a process for each command, of one that knows the product.

A command is what the shell would run, in a process of its own with an environment of its own.
Only its imports are done before: a test that asks again and again would wait for nothing else.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask.cli import main

_knowing = multiprocessing.get_context("forkserver")
_knowing.set_forkserver_preload(["protonpay.app", "workers.commands", __name__])
_PATIENCE = 120


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
        process = _knowing.Process(target=_run, args=(dict(environ), arguments, out, err))
        process.start()
        process.join(_PATIENCE)
        assert process.exitcode is not None, f"flask {arguments} has no end"
        return Done(process.exitcode, out.read_text(), err.read_text())


def _run(environ: dict[str, str], arguments: tuple[str, ...], out: Path, err: Path) -> None:
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = open(os.devnull), open(1, "w"), open(2, "w")  # noqa: SIM115, PTH123 - for as long as it lives
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["flask", "--app", "wsgi", *arguments]
    main()
