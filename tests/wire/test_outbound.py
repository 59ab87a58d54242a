"""One delivery: what is sent, and what each answer counts as."""

import logging
import socket
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protonpay.kernel import clock
from tests.raw_server import answering, http
from tests.wire.hostile import is_empty, trap
from tests.wire.posting import BODY, CALM, CHUNKED, HEAD, IN_TIME, deliver, listed, post, reset


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


def test_an_invitation_to_go_on_is_not_yet_the_answer():
    with answering(b"HTTP/1.1 100 Continue\r\n\r\n" + http(b"thanks", "202 Accepted")) as server:
        outcome = post(server.url)
    assert (outcome.delivered, outcome.status, outcome.head) == (True, 202, "thanks")


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 502, 503, 101, 199, 600, 999])
def test_every_other_status_is_a_failure(status):
    with answering(http(b"no", f"{status} X")) as server:
        outcome = post(server.url)
    assert (outcome.delivered, outcome.status, outcome.code) == (False, status, "http_error")


@pytest.mark.checklist(103)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_a_redirect_is_a_failure_and_is_not_followed(status):
    with trap("127.0.0.1") as inside:
        to = f"Location: http://127.0.0.1:{inside.getsockname()[1]}/"
        with answering(http(b"", f"{status} X", to)) as server:
            with listed(server.url, to.removeprefix("Location: ")):
                outcome = deliver(server.url, BODY, {}, patience=CALM)
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


@pytest.mark.checklist(104)
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


def test_nothing_that_a_receiver_says_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    with answering(HEAD + b"not a header\r\nContent-Length: 2\r\n\r\n{}") as server:
        assert post(f"{server.url}/secret?key=secret").status == 200
    assert caplog.text == ""
