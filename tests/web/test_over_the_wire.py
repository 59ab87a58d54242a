"""Bodies that lie about themselves, byte by byte, to the server that really runs."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from protonpay.stack import ports
from tests.patience import until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HEAD = (
    b"POST /api/auth/login HTTP/1.1\r\nHost: protonpay\r\nContent-Type: application/json\r\n"
    b"Connection: keep-alive\r\n"
)
MEMBERS = ["type", "title", "status", "detail", "instance", "code", "message", "requestId"]
BODY = b'{"email":"a@b.de","password":"x"}'
END = b""
LAST = b"0\r\n\r\n"
PADDED = b"%x\r\n%s\r\n" % (len(BODY), BODY)
CHUNK = b"4000\r\n" + b" " * 0x4000 + b"\r\n"


@pytest.fixture(scope="module")
def port(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """gunicorn as it is run, with one worker."""
    chosen = ports.free()
    log = tmp_path_factory.mktemp("wire") / "log"
    environ = os.environ | settings | {"PORT": str(chosen), "WEB_CONCURRENCY": "1"}
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)
    try:
        until(lambda: _lives(chosen), 60)
        yield chosen
    finally:
        process.terminate()
        process.wait(30)


def _lives(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/api/health", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def say(port: int, *pieces: bytes) -> tuple[int, bytes]:
    """Send these bytes; return the status and all that comes until the server hangs up.

    ``END`` among them is the end of what we shall ever send.
    """
    told = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                connection.sendall(piece) if piece else connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while more := connection.recv(65_536):
                told += more
    return int(told.split()[1]), told


def chunked(*chunks: bytes) -> list[bytes]:
    return [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunks]


LIES = {
    "cut off": ([HEAD + b"Content-Length: 500\r\n\r\n" + BODY, END], 400),
    "ten megabytes to come": ([HEAD + b"Content-Length: 10000000\r\n\r\n" + BODY], 413),
    "below zero": ([HEAD + b"Content-Length: -1\r\n\r\n" + BODY], 400),
    "hexadecimal": ([HEAD + b"Content-Length: 0x10\r\n\r\n" + BODY], 400),
    "two lengths": ([HEAD + b"Content-Length: 33\r\nContent-Length: 5\r\n\r\n" + BODY], 400),
    "a length and chunks": (
        [HEAD + b"Content-Length: 33\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY],
        400,
    ),
    "chunks without end": (chunked(*[CHUNK] * 200), 413),
    "a good document and chunks behind it": (chunked(PADDED, *[CHUNK] * 4, LAST, END), 413),
    "a chunk of no length": (chunked(CHUNK, b"zz\r\n"), 400),
    "a chunk below zero": (chunked(CHUNK, b"-5\r\nabc\r\n"), 400),
    "a chunk cut off": (chunked(b"5\r\nabc", END), 400),
    "half a document": (chunked(b"1\r\n{\r\n", LAST, END), 400),
}


@pytest.mark.checklist(21)
@pytest.mark.parametrize("lie", LIES)
def test_a_body_that_is_not_what_it_says_ends_the_connection(port: int, lie: str):
    pieces, expected = LIES[lie]

    status, told = say(port, *pieces)

    assert status == expected
    head, _, body = told.partition(b"\r\n\r\n")
    assert b"\r\nContent-Type: application/problem+json" in head
    told_id = re.search(rb"X-Request-Id: (\S+)", head)
    said = json.loads(body)
    assert list(said) == MEMBERS
    assert (said["status"], said["requestId"].encode()) == (status, told_id and told_id[1])
    assert _lives(port)


def test_the_bytes_of_these_tests_are_a_good_request(port: int):
    length = b"Content-Length: %d\r\n\r\n" % len(BODY)
    status, told = say(port, HEAD.replace(b"keep-alive", b"close") + length + BODY)

    assert (status, b"invalid_credentials" in told) == (401, True)


@pytest.mark.parametrize(
    "header", [b"SCRIPT_NAME: /open", b"Script_Name: /other", b"PATH_INFO: /api/health"]
)
def test_no_header_says_which_path_was_asked_for(port: int, header: bytes):
    """A proxy in front decides by the path: who asks must not have another one served."""
    line = b"GET /open/api/health HTTP/1.1\r\nHost: protonpay\r\nConnection: close\r\n"

    status, told = say(port, line + header + b"\r\n\r\n")

    assert (status, b'"instance":"/open/api/health"' in told) == (404, True)
