"""Which addresses and keys a setting may hold, and in production may not: a sandbox's, a test's."""

import re
import socket
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from protonpay.mail import smtp
from protonpay.wire.guard import only_public

MAIL_FROM = "no-reply@protonpay.example"
"""What letters come from unless somebody says otherwise."""
TEST_KEYS = {
    "TAP_SECRET_KEY": ("sk_test_",),
    "YOOKASSA_SECRET_KEY": ("test_",),
    # FreedomPay's keys do not say their mode: those of our sandbox and of examples do.
    "FREEDOMPAY_SECRET_KEY": ("sandbox-", "test"),
}
"""How keys begin with which card providers move no money."""
_BOT_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}", re.ASCII)
_BOT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}", re.ASCII)


def unsafe(
    told: Mapping[str, str],
    *,
    nodes: Mapping[str, str],
    sources: Mapping[str, str],
    secrets: Mapping[str, str],
) -> list[str]:
    """List the settings that are not fit for real money, in words for the one who sets them.

    Args:
        told: the other settings that are looked at, by name; one that is not set is empty.
        nodes: addresses of chains' nodes, by setting.
        sources: addresses of those whose word is believed about money.
        secrets: what must be nobody else's.
    """
    found = []
    if not told["PUBLIC_URL"].startswith("https://"):
        found.append("PUBLIC_URL must be https in production")
    if told["WEBHOOK_ALLOW_INSECURE_TARGETS"]:
        found.append("WEBHOOK_ALLOW_INSECURE_TARGETS is for the sandbox")
    found += [
        f"{name} points to this machine: the sandbox has no place in production"
        for name, url in {**nodes, **sources}.items()
        if _is_this_machine(host(url))
    ]
    # What these say becomes money, and what we say to them opens our accounts there.
    found += [
        f"{name} must be https in production" for name, url in sources.items() if _is_plain(url)
    ]
    if told["SMTP_URL"] and told["MAIL_FROM"].endswith(f"<{MAIL_FROM}>"):
        found.append("MAIL_FROM is not set")
    found += _of_test_mode(told)
    if host(sources["FREEDOMPAY_BASE_URL"]).startswith("test-"):
        found.append("FREEDOMPAY_BASE_URL is FreedomPay's for tests: what it takes is not money")
    found += _not_public(told["YOOKASSA_NETWORKS"])
    found += [
        f"{name} is the sandbox's: make your own"
        for name, value in secrets.items()
        if value.startswith("sandbox-")
    ]
    return found


def no_addresses(sources: Mapping[str, str]) -> Iterator[str]:
    """Say of each address that is set and cannot be read that it is none."""
    for name, url in sources.items():
        if url and not host(url):
            yield f"{name} is not an address such as https://api.example.com"


def no_links(help_url: str | None, terms_url: str | None) -> Iterator[str]:
    """Say of what people are to follow from a page that they cannot."""
    help_url, terms_url = help_url or "", terms_url or ""
    box = parseaddr(help_url.removeprefix("mailto:"))[1] if help_url.startswith("mailto:") else ""
    if help_url and "@" not in box and not _is_safe_link(help_url):
        such = "https://example.com/help or mailto:help@example.com"
        yield f"HELP_URL is not an address such as {such}"
    if terms_url and not _is_safe_link(terms_url):
        yield "TERMS_URL is not an address such as https://example.com/terms"


def no_mail(smtp_url: str | None, sender: str) -> Iterator[str]:
    """Say of the mail server, if there is one, and of what letters come from that they are none."""
    try:
        if smtp_url:
            smtp.Server.read(smtp_url)
    except ValueError as error:
        yield str(error)
    if "@" not in parseaddr(sender)[1]:
        yield "MAIL_FROM is an address such as Proton Pay <no-reply@example.com>"


def no_bot(token: str | None, name: str, page: str) -> Iterator[str]:
    """Say of a Telegram bot whose token is set what is missing or is none."""
    if token is None:
        return
    if not _BOT_TOKEN.fullmatch(token):
        yield "TELEGRAM_BOT_TOKEN is not a bot's: a number, a colon, and letters (BotFather has it)"
    if not _BOT_NAME.fullmatch(name):
        yield "TELEGRAM_BOT_NAME is the bot's name, such as example_bot"
    if not host(page):
        yield "TELEGRAM_PAGE_URL is not an address such as https://t.me"


def _is_safe_link(url: str) -> bool:
    return url.startswith("https://") and bool(host(url))


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


def _of_test_mode(told: Mapping[str, str]) -> Iterator[str]:
    for name, begins in TEST_KEYS.items():
        if told[name].lower().startswith(begins):
            yield f"{name} is of a test or a sandbox: what it takes is not money"


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
