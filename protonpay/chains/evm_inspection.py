"""One transaction of an EVM network, every token it moved (``chains.inspection.Inspector``)."""

import re
from collections.abc import Iterator
from typing import Any

from protonpay.chains import evm_token
from protonpay.chains.addresses import checksummed
from protonpay.chains.evm_node import (
    TRANSFER,
    Log,
    Node,
    ask_block,
    ask_call,
    member,
    octets,
    quantity,
    read_block,
    read_receipt,
    text,
)
from protonpay.chains.inspection import NATIVE, USDC, Inspected, Standing, Touch
from protonpay.chains.port import Network
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc

_NAME = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)
# The first four bytes of the hash of symbol().
_SYMBOL = bytes.fromhex("95d89b41")
_WORD = 32
# ERC-20 has three topics and its amount in the data; ERC-721's fourth is which one it is.
_FUNGIBLE, _SINGLE = 3, 4
_MOST_TOKENS = 20
# What a key has signed to run at its own address: three bytes, then whose code.
_DELEGATION, _DELEGATED = b"\xef\x01\x00", 23
_LONGEST_SYMBOL = 32


class EvmInspector:
    """One EVM network through one node."""

    def __init__(self, network: Network, rpc: JsonRpc) -> None:
        self._network = network
        self._node = Node(rpc)

    def canonical(self, tx_hash: str) -> str | None:
        """Return 32 bytes in hex in lower case; None if it is something else."""
        return tx_hash.lower() if _NAME.fullmatch(tx_hash) else None

    def inspect(self, tx_hash: str) -> Inspected:
        """Return what a transaction did.

        Raises:
            NoAnswer: unknown, or the node is of another chain or token; ask again.
        """
        evm_token.insist(self._node, self._network)
        sent, told, final = self._node.ask(
            ("eth_getTransactionByHash", [tx_hash]),
            ("eth_getTransactionReceipt", [tx_hash]),
            ask_block("finalized"),
        )
        receipt = read_receipt(told)
        if receipt is None:
            return Inspected(Standing.MISSING if sent is None else Standing.PENDING)
        if sent is None:
            raise NoAnswer(f"a receipt of {tx_hash} without the transaction")
        (raw,) = self._node.ask(ask_block(hex(receipt.block_number)))
        if raw is None or read_block(raw).hash != receipt.block_hash:
            # Its block was replaced a moment ago.
            return Inspected(Standing.PENDING)
        block = receipt.block_number
        if not receipt.succeeded:
            return Inspected(Standing.FAILED, block)
        standing = Standing.FINAL if block <= read_block(final).number else Standing.SEEN
        names: dict[str, str | None] = {}
        tokens = tuple(self._tokens(receipt.logs, names))
        return Inspected(standing, block, (*_coins(sent), *tokens))

    def is_contract(self, address: str) -> bool:
        """Tell whether code stands at an address; a wallet that points to some (EIP-7702) is one.

        Raises:
            NoAnswer: unknown, or the node is of another chain or token; ask again.
        """
        evm_token.insist(self._node, self._network)
        (told,) = self._node.ask(("eth_getCode", [address, "latest"]))
        code = octets(told)
        return bool(code) and not (len(code) == _DELEGATED and code.startswith(_DELEGATION))

    def _tokens(self, logs: tuple[Log, ...], names: dict[str, str | None]) -> Iterator[Touch]:
        for log in logs:
            if log.topics[:1] != (TRANSFER,) or len(log.topics) not in (_FUNGIBLE, _SINGLE):
                continue
            ours = log.contract == self._network.usdc.lower()
            if ours and len(log.topics) != _FUNGIBLE:
                continue
            if not ours and log.contract not in names and len(names) < _MOST_TOKENS:
                names[log.contract] = self._symbol(log.contract)
            yield Touch(
                address=_address(log.topics[2]),
                asset=USDC if ours else checksummed(octets(log.contract)),
                amount=_amount(log) if len(log.topics) == _FUNGIBLE else 1,
                sender=_address(log.topics[1]),
                named=names.get(log.contract),
            )

    def _symbol(self, contract: str) -> str | None:
        """Ask a token what it calls itself; anything unprintable is no name."""
        try:
            (told,) = self._node.ask(ask_call(contract, _SYMBOL, "latest"))
            raw = octets(told)
        except NoAnswer:
            return None
        # A string is offset, length, bytes; some old tokens answer one word.
        said = raw[2 * _WORD :][: int.from_bytes(raw[_WORD : 2 * _WORD], "big")]
        name = (said if len(raw) > _WORD else raw.rstrip(b"\0")).decode(errors="replace")
        return name if name.isprintable() and 0 < len(name) <= _LONGEST_SYMBOL else None


def _coins(sent: Any) -> Iterator[Touch]:
    value, to = quantity(sent, "value"), member(sent, "to", None)
    if value and to is not None:
        sender = checksummed(octets(text(sent, "from")))
        yield Touch(checksummed(octets(to)), NATIVE, value, sender)


def _amount(log: Log) -> int:
    # Others than the real token may put anything there.
    return int.from_bytes(octets(log.data)[:_WORD], "big")


def _address(topic: str) -> str:
    word = octets(topic)
    if len(word) != _WORD:
        raise NoAnswer("a topic is not one word")
    return checksummed(word[-20:])
