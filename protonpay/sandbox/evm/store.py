"""The chain on disk: the newest saved state and the one before it."""

import fcntl
import gzip
import logging
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """States were saved here, and none of them can be read."""


class Store:
    """Two files in one folder; a save replaces the older one and is whole or absent."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._newest = folder / "chain.json.gz"
        self._before = folder / "chain.before.json.gz"
        self._unpacked = folder / "loading.json"
        self._in_use = folder / "in-use.lock"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else make blocks, take them back or save them, in any process.

        Anvil does not keep these apart: a block made while another is taken back has transfers
        whose money is nowhere. Whoever is killed lets go.
        """
        with self._in_use.open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def save(self, dump: str) -> None:
        """Keep a state as ``anvil_dumpState`` answered it: hex of gzipped JSON."""
        fresh = self._newest.with_suffix(".new")
        fresh.write_bytes(bytes.fromhex(dump.removeprefix("0x")))
        if self._newest.exists():
            # A copy, so that there is a newest one at every moment of a kill.
            copy = self._before.with_suffix(".new")
            shutil.copyfile(self._newest, copy)
            copy.replace(self._before)
        fresh.replace(self._newest)

    def unpack(self) -> Path | None:
        """Return a file that ``anvil --load-state`` reads, or None where nothing was saved.

        Raises:
            Unreadable: there are files, but none is whole; never a fresh chain instead.
        """
        saved = [path for path in (self._newest, self._before) if path.exists()]
        for path in saved:
            try:
                self._unpacked.write_bytes(gzip.decompress(path.read_bytes()))
            except (OSError, EOFError, zlib.error) as error:
                log.warning("%s is damaged, trying the one before: %s", path, error)
            else:
                return self._unpacked
        if saved:
            raise Unreadable(f"no whole state in {self._newest.parent}: delete it to start anew")
        return None

    def forget_unpacked(self) -> None:
        """Remove the unpacked copy once the node has read it."""
        self._unpacked.unlink(missing_ok=True)
