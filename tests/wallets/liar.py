"""A node that lies on demand: an HTTP server before a real chain, as a provider's is.

It is asked in JSON-RPC, alone or in batches, and answers what the real node answers, until a
lie is told. A lie is about one result (``spoil``), about the whole answer of HTTP (``reply``), or
an error in place of results (``refuse``).
"""

import contextlib
import json
import urllib.request
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.listening import leave, listen

Spoil = Callable[[str, list[Any], Any], Any]
ENDLESS = object()
HANGS_UP = object()


class Refusal(Exception):
    """The JSON-RPC error to give instead of a result."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message}


class Liar:
    """One address that stands for a node.

    Attributes:
        asked: every method, in the order asked, batches taken apart.
        requests: how many HTTP requests there were.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self.asked: list[tuple[str, list[Any]]] = []
        self.requests = 0
        self.honest()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        listen(self._server)

    def close(self) -> None:
        leave(self._server)

    def honest(self) -> None:
        """Say the truth from now on."""
        self._spoil: Spoil | None = None
        self._reply: tuple[int, Mapping[str, str], Any] | None = None

    def spoil(self, lie: Spoil) -> None:
        """Change results: by method, parameters and the truth; may raise ``Refusal``."""
        self._spoil = lie

    def refuse(self, method: str, code: int, message: str) -> None:
        """Answer a method with an error, and the rest truly."""

        def lie(asked: str, _params: list[Any], truth: Any) -> Any:
            if asked == method:
                raise Refusal(code, message)
            return truth

        self._spoil = lie

    def reply(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Answer everything with these bytes, without end, or not at all."""
        self._reply = (status, headers or {}, body)

    def answer(self, body: bytes) -> tuple[int, Mapping[str, str], Any]:
        self.requests += 1
        said = json.loads(body)
        calls = said if isinstance(said, list) else [said]
        self.asked += [(call["method"], call["params"]) for call in calls]
        if self._reply is not None:
            return self._reply
        told = json.loads(self._ask(body))
        answers = told if isinstance(told, list) else [told]
        by_id = {call["id"]: call for call in calls}
        lied = [self._lie(by_id[one["id"]], one) for one in answers]
        return 200, {}, json.dumps(lied if isinstance(said, list) else lied[0]).encode()

    def _lie(self, call: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if self._spoil is None or "result" not in answer:
            return answer
        try:
            return answer | {
                "result": self._spoil(call["method"], call["params"], answer["result"])
            }
        except Refusal as refusal:
            return {"jsonrpc": "2.0", "id": call["id"], "error": refusal.error}

    def _ask(self, body: bytes) -> bytes:
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._node, data=body, headers=kind)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, body = liar.answer(asked)
                self.close_connection = body in (ENDLESS, HANGS_UP)
                if body is HANGS_UP:
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if body is ENDLESS:
                    self.end_headers()
                    with contextlib.suppress(OSError):
                        while True:
                            self.wfile.write(b" " * 65_536)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
