"""EVM networks, watched: every transfer of the USDC contract, whoever is paid.

Raw JSON is read, because decoding through a library costs a hundred times as much. A list
of logs proves nothing by being short: it is taken only from a node that has the last block
of the range at the same moment, and ranges are read again by whoever asks.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from protonpay.chains import evm_token
from protonpay.chains.addresses import checksummed
from protonpay.chains.evm_node import (
    TRANSFER,
    Block,
    Log,
    Node,
    Receipt,
    ask_block,
    listed,
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
from protonpay.wire.http import NoAnswer, Throttled
from protonpay.wire.jsonrpc import JsonRpc, RpcError

_TOPICS = 3
_WORD = 32
# Providers serve 500 to 10,000 blocks or so many results at once; a refusal halves the range.
_BLOCKS = 500
_MORE_PERCENT = 5
# A node that refuses because it is busy is not asked on and on.
_TRIES = 4
# A checksum costs more than all the rest of a log, and what is read again is the same logs.
_REMEMBERED = 100_000
_AT_ONCE = 50


class EvmWatch:
    """One EVM network through one node (``chains.watch.BlockWatch``)."""

    def __init__(self, network: Network, rpc: JsonRpc) -> None:
        self._network = network
        self._usdc = network.usdc.lower()
        self._rpc = rpc
        self._node = Node(rpc)
        self._blocks = _BLOCKS
        self._receipts = _AT_ONCE
        self._recognised = False
        self._a_block = 1

    def reach(self) -> Reach:
        """Return how far the node is.

        Raises:
            NoAnswer: unknown, or the node or the token is not that of the settings.
        """
        self._recognise()
        tags = list(dict.fromkeys(("latest", "finalized", self._network.small_at)))
        # Asked each time: what stands before many nodes may turn to another chain's.
        chain_id, *blocks = self._node.ask(("eth_chainId", []), *map(ask_block, tags))
        if quantity(chain_id) != self._network.chain_id:
            raise NoAnswer(f"the node is of chain {quantity(chain_id)}")
        told = dict(zip(tags, blocks, strict=True))
        latest, final = read_block(told["latest"]), read_block(told["finalized"])
        small = read_block(told[self._network.small_at])
        if max(final.number, small.number) > latest.number:
            raise NoAnswer("the final block is newer than the newest")
        # A node that just started may know what is final before it knows what is safe.
        small = small if small.number > final.number else final
        return Reach(_point(latest), _point(small), _point(final))

    def paid(self, first: int, last: int, most: int | None = None) -> Paid:
        """Return whom the blocks from ``first`` on paid, as far as one answer reaches.

        Args:
            first: the first block.
            last: the last one wanted.
            most: how many transfers are enough, by how many there were in a block before.

        Raises:
            NoAnswer: unknown; ask again, which may be for a shorter range.
        """
        refusal: RpcError | None = None
        enough = last if most is None else first + most // self._a_block
        last = max(min(last, enough), first)
        for _ in range(_TRIES):
            asked = min(self._blocks, last - first + 1)
            try:
                paid = self._read(first, first + asked - 1)
            except RpcError as error:
                # Too many blocks, too many results, or the node is busy: all say "error".
                refusal = error
                self._blocks = max(asked // 2, 1)
            except Throttled:
                raise
            except NoAnswer:
                # A longer answer than we read, or than the node can give in time, looks like this.
                self._blocks = max(asked // 2, 1)
                raise
            else:
                more = max(self._blocks * _MORE_PERCENT // 100, 1)
                self._blocks = min(self._blocks + more, _BLOCKS)
                return paid
        raise NoAnswer(f"the node refuses to say: {refusal}") from refusal

    def arrivals(self, tx_hashes: Sequence[str]) -> list[Arrival]:
        """Return every transfer of transactions that stand in the node's chain now.

        Raises:
            NoAnswer: unknown; ask again.
        """
        found: list[Arrival] = []
        left = list(tx_hashes)
        while left:
            some, left = left[: self._receipts], left[self._receipts :]
            receipts = self._read_receipts(some)
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

    def _read_receipts(self, tx_hashes: Sequence[str]) -> list[Receipt | None]:
        asked = [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in tx_hashes]
        try:
            told = [read_receipt(raw) for raw in self._node.ask(*asked)]
        except NoAnswer:
            # Receipts of airdrops are long: fewer the next time.
            self._receipts = max(len(tx_hashes) // 2, 1)
            raise
        self._receipts = min(self._receipts + 1, _AT_ONCE)
        return told

    def _recognise(self) -> None:
        """Refuse a node of another chain, and another token: what they say is not our money."""
        if not self._recognised:
            evm_token.insist(self._node, self._network)
            self._recognised = True

    def _read(self, first: int, last: int) -> Paid:
        wanted = {
            "address": self._network.usdc,
            "topics": [TRANSFER],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        logs, end = self._rpc.batch([("eth_getLogs", [wanted]), ask_block(hex(last))])
        self._a_block = max(len(listed(logs)) // (last - first + 1), 1)
        paid: dict[str, set[str]] = defaultdict(set)
        for raw in logs:
            recipient = self._recipient(raw)
            if recipient is not None:
                paid[text(raw, "transactionHash")].add(recipient)
        return Paid(_point(read_block(end)), {h: frozenset(to) for h, to in paid.items()})

    def _recipient(self, raw: Any) -> str | None:
        topics = listed(member(raw, "topics"))
        ours = text(raw, "address").lower() == self._usdc and not member(raw, "removed", None)
        if not ours or len(topics) != _TOPICS or topics[0] != TRANSFER:
            return None
        return _address(_topic(topics[2])) if quantity(raw, "data") else None

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
        is_transfer = len(log.topics) == _TOPICS and log.topics[0] == TRANSFER
        if log.contract != self._usdc or not is_transfer:
            return 0
        amount = quantity(log.data)
        if amount > MAX_MICRO:
            raise NoAnswer("more USDC than there can be")
        return amount

    def _is_canonical(self, receipt: Receipt) -> bool:
        (raw,) = self._node.ask(ask_block(hex(receipt.block_number)))
        return raw is not None and read_block(raw).hash == receipt.block_hash


def _topic(raw: Any) -> str:
    if not isinstance(raw, str):
        raise NoAnswer("a topic is not text")
    return raw


def _point(block: Block) -> Point:
    return Point(block.number, block.time)


@lru_cache(maxsize=_REMEMBERED)
def _address(topic: str) -> str:
    word = octets(topic)
    if len(word) != _WORD:
        raise NoAnswer("a topic is not one word")
    return checksummed(word[-20:])
