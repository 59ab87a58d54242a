"""A gate between a worker and its node, where a test may stop a call at an exact moment."""

import json
import urllib.request
from collections import deque
from collections.abc import Callable
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.listening import leave, listen

SENDS = ("eth_sendRawTransaction", "sendTransaction")
TROUBLES = ("silent", "dropped", "refused", "no logs")
"""What may happen to a call: nobody hears it; it is done and nobody is told; it is done and an
error is told; logs are left out of its answer."""


class Tollgate:
    """Hands every call on to the node behind it.

    ``before`` and ``after`` are done once, around the next send: before the node hears of
    it, or after the node has taken it and before anybody is told so. ``troubles`` befall the
    next calls, one each.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self.before: Callable[[], None] | None = None
        self.after: Callable[[], None] | None = None
        self.troubles: deque[str] = deque()
        self.sends = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        listen(self._server)

    def close(self) -> None:
        leave(self._server)

    def pass_on(self, body: bytes) -> bytes | None:
        """Return the node's answer, or None where the caller or the node is gone."""
        said = json.loads(body)
        is_send = isinstance(said, dict) and said.get("method") in SENDS
        if is_send and self.before is not None:
            act, self.before = self.before, None
            act()
            return None
        trouble = self._next_trouble()
        if trouble == "silent":
            return None
        told = self._ask(body)
        if told is None or trouble == "dropped":
            return None
        if trouble is not None:
            told = _spoiled(trouble, said, told)
        if is_send:
            self.sends += 1
            if self.after is not None:
                act, self.after = self.after, None
                act()
                return None
        return told

    def _ask(self, body: bytes) -> bytes | None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._node, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                told: bytes = answer.read()
        except (OSError, HTTPException):
            return None
        return told

    def _next_trouble(self) -> str | None:
        try:
            return self.troubles.popleft()
        except IndexError:
            return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                told = gate.pass_on(self.rfile.read(int(self.headers["Content-Length"])))
                if told is None:
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _spoiled(trouble: str, said: Any, told: bytes) -> bytes:
    """Return an answer as a node in trouble gives it."""
    calls, answers = (one if isinstance(one, list) else [one] for one in (said, json.loads(told)))
    methods = {call["id"]: call["method"] for call in calls}
    for answer in answers:
        if trouble == "refused":
            answer.pop("result", None)
            answer["error"] = {"code": -32000, "message": "internal error"}
        elif methods.get(answer.get("id")) == "eth_getLogs" and "result" in answer:
            answer["result"] = []
    return json.dumps(answers if isinstance(said, list) else answers[0]).encode()
