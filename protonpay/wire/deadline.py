"""A deadline for a whole answer, held at the socket, and a chunk that cannot be endless.

A read timeout starts anew with every byte: a server that sends one now and then, in the
headers or in the body, would hold its caller for as long as it likes.
"""

import io
import socket
import time
from http.client import HTTPResponse, IncompleteRead
from typing import Any, cast

from requests.adapters import HTTPAdapter
from typing_extensions import Buffer, override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Socket(io.RawIOBase):
    """The reading end of a socket, which stops at its deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # urllib3 has just set the read timeout on the socket.
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)
        # A file of the socket keeps it open when http.client lets go of it.
        self._file = sock.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Be read in place of the socket: all that ``http.client`` asks of one."""
        return io.BufferedReader(self)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._file.readinto(buffer)

    @override
    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Socket(sock), *args, **kwargs)  # type: ignore[arg-type] # see makefile()

    def _safe_read(self, amt: int) -> bytes:
        # urllib3 takes a chunk's size as it comes; -1 would read without end.
        if amt < 0:
            raise IncompleteRead(b"")
        return cast("bytes", super()._safe_read(amt))  # type: ignore[misc] # typeshed has it not


class _Http(HTTPConnection):
    response_class = _Response


class _Https(HTTPSConnection):
    response_class = _Response


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class DeadlineAdapter(HTTPAdapter):
    """Read timeouts of the session that mounts it count for the whole answer."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
