"""Addresses that users give us: which we take, and where they may lead.

What is written is judged once, when it is given, and where it leads is judged again at every
delivery: a name can come to mean another machine at any time.
"""

import re
import socket
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from protonpay.wire.loop import Steps, answer_of

LONGEST_URL = 2048
DNS_SECONDS = 3.0

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PUBLIC_PORTS = (443, 8443)

# The one reading of an address: what it does not know (user names, fragments, brackets,
# backslashes, anything but printable ASCII), two parsers could understand differently.
_URL = re.compile(
    r"([A-Za-z]+)://([A-Za-z0-9.-]+)(?::([1-9][0-9]{0,4})?)?"
    r"([/?][!\"$-\[\]-~]*)?"
)
# The last label is letters: 0x7f.1, 127.1 and 2130706433 are loopback to a resolver.
_PUBLIC_HOST = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,59})"
)
_NEVER_PUBLIC = (
    "localhost",
    "local",
    "internal",
    "lan",
    "home.arpa",
    "test",
    "invalid",
    "onion",
)

_HOME = "https://protonpay.org"

_NOT_HTTPS = "The address must begin with https://."
_UNREADABLE = (
    "Give an address such as https://example.com/webhooks: "
    "plain ASCII, without a user name, spaces or a fragment."
)

# Not ``is_global``: CPython 3.11 counts multicast, NAT64, 6to4 and others as global.
_SPECIAL_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers; has a cloud's metadata server
        "127.0.0.0/8",
        "168.63.129.16/32",  # numbered like a public host, answers inside Azure
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


class BadTarget(Exception):
    """An address we will not send to.

    Attributes:
        said: a sentence for the one who gave it.
    """

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class NoAddress(Exception):
    """The name leads nowhere, or the resolver took too long to say."""


class BlockedAddress(Exception):
    """The name leads to where we do not go."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address in parts; its text is made of them and of nothing else.

    Attributes:
        vouched: named by our own settings, so that it may be on this machine.
    """

    scheme: str
    host: str
    port: int
    path_and_query: str
    vouched: bool = False

    @property
    def authority(self) -> str:
        """Host and port, as in the ``Host`` header."""
        is_default = self.port == _DEFAULT_PORTS[self.scheme]
        return self.host if is_default else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The only form that is stored and used."""
        return f"{self.scheme}://{self.authority}{self.path_and_query}"


class Targets:
    """What this installation sends to, bound by whoever starts the process."""

    def __init__(self) -> None:
        self.bind(frozenset())

    def bind(self, allow_insecure: frozenset[str], public_url: str = _HOME) -> None:
        """Set the exceptions.

        Args:
            allow_insecure: exact ``host:port`` entries that may use plain HTTP and be on
                loopback (``WEBHOOK_ALLOW_INSECURE_TARGETS``).
            public_url: our own address; nothing is sent to its host or below it.
        """
        self._vouched = frozenset(entry.lower() for entry in allow_insecure)
        self._refused = (*_NEVER_PUBLIC, urlsplit(public_url).hostname or "")

    def check(self, url: str) -> Target:
        """Read an address, without asking the network.

        Raises:
            BadTarget: not one we will send to.
        """
        match = _URL.fullmatch(url)
        if match is None:
            raise BadTarget(_UNREADABLE)
        scheme, host, port, rest = match.groups(default="")
        target = self._target(scheme.lower(), host.lower(), port, rest)
        if max(len(url), len(target.url)) > LONGEST_URL:
            raise BadTarget("An address has at most 2048 characters.")
        if not target.vouched:
            self._check_public(target)
        return target

    def _target(self, scheme: str, host: str, port_text: str, rest: str) -> Target:
        if scheme not in _DEFAULT_PORTS:
            raise BadTarget(_NOT_HTTPS)
        port = int(port_text) if port_text else _DEFAULT_PORTS[scheme]
        return Target(
            scheme=scheme,
            host=host,
            port=port,
            path_and_query=rest if rest.startswith("/") else f"/{rest}",
            vouched=f"{host}:{port}" in self._vouched,
        )

    def _check_public(self, target: Target) -> None:
        if target.scheme != "https":
            raise BadTarget(_NOT_HTTPS)
        if target.port not in _PUBLIC_PORTS:
            raise BadTarget("The port must be 443 or 8443.")
        if _PUBLIC_HOST.fullmatch(target.host) is None:
            raise BadTarget("The host must be a public domain name, not an IP address.")
        if any(f".{target.host}".endswith(f".{name}") for name in self._refused):
            raise BadTarget("Nothing is sent to that host.")


targets = Targets()


def allowed(address: str) -> bool:
    """Say whether an IP address is an ordinary one of the public internet.

    Judged by the special-purpose registries of IANA; an IPv6 form that carries an IPv4
    address is judged by it (mapped) or refused (NAT64, 6to4, Teredo, compatible).
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None:
            return False
        if ip.ipv4_mapped is None:
            return ip in _UNICAST_V6 and not any(ip in block for block in _SPECIAL_V6)
        ip = ip.ipv4_mapped
    return not any(ip in block for block in _SPECIAL_V4)


def only_public(block: IPv4Network | IPv6Network) -> bool:
    """Say whether every address of a network is an ordinary one (``allowed``)."""
    if isinstance(block, IPv4Network):
        return not any(block.overlaps(special) for special in _SPECIAL_V4)
    within = block.subnet_of(_UNICAST_V6)
    return within and not any(block.overlaps(special) for special in _SPECIAL_V6)


def resolve(target: Target, until: float) -> Steps[tuple[str, ...]]:
    """Look the host up, once; connect to one of these addresses and never to the name.

    Args:
        target: whose host it is.
        until: when the resolver must have said, on the monotonic clock.

    Raises:
        NoAddress: there is none, or the resolver was too slow.
        BlockedAddress: there is at least one we do not go to; the others do not excuse it.
    """
    addresses = yield from _look_up(target, until)
    if not all(_may_reach(target, address) for address in addresses):
        raise BlockedAddress
    return addresses


def _may_reach(target: Target, address: str) -> bool:
    if target.vouched and (address == target.host or ip_address(address).is_loopback):
        return True
    return allowed(address)


def _look_up(target: Target, until: float) -> Steps[tuple[str, ...]]:
    if target.vouched and _is_address(target.host):
        return (target.host,)
    answer: Future[tuple[str, ...]] = Future()
    # libc has no deadline of its own. A thread left behind ends when the resolver gives up.
    threading.Thread(target=_ask_resolver, args=(target, answer), daemon=True).start()
    try:
        addresses = yield from answer_of(answer, until)
    except (OSError, UnicodeError) as error:
        raise NoAddress from error
    if not addresses:
        raise NoAddress
    return addresses


@lru_cache(1024)
def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _ask_resolver(target: Target, answer: "Future[tuple[str, ...]]") -> None:
    # The last dot keeps the resolver from trying the name inside our own domains.
    name = target.host if target.vouched else f"{target.host}."
    try:
        found = socket.getaddrinfo(name, target.port, type=socket.SOCK_STREAM)
        answer.set_result(tuple(dict.fromkeys(str(address[0]) for *_, address in found)))
    except (OSError, UnicodeError) as error:
        answer.set_exception(error)
