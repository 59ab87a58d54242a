"""Where custody keys come from: the only file that sees one.

A keyring file is JSON: our public addresses in clear, and one random 64-byte seed
under AES-256-GCM with a key made from the passphrase by scrypt. Everything in the file
is authenticated, so an address swapped in it is noticed when the keys are opened.

Every key is derived from the seed by hardened steps only (SLIP-0010, which on
secp256k1 is BIP-32), so no public key says anything about another key:

    =========  ===========================  =========================
    role       EVM                          Solana
    =========  ===========================  =========================
    treasury   ``m/44'/60'/0'/0'/0'``       ``m/44'/501'/0'/0'``
    gas        ``m/44'/60'/1'/0'/0'``       ``m/44'/501'/1'/0'``
    notary                                  ``m/44'/501'/2'/0'``
    sweeper    ``m/44'/60'/3'/0'/0'``       ``m/44'/501'/3'/0'``
    deposit n  ``m/44'/60'/1000+n'/0'/0'``  ``m/44'/501'/1000+n'/0'``
    =========  ===========================  =========================

The notary is no wallet. It signs each deposit address that this keyring can spend from,
and its public key is in the file: a process without keys can tell our addresses from those
that somebody wrote into the database.

Where keys live in a KMS, this file is what changes: adapters take from a ``Keyring`` the
key of a role and family at the moment they sign, and nothing else in the program does.
"""

import argparse
import hashlib
import hmac
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from Crypto.Hash import keccak
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from protonpay.chains.addresses import base58, checksummed

VERSION = 3
EVM = "evm"
SOLANA = "solana"
FAMILIES = (EVM, SOLANA)
LAST_DEPOSIT = (1 << 31) - 1001
_ROLES = {"treasury": 0, "gas": 1, "sweeper": 3}
_NOTARY = 2
_DEPOSITS = 1000  # below are the house's own
_CURVE_KEYS = {EVM: b"Bitcoin seed", SOLANA: b"ed25519 seed"}  # SLIP-0010, "Master key generation"
_PATHS = {
    EVM: (44, 60, None, 0, 0),
    SOLANA: (44, 501, None, 0),
}  # None: the role's or the deposit's number
_HARDENED = 1 << 31
_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SEED_BYTES = 64
_SALT_BYTES = 16
_NONCE_BYTES = 12
_SCRYPT = {"n": 1 << 15, "r": 8, "p": 1}  # 32 MiB and about 0.1 s


class KeyringError(Exception):
    """The keyring file cannot be made, read or opened."""


@dataclass(frozen=True, slots=True)
class PublicAddresses:
    """Our wallets by family (``evm``, ``solana``): no secret, so every process may know them.

    Attributes:
        treasury: holds the USDC that payouts come out of; no native coin.
        gas: pays the network's fees and orders the sends; no USDC.
        notary: the ed25519 key that deposit addresses are signed with.
        sweeper: pays for moving deposits to the treasury; no USDC.
    """

    treasury: Mapping[str, str]
    gas: Mapping[str, str]
    notary: bytes = b""
    sweeper: Mapping[str, str] = field(default_factory=dict)

    @property
    def every(self) -> frozenset[str]:
        """All of them, for "is this one of ours"."""
        wallets = (self.treasury, self.gas, self.sweeper)
        return frozenset(address for of in wallets for address in of.values())

    def has_signed(self, family: str, index: int, address: str, proof: bytes) -> bool:
        """Tell whether the keyring says that it can spend from a deposit address."""
        try:
            key = Ed25519PublicKey.from_public_bytes(self.notary)
            key.verify(proof, _statement(family, index, address))
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Keyring:
    """The private keys, as 32 raw bytes by family (secp256k1 scalars, ed25519 seeds).

    Attributes:
        seed: what the keys of deposit addresses are derived from.
    """

    treasury: Mapping[str, bytes] = field(repr=False)
    gas: Mapping[str, bytes] = field(repr=False)
    seed: bytes = field(default=b"", repr=False)
    sweeper: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, path: Path, passphrase: str) -> Self:
        """Decrypt a keyring file.

        Raises:
            KeyringError: no such file, wrong passphrase, or a file that was changed.
        """
        seed = _unseal(path, _read(path), passphrase)
        return cls(**{role: _keys(seed, role) for role in _ROLES}, seed=seed)

    def deposit_key(self, family: str, index: int) -> bytes:
        """Return the private key of a deposit address.

        Raises:
            ValueError: no such index.
        """
        if not self.seed or not 0 <= index <= LAST_DEPOSIT:
            raise ValueError(f"no deposit address {index}")
        return _derive(family, self.seed, _path(family, _DEPOSITS + index))

    def deposit_address(self, family: str, index: int) -> tuple[str, bytes]:
        """Return a deposit address and the notary's signature under it.

        Raises:
            ValueError: no such index.
        """
        address = _ADDRESS_OF[family](self.deposit_key(family, index))
        notary = Ed25519PrivateKey.from_private_bytes(_notary_key(self.seed))
        return address, notary.sign(_statement(family, index, address))


def create(path: Path, passphrase: str) -> PublicAddresses:
    """Make a new seed, write it encrypted, readable by its owner only, and return its addresses.

    The file appears whole or not at all, and never replaces one that exists.

    Raises:
        KeyringError: there is a file already, or no passphrase was given.
    """
    if not passphrase:
        raise KeyringError("a keyring needs a passphrase")
    seed = secrets.token_bytes(_SEED_BYTES)
    document = _sealed(seed, passphrase)
    _write_new(path, document)
    return _public(document)


def renew(path: Path, passphrase: str) -> PublicAddresses:
    """Write a keyring of an older version anew in today's form; its keys stay what they are.

    Raises:
        KeyringError: no such file, wrong passphrase, or a file that was changed.
    """
    old = _read(path, versions=(1, 2, VERSION))
    document = _sealed(_unseal(path, old, passphrase), passphrase)
    # Every wallet it names must come out again; a newer form may have more of them.
    if {role: document["addresses"].get(role) for role in old["addresses"]} != old["addresses"]:
        raise KeyringError(f"{path}: its addresses are not those of its keys")
    _draft(path, document).replace(path)
    return _public(document)


def is_current(path: Path) -> bool:
    """Tell whether there is a keyring that needs no ``renew``."""
    try:
        _read(path)
    except KeyringError:
        return False
    return True


def public_addresses(path: Path) -> PublicAddresses:
    """Read our wallets' addresses; needs no passphrase.

    Raises:
        KeyringError: there is no such file, or it is no keyring.
    """
    try:
        return _public(_read(path))
    except (KeyError, TypeError, ValueError) as error:
        raise KeyringError(f"{path} is not a keyring") from error


def _public(document: Mapping[str, Any]) -> PublicAddresses:
    found = document["addresses"]
    wallets = {role: {**found[role]} for role in _ROLES}
    return PublicAddresses(**wallets, notary=bytes.fromhex(document["notary"]))


def _sealed(seed: bytes, passphrase: str) -> dict[str, Any]:
    notary = Ed25519PrivateKey.from_private_bytes(_notary_key(seed)).public_key()
    document: dict[str, Any] = {
        "version": VERSION,
        "addresses": {role: _addresses(_keys(seed, role)) for role in _ROLES},
        "notary": notary.public_bytes_raw().hex(),
        "kdf": {"name": "scrypt", **_SCRYPT, "salt": secrets.token_hex(_SALT_BYTES)},
        "cipher": "aes-256-gcm",
        "nonce": secrets.token_hex(_NONCE_BYTES),
    }
    sealed = _cipher(document, passphrase).encrypt(
        bytes.fromhex(document["nonce"]), seed, _authenticated(document)
    )
    return {**document, "seed": sealed.hex()}


def _unseal(path: Path, document: Mapping[str, Any], passphrase: str) -> bytes:
    try:
        sealed = bytes.fromhex(document["seed"])
        nonce = bytes.fromhex(document["nonce"])
        return _cipher(document, passphrase).decrypt(nonce, sealed, _authenticated(document))
    except (KeyError, TypeError, ValueError) as error:
        raise KeyringError(f"{path} is not a keyring") from error
    except InvalidTag:
        raise KeyringError(f"{path}: wrong passphrase, or the file was changed") from None


def _read(path: Path, versions: tuple[int, ...] = (VERSION,)) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise KeyringError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise KeyringError(f"{path} is not a keyring") from error
    if not isinstance(document, dict) or document.get("version") not in versions:
        raise KeyringError(f"{path} is not a keyring of version {VERSION}: create or renew it")
    return document


def _write_new(path: Path, document: Mapping[str, Any]) -> None:
    draft = _draft(path, document)
    try:
        # Unlike a rename, a link refuses to take the place of another file.
        os.link(draft, path)
    except FileExistsError as error:
        raise KeyringError(f"{path} exists: a keyring is never overwritten") from error
    finally:
        draft.unlink()


def _draft(path: Path, document: Mapping[str, Any]) -> Path:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(document, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def _cipher(document: Mapping[str, Any], passphrase: str) -> AESGCM:
    # The cost is ours, not the file's: a changed file cannot make it cheap or endless.
    salt = bytes.fromhex(document["kdf"]["salt"])
    return AESGCM(Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode()))


def _authenticated(document: Mapping[str, Any]) -> bytes:
    """Return everything but the secret itself, in one spelling."""
    shown = {name: value for name, value in document.items() if name != "seed"}
    return json.dumps(shown, sort_keys=True).encode()


def _keys(seed: bytes, role: str) -> dict[str, bytes]:
    number = _ROLES[role]
    return {family: _derive(family, seed, _path(family, number)) for family in _PATHS}


def _notary_key(seed: bytes) -> bytes:
    return _derive(SOLANA, seed, _path(SOLANA, _NOTARY))


def _path(family: str, number: int) -> list[int]:
    return [number if step is None else step for step in _PATHS[family]]


def _statement(family: str, index: int, address: str) -> bytes:
    # The prefix of Solana's off-chain messages: no transaction begins like this.
    return f"\xff Proton Pay deposit address: {family} {index} {address}".encode("latin-1")


def _derive(family: str, seed: bytes, path: list[int]) -> bytes:
    """Derive by hardened steps (SLIP-0010, "Private parent key → private child key").

    On secp256k1 a step has no key with a chance of 2⁻¹²⁷; the standard's retry for it
    is left out.
    """
    key, chain = _halves(_CURVE_KEYS[family], seed)
    for step in path:
        child, chain = _halves(chain, b"\0" + key + (step + _HARDENED).to_bytes(4, "big"))
        key = _plus(child, key) if family == EVM else child
    return key


def _halves(key: bytes, data: bytes) -> tuple[bytes, bytes]:
    digest = hmac.digest(key, data, hashlib.sha512)
    return digest[:32], digest[32:]


def _plus(one: bytes, other: bytes) -> bytes:
    total = int.from_bytes(one, "big") + int.from_bytes(other, "big")
    return (total % _SECP256K1_ORDER).to_bytes(32, "big")


def _addresses(keys: Mapping[str, bytes]) -> dict[str, str]:
    return {family: _ADDRESS_OF[family](key) for family, key in keys.items()}


def _evm_address(key: bytes) -> str:
    numbers = ec.derive_private_key(int.from_bytes(key, "big"), ec.SECP256K1()).public_key()
    point = numbers.public_numbers()
    raw = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    return checksummed(keccak.new(digest_bits=256, data=raw).digest()[-20:])


def _solana_address(key: bytes) -> str:
    return base58(Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw())


_ADDRESS_OF = {EVM: _evm_address, SOLANA: _solana_address}


def main() -> int:
    """``python -m protonpay.chains.keyring create|renew PATH``, passphrase in KEYRING_PASSPHRASE.

    ``renew`` makes a keyring where there is none.
    """
    parser = argparse.ArgumentParser(prog="python -m protonpay.chains.keyring")
    parser.add_argument("action", choices=["create", "renew"])
    parser.add_argument("path", type=Path)
    options = parser.parse_args()
    passphrase = os.environ.get("KEYRING_PASSPHRASE", "")
    try:
        renews = options.action == "renew" and options.path.exists()
        made = (renew if renews else create)(options.path, passphrase)
    except KeyringError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for role in _ROLES:
        for family, address in getattr(made, role).items():
            sys.stdout.write(f"{role} {family} {address}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
