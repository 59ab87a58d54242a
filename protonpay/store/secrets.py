"""Secrets at rest: AES-256-GCM under keys that the database alone cannot read.

The keys that seal (data keys) have versions and stand in the database, each sealed itself under
``DATA_KEY``, which does not. So a new key is one row, every process learns of it within
``FRESH_SECONDS``, and a changed ``DATA_KEY`` seals a few rows anew instead of every secret.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRESH_SECONDS = 5
"""How long a process seals with the newest key it knows before it looks for a newer one."""
BY_DATA_KEY, BY_VERSION = b"\x01", b"\x02"
"""How sealed bytes begin: under ``DATA_KEY`` itself, or under the data key whose number follows."""
_NUMBER_BYTES = 4
_NONCE_BYTES = 12
_OF_DATA_KEYS = "data key {version}"


class Unreadable(Exception):
    """A stored secret does not open: another key, or somebody changed it."""


class Safe:
    """Seals and opens with the keys of this installation, bound by create_app.

    Args:
        monotonic: tells seconds; the process's own clock unless a test has another.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._masters: tuple[AESGCM, ...] = ()
        self._kept: Callable[[], Mapping[int, bytes]] = dict
        self._keys: dict[int, AESGCM] = {}
        self._read_at: float | None = None
        self._monotonic = monotonic
        self._lock = threading.Lock()

    def bind(
        self,
        data_key: str,
        *,
        previous: str | None = None,
        kept: Callable[[], Mapping[int, bytes]] = dict,
    ) -> None:
        """Set what everything hangs on.

        Args:
            data_key: ``DATA_KEY``, any text of enough entropy: the data keys are sealed under it,
                and secrets as long as there is no data key.
            previous: what ``DATA_KEY`` was before it was changed; still opens.
            kept: reads the sealed data keys by version, as they are committed.
        """
        self._masters = tuple(_cipher(one) for one in (data_key, previous) if one)
        self._kept = kept
        self.forget()

    def forget(self) -> None:
        """Drop the data keys that were read, as a new process would begin."""
        with self._lock:
            self._keys, self._read_at = {}, None

    def seal(self, secret: str, purpose: str) -> bytes:
        """Encrypt; the purpose is bound to it, so a row cannot be moved to another column."""
        return self.seal_bytes(secret.encode(), purpose)

    def seal_bytes(self, secret: bytes, purpose: str) -> bytes:
        """Encrypt what is no text, as ``seal``."""
        # One look: another thread may read the keys anew between two.
        keys = self._fresh()
        if not keys:
            return BY_DATA_KEY + _seal(self._master(), secret, purpose)
        version = max(keys)
        return prefix(version) + _seal(keys[version], secret, purpose)

    def open(self, sealed: bytes, purpose: str) -> str:
        """Decrypt.

        Raises:
            Unreadable: another key or purpose, or altered bytes.
        """
        return self.open_bytes(sealed, purpose).decode()

    def open_bytes(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt what ``seal_bytes`` sealed.

        Raises:
            Unreadable: as ``open``.
        """
        if sealed[:1] == BY_DATA_KEY:
            return self._by_master(sealed[1:], purpose)
        head = sealed[: 1 + _NUMBER_BYTES]
        if sealed[:1] != BY_VERSION or len(head) != 1 + _NUMBER_BYTES:
            raise Unreadable(f"version {sealed[:1].hex()}, {len(sealed)} bytes")
        cipher = self._of(int.from_bytes(head[1:], "big"))
        return _open(cipher, sealed[len(head) :], purpose)

    def fresh_key(self, version: int) -> bytes:
        """Make a data key, sealed as ``kept`` is to give it back."""
        return _seal(self._master(), secrets.token_bytes(32), _OF_DATA_KEYS.format(version=version))

    def rewrapped(self, version: int, sealed: bytes) -> bytes:
        """Seal a data key under the present ``DATA_KEY``, whichever it is sealed under.

        Raises:
            Unreadable: neither ``DATA_KEY`` nor the one before it opens it.
        """
        purpose = _OF_DATA_KEYS.format(version=version)
        return _seal(self._master(), self._by_master(sealed, purpose), purpose)

    def _fresh(self) -> Mapping[int, AESGCM]:
        now = self._monotonic()
        with self._lock:
            if self._read_at is None or now - self._read_at >= FRESH_SECONDS:
                self._read(now)
            return self._keys

    def _of(self, version: int) -> AESGCM:
        with self._lock:
            if version not in self._keys:
                self._read(self._monotonic())
            try:
                return self._keys[version]
            except KeyError as error:
                raise Unreadable(f"no data key {version}") from error

    def _read(self, now: float) -> None:
        # Replaced as a whole, by who holds the lock: what somebody was given stays as it was.
        self._keys = {
            version: AESGCM(self._by_master(sealed, _OF_DATA_KEYS.format(version=version)))
            for version, sealed in self._kept().items()
        }
        self._read_at = now

    def _by_master(self, sealed: bytes, purpose: str) -> bytes:
        self._master()
        for master in self._masters[:-1]:
            try:
                return _open(master, sealed, purpose)
            except Unreadable:
                continue
        return _open(self._masters[-1], sealed, purpose)

    def _master(self) -> AESGCM:
        if not self._masters:
            raise RuntimeError("the safe is bound by create_app")
        return self._masters[0]


def prefix(version: int) -> bytes:
    """Return how everything that a data key sealed begins."""
    return BY_VERSION + version.to_bytes(_NUMBER_BYTES, "big")


def _cipher(text: str) -> AESGCM:
    return AESGCM(hashlib.sha256(text.encode()).digest())


def _seal(cipher: AESGCM, plain: bytes, purpose: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, purpose.encode())


def _open(cipher: AESGCM, sealed: bytes, purpose: str) -> bytes:
    nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    if len(nonce) != _NONCE_BYTES:
        raise Unreadable(f"{len(sealed)} bytes")
    try:
        return cipher.decrypt(nonce, ciphertext, purpose.encode())
    except InvalidTag as error:
        raise Unreadable(purpose) from error


safe = Safe()
