"""JSON-RPC to the local node, as the outside world speaks it."""

import http.client
import itertools
import json
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from protonpay.sandbox.outside import Refused

TIMEOUT_SECONDS = 120


class NodeError(Refused):
    """The node refused, or the chain reverted; the text is the node's own."""


class Rpc:
    """One node; every question has a connection of its own, so nothing stays open."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._ids = itertools.count(1)

    def __call__(self, method: str, *params: Any) -> Any:
        """Ask one question.

        Raises:
            NodeError: the node's own error.
            OSError: the node is not there.
        """
        return _told(method, self._post(self._question(method, *params)))

    def together(self, *questions: tuple[Any, ...]) -> list[Any]:
        """Ask several questions in one request, each a method and its parameters.

        Returns:
            The answers, in the order of the questions.

        Raises:
            NodeError: the node's own error, of the first question that has one.
            OSError: the node is not there.
        """
        asked = [self._question(*each) for each in questions]
        by_id = {reply["id"]: reply for reply in self._post(asked)}
        return [_told(each["method"], by_id[each["id"]]) for each in asked]

    def _question(self, method: str, *params: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}

    def _post(self, asked: Any) -> Any:
        body = json.dumps(asked)
        host, port = self._url.hostname or "127.0.0.1", self._url.port
        with closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)) as to_node:
            try:
                to_node.request("POST", "/", body, {"Content-Type": "application/json"})
                return json.loads(to_node.getresponse().read())
            except http.client.HTTPException as error:
                raise ConnectionError(f"the node broke off: {error!r}") from error


def _told(method: str, reply: dict[str, Any]) -> Any:
    if "error" in reply:
        raise NodeError(f"{method}: {reply['error'].get('message')}")
    return reply["result"]
