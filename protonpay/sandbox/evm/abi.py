"""Contract calls in the Ethereum ABI: only the types that USDC's own functions take."""

import re

from Crypto.Hash import keccak

Value = int | str | list[str]
"""A whole number, an address (``0x…``), a text, or a list of addresses."""

_WORD = 32
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 of some bytes."""
    return keccak.new(digest_bits=256, data=data).digest()


def call(signature: str, *values: Value) -> str:
    """Return the call data of ``transfer(address,uint256)`` and its like, as ``0x`` hex."""
    return "0x" + (keccak256(signature.encode())[:4] + arguments(*values)).hex()


def arguments(*values: Value) -> bytes:
    """Encode arguments: one word each, where a text's or list's word points to its tail."""
    head, tail = b"", b""
    for value in values:
        match value:
            case int():
                head += _word(value)
            case str() if _ADDRESS.fullmatch(value):
                head += _word(int(value, 16))
            case _:
                head += _word(len(values) * _WORD + len(tail))
                tail += _text(value) if isinstance(value, str) else _addresses(value)
    return head + tail


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")


def _text(text: str) -> bytes:
    data = text.encode()
    return _word(len(data)) + data + bytes(-len(data) % _WORD)


def _addresses(addresses: list[str]) -> bytes:
    return _word(len(addresses)) + b"".join(_word(int(item, 16)) for item in addresses)
