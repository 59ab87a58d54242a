"""Secrets at rest: AES-256-GCM under a key that is not in the database."""

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_BYTES = 12


class Unreadable(Exception):
    """A stored secret does not open: another key, or somebody changed it."""


class Safe:
    """Seals and opens with the key of this installation, bound by create_app."""

    def __init__(self) -> None:
        self._cipher: AESGCM | None = None

    def bind(self, data_key: str) -> None:
        """Set the key (``DATA_KEY``): any text of enough entropy."""
        self._cipher = AESGCM(hashlib.sha256(data_key.encode()).digest())

    def seal(self, secret: str, purpose: str) -> bytes:
        """Encrypt; the purpose is bound to it, so a row cannot be moved to another column."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._bound().encrypt(nonce, secret.encode(), purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> str:
        """Decrypt.

        Raises:
            Unreadable: another key or purpose, or altered bytes.
        """
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise Unreadable(f"version {sealed[:1].hex()}, {len(sealed)} bytes")
        try:
            return self._bound().decrypt(nonce, ciphertext, purpose.encode()).decode()
        except InvalidTag as error:
            raise Unreadable(purpose) from error

    def _bound(self) -> AESGCM:
        if self._cipher is None:
            raise RuntimeError("the safe is bound by create_app")
        return self._cipher


safe = Safe()
