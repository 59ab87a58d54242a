"""HTTP around the dispatcher: keep-alive, bounded requests, one write per answer."""

import http
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from protonpay.sandbox.solana.dispatch import Dispatcher
from protonpay.sandbox.solana.faults import BrokenLine

MAX_BODY = 50 * 1024
"""Agave's ``--rpc-max-request-body-size``."""
_IDLE_SECONDS = 120


class Server(ThreadingHTTPServer):
    """Listens; each connection has a thread, the dispatcher has one lock."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], dispatcher: Dispatcher) -> None:
        super().__init__(address, Handler)
        self.dispatcher = dispatcher

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away in the middle."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        """``/health``, as Agave has it."""
        known = self.path == "/health"
        self._send(200 if known else 404, b"ok" if known else b"", "text/plain")

    def do_POST(self) -> None:
        """One JSON-RPC body."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            return self._refuse(411)
        if int(length) > MAX_BODY:
            return self._refuse(413)
        if not self.headers.get("Content-Type", "").startswith("application/json"):
            return self._refuse(415)
        body = self.rfile.read(int(length))
        try:
            answer = self.server.dispatcher.answer(body)
        except BrokenLine as broken:
            self.close_connection = True
            return self._refuse(broken.status) if broken.status else None
        return self._send(200, answer, "application/json; charset=utf-8")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Keep quiet: the readers' own logs say what they asked."""

    def _refuse(self, status: int) -> None:
        # The body was not read, so the connection cannot go on.
        self.close_connection = True
        self._send(status, b"", "text/plain")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        words = http.HTTPStatus(status).phrase
        end = "close" if self.close_connection else "keep-alive"
        head = (
            f"HTTP/1.1 {status} {words}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: {end}\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)
