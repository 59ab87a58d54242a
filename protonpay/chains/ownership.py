"""Prove that somebody holds the key of a wallet: a message that they sign, judged from its text.

On EVM networks it has the form of Sign-In with Ethereum (ERC-4361) and is signed as a personal
message (ERC-191); on Solana the form of Sign In With Solana, signed as it stands. No node is
asked, so a contract that would judge a signature itself (ERC-1271) cannot be linked.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from coincurve import PublicKey
from Crypto.Hash import keccak
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from protonpay.chains.addresses import checksummed, from_base58
from protonpay.chains.port import Network
from protonpay.kernel import clock

_STATEMENT = "Link this wallet to my Proton Pay account. This sends nothing and costs nothing."
_EVM_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}", re.ASCII)
_RECOVERY = {0: 0, 1: 1, 27: 0, 28: 1}
"""The last byte of a signature: which of two keys it is; most wallets add 27."""
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks whom to sign, and for how long.

    Attributes:
        address: canonical, as ``check_address`` returned it.
        domain: our own host, as the wallet shows it to its owner.
        nonce: letters and digits, used once.
    """

    network: Network
    address: str
    domain: str
    uri: str
    nonce: str
    issued_at: datetime
    expires_at: datetime


def message(request: Request) -> str:
    """Return the text to sign (ERC-4361, "Message Format")."""
    evm = request.network.family == "evm"
    chain = request.network.chain_id if evm else "mainnet"
    kind = "Ethereum" if evm else "Solana"
    return "\n".join(
        (
            f"{request.domain} wants you to sign in with your {kind} account:",
            request.address,
            "",
            _STATEMENT,
            "",
            f"URI: {request.uri}",
            "Version: 1",
            f"Chain ID: {chain}",
            f"Nonce: {request.nonce}",
            f"Issued At: {clock.to_text(request.issued_at)}",
            f"Expiration Time: {clock.to_text(request.expires_at)}",
        )
    )


def is_signed(network: Network, address: str, text: str, signature: str) -> bool:
    """Tell whether the key behind an address signed exactly this text.

    Args:
        network: whose form of signature it is.
        address: canonical.
        text: as ``message`` returned it.
        signature: 65 bytes as ``0x`` and hex digits; on Solana 64 bytes in base58.
    """
    if network.family == "evm":
        return _signer(text.encode(), signature) == address
    key, signed = from_base58(address, 32), from_base58(signature, _SIGNATURE_BYTES)
    if key is None or signed is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signed, text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _signer(text: bytes, signature: str) -> str | None:
    if not _EVM_SIGNATURE.fullmatch(signature):
        return None
    raw = bytes.fromhex(signature[2:])
    recovery = _RECOVERY.get(raw[-1])
    if recovery is None:
        return None
    signed = _keccak(b"\x19Ethereum Signed Message:\n%d%b" % (len(text), text))
    try:
        key = PublicKey.from_signature_and_message(raw[:-1] + bytes([recovery]), signed, None)
    except ValueError:
        return None
    return checksummed(_keccak(key.format(compressed=False)[1:])[-20:])


def _keccak(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()
