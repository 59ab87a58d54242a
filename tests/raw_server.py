"""A server of raw bytes: whatever a test wants the other side of a wire to do."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Act = Callable[[socket.socket, threading.Event], None]
"""Plays the server on one connection, until it is over."""


class RawServer:
    """Answers each connection with the next act, the last one for ever after."""

    def __init__(self, *acts: bytes | Act) -> None:
        self.requests: list[bytes] = []
        self._acts = list(acts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
                threading.Thread(target=self._serve, args=(connection, act), daemon=True).start()

    def _serve(self, connection: socket.socket, act: bytes | Act) -> None:
        with connection, contextlib.suppress(OSError):
            if act is not deaf:
                self.requests.append(_read_request(connection))
            if callable(act):
                act(connection, self._over)
            else:
                connection.sendall(act)


def drip(head: bytes, drop: bytes) -> Act:
    """Send a head, then a drop now and then, for ever."""

    def act(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head)
        while not over.wait(0.02):
            connection.sendall(drop)

    return act


def silence(_connection: socket.socket, over: threading.Event) -> None:
    """Say nothing."""
    over.wait()


def deaf(_connection: socket.socket, over: threading.Event) -> None:
    """Say nothing, and do not even read."""
    over.wait()


@contextmanager
def answering(*acts: bytes | Act) -> Iterator[RawServer]:
    """Run a server of these acts."""
    server = RawServer(*acts)
    try:
        yield server
    finally:
        server.close()


def http(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    """Return a whole, well-formed answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _read_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65_536) or b"\r\n\r\n"
    head, _, body = request.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body
