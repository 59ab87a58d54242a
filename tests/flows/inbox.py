"""Somebody who is told by webhooks, and keeps what came."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.listening import leave, listen


class Inbox:
    """A receiver of webhooks: every request as it came.

    Attributes:
        failing: users whose address answers 500.
    """

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self.taken: list[tuple[str, Mapping[str, str], bytes]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"127.0.0.1:{self._server.server_port}"
        listen(self._server)

    def close(self) -> None:
        leave(self._server)

    def of(self, user_id: str) -> list[tuple[Mapping[str, str], bytes]]:
        return [(headers, body) for path, headers, body in self.taken if path == f"/{user_id}"]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                inbox.taken.append((self.path, headers, body))
                self.send_response(500 if self.path[1:] in inbox.failing else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
