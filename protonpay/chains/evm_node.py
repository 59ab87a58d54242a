"""Reading an EVM node: typed answers, and everything doubtful is ``NoAnswer``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc, RpcError

Question = tuple[str, Sequence[Any]]
At = str | Mapping[str, Any]
"""A block: a tag, or a hash that must be canonical (EIP-1898)."""

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""The hash of ERC-20's event Transfer, its three arguments' types included."""
_SUCCESS = 1
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
# The range every provider serves; payouts are searched over minutes of blocks only.
_LOG_BLOCKS = 500


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header.

    Attributes:
        time: Unix seconds.
        base_fee: wei per gas.
    """

    number: int
    hash: str
    time: int
    base_fee: int

    @property
    def state(self) -> At:
        """Name the state after this very block: a node that lags or forked says so."""
        return {"blockHash": self.hash, "requireCanonical": True}


@dataclass(frozen=True, slots=True)
class Log:
    """An event: the contract that raised it in lower case, topics and data as hex."""

    contract: str
    topics: tuple[str, ...]
    data: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a mined transaction did.

    Attributes:
        fee: wei, on the OP Stack with its L1 part.
    """

    tx_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    fee: int
    logs: tuple[Log, ...]


class Node:
    """One node. Its errors on reads prove nothing: they are ``NoAnswer`` too."""

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    def ask(self, *questions: Question) -> list[Any]:
        """Ask several questions of one node at once.

        Raises:
            NoAnswer: no answer, or an error in place of one.
        """
        try:
            return self._rpc.batch(questions)
        except RpcError as error:
            raise NoAnswer(f"the node refuses to say: {error}") from error

    def block(self, name: str) -> Block:
        """Return a block by tag or ``0x`` number.

        Raises:
            NoAnswer: the node has no such block now.
        """
        return read_block(self.ask(ask_block(name))[0])

    def is_final(self, receipt: Receipt, final: Block) -> bool:
        """Tell whether a receipt's block is canonical and not above the final one.

        Raises:
            NoAnswer: unknown.
        """
        if receipt.block_number > final.number:
            return False
        return self.block(hex(receipt.block_number)).hash == receipt.block_hash

    def receipt(self, tx_hash: str) -> Receipt:
        """Return the receipt of a transaction that the node has spoken of.

        Raises:
            NoAnswer: it has none now, which proves nothing.
        """
        receipt = read_receipt(self.ask(("eth_getTransactionReceipt", [tx_hash]))[0])
        if receipt is None:
            raise NoAnswer(f"no receipt of {tx_hash}")
        return receipt

    def find_logs(self, contract: str, topics: Sequence[str], first: int, last: int) -> list[str]:
        """Return the hashes of transactions that raised an event, oldest first.

        Raises:
            NoAnswer: unknown.
        """
        found: list[str] = []
        for start in range(first, last + 1, _LOG_BLOCKS):
            end = min(start + _LOG_BLOCKS - 1, last)
            wanted = {
                "address": contract,
                "topics": list(topics),
                "fromBlock": hex(start),
                "toBlock": hex(end),
            }
            logs = self.ask(("eth_getLogs", [wanted]))[0]
            found += [text(log, "transactionHash") for log in listed(logs)]
        return found


def ask_block(name: str) -> Question:
    """Ask for a header by tag or number."""
    return ("eth_getBlockByNumber", [name, False])


def ask_call(contract: str, data: bytes, at: At) -> Question:
    """Ask what a contract answers in a block's state."""
    return ("eth_call", [{"to": contract, "data": "0x" + data.hex()}, at])


def read_block(raw: Any) -> Block:
    """Read a header.

    Raises:
        NoAnswer: it is not one.
    """
    return Block(
        number=quantity(raw, "number"),
        hash=text(raw, "hash"),
        time=quantity(raw, "timestamp"),
        base_fee=quantity(raw, "baseFeePerGas"),
    )


def read_receipt(raw: Any) -> Receipt | None:
    """Read a receipt; null is None.

    Raises:
        NoAnswer: it is not one.
    """
    if raw is None:
        return None
    l1_fee = quantity(raw, "l1Fee") if member(raw, "l1Fee", None) else 0
    logs = listed(member(raw, "logs"))
    places = [quantity(log, "logIndex") for log in logs]
    # A log's place is its name: one that is told twice would be two.
    if any(later <= place for place, later in pairwise(places)):
        raise NoAnswer("a receipt's logs are not in their order")
    return Receipt(
        tx_hash=text(raw, "transactionHash"),
        block_number=quantity(raw, "blockNumber"),
        block_hash=text(raw, "blockHash"),
        succeeded=quantity(raw, "status") == _SUCCESS,
        fee=quantity(raw, "gasUsed") * quantity(raw, "effectiveGasPrice") + l1_fee,
        logs=tuple(_read_log(log) for log in logs),
    )


def quantity(raw: Any, name: str | None = None) -> int:
    """Read a ``0x`` number, of a member where one is named.

    Raises:
        NoAnswer: it is not one.
    """
    value = raw if name is None else member(raw, name)
    # int() alone reads signs, spaces and underscores, too.
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise NoAnswer(f"{name or 'the answer'} is not a number")
    return int(value, 16)


def octets(raw: Any) -> bytes:
    """Read ``0x`` bytes.

    Raises:
        NoAnswer: they are not.
    """
    try:
        return bytes.fromhex(raw.removeprefix("0x"))
    except (AttributeError, ValueError) as error:
        raise NoAnswer("the answer is not bytes") from error


def text(raw: Any, name: str) -> str:
    """Read a member that is text.

    Raises:
        NoAnswer: it is not.
    """
    value = member(raw, name)
    if not isinstance(value, str):
        raise NoAnswer(f"{name} is not text")
    return value


_MISSING = object()


def member(raw: Any, name: str, default: Any = _MISSING) -> Any:
    """Read a member of an object.

    Raises:
        NoAnswer: there is no object, or it has no such member and no default was given.
    """
    if not isinstance(raw, dict):
        raise NoAnswer(f"no object with {name}")
    value = raw.get(name, default)
    if value is _MISSING:
        raise NoAnswer(f"no {name}")
    return value


def _read_log(raw: Any) -> Log:
    topics = listed(member(raw, "topics"))
    return Log(
        contract=text(raw, "address").lower(),
        topics=tuple(str(topic).lower() for topic in topics),
        data=text(raw, "data").lower(),
    )


def listed(raw: Any) -> list[Any]:
    """Read a list.

    Raises:
        NoAnswer: it is not one.
    """
    if not isinstance(raw, list):
        raise NoAnswer("the answer is not a list")
    return raw
