"""Whether a wallet address can be paid, from its text alone: no node, no chain library."""

import re

from Crypto.Hash import keccak

from protonpay.chains.port import Network
from protonpay.kernel.errors import Invalid

_EVM = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
# Precompiles (0x01…0x11, 0x100), Polygon's system contracts (0x1000…) and the burn address
# 0x…dEaD all lie below; nobody can hold a key for a number this small.
_EVM_RESERVED_BELOW = 0x10000
# OP Stack predeploys, Base among them: 0x4200…0000 to 0x4200…ffff.
_EVM_PREDEPLOYS = 0x4200 << 144

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_KEY_BYTES = 32
# Programs and sysvars of the runtime are names filled up with ones
# (``Sysvar1nstructions1111…``, ``1nc1nerator1111…``, the system program is only ones).
_RUNTIME_NAME = re.compile(r".*1{8}", re.ASCII)
_SOLANA_PROGRAMS = frozenset(
    {
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
        "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
        "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
        "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo",
        "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s",
    }
)
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def check_address(network: Network, text: str, ours: frozenset[str]) -> str:
    """Return the canonical form of a wallet address that a payout may go to.

    Canonical is EIP-55 on EVM networks and the text itself on Solana. What only
    the chain knows (blocked, a token account, a program) is asked before signing.

    Args:
        network: where the payout goes.
        text: as the client wrote it; nothing is trimmed.
        ours: canonical addresses of our own wallets.

    Raises:
        Invalid: ``invalid_address``, with the reason in words.
    """
    address = _check_evm(text) if network.family == "evm" else _check_solana(text)
    if address == network.usdc or address in network.refused:
        raise _refusal("This is the address of a token, not of a wallet.")
    if address in ours:
        raise _refusal("This is a wallet of Proton Pay itself.")
    return address


def families_of(text: str) -> frozenset[str]:
    """Return the families of networks whose addresses are written so; typing errors apart."""
    known = {"evm": _EVM.fullmatch(text), "solana": from_base58(text, _KEY_BYTES)}
    return frozenset(family for family, written in known.items() if written)


def checksummed(address: bytes) -> str:
    """Return the EIP-55 form of a 20-byte address."""
    digits = address.hex()
    sums = keccak.new(digest_bits=256, data=digits.encode()).hexdigest()[: len(digits)]
    pairs = zip(digits, sums, strict=True)
    return "0x" + "".join(digit.upper() if s in "89abcdef" else digit for digit, s in pairs)


def base58(data: bytes) -> str:
    """Return bytes in base58 with Bitcoin's alphabet, as Solana prints keys."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + text


def from_base58(text: str, size: int) -> bytes | None:
    """Return so many bytes from their base58, or None if the text is not the base58 of as many."""
    if not text or len(text) > 2 * size or not set(text) <= set(_ALPHABET):
        return None
    number = 0
    for character in text:
        number = number * 58 + _ALPHABET.index(character)
    if number >= 1 << 8 * size:
        return None
    data = number.to_bytes(size, "big")
    return data if base58(data) == text else None


def _check_evm(text: str) -> str:
    if not _EVM.fullmatch(text):
        raise _refusal("An address on this network is 0x and 40 hex digits.")
    digits = text[2:]
    canonical = checksummed(bytes.fromhex(digits))
    # One case throughout carries no checksum (EIP-55); mixed case must have the right one.
    if digits not in (digits.lower(), digits.upper()) and text != canonical:
        raise _refusal("The address has a typing error: its checksum is wrong.")
    number = int(digits, 16)
    if number < _EVM_RESERVED_BELOW or number - number % 0x10000 == _EVM_PREDEPLOYS:
        raise _refusal("This address belongs to the network itself.")
    return canonical


def _check_solana(text: str) -> str:
    key = from_base58(text, _KEY_BYTES)
    if key is None:
        raise _refusal("An address on Solana is 32 bytes in base58.")
    if _RUNTIME_NAME.fullmatch(text) or text in _SOLANA_PROGRAMS:
        raise _refusal("This address belongs to the network itself.")
    if not _is_on_curve(key):
        raise _refusal("This address belongs to a program: give the wallet that owns it.")
    return text


def _is_on_curve(key: bytes) -> bool:
    """Tell whether 32 bytes are an ed25519 point (RFC 8032, 5.1.3), so that a key may exist."""
    y_squared = pow(int.from_bytes(key, "little") & (1 << 255) - 1, 2, _P)
    # x² = (y² - 1) / (d·y² + 1) has a root when numerator times denominator does (Euler).
    return pow((y_squared - 1) * (_D * y_squared + 1), (_P - 1) // 2, _P) in (0, 1)


def _refusal(detail: str) -> Invalid:
    return Invalid("invalid_address", detail)
