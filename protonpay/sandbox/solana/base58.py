"""Base58 in both directions, for bytes that are not 32 or 64 long, and base64 beside it."""

import base64

_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}


def encode(data: bytes) -> str:
    """Return base58 text (Bitcoin's alphabet)."""
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, value = divmod(number, 58)
        digits.append(_DIGITS[value])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def decode(text: str) -> bytes:
    """Read base58 text.

    Raises:
        ValueError: a character is not of the alphabet.
    """
    number = 0
    for digit in text:
        if digit not in _VALUES:
            raise ValueError("not base58")
        number = number * 58 + _VALUES[digit]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def to_base64(data: bytes) -> str:
    """Return base64 text."""
    return base64.b64encode(data).decode()
