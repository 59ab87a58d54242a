"""A connection to a stranger: to a checked address, for so long, for so many bytes.

Nothing here blocks: whoever would wait yields what for (``wire/loop.py``). So the moment at which
all has to be over holds for every single wait, however busy the other side keeps us.
"""

import os
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeVar

from protonpay.wire.guard import DNS_SECONDS, BlockedAddress, NoAddress, Target
from protonpay.wire.loop import READ, WRITE, Steps, Wait

T = TypeVar("T")

_MOST_TRIED = 3


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


def dial(
    target: Target,
    addresses: Sequence[str],
    patience: Patience,
    until: float,
    trust: ssl.SSLContext,
) -> Steps[socket.socket]:
    """Connect to the first of some checked addresses that answers; encrypted, if so asked.

    Certificate and SNI go by the name.

    Args:
        target: whom to call.
        addresses: where it is.
        patience: how long each step may take.
        until: when all of it has to be over, on the monotonic clock.
        trust: whose certificates are good.

    Raises:
        BlockedAddress: the other end is not the address we asked for.
        ssl.SSLError: no encryption, or not the certificate of that name.
        OSError: no connection.
    """
    sock = yield from _connect(target.port, addresses, patience, until)
    if target.scheme == "http":
        return sock
    try:
        encrypted = trust.wrap_socket(
            sock, server_hostname=target.host, do_handshake_on_connect=False
        )
    except BaseException:
        sock.close()
        raise
    try:
        until = min(until, time.monotonic() + patience.connect_seconds)
        yield from patiently(encrypted, encrypted.do_handshake, READ, until)
    except BaseException:
        encrypted.close()
        raise
    return encrypted


def patiently(sock: socket.socket, call: Callable[[], T], events: int, until: float) -> Steps[T]:
    """Make a call of a socket's, and make it again whenever it can go on.

    Args:
        sock: whose it is.
        call: what it is.
        events: what it waits for; encryption may want to write when we read, and says so.
        until: on the monotonic clock.
    """
    while True:
        try:
            return call()
        except BlockingIOError:
            wait = events
        except ssl.SSLWantReadError:
            wait = READ
        except ssl.SSLWantWriteError:
            wait = WRITE
        yield Wait(sock, wait, until)


def _connect(
    port: int, addresses: Sequence[str], patience: Patience, until: float
) -> Steps[socket.socket]:
    failure: Exception = NoAddress()
    for address in addresses[:_MOST_TRIED]:
        now = time.monotonic()
        if now >= until:
            raise TimeoutError
        try:
            seconds = min(until, now + patience.connect_seconds)
            return (yield from _connect_to(address, port, seconds))
        except OSError as error:
            failure = error
    raise failure


def _connect_to(address: str, port: int, until: float) -> Steps[socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # What we send is never worth waiting for more.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)  # noqa: FBT003 - the standard library's own way
        try:
            sock.connect((address, port))
        except BlockingIOError:
            yield Wait(sock, WRITE, until)
            failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise OSError(failed, os.strerror(failed)) from None
        _check_other_end(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _check_other_end(sock: socket.socket, address: str) -> None:
    found = sock.getpeername()[0]
    if found != address and ip_address(found) != ip_address(address):
        raise BlockedAddress
