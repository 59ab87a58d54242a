"""A delivery against receivers that do everything wrong: it says how it went, in time."""

import gzip
import logging
import socket
import ssl
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protonpay.kernel import clock
from protonpay.wire.dial import Patience
from protonpay.wire.guard import targets
from protonpay.wire.outbound import Outcome, deliver
from tests.raw_server import RawServer, answering, deaf, drip, http, silence
from tests.wire.hostile import Authority, Names, encrypting, for_ever, is_empty, trap, unasked

HASTY = Patience(dns_seconds=0.1, connect_seconds=0.15, total_seconds=0.15)
CALM = Patience(total_seconds=5)
IN_TIME = 1.0  # seconds: far from the 15 of a delivery that nobody hurries
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = '{"event":"transfer.completed","data":{"note":"Жанна"}}'.encode()
NAME = "hooks.example.com"


@pytest.fixture(autouse=True)
def nothing_listed() -> Iterator[None]:
    yield
    targets.bind(frozenset())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def post(url: str, patience: Patience = CALM, **kwargs: object) -> Outcome:
    """Deliver to an address that is listed for the occasion."""
    targets.bind(frozenset({url.split("/")[2]}))
    return deliver(url, BODY, {"Content-Type": "application/json"}, patience=patience, **kwargs)


def named(port: int, scheme: str = "http") -> str:
    return f"{scheme}://{NAME}:{port}/hook"


def port_of(server: RawServer) -> int:
    return int(server.url.rpartition(":")[2])


def test_a_delivery_posts_exactly_the_bytes_with_the_headers_of_one_occasion():
    with answering(http(b"thanks")) as server:
        host = server.url[7:]
        outcome = post(f"{server.url}/hook?a=b")
        head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert (outcome.delivered, outcome.status, outcome.code) == (True, 200, "delivered")
    assert outcome.head == "thanks"
    assert outcome.retry_after is None
    assert 0 <= outcome.milliseconds < IN_TIME * 1000
    assert sent == BODY
    assert head.split(b"\r\n")[0] == b"POST /hook?a=b HTTP/1.1"
    assert sorted(head.lower().split(b"\r\n")[1:]) == sorted(
        [
            f"host: {host}".encode(),
            f"content-length: {len(BODY)}".encode(),
            b"content-type: application/json",
            b"accept-encoding: identity",
            b"connection: close",
        ]
    )


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "299 Fine"])
def test_every_status_from_200_to_299_is_a_delivery(status):
    with answering(http(b"", status)) as server:
        assert post(server.url).delivered


def test_an_answer_without_content_is_a_delivery():
    with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as server:
        assert (post(server.url).code, server.requests[0][-len(BODY) :]) == ("delivered", BODY)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 502, 503, 101, 199, 600, 999])
def test_every_other_status_is_a_failure(status):
    with answering(http(b"no", f"{status} X")) as server:
        outcome = post(server.url)
    assert (outcome.delivered, outcome.status, outcome.code) == (False, status, "http_error")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_a_redirect_is_a_failure_and_is_not_followed(status):
    with trap("127.0.0.1") as inside:
        to = f"Location: http://127.0.0.1:{inside.getsockname()[1]}/"
        with answering(http(b"", f"{status} X", to)) as server:
            url = server.url
            targets.bind(frozenset({url[7:], to[17:-1]}))
            outcome = deliver(url, BODY, {}, patience=CALM)
            assert len(server.requests) == 1
        assert is_empty(inside)
    assert (outcome.delivered, outcome.status, outcome.code) == (False, status, "redirect")


@pytest.mark.parametrize("head", ["Set-Cookie: a=b", "Connection: keep-alive", "Alt-Svc: h2"])
def test_nothing_is_kept_from_one_delivery_for_the_next(head):
    with answering(http(b"", "200 OK", head)) as server:
        posted = [post(server.url).code for _ in range(2)]
        assert posted == ["delivered"] * 2
        assert server.requests[0] == server.requests[1]


def test_proxies_and_credentials_of_the_surroundings_are_not_used(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with answering(http()) as server:
        assert post(server.url).delivered
        assert b"authorization" not in server.requests[0].lower()


def test_the_head_is_text_of_two_kib_without_nul():
    with answering(http(b"a\0b\xff\xc3" + b"x" * 5000)) as server:
        head = post(server.url).head
    assert head == "ab\ufffd\ufffd" + "x" * (2048 - 5)


def test_a_compressed_answer_is_not_decompressed():
    bomb = gzip.compress(b"0" * 10_000_000)
    with answering(http(bomb, "200 OK", "Content-Encoding: gzip")) as server:
        tracemalloc.start()
        try:
            outcome = post(server.url)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert outcome.delivered
    assert outcome.head.startswith("\x1f")
    assert peak < 1_000_000


DRIPS = {
    "length": (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "until-close": (HEAD + b"\r\n", b"x"),
    "chunks": (CHUNKED, b"1\r\nx\r\n"),
    "chunk-size": (CHUNKED, b"0"),
    "trailers": (CHUNKED + b"0\r\n", b"X: 1\r\n"),
    "headers": (HEAD, b"X-Drip: 1\r\n"),
    "header": (HEAD + b"X-Drip: ", b"1"),
    "status": (b"", b"H"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize(("head", "drop"), DRIPS.values(), ids=DRIPS)
def test_a_receiver_that_drips_is_left_at_the_deadline(head, drop):
    began = time.monotonic()
    with answering(drip(head, drop)) as server:
        outcome = post(server.url, HASTY)
    assert time.monotonic() - began < IN_TIME
    assert (outcome.delivered, outcome.code) == (False, "timeout")
    assert outcome.milliseconds >= 150


def test_what_was_said_before_the_deadline_is_kept():
    with answering(drip(HEAD + b"\r\nbusy", b".")) as server:
        outcome = post(server.url, HASTY)
    assert (outcome.status, outcome.code) == (200, "timeout")
    assert outcome.head.startswith("busy.")


def test_a_no_stays_a_no_when_the_rest_of_it_never_comes():
    late = b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\n"
    with answering(drip(late, b"")) as server:
        outcome = post(server.url, HASTY)
    assert (outcome.status, outcome.code, outcome.retry_after) == (503, "http_error", 7)


@pytest.mark.parametrize("act", [silence, deaf])
def test_a_receiver_that_says_nothing_is_left_at_the_deadline(act):
    with answering(act) as server:
        outcome = post(server.url, HASTY)
    assert (outcome.status, outcome.code) == (None, "timeout")
    assert 150 <= outcome.milliseconds < IN_TIME * 1000


def test_a_receiver_that_never_reads_is_left_at_the_deadline():
    with answering(deaf) as server:
        targets.bind(frozenset({server.url[7:]}))
        outcome = deliver(server.url, b"x" * 8_000_000, {}, patience=HASTY)
    assert (outcome.status, outcome.code) == (None, "timeout")
    assert outcome.milliseconds < IN_TIME * 1000


def test_the_deadline_counts_from_the_lookup(monkeypatch):
    over = threading.Event()
    names = Names(lambda: ["127.0.0.1"] if not over.wait(0.15) else [])
    with answering(silence) as server:
        port = port_of(server)
        monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
        outcome = post(named(port), Patience(1, 1, 0.2))
    assert outcome.code == "timeout"
    assert 200 <= outcome.milliseconds < 340


ENDLESS = {
    "body": (HEAD + b"\r\n", b"x" * 65_536),
    "length": (HEAD + b"Content-Length: 10000000000\r\n\r\n", b"x" * 65_536),
    "chunks": (CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
    "crumbs": (CHUNKED, b"1\r\nx\r\n" * 10_000),
    "chunk-extension": (CHUNKED + b"1;", b"x" * 1000 + b"\r\nx\r\n1;"),
    "trailers": (CHUNKED + b"0\r\n", b"X: 1\r\n" * 10_000),
    "long-headers": (HEAD, b"X: " + b"x" * 60_000 + b"\r\n"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000),
}


@pytest.mark.parametrize(("head", "piece"), ENDLESS.values(), ids=ENDLESS)
def test_an_endless_answer_is_read_to_the_limit_in_little_memory(head, piece):
    taken = 0

    def act(connection: socket.socket, over: threading.Event) -> None:
        nonlocal taken
        connection.sendall(head)
        while True:
            taken += connection.send(piece)

    with answering(act) as server:
        tracemalloc.start()
        try:
            outcome = post(server.url)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (outcome.delivered, outcome.code) == (False, "response_too_large")
    assert outcome.milliseconds < IN_TIME * 1000
    assert peak < 1_000_000
    assert taken < 20_000_000  # what the sockets of this machine hold, and no more


@pytest.mark.parametrize(("size", "code"), [(65_536, "delivered"), (65_537, "response_too_large")])
def test_64_kib_are_read_and_no_more(size, code):
    with answering(http(b"x" * size)) as server:
        outcome = post(server.url)
    assert (outcome.status, outcome.code, len(outcome.head)) == (200, code, 2048)


def reset(connection: socket.socket, _over: object) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_midway(connection: socket.socket, over: object) -> None:
    connection.sendall(HEAD + b"Content-Length: 10\r\n\r\nabc")
    reset(connection, over)


BROKEN = {
    "reset": (reset, None, "connect_error"),
    "closed": (b"", None, "connect_error"),
    "blank": (b"\r\n\r\n", None, "http_error"),
    "smtp": (b"220 smtp ready\r\n", None, "http_error"),
    "html": (b"<html>hello</html>", None, "http_error"),
    "garbage": (b"\x00\xff\x16\x03\x01\r\n\r\n", None, "http_error"),
    "no-status": (b"HTTP/1.1\r\n\r\n", None, "http_error"),
    "word-status": (b"HTTP/1.1 abc OK\r\n\r\n", None, "http_error"),
    "short-status": (b"HTTP/1.1 20 OK\r\n\r\n", None, "http_error"),
    "other-digits": (b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n", None, "http_error"),
    "long-status-line": (b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n", None, "http_error"),
    "long-header": (HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n", None, "http_error"),
    "101-headers": (HEAD + b"X: 1\r\n" * 101 + b"\r\n", None, "http_error"),
    "10000-headers": (HEAD + b"X: 1\r\n" * 10_000 + b"\r\n", None, "http_error"),
    "cut-off": (HEAD + b"Content-Length: 10\r\n\r\nabc", 200, "http_error"),
    "two-lengths": (
        HEAD + b"Content-Length: 10\r\nContent-Length: 3\r\n\r\nabc",
        200,
        "http_error",
    ),
    "chunk-cut-off": (CHUNKED + b"5\r\nabc", 200, "http_error"),
    "chunk-of-words": (CHUNKED + b"zz\r\nabc\r\n", 200, "http_error"),
    "chunk-below-zero": (CHUNKED + b"-1\r\nabc\r\n", 200, "http_error"),
    "chunk-of-digits": (CHUNKED + b"1" * 10_000 + b"\r\nabc", 200, "http_error"),
    "no-last-chunk": (CHUNKED + b"3\r\nabc\r\n", 200, "http_error"),
}


@pytest.mark.parametrize(("act", "status", "code"), BROKEN.values(), ids=BROKEN)
def test_what_is_not_a_whole_answer_is_a_failure(act, status, code):
    with answering(act) as server:
        outcome = post(server.url)
    assert (outcome.delivered, outcome.status, outcome.code) == (False, status, code)
    assert outcome.milliseconds < IN_TIME * 1000


def test_a_connection_reset_within_the_answer_is_a_failure():
    with answering(reset_midway) as server:
        outcome = post(server.url)
    assert (outcome.delivered, outcome.code) == (False, "connect_error")


def test_nobody_listening_is_a_failure():
    with trap("127.0.0.1") as closed:
        port = closed.getsockname()[1]
    outcome = post(f"http://127.0.0.1:{port}/")
    assert (outcome.status, outcome.code, outcome.head) == (None, "connect_error", "")


def test_a_connection_that_nobody_takes_up_is_left_in_time():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(("127.0.0.1", port))
        outcome = post(f"http://127.0.0.1:{port}/", HASTY)
        for one in waiting:
            one.close()
    assert (outcome.status, outcome.code) == (None, "timeout")
    assert outcome.milliseconds < IN_TIME * 1000


PIECES = [
    HEAD, b"HTTP/1.1 ", b"HTTP/1.0 503 X\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"200", b"\r\n",
    b"\r\n\r\n", b"\n", b"\0", b"\xff", b"\xb2", b": ", b" ", b"Content-Length: ", b"5", b"-1",
    b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"Retry-After: 9\r\n",
    b"Content-Type: multipart/mixed; boundary=x\r\n", b"=?utf-8?q?x?=", b"Connection: keep-alive",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
@settings(deadline=None, max_examples=25)
def test_whatever_comes_there_is_an_outcome(answer):
    with answering(answer) as server:
        outcome = post(server.url)
    assert outcome.delivered is (outcome.code == "delivered")
    assert outcome.code in {"delivered", "http_error", "connect_error", "redirect"}


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked(monkeypatch):
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    with answering(http()) as server, trap("127.0.0.2", port_of(server)) as elsewhere:
        monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
        outcome = post(named(port_of(server)))
        assert is_empty(elsewhere)
        assert f"Host: {NAME}:{port_of(server)}\r\n".encode() in server.requests[0]
    assert outcome.delivered
    assert names.asked == [NAME]


def test_a_second_address_is_tried_when_the_first_does_not_answer(monkeypatch):
    with answering(http()) as server:
        monkeypatch.setattr(socket, "getaddrinfo", Names(["::1", "127.0.0.1"]).getaddrinfo)
        assert post(named(port_of(server))).delivered


def test_only_the_first_few_addresses_are_tried(monkeypatch):
    addresses = [f"127.0.0.{last}" for last in (7, 6, 5, 1)]
    with trap("127.0.0.1") as fourth:
        monkeypatch.setattr(socket, "getaddrinfo", Names(addresses).getaddrinfo)
        assert post(named(fourth.getsockname()[1])).code == "connect_error"
        assert is_empty(fourth)


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.5"],
        ["127.0.0.1", "10.0.0.5"],
        ["10.0.0.5", "127.0.0.1"],
        ["::ffff:10.0.0.1", "127.0.0.1"],
        ["64:ff9b::7f00:1", "127.0.0.1"],
        ["127.0.0.1", "169.254.169.254"],
    ],
)
def test_one_address_that_is_not_allowed_stops_the_delivery(monkeypatch, addresses):
    names = Names(addresses)
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    with trap("127.0.0.1") as receiver:
        outcome = post(named(receiver.getsockname()[1]))
        assert is_empty(receiver)
    assert outcome == Outcome(
        delivered=False,
        status=None,
        code="blocked_address",
        head="",
        milliseconds=outcome.milliseconds,
    )
    assert len(names.asked) == 1


def test_a_public_name_that_leads_to_this_machine_is_blocked(monkeypatch):
    names = Names(["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    for url in ("https://127.0.0.1.nip.io/", "https://1u.ms:8443/", "https://xn--a.com/"):
        assert deliver(url, BODY, {}, patience=CALM).code == "blocked_address"
    assert names.asked == ["127.0.0.1.nip.io.", "1u.ms.", "xn--a.com."]


def test_an_address_that_would_not_be_registered_today_is_blocked_without_a_lookup(monkeypatch):
    names = Names(["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    with trap("127.0.0.1") as receiver:
        url = f"http://127.0.0.1:{receiver.getsockname()[1]}/"
        assert deliver(url, BODY, {}, patience=CALM).code == "blocked_address"
        assert is_empty(receiver)
    assert names.asked == []


def test_another_peer_than_the_checked_address_is_sent_nothing(monkeypatch):
    with answering(http()) as server:
        monkeypatch.setattr(socket.socket, "getpeername", lambda _: ("10.0.0.5", 80))
        assert post(server.url).code == "blocked_address"
        assert server.requests in ([], [b"\r\n\r\n"])


@pytest.mark.parametrize("answer", [[], socket.gaierror(-2, "Name or service not known")])
def test_a_name_without_an_address_is_a_failure(monkeypatch, answer):
    monkeypatch.setattr(socket, "getaddrinfo", Names(answer).getaddrinfo)
    outcome = deliver("https://example.com/", BODY, {}, patience=CALM)
    assert (outcome.status, outcome.code, outcome.head) == (None, "dns_error", "")


def test_a_resolver_that_hangs_is_left_in_time(monkeypatch):
    over = threading.Event()
    names = Names(lambda: ["127.0.0.1"] if over.wait(10) else [])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    try:
        outcome = deliver("https://example.com/", BODY, {}, patience=HASTY)
    finally:
        over.set()
    assert (outcome.code, outcome.status) == ("dns_error", None)
    assert 100 <= outcome.milliseconds < IN_TIME * 1000


@pytest.fixture
def at_home(monkeypatch) -> Names:
    """Every name is on this machine."""
    names = Names(["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    return names


def test_a_good_certificate_of_that_name_is_delivered_to(authority, at_home):
    with encrypting(authority.shows(NAME), http(b"thanks")) as server:
        outcome = post(named(server.port, "https"), trust=authority.trust)
        assert server.names == [NAME]
        assert server.requests[0].endswith(BODY)
    assert (outcome.code, outcome.head) == ("delivered", "thanks")


def _bad_sides(authority: Authority) -> dict[str, ssl.SSLContext]:
    return {
        "self-signed": authority.shows_its_own(NAME),
        "expired": authority.shows(NAME, days=-1),
        "not yet valid": authority.shows(NAME, days=90),
        "another host": authority.shows("other.example.com"),
        "its parent": authority.shows("example.com"),
    }


@pytest.mark.parametrize(
    "which", ["self-signed", "expired", "not yet valid", "another host", "its parent"]
)
def test_a_bad_certificate_is_sent_nothing(authority, at_home, which):
    with encrypting(_bad_sides(authority)[which], http()) as server:
        outcome = post(named(server.port, "https"), trust=authority.trust)
        assert server.requests == []
    assert outcome == Outcome(
        delivered=False,
        status=None,
        code="tls_error",
        head="",
        milliseconds=outcome.milliseconds,
    )


def test_an_authority_of_nobody_is_not_trusted(authority, at_home):
    with encrypting(authority.shows(NAME), http()) as server:
        assert post(named(server.port, "https")).code == "tls_error"
        assert server.requests == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
def test_old_encryption_is_not_spoken(authority, at_home):
    old = authority.shows(NAME)
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with encrypting(old, http()) as server:
        assert post(named(server.port, "https"), trust=authority.trust).code == "tls_error"


def test_plain_http_where_encryption_was_asked_for_is_a_failure(authority, at_home):
    def plainly(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(http())
        over.wait()

    with unasked(plainly) as server:
        outcome = post(named(port_of(server), "https"), trust=authority.trust)
    assert (outcome.status, outcome.code) == (None, "tls_error")


@pytest.mark.parametrize("act", [silence, drip(b"\x16\x03\x03\x40\x00\x02", b"\x00")])
@pytest.mark.parametrize("patience", [HASTY, Patience(connect_seconds=0.15, total_seconds=9)])
def test_a_handshake_that_never_ends_is_left_in_time(authority, at_home, act, patience):
    with unasked(act) as server:
        outcome = post(named(port_of(server), "https"), patience, trust=authority.trust)
    assert (outcome.status, outcome.code) == (None, "timeout")
    assert outcome.milliseconds < IN_TIME * 1000


@pytest.mark.parametrize(
    ("act", "patience", "code"),
    [
        (drip(HEAD + b"\r\n", b"x"), HASTY, "timeout"),
        (drip(HEAD, b"X: 1\r\n"), HASTY, "timeout"),
        (silence, HASTY, "timeout"),
        (deaf, HASTY, "timeout"),
        (for_ever(HEAD + b"\r\n" + b"x" * 65_536), CALM, "response_too_large"),
        (HEAD + b"Content-Length: 10\r\n\r\nabc", CALM, "http_error"),
        (b"", CALM, "connect_error"),
    ],
)
def test_the_same_limits_hold_inside_encryption(authority, at_home, act, patience, code):
    with encrypting(authority.shows(NAME), act) as server:
        outcome = post(named(server.port, "https"), patience, trust=authority.trust)
    assert (outcome.delivered, outcome.code) == (False, code)
    assert outcome.milliseconds < IN_TIME * 1000


def test_a_large_body_to_one_who_never_reads_is_left_inside_encryption_too(authority, at_home):
    with encrypting(authority.shows(NAME), deaf) as server:
        url = named(server.port, "https")
        targets.bind(frozenset({url.split("/")[2]}))
        outcome = deliver(url, b"x" * 8_000_000, {}, patience=HASTY, trust=authority.trust)
    assert outcome.code == "timeout"
    assert outcome.milliseconds < IN_TIME * 1000


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (429, "7", 7),
        (503, " 120 ", 120),
        (429, "0", 0),
        (429, "999999999", 999_999_999),
        (429, "Sat, 14 Mar 2026 12:01:30 GMT", 90),
        (503, "Sat, 14 Mar 2026 11:00:00 GMT", 0),
        (200, "7", None),
        (500, "7", None),
        (302, "7", None),
        (429, "", None),
        (429, "-1", None),
        (429, "1.5", None),
        (429, "1e3", None),
        (429, "soon", None),
        (429, "9" * 5000, None),
        (429, "\xb2", None),
        (429, "7, 8", None),
        (429, "Sat, 14 Mar 99999 12:01:30 GMT", None),
        (429, "Sat, 99 Mar 2026 12:01:30 GMT", None),
    ],
)
def test_a_wish_to_be_asked_later_is_read_where_it_may_be_said(status, said, seconds):
    answer = http(b"", f"{status} X").replace(
        b"\r\n\r\n", f"\r\nRetry-After: {said}\r\n\r\n".encode("latin-1")
    )
    with clock.frozen(datetime(2026, 3, 14, 12, tzinfo=UTC)), answering(answer) as server:
        outcome = post(server.url)
    assert (outcome.status, outcome.retry_after) == (status, seconds)


def test_twenty_deliveries_at_once_do_not_wait_for_each_other():
    kinds = [
        (http(), CALM, "delivered"),
        (drip(HEAD + b"\r\n", b"x"), HASTY, "timeout"),
        (silence, HASTY, "timeout"),
        (reset, CALM, "connect_error"),
    ]
    servers = [RawServer(act) for act, _, _ in kinds]
    targets.bind(frozenset(server.url[7:] for server in servers))

    def attempt(number: int) -> str:
        url = f"{servers[number % 4].url}/{number}"
        return deliver(url, BODY, {}, patience=kinds[number % 4][1]).code

    began = time.monotonic()
    try:
        with ThreadPoolExecutor(20) as pool:
            codes = list(pool.map(attempt, range(20)))
    finally:
        for server in servers:
            server.close()
    assert codes == [code for _, _, code in kinds] * 5
    assert time.monotonic() - began < IN_TIME


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_delivery_leaves_no_thread_and_no_open_file_behind():
    cut_off = HEAD + b"Content-Length: 9\r\n\r\n"
    before = _open_files()
    with answering(http(), b"junk", cut_off, HEAD + b"X: 1\r\n" * 101, reset) as server:
        for _ in range(40):
            post(server.url)
        timers = [thread for thread in threading.enumerate() if isinstance(thread, Timer)]
        assert timers == []
    # Servers of other tests may still be closing theirs; a leak would be forty more.
    assert _open_files() < before + 20


def test_nothing_that_a_receiver_says_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    with answering(HEAD + b"not a header\r\nContent-Length: 2\r\n\r\n{}") as server:
        assert post(f"{server.url}/secret?key=secret").status == 200
    assert caplog.text == ""
