"""Networks a key may be sent from, and whether an address is in them."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

CIDR = re.compile(r"[0-9A-Fa-f:.]{2,45}(/(0|[1-9][0-9]{0,2}))?", re.ASCII)
"""What a network is written with; not all of it is one."""


def canonical(text: str) -> str:
    """Return the one spelling of a network (CIDR, version 4 or 6); an address is one of its own.

    Raises:
        ValueError: no network, bits set behind its mask, or version 4 dressed as 6.
    """
    if not CIDR.fullmatch(text):
        raise ValueError("not a network")
    network = ip_network(text, strict=True)
    if isinstance(network.network_address, IPv6Address) and network.network_address.ipv4_mapped:
        raise ValueError("a network of version 4, to be written as one")
    return str(network)


def seen(address: str) -> IPv4Address | IPv6Address | None:
    """Read the address a request came from, or None: a socket's path is none.

    A listener on [::] names a caller of version 4 ``::ffff:a.b.c.d``.
    """
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(read, IPv6Address) and read.ipv4_mapped) or read


def within(networks: Sequence[str], address: str) -> bool:
    """Tell whether an address is in one of the networks; no networks mean any address."""
    if not networks:
        return True
    read = seen(address)
    return read is not None and any(read in ip_network(network) for network in networks)
