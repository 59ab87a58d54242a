"""JSON-RPC 2.0: one body in, one body out, whatever was in it."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from protonpay.sandbox.solana.faults import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    BrokenLine,
    Fault,
    RpcFault,
)
from protonpay.sandbox.solana.methods import accounts, cluster, history, levers, sending
from protonpay.sandbox.solana.node import Node
from protonpay.sandbox.solana.params import Params

METHODS: Mapping[str, Callable[[Node, Params], Any]] = {
    **accounts.METHODS,
    **cluster.METHODS,
    **history.METHODS,
    **levers.METHODS,
    **sending.METHODS,
}
_log = logging.getLogger(__name__)


class Dispatcher:
    """Answers request bodies, from any number of threads, one call at a time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.lock = threading.Lock()

    def answer(self, body: bytes) -> bytes:
        """Answer a request or a batch of them; empty when all were notifications.

        Raises:
            BrokenLine: a fault was ordered that leaves no JSON-RPC answer.
        """
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            return _bytes(_error(None, RpcFault(PARSE_ERROR, "Parse error")))
        if not isinstance(asked, list):
            return _bytes(self._reply(asked))
        if not asked:
            return _bytes(_error(None, RpcFault(INVALID_REQUEST, "Invalid request")))
        replies = [self._reply(one) for one in asked]
        return _bytes([reply for reply in replies if reply is not None] or None)

    def _reply(self, asked: Any) -> dict[str, Any] | None:
        if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
            return _error(None, RpcFault(INVALID_REQUEST, "Invalid request"))
        number = asked.get("id")
        try:
            result = self._call(asked["method"], asked.get("params"))
        except RpcFault as fault:
            reply = _error(number, fault)
        else:
            reply = {"jsonrpc": "2.0", "result": result, "id": number}
        return reply if "id" in asked else None

    def _call(self, method: str, values: Any) -> Any:
        run = METHODS.get(method)
        if run is None:
            raise RpcFault(METHOD_NOT_FOUND, "Method not found")
        if not isinstance(values, list | None):
            raise RpcFault(INVALID_REQUEST, "Invalid request: parameters by position only")
        with self.lock:
            fault = self._node.faults.next_for(method)
        if fault is None:
            return self._run(run, values)
        if fault.delay_ms:
            time.sleep(timedelta(milliseconds=fault.delay_ms).total_seconds())
        return self._meet(fault, run, values)

    def _meet(self, fault: Fault, run: Callable[[Node, Params], Any], values: Any) -> Any:
        real = self._run(run, values) if fault.after or _is_delay_only(fault) else None
        if fault.status is not None:
            raise BrokenLine(fault.status)
        if fault.error is not None:
            told = fault.error
            raise RpcFault(
                told.get("code", INTERNAL_ERROR), told.get("message", ""), told.get("data")
            )
        return fault.result if fault.has_result else real

    def _run(self, run: Callable[[Node, Params], Any], values: Any) -> Any:
        try:
            with self.lock:
                self._node.bank.advance()
                result = run(self._node, Params(values or []))
                # A warp or a lever may have made more of the chain final.
                self._node.bank.advance()
                return result
        except RpcFault:
            raise
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001 - a panic of the Rust side is no Exception
            _log.exception("a method failed")
            raise RpcFault(INTERNAL_ERROR, "Internal error") from None


def _is_delay_only(fault: Fault) -> bool:
    return fault.status is None and fault.error is None and not fault.has_result


def _error(number: Any, fault: RpcFault) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": fault.error, "id": number}


def _bytes(reply: Any) -> bytes:
    return b"" if reply is None else json.dumps(reply, separators=(",", ":")).encode()
