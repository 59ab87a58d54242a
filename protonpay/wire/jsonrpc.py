"""JSON-RPC 2.0 over HTTP: a result, the node's error, or not knowing."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

from protonpay.wire.http import Answer, NoAnswer, Throttled, Wire

_TOO_MANY = 429
_USUAL_WAIT = 2
_LONGEST_WAIT = 60
_SERVER_FAULT = 500


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
        return _result(self._ask(request), request["id"])

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Ask several questions of the same node at once; results in the order asked.

        Raises:
            RpcError: the first error among the answers.
            NoAnswer: no readable answer, or one is missing.
        """
        asked = [self._request(method, params) for method, params in calls]
        replies = self._ask(asked)
        if not isinstance(replies, list):
            # One answer to all of them can only be an error.
            _result(replies, None)
            raise NoAnswer("one result for several questions")
        return [_result(_reply_to(request["id"], replies), request["id"]) for request in asked]

    def _ask(self, question: Any) -> Any:
        answer = self._wire.post("", data=json.dumps(question).encode())
        if answer.status == _TOO_MANY:
            raise Throttled("status 429 from the node", _wait(answer))
        if answer.status >= _SERVER_FAULT:
            # What stands before the node speaks here, perhaps after the node has acted.
            raise NoAnswer(f"status {answer.status} from the node")
        return answer.json()

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {
            "jsonrpc": "2.0",
            "id": next(self._ids),
            "method": method,
            "params": list(params),
        }


def _wait(answer: Answer) -> int:
    """Read ``Retry-After`` in seconds; a date or nonsense is the usual wait."""
    said = answer.headers.get("Retry-After", "")
    whole = said.isascii() and said.isdecimal() and len(said) < len("1000000")
    return min(int(said), _LONGEST_WAIT) if whole else _USUAL_WAIT


def _reply_to(asked: int, replies: Sequence[Any]) -> Any:
    return next((r for r in replies if isinstance(r, dict) and r.get("id") == asked), None)


def _result(reply: Any, asked: int | None) -> Any:
    if not isinstance(reply, dict):
        raise NoAnswer("not a JSON-RPC answer")
    error = reply.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        message = str(error.get("message", ""))
        if code == _TOO_MANY:
            raise Throttled(f"{message} (429)", _USUAL_WAIT)
        raise RpcError(code if isinstance(code, int) else 0, message, error.get("data"))
    if error is not None or "result" not in reply:
        raise NoAnswer("neither a result nor an error")
    if reply.get("id") != asked:
        raise NoAnswer("the answer to another question")
    return reply["result"]
