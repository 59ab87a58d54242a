"""How the tests post: to addresses listed for the occasion, in a hurry or not."""

import socket
import ssl
import struct
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from typing import TypeVar

from protonpay.wire import outbound
from protonpay.wire.dial import Patience
from protonpay.wire.guard import targets
from protonpay.wire.loop import Loop, Steps
from protonpay.wire.outbound import Outcome
from tests.raw_server import RawServer

HASTY = Patience(dns_seconds=0.1, connect_seconds=0.15, total_seconds=0.15)
CALM = Patience(total_seconds=5)
IN_TIME = (
    10.0  # seconds: less than the 15 of a delivery that nobody hurries; a busy machine is late
)
BODY = '{"event":"transfer.completed","data":{"note":"Жанна"}}'.encode()
NAME = "hooks.example.com"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def listed(*urls: str) -> Iterator[None]:
    """List the hosts and ports of some addresses as those that may be insecure."""
    before = vars(targets).copy()
    targets.bind(frozenset(url.split("/")[2] for url in urls))
    try:
        yield
    finally:
        vars(targets).update(before)


T = TypeVar("T")


def wait_for(steps: Steps[T]) -> T:
    """Bring one conversation to its end; raise what it raises."""
    came_to: Future[T] = Future()

    def told() -> Steps[None]:
        try:
            came_to.set_result((yield from steps))
        except Exception as error:  # noqa: BLE001 - whatever it is
            came_to.set_exception(error)

    with closing(Loop()) as loop:
        loop.start(told(), bool)
        while loop.turn():
            pass
    return came_to.result(0)


def deliver(
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    patience: Patience = CALM,
    trust: ssl.SSLContext | None = None,
) -> Outcome:
    """Deliver to an address, and wait for the end."""
    return wait_for(outbound.deliver(url, body, headers, patience=patience, trust=trust))


def post(
    url: str,
    patience: Patience = CALM,
    *,
    body: bytes = BODY,
    trust: ssl.SSLContext | None = None,
) -> Outcome:
    """Deliver to an address that is listed for the occasion."""
    headers = {"Content-Type": "application/json"}
    with listed(url):
        return deliver(url, body, headers, patience=patience, trust=trust)


def port_of(server: RawServer | socket.socket) -> int:
    listener = server._listener if isinstance(server, RawServer) else server
    return int(listener.getsockname()[1])


def named(server: RawServer | socket.socket, scheme: str = "http") -> str:
    """Return the address of a server under a name that somebody else resolves."""
    return f"{scheme}://{NAME}:{port_of(server)}/hook"


def reset(connection: socket.socket, _over: object) -> None:
    """Break the connection off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
