"""Receivers that take long, say much or keep hold: a delivery ends in time and stays small."""

import gzip
import socket
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from protonpay.wire.dial import Patience
from tests.raw_server import RawServer, answering, deaf, drip, http, silence
from tests.wire.hostile import Names
from tests.wire.posting import (
    BODY,
    CALM,
    CHUNKED,
    HASTY,
    HEAD,
    IN_TIME,
    deliver,
    listed,
    named,
    post,
    reset,
)


@pytest.mark.checklist(104)
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


@pytest.mark.checklist(104)
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
        outcome = post(server.url, HASTY, body=b"x" * 8_000_000)
    assert (outcome.status, outcome.code) == (None, "timeout")
    assert outcome.milliseconds < IN_TIME * 1000


def test_the_deadline_counts_from_the_lookup(monkeypatch):
    over = threading.Event()
    names = Names(lambda: ["127.0.0.1"] if not over.wait(0.15) else [])
    with answering(silence) as server:
        monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
        outcome = post(named(server), Patience(1, 1, 0.2))
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


@pytest.mark.checklist(104)
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


def test_twenty_deliveries_at_once_do_not_wait_for_each_other():
    kinds = [
        (http(), CALM, "delivered"),
        (drip(HEAD + b"\r\n", b"x"), HASTY, "timeout"),
        (silence, HASTY, "timeout"),
        (reset, CALM, "connect_error"),
    ]
    servers = [RawServer(act) for act, _, _ in kinds]

    def attempt(number: int) -> str:
        url = f"{servers[number % 4].url}/{number}"
        return deliver(url, BODY, {}, patience=kinds[number % 4][1]).code

    began = time.monotonic()
    try:
        with listed(*(server.url for server in servers)), ThreadPoolExecutor(20) as pool:
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
        timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
        assert timers == []
    # Servers of other tests may still be closing theirs; a leak would be forty more.
    assert _open_files() < before + 20
