"""One delivery to an address a user gave us: it says how it went, and is never long about it."""

import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from http.client import HTTPException

import certifi

from protonpay.kernel import clock
from protonpay.wire.answer import Answer, TooLarge, read
from protonpay.wire.dial import Patience, dial, patiently
from protonpay.wire.guard import BadTarget, BlockedAddress, NoAddress, Target, resolve, targets
from protonpay.wire.loop import WRITE, Steps

_HEAD = 2_048
_PATIENCE = Patience()

_PRINTABLE = re.compile(r"[ -~]+")
_ONCE = {"Accept-Encoding": "identity", "Connection": "close"}

_SUCCESS = 2
_REDIRECT = 3
_MAY_ASK_TO_WAIT = (429, 503)
_LONGEST_NUMBER = 9  # digits
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"  # RFC 9110, §5.6.7, the form that may be sent

_CODES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((BadTarget, BlockedAddress), "blocked_address"),
    ((NoAddress,), "dns_error"),
    ((TooLarge,), "response_too_large"),
    ((TimeoutError,), "timeout"),
    ((ssl.SSLError,), "tls_error"),
    ((OSError,), "connect_error"),
    ((HTTPException,), "http_error"),
)
"""What can go wrong, the first that fits: nothing else is told of a receiver's network."""

_FAILURES = tuple(kind for kinds, _ in _CODES for kind in kinds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery went.

    Attributes:
        delivered: a complete answer came, with a status from 200 to 299.
        status: what the receiver answered, as far as it came to that.
        code: ``delivered``, or one word for what went wrong.
        head: the beginning of the receiver's answer as text, without NUL; it may hold anything.
        milliseconds: from the lookup to the end.
        retry_after: seconds the receiver asks us to wait (429 and 503 only); not clamped.
    """

    delivered: bool
    status: int | None
    code: str
    head: str
    milliseconds: int
    retry_after: int | None = None


def deliver(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    patience: Patience = _PATIENCE,
    trust: ssl.SSLContext | None = None,
) -> Steps[Outcome]:
    """Post some bytes, once; follow nothing, remember nothing, never raise for what is met.

    A conversation that a ``Loop`` brings on. The plain way on purpose: pools, redirects, proxies,
    cookies and decoding are what a stranger must not be given.

    Args:
        url: as it was registered; judged again, as is where it leads now.
        body: sent as it is.
        headers: sent besides those that make the connection.
        patience: how long it may take.
        trust: whose certificates are good; by default those of the public web.
    """
    began = time.monotonic()
    until = began + patience.total_seconds
    answer = Answer()
    failure: Exception | None = None
    try:
        target = targets.check(url)
        addresses = yield from resolve(target, min(until, began + patience.dns_seconds))
        with (yield from dial(target, addresses, patience, until, trust or _public_web())) as sock:
            yield from _send(sock, _request(target, body, headers), until)
            yield from read(sock, answer, until)
    except _FAILURES as error:
        failure = error
    return _outcome(answer, failure, began)


@cache
def _public_web() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a request in one piece: headers and body apart wake both ends twice."""
    said = {"Host": target.authority, **headers, **_ONCE, "Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in said.items()]
    lines.insert(0, f"POST {target.path_and_query} HTTP/1.1")
    if _PRINTABLE.fullmatch("".join(lines)) is None:
        raise ValueError("a header that is not one line of printable ASCII")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _send(sock: socket.socket, request: bytes, until: float) -> Steps[None]:
    rest = memoryview(request)
    while rest:
        sent = yield from patiently(sock, partial(sock.send, rest), WRITE, until)
        rest = rest[sent:]


def _retry_after(answer: Answer) -> int | None:
    if answer.status not in _MAY_ASK_TO_WAIT:
        return None
    return _seconds(answer.headers.get(b"retry-after", b"").decode("latin-1"))


def _seconds(retry_after: str) -> int | None:
    """Read a number of seconds or a date; what is neither counts as not said."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= _LONGEST_NUMBER else None
    try:
        moment = datetime.strptime(text, _HTTP_DATE).replace(tzinfo=UTC)
    except ValueError:
        return None
    return max(0, -((clock.now() - moment) // timedelta(seconds=1)))


def _outcome(answer: Answer, failure: Exception | None, began: float) -> Outcome:
    code = _code(answer.status, failure)
    return Outcome(
        delivered=code == "delivered",
        status=answer.status,
        code=code,
        head=answer.body[:_HEAD].decode("utf-8", "replace").replace("\0", ""),
        milliseconds=int((time.monotonic() - began) * 1000),
        retry_after=_retry_after(answer),
    )


def _code(status: int | None, failure: Exception | None) -> str:
    # A status that is a no says more than how the rest of the answer broke off.
    if status is not None and status // 100 == _REDIRECT:
        return "redirect"
    if status is not None and status // 100 != _SUCCESS:
        return "http_error"
    if failure is None:
        return "delivered"
    return next(code for kinds, code in _CODES if isinstance(failure, kinds))
