"""EVM networks, watched: every transfer of the USDC contract, whoever is paid.

Raw JSON is read, because decoding through a library costs a hundred times as much. A list
of logs proves nothing by being short: it is taken only from a node that has the last block
of the range at the same moment, and ranges are read again by whoever asks.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from protonpay.chains import evm_token
from protonpay.chains.addresses import checksummed
from protonpay.chains.evm_node import (
    Block,
    Log,
    Node,
    Receipt,
    ask_block,
    member,
    octets,
    quantity,
    read_block,
    read_receipt,
    text,
)
from protonpay.chains.port import Network
from protonpay.chains.watch import Arrival, Paid, Point, Reach
from protonpay.kernel.money import MAX_MICRO, Usdc
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc, RpcError

# The hash of ERC-20's event Transfer, its three arguments' types included.
_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
_TOPICS = 3
# Providers serve 500 to 10,000 blocks or so many results at once; a refusal halves the range.
_BLOCKS = 500
_MORE = 10
_AT_ONCE = 50


class EvmWatch:
    """One EVM network through one node (``chains.watch.BlockWatch``)."""

    def __init__(self, network: Network, rpc: JsonRpc) -> None:
        self._network = network
        self._usdc = network.usdc.lower()
        self._rpc = rpc
        self._node = Node(rpc)
        self._recognised = False
        self._blocks = _BLOCKS

    def reach(self) -> Reach:
        """Return how far the node is.

        Raises:
            NoAnswer: unknown, or the node or the token is not that of the settings.
        """
        self._recognise()
        latest, final = (
            read_block(raw) for raw in self._node.ask(ask_block("latest"), ask_block("finalized"))
        )
        if final.number > latest.number:
            raise NoAnswer("the final block is newer than the newest")
        return Reach(_point(latest), _point(final))

    def paid(self, first: int, last: int) -> Paid:
        """Return whom the blocks from ``first`` on paid, as far as one answer reaches.

        Raises:
            NoAnswer: unknown; ask again.
        """
        while True:
            try:
                paid = self._read(first, min(first + self._blocks - 1, last))
            except RpcError as error:
                # Too many blocks, too many results, or the node is busy: all say "error".
                if self._blocks == 1:
                    raise NoAnswer(f"the node refuses to say: {error}") from error
                self._blocks //= 2
            else:
                self._blocks = min(self._blocks + _MORE, _BLOCKS)
                return paid

    def arrivals(self, tx_hashes: Sequence[str]) -> list[Arrival]:
        """Return every transfer of transactions that stand in the node's chain now.

        Raises:
            NoAnswer: unknown; ask again.
        """
        found: list[Arrival] = []
        for start in range(0, len(tx_hashes), _AT_ONCE):
            asked = [
                ("eth_getTransactionReceipt", [h]) for h in tx_hashes[start : start + _AT_ONCE]
            ]
            receipts = [read_receipt(raw) for raw in self._node.ask(*asked)]
            found += self._of_canonical([one for one in receipts if one and one.succeeded])
        return found

    def is_gone(self, tx_hash: str, block: int, block_hash: str) -> bool:
        """Tell whether the block that had a transaction was replaced, and no other has it.

        One in another block is gone, too: what it did there is what ``arrivals`` says.

        Raises:
            NoAnswer: unknown; ask again.
        """
        raw, receipt = self._node.ask(
            ask_block(hex(block)), ("eth_getTransactionReceipt", [tx_hash])
        )
        if raw is None or read_block(raw).hash == block_hash:
            return False
        moved = read_receipt(receipt)
        return moved is None or self._is_canonical(moved)

    def _recognise(self) -> None:
        """Refuse a node of another chain, and another token: what they say is not our money."""
        if not self._recognised:
            evm_token.insist(self._node, self._network)
            self._recognised = True

    def _read(self, first: int, last: int) -> Paid:
        wanted = {
            "address": self._network.usdc,
            "topics": [_TRANSFER],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        logs, end = self._rpc.batch([("eth_getLogs", [wanted]), ask_block(hex(last))])
        if not isinstance(logs, list):
            raise NoAnswer("the answer is not a list")
        paid: dict[str, set[str]] = defaultdict(set)
        for raw in logs:
            recipient = self._recipient(raw)
            if recipient is not None:
                paid[text(raw, "transactionHash")].add(recipient)
        return Paid(_point(read_block(end)), {h: frozenset(to) for h, to in paid.items()})

    def _recipient(self, raw: Any) -> str | None:
        topics = member(raw, "topics")
        ours = text(raw, "address").lower() == self._usdc and not member(raw, "removed", None)
        if not ours or len(topics) != _TOPICS or topics[0] != _TRANSFER:
            return None
        return _address(topics[2]) if quantity(raw, "data") else None

    def _of_canonical(self, receipts: Sequence[Receipt]) -> Iterator[Arrival]:
        numbers = sorted({receipt.block_number for receipt in receipts})
        raw = self._node.ask(*(ask_block(hex(number)) for number in numbers)) if numbers else []
        hashes = {
            number: read_block(one).hash for number, one in zip(numbers, raw, strict=True) if one
        }
        for receipt in receipts:
            if hashes.get(receipt.block_number) == receipt.block_hash:
                yield from self._transfers(receipt)

    def _transfers(self, receipt: Receipt) -> Iterator[Arrival]:
        for ordinal, log in enumerate(receipt.logs):
            amount = self._amount(log)
            if amount:
                yield Arrival(
                    address=_address(log.topics[2]),
                    sender=_address(log.topics[1]),
                    amount=Usdc(amount),
                    tx_hash=receipt.tx_hash,
                    ordinal=ordinal,
                    block=receipt.block_number,
                    block_hash=receipt.block_hash,
                )

    def _amount(self, log: Log) -> int:
        is_transfer = len(log.topics) == _TOPICS and log.topics[0] == _TRANSFER
        if log.contract != self._usdc or not is_transfer:
            return 0
        amount = quantity(log.data)
        if amount > MAX_MICRO:
            raise NoAnswer("more USDC than there can be")
        return amount

    def _is_canonical(self, receipt: Receipt) -> bool:
        (raw,) = self._node.ask(ask_block(hex(receipt.block_number)))
        return raw is not None and read_block(raw).hash == receipt.block_hash


def _point(block: Block) -> Point:
    return Point(block.number, block.time)


def _address(topic: Any) -> str:
    return checksummed(octets(topic)[-20:])
