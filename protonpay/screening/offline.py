"""A list of addresses in a file, read again when it changes.

One address a line, anything behind it in words; ``#`` begins a comment. An EVM address is the
same in any case and on every EVM network; a Solana address is its exact letters.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_EVM = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_SOLANA = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}", re.ASCII)


class ListUnreadable(Exception):
    """The list cannot be read, or not wholly: half a list is none."""


class OfflineList:
    """The addresses of a file (``screening.port.Screen``).

    Raises:
        ListUnreadable: when it is made. Later, what was read before stands.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self._listed = _read(path)
        self.is_stale = False

    def hit(self, family: str, address: str) -> str | None:
        """Return why an address is listed, or None."""
        self._look_again()
        return self._listed.get(_normal(address) if family == "evm" else address)

    def _look_again(self) -> None:
        try:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            # Half a list that is being written is refused as a whole, and read when it is done.
            self._listed, self._stamp, self.is_stale = _read(self._path), stamp, False
        except ListUnreadable as error:
            self.is_stale = True
            log.error("screening_list_unreadable", error=str(error), listed=len(self._listed))  # noqa: TRY400 - an alarm, not a crash
        else:
            log.info("screening_list_read", listed=len(self._listed))


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise ListUnreadable(f"{path}: {error.strerror}") from error
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> Mapping[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ListUnreadable(f"{path}: {error}") from error
    listed: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        address, _, words = line.partition("#")[0].strip().partition(" ")
        if address:
            listed[_key(path, number, address)] = words.strip() or f"line {number}"
    return listed


def _key(path: Path, number: int, address: str) -> str:
    if _EVM.fullmatch(address):
        return _normal(address)
    if _SOLANA.fullmatch(address):
        return address
    raise ListUnreadable(f"{path}, line {number}: not an address")


def _normal(address: str) -> str:
    return address.lower()
