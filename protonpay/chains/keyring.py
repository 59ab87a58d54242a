"""Where custody keys come from: the only file that sees one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class PublicAddresses:
    """Our wallets by family (``evm``, ``solana``): no secret, so every process may know them.

    Attributes:
        treasury: holds the USDC that payouts come out of; no native coin.
        gas: pays the network's fees and orders the sends; no USDC.
    """

    treasury: Mapping[str, str]
    gas: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Keyring:
    """The private keys, as 32 raw bytes by family (secp256k1 scalars, ed25519 seeds)."""

    treasury: Mapping[str, bytes]
    gas: Mapping[str, bytes]

    @classmethod
    def open(cls, path: Path, passphrase: str) -> Self:
        """Decrypt a keyring file."""
        raise OSError(path, passphrase)
