"""What no setting may be in production: the sandbox's, a test's, or open to who listens."""

import socket
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from protonpay.wire.guard import only_public

if TYPE_CHECKING:
    from config import Config

TEST_KEYS = {
    "TAP_SECRET_KEY": ("sk_test_",),
    "YOOKASSA_SECRET_KEY": ("test_",),
    # FreedomPay's keys do not say their mode: those of our sandbox and of examples do.
    "FREEDOMPAY_SECRET_KEY": ("sandbox-", "test"),
}
"""How keys begin with which card providers move no money."""


def unsafe(config: "Config") -> list[str]:
    """List the settings that are not fit for real money, in words for the one who sets them."""
    found = []
    if not config.public_url.startswith("https://"):
        found.append("PUBLIC_URL must be https in production")
    if config.webhook_allow_insecure_targets:
        found.append("WEBHOOK_ALLOW_INSECURE_TARGETS is for the sandbox")
    found += [
        f"{name} points to this machine: the sandbox has no place in production"
        for name, url in {**config.nodes(), **config.sources()}.items()
        if _is_this_machine(host(url))
    ]
    # What these say becomes money, and what we say to them opens our accounts there.
    found += [
        f"{name} must be https in production"
        for name, url in config.sources().items()
        if _is_plain(url)
    ]
    found += _of_test_mode(config)
    found += _not_public(config.yookassa_networks)
    found += [
        f"{name} is the sandbox's: make your own"
        for name, value in config.secrets().items()
        if value.startswith("sandbox-")
    ]
    return found


def host(url: str) -> str:
    """Return the host of an http address in lower case; empty when it is none."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").rstrip(".") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def unreadable(networks: str) -> Iterator[str]:
    """Say what is wrong with the networks that YooKassa may notify from, separated by spaces."""
    if not networks.split():
        yield "YOOKASSA_NETWORKS names no network"
    for network in networks.split():
        try:
            ip_network(network)
        except ValueError:
            yield f"YOOKASSA_NETWORKS: {network!r} is not a network such as 185.71.76.0/27"


def _of_test_mode(config: "Config") -> Iterator[str]:
    keys = {
        "TAP_SECRET_KEY": config.tap_secret_key,
        "YOOKASSA_SECRET_KEY": config.yookassa_secret_key,
        "FREEDOMPAY_SECRET_KEY": config.freedompay_secret_key,
    }
    for name, key in keys.items():
        if key and key.lower().startswith(TEST_KEYS[name]):
            yield f"{name} is of a test or a sandbox: what it takes is not money"
    if host(config.freedompay_base_url).startswith("test-"):
        yield "FREEDOMPAY_BASE_URL is FreedomPay's for tests: what it takes is not money"


def _is_plain(url: str) -> bool:
    return bool(host(url)) and urlsplit(url).scheme == "http"


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        # Resolvers take 127.1 and 2130706433 for loopback, too.
        address = ip_address(host if ":" in host else socket.inet_aton(host))
    except (ValueError, OSError):
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified


def _not_public(networks: str) -> Iterator[str]:
    """Name the networks whose notifications could come from beside us, or from anybody."""
    if any(unreadable(networks)):
        return
    for network in networks.split():
        if not only_public(ip_network(network)):
            yield f"YOOKASSA_NETWORKS lets in {network}: not of the public internet alone"
