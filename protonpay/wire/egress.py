"""The second wall: whether this place can reach where webhooks must not go.

The first wall is in ``guard``: it judges every address at every attempt. This looks whether the
network would stop a connection that the first had let through.
"""

import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum

_AT_ONCE = 32
# An address that nothing needs to be sent to: connecting a datagram socket sends none.
_SOMEWHERE = (("192.0.2.1", 9), ("2001:db8::1", 9))

INSIDE = (
    *(("169.254.169.254", port) for port in (80, 443)),  # metadata of most clouds
    ("169.254.170.2", 80),  # of Amazon's containers
    ("100.100.100.200", 80),  # of Alibaba's
    ("168.63.129.16", 80),  # of Azure's machines
    ("fd00:ec2::254", 80),
    ("fd20:ce::254", 80),
    *((host, port) for host in ("10.0.0.1", "172.17.0.1", "192.168.0.1") for port in (22, 80, 443)),
)
"""Places that machines which can be reached from outside often see: metadata and gateways."""


class Met(StrEnum):
    """What a connection met."""

    OPEN = "OPEN"
    """Somebody took it: there is no wall."""
    REFUSED = "REFUSED"
    """Somebody said no: a host without a listener, or a wall; they cannot be told apart."""
    NOTHING = "nothing"
    """No answer, no way there, or the system forbids it: as behind a wall."""


@dataclass(frozen=True, slots=True)
class Look:
    """One place and what a connection to it met."""

    host: str
    port: int
    met: Met


def look(places: Iterable[tuple[str, int]], seconds: float) -> list[Look]:
    """Try to connect to each place; send nothing.

    Args:
        places: IP addresses with a port.
        seconds: how long each may take.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda place: _try(place[0], place[1], seconds), places))


def look_at_ourselves(seconds: float) -> list[Look]:
    """Listen on each address of this machine and try to connect there: loopback is inside, too."""
    with ExitStack() as stack:
        places = [place for host in _own_addresses() for place in _listen(stack, host)]
        return look(places, seconds)


def _try(host: str, port: int, seconds: float) -> Look:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(seconds)
            sock.connect((host, port))
            return Look(host, port, Met.OPEN)
    except ConnectionRefusedError:
        return Look(host, port, Met.REFUSED)
    except OSError:
        return Look(host, port, Met.NOTHING)


def _own_addresses() -> Sequence[str]:
    found = ["127.0.0.1", "::1"]
    for place in _SOMEWHERE:
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect(place)
                found.append(str(sock.getsockname()[0]))
        except OSError:
            continue
    return list(dict.fromkeys(found))


def _listen(stack: ExitStack, host: str) -> list[tuple[str, int]]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = stack.enter_context(socket.create_server((host, 0), family=family))
    except OSError:
        return []
    return [(host, listener.getsockname()[1])]
