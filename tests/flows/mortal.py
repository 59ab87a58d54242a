"""``flask`` whose workers kill themselves at the moments that a test has named.

A file ``<point>@<where>`` in ``$FAULTS`` is such a moment; it is used up by who dies of it.
"""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from flask.cli import main

from protonpay.kernel import faults
from protonpay.store import outbox


def _die_if_named(name: str, where: str) -> None:
    try:
        Path(os.environ["FAULTS"], f"{name}@{where}").unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    faults.arm(_die_if_named)
    # What a dead worker had in hand is free sooner: a test waits for nothing else.
    outbox.RUNNING_LEASE = timedelta(seconds=3)
    sys.argv[0] = "flask"
    main()
