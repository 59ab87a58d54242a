"""The wire against servers that do everything wrong: an answer, or not knowing, in time."""

import gzip
import logging
import os
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from protonpay.wire.http import NoAnswer, Wire
from tests.raw_server import answering, deaf, drip, http, silence
from tests.wire.posting import IN_TIME

PATIENCE = 0.15
HEAD = b"HTTP/1.1 200 OK\r\n"


def hasty(url: str, **kwargs: object) -> Wire:
    return Wire(url, connect_seconds=PATIENCE, read_seconds=PATIENCE, **kwargs)


def in_time(wire: Wire, **kwargs: object) -> float:
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        wire.get("/", **kwargs)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
        (HEAD + b"\r\n", b"x"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (HEAD, b"X-Drip: 1\r\n"),
        (HEAD + b"X-Drip: ", b"1"),
        (b"", b"H"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["length", "until-close", "chunks", "chunk-size", "headers", "header", "status", "100"],
)
def test_a_server_that_drips_is_left_at_the_deadline(head, drop):
    with answering(drip(head, drop)) as server:
        assert in_time(hasty(server.url)) < IN_TIME


def test_a_server_that_says_nothing_is_left_at_the_deadline():
    with answering(silence) as server:
        assert in_time(hasty(server.url)) < IN_TIME


def test_a_server_that_never_reads_is_left_too():
    with answering(deaf) as server, pytest.raises(NoAnswer):
        hasty(server.url).post("/", data=b"x" * 20_000_000)


def test_an_endless_body_is_read_to_the_limit_and_no_further():
    sent = 0

    def endless(connection: socket.socket, _over: object) -> None:
        nonlocal sent
        connection.sendall(HEAD + b"\r\n")
        while True:
            sent += connection.send(b"x" * 65_536)

    with answering(endless) as server, pytest.raises(NoAnswer, match="more than 100000 bytes"):
        Wire(server.url, max_bytes=100_000).get("/")
    assert sent < 20_000_000


def test_a_body_of_exactly_the_limit_is_an_answer():
    with answering(http(b"x" * 1000)) as server:
        assert Wire(server.url, max_bytes=1000).get("/").body == b"x" * 1000


def test_a_compressed_bomb_is_cut_off_at_the_limit():
    bomb = gzip.compress(b"0" * 10_000_000)
    with (
        answering(http(bomb, "200 OK", "Content-Encoding: gzip")) as server,
        pytest.raises(NoAnswer, match="more than"),
    ):
        Wire(server.url, max_bytes=100_000).get("/")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 T", "308 P"])
def test_redirects_are_answers_and_are_not_followed(status):
    with answering(http(b"elsewhere", status, "Location: http://127.0.0.1:1/")) as server:
        answer = hasty(server.url).get("/")
        assert (answer.status, answer.body) == (int(status[:3]), b"elsewhere")
        assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["http://[::1", "\\\\evil", "http://a:99999/", "//", "?"])
def test_a_redirect_to_nowhere_is_an_answer(location):
    with answering(http(b"", "302 Found", f"Location: {location}")) as server:
        assert hasty(server.url).get("/").status == 302


def test_the_body_of_a_redirect_is_limited_like_any_other():
    head = b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"
    with answering(head + b"x" * 1_000_000) as server, pytest.raises(NoAnswer, match="more than"):
        Wire(server.url, max_bytes=1000).get("/")


def reset(connection: socket.socket, _over: object) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "act",
    [
        reset,
        b"",
        b"\r\n\r\n",
        b"220 smtp ready\r\n",
        b"<html>hello</html>",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"H" * 100_000,
        HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
        HEAD + b"X: 1\r\n" * 1000 + b"\r\n",
        HEAD + b"Content-Length: 10\r\n\r\nabc",
        HEAD + b"Content-Length: 3\r\nContent-Length: 10\r\n\r\nabc",
        CHUNKED + b"5\r\nabc",
        CHUNKED + b"zz\r\nabc\r\n",
        CHUNKED + b"-5\r\nabc\r\n",
        CHUNKED + b"-1\r\n" + b"x" * 100_000,
        CHUNKED + b"FFFFFFFFFFFFFFFFFFFF\r\nabc",
        CHUNKED + b"3\r\nabc\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_what_is_not_a_whole_answer_is_no_answer(act):
    with answering(act) as server:
        assert in_time(hasty(server.url)) < IN_TIME


def test_a_refused_connection_and_an_unknown_host_are_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    in_time(hasty(f"http://127.0.0.1:{port}"))
    in_time(hasty("http://no-such-host.invalid"))


@pytest.mark.parametrize(
    "url", ["http://", "ftp://a.test", "http://a b", "http://a:99999", "http://\u2024.test"]
)
def test_an_impossible_address_is_no_answer(url):
    in_time(hasty(url))


def test_errors_name_the_server_and_nothing_that_could_be_a_key():
    url = "http://user:hunter2@127.0.0.1:1/v2/secret-path?key=secret-query"
    with pytest.raises(NoAnswer) as caught:
        hasty(url).get("/secret-too", params={"token": "secret-param"})
    assert "secret" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)


def test_nothing_of_an_address_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    with answering(HEAD + b"not a header\r\nContent-Length: 2\r\n\r\n{}") as server:
        hasty(f"{server.url}/secret-path").get("/?key=secret-query")
    assert "secret" not in caplog.text


def test_cookies_are_not_kept():
    cookie = "Set-Cookie: session=1; Path=/"
    with answering(http(b"{}", "200 OK", cookie)) as server:
        wire = hasty(server.url)
        wire.get("/")
        wire.get("/")
        assert len(server.requests) == 2
        assert b"cookie" not in server.requests[1].lower()


def test_proxies_and_credentials_of_the_surroundings_are_not_used(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with answering(http()) as server:
        assert hasty(server.url).get("/").status == 200
        assert b"authorization" not in server.requests[0].lower()


def test_a_post_sends_exactly_the_bytes_it_was_given():
    body = '{"amount":12.500,"name":"Жанна"}'.encode()
    with answering(http()) as server:
        Wire(server.url, headers={"Authorization": "Bearer x"}).post("/charges/", data=body)
        head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == body
    assert head.startswith(b"POST /charges/ HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    assert b"Authorization: Bearer x" in head


def test_headers_of_an_answer_are_found_in_any_case():
    with answering(http(b"{}", "200 OK", "Retry-AFTER: 7")) as server:
        assert hasty(server.url).get("/").headers["retry-after"] == "7"


def test_a_connection_is_used_again_and_its_deadline_begins_anew():
    answer = HEAD + b"Content-Length: 2\r\n\r\n{}"
    connections = []

    def keep_alive(connection: socket.socket, _over: object) -> None:
        connections.append(connection)
        connection.sendall(answer)
        while connection.recv(65_536):
            time.sleep(PATIENCE / 2)
            connection.sendall(answer)

    with answering(keep_alive) as server:
        wire = hasty(server.url)
        assert [wire.get("/").status for _ in range(4)] == [200] * 4
    assert len(connections) == 1


def test_threads_do_not_get_each_other_s_answers():
    def echo(connection: socket.socket, _over: object) -> None:
        said = server.requests[-1]
        connection.sendall(http(said.split(b" ")[1]))

    def ask(number: int) -> bool:
        # The server echoes the latest request, so only the number's own may be compared.
        return wire.get(f"/{number}").status == 200

    with answering(echo) as server, ThreadPoolExecutor(16) as pool:
        wire = Wire(server.url)
        assert all(pool.map(ask, range(100)))
        assert len(server.requests) == 100


def test_a_forked_process_opens_a_connection_of_its_own():
    ports = []

    def answer(connection: socket.socket, _over: object) -> None:
        ports.append(connection.getpeername()[1])
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
        while connection.recv(65_536):
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    with answering(answer) as server:
        wire = hasty(server.url)
        wire.get("/")
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if wire.get("/").status == 200 else 1)
            except BaseException:  # noqa: BLE001 - the child must end here, whatever happens
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        wire.get("/")
    assert len(set(ports)) == 2
