"""What a stranger answers to a request: read as HTTP/1.1 says, to a limit, and no further.

Lenient where that harms nobody, as ``http.client`` is, whose limits these are; that one blocks.
"""

import re
import socket
import ssl
from dataclasses import dataclass, field
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong

from protonpay.wire.dial import patiently
from protonpay.wire.loop import READ, Steps, Wait

_MOST_ON_THE_WIRE = 131_072
_MOST_BODY = 65_536
_LONGEST_LINE = 65_536
_MOST_HEADERS = 100
_CHUNK = 16_384

_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9]+[ \t]+([1-9][0-9]{2})(?:[ \t][^\n]*)?\r?\n?")
_NUMBER = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r?\n")
_BLANK = (b"\r\n", b"\n")
_CONTINUE = 100
_WITHOUT_BODY = (204, 304)
_FINAL = 200


class TooLarge(Exception):
    """The other side sends more than we read."""


@dataclass(slots=True)
class Answer:
    """What came of an answer, until it was complete or broke off.

    Attributes:
        headers: those that mean something to us, by name in lower case; the first of each.
    """

    status: int | None = None
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


_HEARD = frozenset({b"content-length", b"transfer-encoding", b"retry-after"})


class _Reader:
    """The reading end of a socket, which gives so many bytes and no more.

    The limits of a header and how many there may be are megabytes together, and chunk sizes and
    trailers are in none of them.
    """

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until
        self._left = _MOST_ON_THE_WIRE
        self._held, self._at = b"", 0
        # Encryption may hold something back that no look at the socket shows.
        self._encrypted = isinstance(sock, ssl.SSLSocket)

    def held_line(self) -> bytes | None:
        """Return a line with its end, if it has come already: of crumbs there may be thousands."""
        begin, end = self._at, self._held.find(b"\n", self._at) + 1
        if (end or len(self._held)) - begin > _LONGEST_LINE:
            raise LineTooLong("of an answer")
        if not end:
            return None
        self._at = end
        return self._held[begin:end]

    def line(self) -> Steps[bytes]:
        """Read a line with its end; without one, if everything ends there."""
        while (line := self.held_line()) is None:
            if not (yield from self._more()):
                return self.held(_LONGEST_LINE)
        return line

    def held(self, most: int) -> bytes:
        """Return what has come already."""
        begin, self._at = self._at, min(self._at + most, len(self._held))
        return self._held[begin : self._at]

    def some(self, most: int) -> Steps[bytes]:
        """Read at least one byte, and none if everything ends there."""
        if self._at == len(self._held):
            yield from self._more()
        return self.held(most)

    def _more(self) -> Steps[bool]:
        if not self._encrypted:
            # The first try would be in vain.
            yield Wait(self._sock, READ, self._until)
        chunk = yield from patiently(self._sock, lambda: self._sock.recv(_CHUNK), READ, self._until)
        self._left -= len(chunk)
        if self._left < 0:
            raise TooLarge
        self._held, self._at = self._held[self._at :] + chunk, 0
        return bool(chunk)


def read(sock: socket.socket, answer: Answer, until: float) -> Steps[None]:
    """Read an answer into what is known of it.

    Args:
        sock: does not block.
        answer: filled as it comes; keeps what came if this raises.
        until: on the monotonic clock.

    Raises:
        TooLarge: more than 64 KiB of body, or 128 KiB of anything.
        HTTPException: it is no answer, or not a whole one.
        OSError: the line broke; ``TimeoutError``: the moment came.
    """
    reader = _Reader(sock, until)
    status, headers = yield from _head(reader)
    while status == _CONTINUE:
        status, headers = yield from _head(reader)
    answer.status, answer.headers = status, headers
    if status in _WITHOUT_BODY or status < _FINAL:
        return
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        yield from _read_chunks(reader, answer)
        return
    length = _NUMBER.fullmatch(headers.get(b"content-length", b""))
    if length:
        yield from _read_body(reader, answer, int(length[0]))
    else:
        while chunk := (yield from reader.some(_CHUNK)):
            _keep(answer, chunk)


def _head(reader: _Reader) -> Steps[tuple[int, dict[bytes, bytes]]]:
    status = _status((yield from reader.line()))
    return status, (yield from _headers(reader))


def _status(line: bytes) -> int:
    if not line:
        raise ConnectionResetError("closed without an answer")
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadStatusLine("of an answer")
    return int(match[1])


def _headers(reader: _Reader) -> Steps[dict[bytes, bytes]]:
    headers: dict[bytes, bytes] = {}
    for _ in range(_MOST_HEADERS + 1):
        line = reader.held_line() or (yield from reader.line())
        if line in _BLANK:
            return headers
        if not line.endswith(b"\n"):
            raise IncompleteRead(b"")
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in _HEARD:
            headers.setdefault(name, value.strip())
    raise HTTPException("too many headers")


def _read_body(reader: _Reader, answer: Answer, length: int) -> Steps[None]:
    while length:
        chunk = reader.held(length) or (yield from reader.some(length))
        if not chunk:
            raise IncompleteRead(b"", length)
        length -= len(chunk)
        _keep(answer, chunk)


def _read_chunks(reader: _Reader, answer: Answer) -> Steps[None]:
    while length := _chunk_size(reader.held_line() or (yield from reader.line())):
        chunk = reader.held(length)
        _keep(answer, chunk)
        if len(chunk) < length:
            yield from _read_body(reader, answer, length - len(chunk))
        if (reader.held_line() or (yield from reader.line())) not in _BLANK:
            raise IncompleteRead(b"")
    # Trailers say nothing to us; whoever ends instead has said all.
    while (reader.held_line() or (yield from reader.line())) not in (*_BLANK, b""):
        pass


def _chunk_size(line: bytes) -> int:
    size = _CHUNK_SIZE.fullmatch(line)
    if size is None:
        raise IncompleteRead(b"")
    return int(size[1], 16)


def _keep(answer: Answer, chunk: bytes) -> None:
    answer.body += chunk
    if len(answer.body) > _MOST_BODY:
        raise TooLarge
