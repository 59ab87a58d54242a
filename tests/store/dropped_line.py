"""A line to Postgres that is cut when the server has answered a COMMIT and before we hear it."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from protonpay.stack.ports import LOOPBACK


@contextmanager
def line_dropped_at_commit(port: int) -> Iterator[int]:
    """Return the port of a line to a server's port, as long as the block lasts."""
    with socket.create_server((LOOPBACK, 0)) as door:
        thread = threading.Thread(target=_serve, args=(door, port), daemon=True)
        thread.start()
        yield door.getsockname()[1]
    thread.join(5)


def _serve(door: socket.socket, port: int) -> None:
    client, _ = door.accept()
    with (
        client,
        socket.create_connection((LOOPBACK, port)) as server,
        _both(client, server) as ready,
    ):
        asked = b""
        while True:
            for key, _ in ready.select():
                data = key.fileobj.recv(65_536)
                if not data or (key.fileobj is server and b"COMMIT" in asked):
                    return
                if key.fileobj is client:
                    asked = data
                (server if key.fileobj is client else client).sendall(data)


@contextmanager
def _both(*lines: socket.socket) -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as ready:
        for line in lines:
            ready.register(line, selectors.EVENT_READ)
        yield ready
