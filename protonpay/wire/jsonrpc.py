"""JSON-RPC 2.0 over HTTP: a result, the node's error, or not knowing."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

from protonpay.wire.http import NoAnswer, Wire


class RpcError(Exception):
    """The node answered and said no; what that proves depends on the method.

    Attributes:
        code: the JSON-RPC error code (-32601: no such method …).
        data: further members of the error, or None.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.data = data


class JsonRpc:
    """One node, spoken to over HTTP."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._ids = itertools.count(1)

    def call(self, method: str, *params: Any) -> Any:
        """Ask one question.

        Raises:
            RpcError: the node's error.
            NoAnswer: no readable answer, which proves nothing.
        """
        request = self._request(method, params)
        answer = self._wire.post("", data=json.dumps(request).encode())
        return _result(answer.json(), answer.status)

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Ask several questions of the same node at once; results in the order asked.

        Raises:
            RpcError: the first error among the answers.
            NoAnswer: no readable answer, or one is missing.
        """
        asked = [self._request(method, params) for method, params in calls]
        answer = self._wire.post("", data=json.dumps(asked).encode())
        replies = answer.json()
        if not isinstance(replies, list):
            return [_result(replies, answer.status)]
        by_id = {reply.get("id"): reply for reply in replies if isinstance(reply, dict)}
        return [_result(by_id.get(request["id"]), answer.status) for request in asked]

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {
            "jsonrpc": "2.0",
            "id": next(self._ids),
            "method": method,
            "params": list(params),
        }


def _result(reply: Any, status: int) -> Any:
    if not isinstance(reply, dict):
        raise NoAnswer(f"status {status} without a JSON-RPC answer")
    error = reply.get("error")
    if isinstance(error, dict):
        raise RpcError(error.get("code", 0), str(error.get("message", "")), error.get("data"))
    if "result" not in reply:
        raise NoAnswer(f"status {status} without a result")
    return reply["result"]
