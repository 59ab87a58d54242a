"""A connection to a stranger: to a checked address, for so long, for so many bytes."""

import io
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from ipaddress import ip_address
from typing import Any

from typing_extensions import Buffer, override

from protonpay.wire.alarm import Hold, alarm
from protonpay.wire.guard import DNS_SECONDS, BlockedAddress, NoAddress, Target

_MOST_ON_THE_WIRE = 131_072
_MOST_TRIED = 3


class TooLarge(Exception):
    """The other side sends more than we read."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a stranger may take.

    Attributes:
        dns_seconds: to look its name up.
        connect_seconds: to connect, and again to agree on encryption.
        total_seconds: for everything, from the lookup to the last byte.
    """

    dns_seconds: float = DNS_SECONDS
    connect_seconds: float = 5
    total_seconds: float = 15


class Deadline:
    """A moment after which a socket is shut down, whatever it is waiting for.

    A socket's own timeout starts anew with every byte: a server that sends one now and
    then would hold its caller for as long as it likes.

    Attributes:
        passed: the moment came while a socket was held to it.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._moment = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, more than none.

        Raises:
            TimeoutError: none are left.
        """
        seconds = self._moment - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    @contextmanager
    def holds(self, sock: socket.socket) -> Iterator[None]:
        """Hold a connected socket to the deadline."""
        # TLS takes the descriptor away from the socket it wraps; a copy still reaches the line.
        with sock.dup() as line:
            self.left()
            hold = Hold(line, self._end)
            alarm.set(self._moment, hold)
            try:
                yield
            finally:
                alarm.release(hold)

    def _end(self) -> None:
        self.passed = True


class _Meter(io.RawIOBase):
    """The reading end of a socket, which gives so many bytes and no more.

    ``http.client`` limits a header and how many there are; together that is megabytes, and
    chunk sizes and trailers are not counted at all.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._file = sock.makefile("rb", buffering=0)
        self._left = _MOST_ON_THE_WIRE

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Be read in place of the socket: all that ``http.client`` asks of one."""
        return io.BufferedReader(self)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int | None:
        count = self._file.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise TooLarge
        return count

    @override
    def close(self) -> None:
        self._file.close()
        super().close()


class _MeteredResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Meter(sock), *args, **kwargs)  # type: ignore[arg-type] # see makefile()


class Connection(HTTPConnection):
    """HTTP over a socket that is connected already: it has no way to connect by name.

    The standard library's, on purpose: pools, redirects, proxies, cookies and decoding are
    what a stranger must not be given.
    """

    auto_open = 0
    response_class = _MeteredResponse

    def __init__(self, sock: socket.socket, host: str) -> None:
        super().__init__(host)
        self.sock = sock

    def post(self, path_and_query: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a request in one piece: headers and body apart wake both ends twice."""
        self._held = bytearray()
        self.request("POST", path_and_query, body, headers)
        super().send(self._held)

    @override
    def send(self, data: Any) -> None:
        self._held += data


@contextmanager
def dial(
    target: Target,
    addresses: Sequence[str],
    patience: Patience,
    deadline: Deadline,
    trust: ssl.SSLContext,
) -> Iterator[socket.socket]:
    """Connect to the first of some checked addresses that answers; encrypted, if so asked.

    Certificate and SNI go by the name. What is done with the socket is held to the deadline.

    Raises:
        BlockedAddress: the other end is not the address we asked for.
        ssl.SSLError: no encryption, or not the certificate of that name.
        OSError: no connection.
    """
    with _connect(target.port, addresses, patience, deadline) as sock, deadline.holds(sock):
        if target.scheme == "http":
            sock.settimeout(patience.total_seconds)
            yield sock
            return
        sock.settimeout(min(patience.connect_seconds, deadline.left()))
        with trust.wrap_socket(sock, server_hostname=target.host) as encrypted:
            encrypted.settimeout(patience.total_seconds)
            yield encrypted


def _connect(
    port: int, addresses: Sequence[str], patience: Patience, deadline: Deadline
) -> socket.socket:
    failure: Exception = NoAddress()
    for address in addresses[:_MOST_TRIED]:
        try:
            seconds = min(patience.connect_seconds, deadline.left())
            return _connect_to(address, port, seconds)
        except OSError as error:
            failure = error
    raise failure


def _connect_to(address: str, port: int, seconds: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # What we send is never worth waiting for more.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(seconds)
        sock.connect((address, port))
        _check_other_end(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _check_other_end(sock: socket.socket, address: str) -> None:
    if ip_address(sock.getpeername()[0]) != ip_address(address):
        raise BlockedAddress
