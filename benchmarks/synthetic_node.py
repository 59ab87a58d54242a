"""A node of two made-up chains, as fast as bytes can be copied: what is measured is the watch.

EVM: a block every two seconds, so many transfers of USDC in each, some of them to addresses that
are watched. Solana: accounts that hold nothing. ``bench_*`` moves the head and counts.
"""

import argparse
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
_BLOCK_SECONDS = 2
_KINDS = 64
"""Blocks are made from so many drafts, each with transfers of its own."""
_SAFE, FINAL = 60, 600
"""How many blocks these tags are behind."""
_MOST_LOGS = 50_000
_NOTHING: dict[str, Any] = {"context": {"slot": 1}}


class Written(str):
    """A result that is JSON already."""

    __slots__ = ()


class TooManyError(Exception):
    """The range has more logs than this node likes."""


class Chain:
    """The EVM chain: a block is its draft with its number in it."""

    def __init__(self, usdc: str, chain_id: int, transfers: int, paid: Sequence[str]) -> None:
        self._usdc, self.chain_id = usdc.lower(), chain_id
        self._others = transfers
        self._paid = paid
        self._begin = 1_700_000_000
        self.head = FINAL
        self.requests = self.sent = 0
        self._drafts = [self._draft(kind) for kind in range(_KINDS)]
        # Written once, with names where a block's own words go: to copy is not to compute.
        self._written = [
            ",".join(
                json.dumps(self._log(draft, place, "NUMBER", "HASH", "TAIL"))
                for place in range(len(draft))
            )
            for draft in self._drafts
        ]

    def _draft(self, kind: int) -> list[tuple[str, str]]:
        """Return the transactions of a draft, each with whom it pays."""
        own = [self._paid[kind % len(self._paid)]] if self._paid else []
        others = [secrets.token_hex(20) for _ in range(self._others - len(own))]
        return [(secrets.token_hex(28), to) for to in (*own, *others)]

    def log(self, number: int, place: int) -> dict[str, Any]:
        """Return a log of a block."""
        draft = self._drafts[number % _KINDS]
        return self._log(draft, place, hex(number), self._hash(number), f"{number:08x}")

    def _log(
        self, draft: Sequence[tuple[str, str]], place: int, number: str, block: str, tail: str
    ) -> dict[str, Any]:
        tx, to = draft[place]
        return {
            "address": self._usdc,
            "topics": [_TRANSFER, "0x" + "11".zfill(64), "0x" + to.zfill(64)],
            "data": "0x" + f"{5_000_000:064x}",
            "blockNumber": number,
            "blockHash": block,
            "transactionHash": f"0x{tx}{tail}",
            "transactionIndex": hex(place),
            "logIndex": hex(place),
            "removed": False,
        }

    def block(self, name: str) -> dict[str, Any]:
        """Return a header by tag or number."""
        heads = {"latest": 0, "safe": _SAFE, "finalized": FINAL}
        number = self.head - heads[name] if name in heads else int(name, 16)
        return {
            "number": hex(number),
            "hash": self._hash(number),
            "timestamp": hex(self._begin + number * _BLOCK_SECONDS),
            "baseFeePerGas": "0x1",
        }

    def logs(self, first: int, last: int) -> "Written":
        """Return every transfer of a range; as providers do, only of one that is short enough."""
        if (last - first + 1) * self._others > _MOST_LOGS:
            raise TooManyError
        blocks = [
            self._written[number % _KINDS]
            .replace("NUMBER", hex(number))
            .replace("HASH", self._hash(number))
            .replace("TAIL", f"{number:08x}")
            for number in range(first, min(last, self.head) + 1)
        ]
        return Written("[" + ",".join(blocks) + "]")

    def receipt(self, tx_hash: str) -> dict[str, Any] | None:
        """Return what a transaction did."""
        number = int(tx_hash[-8:], 16)
        draft = self._drafts[number % _KINDS]
        place = next((n for n, (tx, _) in enumerate(draft) if tx == tx_hash[2:-8]), None)
        if place is None:
            return None
        return {
            "transactionHash": tx_hash,
            "blockNumber": hex(number),
            "blockHash": self._hash(number),
            "status": "0x1",
            "gasUsed": "0x1",
            "effectiveGasPrice": "0x1",
            "logs": [self.log(number, place)],
        }

    @staticmethod
    def _hash(number: int) -> str:
        return "0x" + f"{number:064x}"

    def answer(self, method: str, params: Sequence[Any]) -> Any:
        """Answer one question."""
        return {
            "eth_chainId": lambda: hex(self.chain_id),
            "eth_getBlockByNumber": lambda: self.block(params[0]),
            "eth_getLogs": lambda: self.logs(
                int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
            ),
            "eth_getTransactionReceipt": lambda: self.receipt(params[0]),
            "getMultipleAccounts": lambda: _NOTHING | {"value": [None] * len(params[0])},
            "getSlot": lambda: 1,
            "bench_move": lambda: self._move(params[0]),
            "bench_counted": self._counted,
        }[method]()

    def _move(self, blocks: int) -> int:
        self.head += blocks
        return self.head

    def _counted(self) -> dict[str, int]:
        counted = {"requests": self.requests, "bytes": self.sent}
        self.requests = self.sent = 0
        return counted


def _handler(chain: Chain) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: no waiting for its acknowledgement

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls = said if isinstance(said, list) else [said]
            told = [self._reply(call) for call in calls]
            body = ("[" + ",".join(told) + "]" if isinstance(said, list) else told[0]).encode()
            if not str(calls[0]["method"]).startswith("bench_"):
                chain.requests += 1
                chain.sent += len(body)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _reply(self, call: Mapping[str, Any]) -> str:
            try:
                result = chain.answer(call["method"], call["params"])
            except TooManyError:
                told, value = "error", '{"code": -32005, "message": "query returned too many"}'
            else:
                told = "result"
                value = result if isinstance(result, Written) else json.dumps(result)
            return f'{{"jsonrpc": "2.0", "id": {call["id"]}, "{told}": {value}}}'

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--usdc", required=True)
    parser.add_argument("--chain-id", type=int, required=True)
    parser.add_argument("--transfers", type=int, required=True, help="in each block")
    parser.add_argument("--paid", type=Path, required=True, help="watched addresses, one a line")
    options = parser.parse_args()
    paid = [line[2:].lower() for line in options.paid.read_text().split()]
    chain = Chain(options.usdc, options.chain_id, options.transfers, paid)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(chain))
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
