"""A load generator that costs little: bytes made before, sockets kept open, one thread."""

import itertools
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_CHUNK = 65_536
_OK = 200
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(frozen=True)
class Result:
    """What came back.

    Attributes:
        latencies: seconds of each answered request, sorted.
        refused: answers other than 200, by status.
    """

    seconds: float
    latencies: Sequence[float]
    refused: dict[int, int]

    @property
    def rate(self) -> float:
        """Successful answers a second."""
        return (len(self.latencies) - sum(self.refused.values())) / self.seconds

    def percentile(self, percent: int) -> float:
        """Return a latency in milliseconds."""
        if not self.latencies:
            return 0
        index = min(len(self.latencies) * percent // 100, len(self.latencies) - 1)
        return self.latencies[index] * 1000


class _Connection:
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.buffer = b""

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.buffer = b""
        self.socket.sendall(request)

    def answered(self) -> int | None:
        """Read what is there; return the status once the answer is whole."""
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("the server closed a kept connection")
        self.buffer += chunk
        head, found, body = self.buffer.partition(_END_OF_HEAD)
        if not found:
            return None
        lowered = head.lower()
        start = lowered.index(_LENGTH) + len(_LENGTH)
        length = int(lowered[start:].partition(b"\r\n")[0])
        return int(head[9:12]) if len(body) >= length else None


def get(path: str, token: str) -> bytes:
    """Make a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def post(path: str, token: str, body: bytes) -> bytes:
    """Make a POST of JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Result:
    """Send requests over so many connections, each waiting for its answer.

    Ends after ``seconds``, or when the requests run out.
    """
    selector = selectors.DefaultSelector()
    for request in itertools.islice(requests, connections):
        connection = _Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request)
    latencies: list[float] = []
    refused: dict[int, int] = {}
    begun = time.perf_counter()
    while selector.get_map() and time.perf_counter() < begun + seconds:
        for key, _ in selector.select(timeout=0.1):
            connection = key.data
            status = connection.answered()
            if status is None:
                continue
            latencies.append(time.perf_counter() - connection.sent_at)
            if status != _OK:
                refused[status] = refused.get(status, 0) + 1
            following = next(requests, None)
            if following is None:
                selector.unregister(connection.socket)
                connection.socket.close()
            else:
                connection.send(following)
    elapsed = time.perf_counter() - begun
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    return Result(elapsed, sorted(latencies), refused)
