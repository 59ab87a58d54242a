"""Ports: the web's as asked, the others beside it, all of them the same the next time."""

import socket
from collections.abc import Mapping

from protonpay.stack.failures import StackError

LOOPBACK = "127.0.0.1"
PARTS = (
    "web",
    "postgres",
    "valkey",
    "solana",
    "base",
    "polygon",
    "tap",
    "rates",
    "mail",
    "smtp",
    "receiver",
    "yookassa",
    "freedompay",
    "telegram",
)
"""Who has one; a part prefers the web's port plus its place in this list."""

_LAST = 65_535


def choose(asked: int, before: Mapping[str, int]) -> dict[str, int]:
    """Give every part a port that is free now.

    Args:
        asked: the web's port; 0 leaves it to chance, and the others with it.
        before: what a previous run had, kept where it still can be.

    Raises:
        StackError: the web's port is taken.
    """
    if asked:
        insist(asked)
    chosen: dict[str, int] = {"web": asked} if asked else {}
    for place, part in enumerate(PARTS):
        if part not in chosen:
            wishes = [before.get(part, 0), asked + place if asked else 0]
            chosen[part] = _first_free(wishes, set(chosen.values()))
    return chosen


def insist(port: int) -> None:
    """Check a port that was asked for.

    Raises:
        StackError: it is taken.
    """
    if not is_free(port):
        raise StackError(
            f"Port {port} is taken. Stop who has it, or choose another, as in "
            f"`make up PORT={port + 100}`, or any free one: `make up PORT=0`."
        )


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _first_free(wishes: list[int], given: set[int]) -> int:
    for port in wishes:
        if 0 < port <= _LAST and port not in given and is_free(port):
            return port
    port = free()
    return port if port not in given else _first_free([], given)
