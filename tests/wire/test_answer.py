"""The reader of answers beside the standard library's: the same bytes, whole and in pieces."""

import io
import socket
import time
from collections.abc import Iterable
from http.client import HTTPException, HTTPResponse, IncompleteRead
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protonpay.wire.answer import Answer, read
from tests.wire.posting import CHUNKED, HEAD

Found = tuple[int | None, bytes, bool]
"""The status, the body, and whether the answer was whole."""


def ours(pieces: Iterable[bytes]) -> Found:
    """Read what comes piece by piece: each is read before the next one is sent."""
    here, there = socket.socketpair()
    there.settimeout(0)
    answer = Answer()
    steps = read(there, answer, time.monotonic() + 5)
    whole = False
    with here, there:
        try:
            next(steps)
            for piece in pieces:
                here.sendall(piece)
                next(steps)
            here.close()
            while True:
                next(steps)
        except StopIteration:
            whole = True
        except (HTTPException, OSError):
            pass
    return answer.status, bytes(answer.body), whole


class _Bytes(io.BytesIO):
    def makefile(self, _mode: str) -> "_Bytes":
        return self


def theirs(answer: bytes) -> Found:
    sock: Any = _Bytes(answer)
    response, body = HTTPResponse(sock, method="POST"), b""
    try:
        response.begin()
        while chunk := response.read1(4096):
            body += chunk
        if response.length:
            raise IncompleteRead(b"", response.length)
    except (HTTPException, OSError):
        return getattr(response, "status", None), body, False
    return response.status, body, True


TEXT = st.binary(max_size=40)
LENGTHS = st.builds(
    lambda name, body, more: (b"%s: %d\r\n" % (name, max(len(body) + more, 0)), body),
    st.sampled_from([b"Content-Length", b"content-length", b"CONTENT-LENGTH"]),
    TEXT,
    st.sampled_from([0, 0, 0, 1, -1]),
)
CHUNKS = st.builds(
    lambda parts, end: (
        b"Transfer-Encoding: chunked\r\n",
        b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts if part) + end,
    ),
    st.lists(TEXT, max_size=4),
    st.sampled_from([b"0\r\n\r\n", b"0\r\nX: 1\r\n\r\n", b"0\r\n", b"", b"zz\r\n", b"-1\r\n"]),
)
TO_THE_END = st.builds(lambda body: (b"", body), TEXT)
STATUS = [200, 201, 299, 302, 404, 410, 429, 503, 999]
EMPTY = [204, 304, 101, 199]
HEADERS = st.lists(
    st.sampled_from([b"X: 1\r\n", b"Server: nginx\n", b"Retry-After:7\r\n", b"Empty:\r\n"]),
    max_size=5,
).map(b"".join)


def answers(status: list[int], *framed: st.SearchStrategy[tuple[bytes, bytes]]) -> Any:
    return st.builds(
        lambda before, version, status, headers, framed: (
            before
            + b"HTTP/1.%d %d Said\r\n%s%s\r\n%s" % (version, status, headers, framed[0], framed[1])
        ),
        st.sampled_from([b"", b"", b"HTTP/1.1 100 Continue\r\n\r\n"]),
        st.sampled_from([0, 1]),
        st.sampled_from(status),
        HEADERS,
        st.one_of(framed),
    )


# Of an answer that has no body the library reads the chunks, which RFC 9112 (6.3) does not.
ANSWERS = answers(STATUS, LENGTHS, CHUNKS, TO_THE_END) | answers(EMPTY, LENGTHS, TO_THE_END)


@given(ANSWERS)
@settings(deadline=None, max_examples=200)
def test_what_the_standard_library_reads_we_read(answer: bytes):
    assert ours([answer]) == theirs(answer)


@given(ANSWERS, st.lists(st.integers(1, 200), max_size=6).map(sorted))
@settings(deadline=None, max_examples=100)
def test_it_is_all_one_where_an_answer_is_cut_into_pieces(answer: bytes, cuts: list[int]):
    ends = [0, *cuts, len(answer)]
    pieces = [answer[a:b] for a, b in pairwise(ends)]
    assert ours([piece for piece in pieces if piece]) == ours([answer])


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"X: 1\r\n",
        HEAD + b"Content-Length: 2",
        b"HTTP/1.1 200 OK",
        CHUNKED + b"1\r\nxyz\r\n0\r\n\r\n",
        CHUNKED + b"1 1\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"+1\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n",
    ],
)
def test_what_is_cut_off_or_miscounted_is_no_whole_answer(answer: bytes):
    assert not ours([answer])[2]
    assert ours([HEAD + b"Content-Length: 0\r\n\r\n"]) == (200, b"", True)


@pytest.mark.parametrize("headers", [99, 100])
def test_a_hundred_headers_are_read(headers: int):
    answer = HEAD + b"X: 1\r\n" * headers + b"Content-Length: 0\r\n\r\n"
    assert ours([answer])[2] is (headers < 100)
