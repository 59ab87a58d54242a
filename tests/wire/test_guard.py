"""The guard: which addresses users may register, however they are written."""

import ipaddress
import itertools
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from protonpay.wire.guard import BadTarget, Target, Targets

targets = Targets()

ACCEPTED = {
    "https://yourapp.com/webhooks/nova": "https://yourapp.com/webhooks/nova",
    "https://example.com": "https://example.com/",
    "HTTPS://Example.COM/Path?Q=1": "https://example.com/Path?Q=1",
    "https://example.com:443/a": "https://example.com/a",
    "https://example.com:/a": "https://example.com/a",
    "https://example.com:8443": "https://example.com:8443/",
    "https://example.com?x=//@y": "https://example.com/?x=//@y",
    "https://example.com//a/../b/%2e%2e": "https://example.com//a/../b/%2e%2e",
    "https://example.com/?u=https://127.0.0.1/": "https://example.com/?u=https://127.0.0.1/",
    "https://xn--80ak6aa92e.com/": "https://xn--80ak6aa92e.com/",
    "https://a.xn--p1ai/": "https://a.xn--p1ai/",
    "https://a-b.c-d.example.org/!$&'()*+,;=:@[]{}|^`<>\"~": (
        "https://a-b.c-d.example.org/!$&'()*+,;=:@[]{}|^`<>\"~"
    ),
    "https://localhost.example.com/": "https://localhost.example.com/",
    "https://notprotonpay.org/": "https://notprotonpay.org/",
}


@pytest.mark.parametrize(("given_url", "kept"), ACCEPTED.items())
def test_an_address_is_kept_in_its_rebuilt_form(given_url, kept):
    assert targets.check(given_url).url == kept
    assert targets.check(kept).url == kept


def test_a_target_has_the_parts_its_text_is_made_of():
    target = targets.check("HTTPS://Hooks.example.com:8443/a?b")
    assert target == Target("https", "hooks.example.com", 8443, "/a?b")
    assert target.authority == "hooks.example.com:8443"


SENTENCES = {
    (
        "Give an address such as https://example.com/webhooks: "
        "plain ASCII, without a user name, spaces or a fragment."
    ),
    "The address must begin with https://.",
    "The port must be 443 or 8443.",
    "The host must be a public domain name, not an IP address.",
    "Nothing is sent to that host.",
}
SCHEMES = [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "gopher://example.com/",
    "data:text/plain,x",
    "//h",
    "//example.com/",
    "https:h",
    "https:example.com",
    "https:/example.com",
    "https:///x",
    "https://",
    "https:",
    "",
    "example.com",
    "http\u017f://example.com/",
    "https ://example.com/",
    " https://example.com/",
    "url:https://example.com/",
    "http+unix://example.com/",
]
HOSTS = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "0x7f000001",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:169.254.169.254]",
    "[::ffff:7f00:1]",
    "[fe80::1%25eth0]",
    "[v1.a]",
    "169.254.169.254",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "8.8.8.8",
    "metadata.google.internal",
    "x.local",
    "x.lan",
    "router.home.arpa",
    "home.arpa",
    "a.test",
    "a.invalid",
    "a.onion",
    "example.com.",
    "example.com..",
    ".example.com",
    "a..b.com",
    "-a.com",
    "a-.com",
    "a_b.com",
    "example",
    "example.c",
    "example.123",
    "example.c0m",
    "xn--a",
    "a%2ecom",
    "example.com%00",
    "ex*mple.com",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",  # noqa: RUF001 - that is the trick
    "ⓔⓧⓐⓜⓟⓛⓔ.com",
    "exämple.com",
    "example.\u212aom",
    f"{'a' * 64}.com",
    f"{'a.' * 126}com",
    "protonpay.org",
    "api.protonpay.org",
    "ProtonPay.org",
]
AUTHORITIES = [
    "https://u:p@h/",
    "https://u@example.com/",
    "https://:@example.com/",
    "https://@example.com/",
    "https://a.com\\@169.254.169.254/",
    "https://169.254.169.254\\@a.com/",
    "https://a.com\\.b.com/",
    "https://a.com/\\",
    "https://a.com#@h",
    "https://a.com/#f",
    "https://a.com#",
    "https://a.com/\t",
    "https://a.com\n.evil/",
    "https://a.com/\n",
    "https://a.com/\r\nHost: b",
    "https://a.com /",
    "https://a.com/ x",
    "https://a.com/\x00",
    "https://a.com/\x7f",
    "https://a.com/\x85",
    "https://a.com/é",
    "https://a.com/\ud800",
    "https://a.com;b.com/",
    "https://a.com&b.com/",
    "https://a.com:443@b.com/",
]
PORTS = [
    "22", "25", "80", "6379", "0", "65536", "99999", "444443", "0443", "+443", "-443", "443.0",
    " 443", "443 ", "٤٤٣", "4_43", "x", "443:443",
]  # fmt: skip


@pytest.mark.checklist(99, 100, 101)
@pytest.mark.parametrize(
    "url",
    [
        *SCHEMES,
        *(f"https://{host}/" for host in HOSTS),
        *AUTHORITIES,
        *(f"https://example.com:{port}/" for port in PORTS),
    ],
)
def test_an_address_that_could_lead_elsewhere_is_refused(url):
    with pytest.raises(BadTarget) as refused:
        targets.check(url)
    assert refused.value.said in SENTENCES


def _spellings(ip: str) -> Iterator[str]:
    """Spell an IPv4 address in the ways some parser or resolver understands."""
    number = int(ipaddress.ip_address(ip))
    parts = ip.split(".")
    yield from (ip, f"{ip}.", str(number), hex(number), f"0{number:o}", f"{number:#034x}")
    for style in ("0x{:x}", "0X{:02X}", "0{:o}", "000{:o}"):
        yield ".".join(style.format(int(part)) for part in parts)
    yield f"{parts[0]}.{number & 0xFFFFFF}"
    yield f"{parts[0]}.{parts[1]}.{number & 0xFFFF}"
    yield f"0x{int(parts[0]):x}.{parts[1]}.0{number & 0xFFFF:o}"
    yield ip.replace(".", "。")
    yield ip.replace(".", "．")  # noqa: RUF001 - that is the trick
    yield "".join(chr(0xFF10 + int(c)) if c.isdigit() else c for c in ip)
    yield "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(c)] if c.isdigit() else c for c in ip)
    yield ip.replace(".", "%2e")
    yield "".join(f"%{ord(c):02x}" for c in ip)
    for v6 in (f"::ffff:{ip}", f"::{ip}", f"64:ff9b::{ip}", f"::ffff:{number >> 16:x}:1", "::1"):
        yield from (f"[{v6}]", v6, f"[{v6}%25lo]")


FRAMES = [
    "https://{}/",
    "https://{}:443/",
    "https://{}:8443/",
    "https://user@{}/",
    "https://example.com@{}/",
    "https://{}@example.com/",
    "https://{}#example.com/",
    "https://example.com#@{}/",
    "https://{}\\@example.com/",
    "https://example.com\\@{}/",
    "https://{}\t.example.com/",
    "https://{}%00.example.com/",
    "https://{}%23.example.com/",
    "https://{}%0d%0a.example.com/",
    "https://example.com&@{}#@{}/",
    "https://example.com:80@{}/",
    "https://example.com:443:{}/",
    "https:///{}/",
    "https:{}/",
    "//{}/",
    "http://{}/",
]


@pytest.mark.parametrize("ip", ["127.0.0.1", "169.254.169.254", "10.0.0.1"])
def test_no_spelling_of_an_inner_address_passes_in_any_frame(ip):
    tried = [
        frame.format(*[spelling] * frame.count("{}"))
        for frame, spelling in itertools.product(FRAMES, _spellings(ip))
    ]
    assert len(tried) > 600
    passed = [url for url in tried if _passes(url)]
    assert passed == []


HOST_PIECES = ["example", "com", "a", "xn--p1ai", "127", "0", "1", ".", ".", "-", "@", ":", "443"]
REST_PIECES = ["/", "//", "?", "#", "@", ":", "%", "%2f", "\\", "[", "]", ";", "a", "..", "\t", "é"]


@given(
    st.lists(st.sampled_from(HOST_PIECES), max_size=6).map("".join),
    st.lists(st.sampled_from(REST_PIECES), max_size=6).map("".join),
)
@settings(deadline=None)
def test_other_parsers_read_a_kept_address_as_we_do(host, rest):
    url = f"https://{host}.com/{rest}"
    if not _passes(url):
        return
    target = targets.check(url)
    ours = (target.host, target.port)
    prepared = requests.Request("POST", target.url).prepare().url
    for parts in (urlsplit(target.url), parse_url(target.url), urlsplit(prepared)):
        assert (parts.hostname, parts.port or 443) == ours
        assert not parts.fragment


def test_an_address_has_at_most_2048_characters():
    longest = "https://example.com/".ljust(2048, "a")
    assert targets.check(longest).url == longest
    for url in (
        longest + "a",
        longest + "a" * 10**7,
        "https://example.com?".ljust(2048, "a"),  # grows when it is rebuilt
        "https://example.com:443/".ljust(2049, "a"),  # shrinks
    ):
        assert not _passes(url)


def test_our_own_domain_is_refused_whatever_it_is():
    ours = Targets()
    ours.bind(frozenset(), public_url="https://Pay.example.com:8443/x")
    for url in ("https://pay.example.com/", "https://a.pay.example.com/"):
        with pytest.raises(BadTarget):
            ours.check(url)
    assert ours.check("https://example.com/").host == "example.com"


def test_only_what_is_listed_exactly_may_be_insecure():
    ours = Targets()
    ours.bind(frozenset({"127.0.0.1:9000", "Receiver:80"}))
    assert ours.check("http://127.0.0.1:9000/hook?a=b") == Target(
        "http", "127.0.0.1", 9000, "/hook?a=b", vouched=True
    )
    assert ours.check("http://receiver").url == "http://receiver/"
    assert ours.check("https://127.0.0.1:9000").vouched
    for url in (
        "http://127.0.0.1:9001/",
        "http://127.0.0.1/",
        "http://127.0.0.2:9000/",
        "http://localhost:9000/",
        "http://0x7f.0.0.1:9000/",
        "http://127.0.0.1:9000@example.com/",
        "http://example.com@127.0.0.1:9000/",
        "http://127.0.0.1:09000/",
        "https://receiver/",
        "http://example.com:9000/",
        "ftp://127.0.0.1:9000/",
    ):
        with pytest.raises(BadTarget):
            ours.check(url)


def test_nothing_is_insecure_until_it_is_listed():
    with pytest.raises(BadTarget):
        Targets().check("http://127.0.0.1:9000/")


def _passes(url: str) -> bool:
    try:
        targets.check(url)
    except BadTarget:
        return False
    return True
