"""The guard: which IP addresses are ordinary ones, and where a name may lead."""

import ipaddress
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protonpay.wire import guard
from protonpay.wire.guard import BlockedAddress, NoAddress, Target, allowed, only_public
from tests.wire.hostile import Names
from tests.wire.posting import wait_for


def resolve(target: Target, seconds: float = guard.DNS_SECONDS) -> tuple[str, ...]:
    return wait_for(guard.resolve(target, time.monotonic() + seconds))


HOOKS = Target("https", "hooks.example.com", 443, "/")
HERE = Target("http", "receiver.example.com", 9000, "/", vouched=True)
PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

BLOCKED_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
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
    "168.63.129.16/32",
]
BLOCKED_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"]
MUST_BLOCK = [
    "127.0.0.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.8",
    "192.88.99.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::169.254.169.254",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2620:4f:8000::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "::ffff:8.8.8.8%lo",
    "fec0::1",
    "ff02::1",
]
MUST_ALLOW = ["1.1.1.1", PUBLIC, PUBLIC_V6, "2a00:1450:4001:82a::200e", "::ffff:8.8.8.8"]
NOT_ADDRESSES = ["", "localhost", "127.1", "0x7f.0.0.1", "010.0.0.1", "1.1.1.1 ", "1.1.1.1/32"]


@pytest.mark.parametrize("address", MUST_BLOCK)
def test_an_address_of_a_special_kind_is_not_allowed(address):
    assert not allowed(address)


@pytest.mark.parametrize("address", MUST_ALLOW)
def test_an_ordinary_address_is_allowed(address):
    assert allowed(address)


@pytest.mark.parametrize("text", NOT_ADDRESSES)
def test_what_is_no_address_is_not_allowed(text):
    assert not allowed(text)


@pytest.mark.parametrize("block", [*BLOCKED_V4, *BLOCKED_V6])
def test_a_block_ends_exactly_where_it_ends(block):
    network = ipaddress.ip_network(block)
    blocks = [ipaddress.ip_network(other) for other in (*BLOCKED_V4, *BLOCKED_V6)]
    outside = [network[0] - 1 if int(network[0]) else None, _next(network[-1])]
    assert not allowed(str(network[0]))
    assert not allowed(str(network[-1]))
    for neighbour in filter(None, outside):
        special = any(neighbour in other for other in blocks) or not _unicast(neighbour)
        assert allowed(str(neighbour)) is not special


@pytest.mark.parametrize("block", BLOCKED_V4)
def test_an_ipv4_address_inside_an_ipv6_one_is_judged_as_itself(block):
    first = ipaddress.ip_network(block)[0]
    assert not allowed(f"::ffff:{first}")


@pytest.mark.parametrize("block", [*BLOCKED_V4, *BLOCKED_V6])
def test_a_network_is_public_only_without_any_part_of_a_block(block):
    network = ipaddress.ip_network(block)
    assert not only_public(network)
    assert not only_public(network.supernet())
    assert not only_public(ipaddress.ip_network(network[-1]))


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "128.0.0.0/1", "::ffff:0:0/96", "::1"])
def test_a_network_that_is_not_only_public_is_none(network):
    assert not only_public(ipaddress.ip_network(network))


@pytest.mark.parametrize("network", ["8.8.8.0/24", "1.1.1.1", "2a02:5180::/32"])
def test_an_ordinary_network_is_public(network):
    assert only_public(ipaddress.ip_network(network))


@given(st.ip_addresses())
@settings(deadline=None)
def test_nothing_is_allowed_that_the_registries_call_special(ip):
    assert not allowed(str(ip)) or ip.is_global


@pytest.mark.checklist(102)
@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.5"],
        [PUBLIC, "10.0.0.5"],
        ["10.0.0.5", PUBLIC],
        [PUBLIC_V6, PUBLIC, "::1"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:5"],
        ["2002:a00:5::1"],
        ["fe80::1%eth0"],
        ["169.254.169.254"],
        ["0.0.0.0"],
    ],
)
def test_one_inner_address_blocks_a_name_whatever_else_it_has(monkeypatch, addresses):
    names = Names(addresses)
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    with pytest.raises(BlockedAddress) as blocked:
        resolve(HOOKS)
    assert str(blocked.value) == ""
    assert names.asked == ["hooks.example.com."]


def test_a_public_name_resolves_to_all_its_addresses_with_one_question(monkeypatch):
    names = Names([PUBLIC_V6, PUBLIC, PUBLIC])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    assert resolve(HOOKS) == (PUBLIC_V6, PUBLIC)
    assert names.asked == ["hooks.example.com."]


def test_a_name_that_turns_inward_is_blocked_from_then_on(monkeypatch):
    names = Names([PUBLIC], ["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    assert resolve(HOOKS) == (PUBLIC,)
    with pytest.raises(BlockedAddress):
        resolve(HOOKS)


def test_a_listed_name_may_be_on_this_machine_and_nowhere_else_inside(monkeypatch):
    names = Names(["::1", "127.0.0.1"], ["10.0.0.5"], ["127.0.0.1", "169.254.169.254"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    assert resolve(HERE) == ("::1", "127.0.0.1")
    for _ in range(2):
        with pytest.raises(BlockedAddress):
            resolve(HERE)
    assert names.asked == ["receiver.example.com"] * 3


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.5"])
def test_a_listed_ip_address_is_meant_as_such(address):
    assert resolve(Target("http", address, 9000, "/", vouched=True)) == (address,)


@pytest.mark.parametrize("answer", [[], socket.gaierror(-2, "Name or service not known")])
def test_a_name_without_addresses_has_none(monkeypatch, answer):
    monkeypatch.setattr(socket, "getaddrinfo", Names(answer).getaddrinfo)
    with pytest.raises(NoAddress) as missing:
        resolve(HOOKS)
    assert str(missing.value) == ""


def test_a_host_that_no_resolver_can_take_has_no_address():
    with pytest.raises(NoAddress):
        resolve(Target("http", "a..b", 80, "/", vouched=True))


def test_a_resolver_that_hangs_is_left_at_the_deadline(monkeypatch):
    over = threading.Event()
    names = Names(lambda: [PUBLIC] if over.wait(10) else [])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    began = time.monotonic()
    try:
        with pytest.raises(NoAddress):
            resolve(HOOKS, seconds=0.05)
        assert time.monotonic() - began < 5
    finally:
        over.set()


def _next(ip):
    return None if int(ip) == 2**ip.max_prefixlen - 1 else ip + 1


def _unicast(ip) -> bool:
    return ip.version == 4 or ip in ipaddress.ip_network("2000::/3")
