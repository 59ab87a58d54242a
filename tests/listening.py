"""Servers of this process: each waits in a thread until somebody comes, or until it is over.

What looks up a hundred times a second whether it is over takes time from those it serves.
"""

import socket
import threading
from socketserver import TCPServer

_NEVER = 3600.0


def listen(server: TCPServer) -> None:
    """Serve from now on, in a thread of its own."""
    threading.Thread(target=server.serve_forever, args=(_NEVER,), daemon=True).start()


def leave(server: TCPServer) -> None:
    """Serve nobody any more; the address is free when this returns. One that has left stays so."""
    if server.socket.fileno() == -1:
        return
    # It is woken by the end of its listening, not by a look at the clock.
    server.socket.shutdown(socket.SHUT_RDWR)
    server.shutdown()
    server.server_close()
