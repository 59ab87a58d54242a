"""All that a visit's browser can ask: the application under test, and nobody else.

A proxy in the loop that drives the browser. While a test waits for its page the loop runs, and what
the page asks is answered in the test's own thread, inside the transaction that the test will undo.
To Chromium it is a proxy like any other, so its cache, cookies and redirects are its own.
"""

import asyncio
import socket
from asyncio import Server, Task, Transport
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

import h11
from flask.testing import FlaskClient
from typing_extensions import override

_BETWEEN_TWO = {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding"}
"""Headers of one connection (RFC 9110, section 7.6.1): nothing to the application."""


@dataclass
class Surroundings:
    """What there is around a browser.

    Attributes:
        home: the origin at which the application answers.
        client: who asks the application; it has no cookies beside the browser's.
        sizes: bytes of each of its answers, by address, in the order of asking.
        strangers: addresses that are not the application's and were asked for.
        down: whether nobody answers.
    """

    home: str
    client: FlaskClient
    sizes: list[tuple[str, int]] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    down: bool = False
    _open: set[Transport] = field(default_factory=set)
    _started: Task[Server] | None = None

    def listen(self) -> str:
        """Begin to answer, and return the proxy's address. A loop of this thread must run."""
        listening = socket.create_server(("127.0.0.1", 0))
        loop = asyncio.get_running_loop()
        begun = loop.create_server(lambda: _Asked(self), sock=listening)
        self._started = loop.create_task(begun)
        return "http://127.0.0.1:{1}".format(*listening.getsockname())

    def leave(self) -> None:
        """Answer no more."""
        assert self._started is not None
        self._started.result().close()
        for connection in self._open:
            connection.abort()

    def answer(self, asked: h11.Request, body: bytes) -> tuple[h11.Response, bytes] | None:
        """Return what the application says, or None where nobody answers."""
        target = asked.target.decode()
        parts = urlsplit(target)
        if asked.method == b"CONNECT" or f"{parts.scheme}://{parts.netloc}" != self.home:
            self.strangers.append(target)
            return None
        if self.down:
            return None
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = [(name.decode(), value.decode("latin-1")) for name, value in _kept(asked)]
        with self.client.open(
            path, method=asked.method.decode(), headers=headers, data=body
        ) as got:
            said = got.data
            self.sizes.append((path, len(said)))
            told = [(name.lower().encode(), value.encode("latin-1")) for name, value in got.headers]
            length = (b"content-length", str(len(said)).encode())
            told = [each for each in told if each[0] not in {*_BETWEEN_TWO, length[0]}]
            why = HTTPStatus(got.status_code).phrase.encode()
            response = h11.Response(
                status_code=got.status_code, reason=why, headers=[*told, length]
            )
            return response, said


def _kept(asked: h11.Request) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in asked.headers if name not in _BETWEEN_TWO]


class _Asked(asyncio.Protocol):
    """One connection of the browser's."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._http = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._body = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Transport)
        self._transport = transport
        self._around._open.add(transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._around._open.discard(self._transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        while not self._transport.is_closing():
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._request, self._body = event, b""
            elif isinstance(event, h11.Data):
                self._body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._answer()
            else:
                return  # more is to come, or nothing will

    def _answer(self) -> None:
        assert self._request is not None
        answer = self._around.answer(self._request, self._body)
        if answer is None:
            self._transport.abort()
            return
        response, said = answer
        for event in (response, h11.Data(data=said), h11.EndOfMessage()):
            self._transport.write(self._http.send(event) or b"")
        if self._http.our_state is h11.MUST_CLOSE:
            self._transport.close()
        else:
            self._http.start_next_cycle()
