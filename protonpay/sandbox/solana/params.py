"""Positional parameters and the configuration object, read as Agave reads them."""

from typing import Any

from solders.hash import Hash, ParseHashError
from solders.pubkey import Pubkey
from solders.signature import Signature

from protonpay.sandbox.solana.bank import CONFIRMED, FINALIZED, PROCESSED
from protonpay.sandbox.solana.faults import INVALID_PARAMS, RpcFault

_COMMITMENTS = (PROCESSED, CONFIRMED, FINALIZED)
_ENCODINGS = ("", "base58", "base64", "jsonParsed")
MAX_U64 = 2**64 - 1


def invalid(text: str) -> RpcFault:
    """Return the error for parameters that cannot be right."""
    return RpcFault(INVALID_PARAMS, text)


class Params:
    """One call's parameters."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def get(self, index: int) -> Any:
        """Return a parameter, or None when it was left out."""
        return self._values[index] if index < len(self._values) else None

    def text(self, index: int) -> str:
        """Return a text.

        Raises:
            RpcFault: it is missing or something else.
        """
        value = self.get(index)
        if not isinstance(value, str):
            raise invalid("Invalid params: expected a string.")
        return value

    def whole(self, index: int) -> int:
        """Return a whole number that fits a u64.

        Raises:
            RpcFault: it is not one.
        """
        return _whole(self.get(index))

    def pubkey(self, index: int) -> Pubkey:
        """Return an account's address.

        Raises:
            RpcFault: it is not one.
        """
        return read_pubkey(self.get(index))

    def pubkeys(self, index: int, most: int) -> list[Pubkey]:
        """Return a list of addresses.

        Raises:
            RpcFault: too many, or one of them is none.
        """
        return [read_pubkey(value) for value in self.values(index, most)]

    def signature(self, index: int) -> Signature:
        """Return a signature.

        Raises:
            RpcFault: it is not one.
        """
        return read_signature(self.get(index))

    def signatures(self, index: int, most: int) -> list[Signature]:
        """Return a list of signatures.

        Raises:
            RpcFault: too many, or one of them is none.
        """
        return [read_signature(value) for value in self.values(index, most)]

    def blockhash(self, index: int) -> Hash:
        """Return a block hash.

        Raises:
            RpcFault: it is not one.
        """
        try:
            return Hash.from_string(self.text(index))
        except ParseHashError:
            raise invalid("Invalid param: WrongSize") from None

    def config(self, index: int) -> "Config":
        """Return the configuration object, empty when it was left out.

        Raises:
            RpcFault: it is not an object.
        """
        value = self.get(index)
        if value is not None and not isinstance(value, dict):
            raise invalid("Invalid params: invalid type, expected a configuration object.")
        return Config(value or {})

    def values(self, index: int, most: int) -> list[Any]:
        """Return a list.

        Raises:
            RpcFault: it is none, or too long.
        """
        value = self.get(index)
        if not isinstance(value, list):
            raise invalid("Invalid params: expected a sequence.")
        if len(value) > most:
            raise invalid(f"Too many inputs provided; max {most}")
        return value


class Config:
    """A call's configuration object."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def get(self, name: str) -> Any:
        """Return a member, or None."""
        return self.values.get(name)

    def whole(self, name: str) -> int | None:
        """Return a whole number, or None when it was left out.

        Raises:
            RpcFault: it is not one.
        """
        value = self.values.get(name)
        return None if value is None else _whole(value)

    def commitment(self, name: str = "commitment") -> str:
        """Return the commitment, ``finalized`` when it was left out.

        Raises:
            RpcFault: there is no such commitment.
        """
        value = self.values.get(name) or FINALIZED
        if value not in _COMMITMENTS:
            raise invalid(f"Invalid params: unknown variant `{value}`.")
        return str(value)

    def settled_commitment(self) -> str:
        """Return the commitment of a method that speaks of blocks only.

        Raises:
            RpcFault: it is ``processed``.
        """
        value = self.commitment()
        if value == PROCESSED:
            raise invalid("Method does not support commitment below `confirmed`")
        return value

    def encoding(self, default: str) -> str:
        """Return the encoding of accounts.

        Raises:
            RpcFault: we do not know it.
        """
        value = self.values.get("encoding") or default
        if value not in _ENCODINGS:
            raise invalid(f"Invalid params: unsupported encoding `{value}`.")
        return str(value)

    def part(self) -> slice | None:
        """Return the ``dataSlice``.

        Raises:
            RpcFault: it is malformed.
        """
        value = self.values.get("dataSlice")
        if value is None:
            return None
        if not isinstance(value, dict):
            raise invalid("Invalid params: dataSlice is an object.")
        offset, length = _whole(value.get("offset")), _whole(value.get("length"))
        return slice(offset, offset + length)


def read_pubkey(value: Any) -> Pubkey:
    """Read an address.

    Raises:
        RpcFault: it is not one.
    """
    if not isinstance(value, str):
        raise invalid("Invalid params: expected a string.")
    try:
        return Pubkey.from_string(value)
    except ValueError:
        raise invalid("Invalid param: WrongSize") from None


def read_signature(value: Any) -> Signature:
    """Read a signature.

    Raises:
        RpcFault: it is not one.
    """
    if not isinstance(value, str):
        raise invalid("Invalid params: expected a string.")
    try:
        return Signature.from_string(value)
    except ValueError:
        raise invalid("Invalid param: WrongSize") from None


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_U64:
        raise invalid("Invalid params: expected u64.")
    return value
