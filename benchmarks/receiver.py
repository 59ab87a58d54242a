"""A receiver that costs little: one thread, answers 200 at once, remembers how late each came.

``python -m benchmarks.receiver PORT HANGING_PORT``: what comes to the second is never answered.
``GET /`` on the first answers what came since the last such question, as JSON.
"""

import json
import re
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_SENT = re.compile(rb'"sentAt":"(\d+)"')
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class Seen:
    """What came since the last question; moments of the monotonic clock, in nanoseconds."""

    count: int = 0
    first: int = 0
    last: int = 0
    delays: list[int] = field(default_factory=list)

    def add(self, request: bytes) -> None:
        """Take one in."""
        now = time.monotonic_ns()
        self.first, self.last = self.first or now, now
        self.count += 1
        found = _SENT.search(request)
        if found:
            self.delays.append(now - int(found[1]))


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    return bool(end) and len(body) >= (int(found[1]) if found else 0)


def serve(port: int, hanging_port: int) -> None:
    """Answer until killed."""
    seen = Seen()
    selector = selectors.DefaultSelector()
    for each in (port, hanging_port):
        listener = socket.create_server(("127.0.0.1", each), backlog=4096)
        listener.setblocking(False)  # noqa: FBT003 - the standard library's own way
        selector.register(listener, selectors.EVENT_READ, each)
    held: dict[socket.socket, bytes] = {}
    while True:
        for key, _ in selector.select():
            sock: Any = key.fileobj
            if key.data == port:
                connection, _ = sock.accept()
                selector.register(connection, selectors.EVENT_READ, None)
                held[connection] = b""
            elif key.data == hanging_port:
                held[sock.accept()[0]] = b""
            else:
                held[sock] += (chunk := sock.recv(65_536))
                if not chunk or _is_whole(held[sock]):
                    seen = _answer(sock, held.pop(sock), seen)
                    selector.unregister(sock)
                    sock.close()


def _answer(sock: socket.socket, request: bytes, seen: Seen) -> Seen:
    """Answer one request; return what is remembered from now on."""
    if request.startswith(b"GET "):
        body = json.dumps(vars(seen)).encode()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        return Seen()
    if request:
        sock.sendall(_OK)
        seen.add(request)
    return seen


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
