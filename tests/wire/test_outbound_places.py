"""Where a delivery goes: names that move, addresses inside, certificates of others."""

import socket
import ssl
import threading

import pytest

from protonpay.wire.dial import Patience
from protonpay.wire.outbound import Outcome
from tests.raw_server import answering, deaf, drip, http, silence
from tests.wire.hostile import Authority, Names, encrypting, for_ever, is_empty, trap, unasked
from tests.wire.posting import BODY, CALM, HASTY, HEAD, IN_TIME, NAME, deliver, named, port_of, post


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.mark.checklist(102)
def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked(monkeypatch):
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    with answering(http()) as server, trap("127.0.0.2", port_of(server)) as elsewhere:
        monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
        outcome = post(named(server))
        assert is_empty(elsewhere)
        assert f"Host: {NAME}:{port_of(server)}\r\n".encode() in server.requests[0]
    assert outcome.delivered
    assert names.asked == [NAME]


def test_a_second_address_is_tried_when_the_first_does_not_answer(monkeypatch):
    with answering(http()) as server:
        monkeypatch.setattr(socket, "getaddrinfo", Names(["::1", "127.0.0.1"]).getaddrinfo)
        assert post(named(server)).delivered


def test_only_the_first_few_addresses_are_tried(monkeypatch):
    addresses = [f"127.0.0.{last}" for last in (7, 6, 5, 1)]
    with trap("127.0.0.1") as fourth:
        monkeypatch.setattr(socket, "getaddrinfo", Names(addresses).getaddrinfo)
        assert post(named(fourth)).code == "connect_error"
        assert is_empty(fourth)


@pytest.mark.checklist(102)
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
        outcome = post(named(receiver))
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


@pytest.mark.parametrize("patience", [HASTY, Patience(dns_seconds=9, total_seconds=0.1)])
def test_a_resolver_that_hangs_is_left_in_time(monkeypatch, patience):
    over = threading.Event()
    names = Names(lambda: ["127.0.0.1"] if over.wait(10) else [])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    try:
        outcome = deliver("https://example.com/", BODY, {}, patience=patience)
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
        outcome = post(named(server, "https"), trust=authority.trust)
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


@pytest.mark.checklist(105)
@pytest.mark.parametrize(
    "which", ["self-signed", "expired", "not yet valid", "another host", "its parent"]
)
def test_a_bad_certificate_is_sent_nothing(authority, at_home, which):
    with encrypting(_bad_sides(authority)[which], http()) as server:
        outcome = post(named(server, "https"), trust=authority.trust)
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
        assert post(named(server, "https")).code == "tls_error"
        assert server.requests == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
def test_old_encryption_is_not_spoken(authority, at_home):
    old = authority.shows(NAME)
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with encrypting(old, http()) as server:
        assert post(named(server, "https"), trust=authority.trust).code == "tls_error"


def test_plain_http_where_encryption_was_asked_for_is_a_failure(authority, at_home):
    def plainly(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(http())
        over.wait()

    with unasked(plainly) as server:
        outcome = post(named(server, "https"), trust=authority.trust)
    assert (outcome.status, outcome.code) == (None, "tls_error")


@pytest.mark.parametrize("act", [silence, drip(b"\x16\x03\x03\x40\x00\x02", b"\x00")])
@pytest.mark.parametrize("patience", [HASTY, Patience(connect_seconds=0.15, total_seconds=9)])
def test_a_handshake_that_never_ends_is_left_in_time(authority, at_home, act, patience):
    with unasked(act) as server:
        outcome = post(named(server, "https"), patience, trust=authority.trust)
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
        outcome = post(named(server, "https"), patience, trust=authority.trust)
    assert (outcome.delivered, outcome.code) == (False, code)
    assert outcome.milliseconds < IN_TIME * 1000


def test_a_large_body_to_one_who_never_reads_is_left_inside_encryption_too(authority, at_home):
    with encrypting(authority.shows(NAME), deaf) as server:
        url = named(server, "https")
        outcome = post(url, HASTY, body=b"x" * 8_000_000, trust=authority.trust)
    assert outcome.code == "timeout"
    assert outcome.milliseconds < IN_TIME * 1000
