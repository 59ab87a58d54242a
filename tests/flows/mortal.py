"""``flask`` whose workers kill themselves at the moments that a test has named.

A file ``<point>@<where>`` in ``$FAULTS`` is such a moment; it is used up by who dies of it.
"""

import os
import signal
from datetime import timedelta
from pathlib import Path

from flask import cli

from protonpay.kernel import faults
from protonpay.store import outbox
from workers import job, pool


def _die_if_named(name: str, where: str) -> None:
    try:
        Path(os.environ["FAULTS"], f"{name}@{where}").unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Be ``flask``, and mortal."""
    faults.arm(_die_if_named)
    # Who died is replaced sooner, and what they had in hand is free sooner: tests wait for
    # nothing else.
    outbox.RUNNING_LEASE = timedelta(seconds=2)
    job._RENEW_SECONDS = 0.5
    pool._RESTART_SECONDS = 0.1
    cli.main()
