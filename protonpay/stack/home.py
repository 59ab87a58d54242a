"""The folder of everything a stack keeps (``PROTONPAY_HOME``), and who has it now."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from protonpay.stack.failures import StackError

_STOPPING_SECONDS = 60.0
_HANDOVER_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 0.1


class Home:
    """One stack's folder; belongs to one supervisor at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.facts = self.folder / "stack.json"
        self.settings = self.folder / "stack.env"
        self.secrets = self.folder / "secrets.json"
        self.ports = self.folder / "ports.json"
        self.keyring = self.folder / "keyring.json"
        self.logs = self.folder / "log"
        self.metrics = self.folder / "metrics"
        self._lock: int | None = None

    def log(self, part: str) -> Path:
        """Return the log of a part."""
        return self.logs / f"{part}.log"

    def take(self) -> None:
        """Make this process the folder's supervisor, until it ends.

        A supervisor that is stopping is waited for.

        Raises:
            StackError: another one runs here; the message says where.
        """
        # A server that runs as another user passes through; nobody else reads our logs.
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        began = time.monotonic()
        while not _locked(lock):
            holder = _holder(lock)
            patience = _STOPPING_SECONDS if holder.get("stopping") else _HANDOVER_SECONDS
            if time.monotonic() - began > patience:
                raise StackError(_who_has(self.folder, holder))
            time.sleep(_LOOK_EVERY_SECONDS)
        self._lock = lock
        self.facts.unlink(missing_ok=True)

    def say(self, **facts: Any) -> None:
        """Tell whoever finds the folder taken who has it."""
        if self._lock is not None:
            text = json.dumps({"pid": os.getpid(), **facts}).encode()
            os.pwrite(self._lock, text, 0)
            os.ftruncate(self._lock, len(text))

    def publish(self, facts: Mapping[str, Any]) -> None:
        """Write ``stack.json``: everything is ready. It has passwords, so it is private.

        A supervisor that is killed cannot take it away: ``pid`` tells whether it still runs.
        """
        write_json(self.facts, {**facts, "pid": os.getpid()})

    def withdraw(self) -> None:
        """Remove ``stack.json``: it never speaks of a stack that has stopped."""
        self.facts.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Return what a file of ours holds; empty when there is none."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: Any) -> None:
    """Replace a file of ours as ``write`` does."""
    write(path, json.dumps(value, indent=2) + "\n")


def write(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only, on disk before it is seen."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 - a mode from the beginning
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: int) -> dict[str, Any]:
    try:
        found = json.loads(os.pread(lock, 4096, 0))
    except ValueError:  # it is being written
        return {}
    return found if isinstance(found, dict) else {}


def _who_has(folder: Path, holder: dict[str, Any]) -> str:
    where = holder.get("web", "starting")
    return (
        f"A stack already runs in {folder}: {where} (process {holder.get('pid', '?')}). "
        "Stop it with Ctrl-C where it runs, or run another one beside it: "
        "make up PORT=8100 PROTONPAY_HOME=.protonpay-two"
    )
