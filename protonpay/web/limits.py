"""How often a caller may ask: shared buckets, each a sliding window in Redis.

``auth`` is counted by address and before any password is hashed, by Flask-Limiter.
``client-read`` and ``client-write`` are counted by account on every request, so they take
one script and one round trip, which also tells whether the session still stands.
``unauth`` counts, with the same script and by address, client calls that are refused
before their account is known; one that is good never pays for it.
``client-page`` is what the portal's own pages read: a page makes several calls.
``auth-account`` counts failed sign-ins by account, wherever they come from.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import redis
import structlog
from flask import Flask, Response, g, request
from flask_limiter import Limiter, RequestLimit
from limits import RateLimitItem, parse

from protonpay.kernel import clock
from protonpay.kernel.errors import Limited, Unauthenticated
from protonpay.store import marks
from protonpay.store.queue import door
from protonpay.web.errors import refused

log = structlog.get_logger(__name__)

AUTH = "auth"
ACCOUNT = "auth-account"
READ = "client-read"
WRITE = "client-write"
PAGE = "client-page"
UNAUTH = "unauth"

FROM_A_PAGE = "protonpay.from_a_page"
"""In the environment of a call that a page of ours makes; no header can set it."""

_SCRIPT = (Path(__file__).parent / "window.lua").read_text()
_IPV6_SITE = 64


class Session(StrEnum):
    """What Redis knows of a session."""

    STANDS = "STANDS"
    REVOKED = "REVOKED"
    UNKNOWN = "UNKNOWN"
    """Redis is away or was emptied: ask the database."""


@dataclass(frozen=True, slots=True)
class Window:
    """Where a caller stands in a bucket after this request.

    Attributes:
        left: how many more requests fit now.
        reset_seconds: whole seconds until the next one leaves the window, rounded up.
    """

    policy: str
    limit: int
    span_seconds: int
    left: int
    reset_seconds: int
    session: Session = Session.UNKNOWN


def init_app(app: Flask, *, redis_url: str, **rates: str) -> None:
    """Set the rates of ``Buckets.bind``, in Flask-Limiter's words ("60 per minute")."""
    app.config["RATELIMIT_STORAGE_URI"] = redis_url.replace("unix://", "redis+unix://", 1)
    by_address.init_app(app)
    buckets.bind(**rates)


def auth_rate() -> str:
    """Return the rate of the auth bucket: read at each request, set by create_app."""
    return buckets.auth_rate


def uncounted() -> bool:
    """Tell whether a request costs nothing: ``OPTIONS`` tells nothing but the methods."""
    return request.method == "OPTIONS"


def client_address() -> str:
    """Return the caller's address for counting: an IPv6 site (/64) counts as one.

    Never raises: Flask-Limiter takes any exception of its key for a dead store.
    """
    text = request.remote_addr or "unknown"
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv4Address):
        return text
    if address.ipv4_mapped:
        # How a listener on [::] names an IPv4 caller: all of them share one /64.
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed, _IPV6_SITE), strict=False))


class Buckets:
    """The buckets of this process but for ``auth``, of which it keeps the rate."""

    def __init__(self) -> None:
        self.auth_rate = ""
        self._rates: dict[str, RateLimitItem] = {}
        self._local = _LocalWindows()
        self._script: redis.commands.core.Script | None = None

    def bind(self, *, auth: str, read: str, write: str, page: str, unauth: str, login: str) -> None:
        """Set the rates and load the script."""
        self.auth_rate = auth
        self._rates = {READ: parse(read), WRITE: parse(write), UNAUTH: parse(unauth)}
        self._rates |= {PAGE: parse(page), ACCOUNT: parse(login)}
        self._script = door.client.register_script(_SCRIPT)

    def told(self) -> dict[str, tuple[int, int]]:
        """Return the rates that the reference tells: requests and seconds, by bucket."""
        rates = {AUTH: parse(self.auth_rate), READ: self._rates[READ], WRITE: self._rates[WRITE]}
        return {name: (rate.amount, rate.get_expiry()) for name, rate in rates.items()}

    def admit(self, policy: str, caller: str, session_id: str | None = None) -> Window:
        """Count one request of an account or an address, and ask about its session.

        Without Redis each process counts for itself: reads and writes go on.

        Raises:
            Limited: the bucket is full (``rate_limited``), with the wait.
        """
        admitted, g.window = self._count(policy, caller, session_id)
        if not admitted:
            raise _too_often(g.window)
        window: Window = g.window
        return window

    @contextlib.contextmanager
    def signing_in(self, account: str) -> Iterator[None]:
        """Count a try to sign in, unless it ends with anything but wrong credentials.

        It takes its place before the password is looked at, so that many at once are no way
        around it; a good one frees them all.

        Args:
            account: whom the failures belong to, known or not, in no readable form.

        Raises:
            Limited: too many have failed lately (``rate_limited``), with the wait.
        """
        admitted, window = self._count(ACCOUNT, account)
        if not admitted:
            g.window = window
            said = "Too many failed sign-ins to this account. Try again later."
            raise Limited("rate_limited", said, retry_after=window.reset_seconds)
        tries = f"limit:{ACCOUNT}:{account}"
        try:
            yield
        except Unauthenticated:
            raise
        except BaseException:
            _quietly(lambda: door.client.zpopmax(tries))
            raise
        _quietly(lambda: door.client.delete(tries))

    def _count(
        self, policy: str, caller: str, session_id: str | None = None
    ) -> tuple[bool, Window]:
        rate = self._rates[policy]
        limit, span = rate.amount, rate.get_expiry()
        keys = [f"limit:{policy}:{caller}"]
        if session_id is not None:
            keys += [marks.revoked(session_id), marks.REVOCATIONS_LOADED]
        try:
            if self._script is None:
                raise RuntimeError("buckets are bound by create_app")
            admitted, left, wait_ms, revoked, loaded = self._script(keys, [limit, span * 1000])
        except redis.RedisError as error:
            log.warning("limits_without_redis", error=repr(error))
            admitted, left, wait_ms = self._local.admit(keys[0], limit, span)
            revoked = loaded = 0
        session = Session.UNKNOWN
        if revoked or loaded:
            session = Session.REVOKED if revoked else Session.STANDS
        window = Window(policy, limit, span, left, max(1, -(-wait_ms // 1000)), session)
        return bool(admitted), window


class _LocalWindows:
    """The same windows in memory, for while Redis is away."""

    _MOST_ACCOUNTS = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hits: dict[str, deque[float]] = {}

    def admit(self, key: str, limit: int, span_seconds: int) -> tuple[int, int, int]:
        now = time.monotonic()
        with self._lock:
            if len(self._hits) > self._MOST_ACCOUNTS:
                self._hits.clear()
            hits = self._hits.setdefault(key, deque())
            while hits and hits[0] <= now - span_seconds:
                hits.popleft()
            admitted = len(hits) < limit
            if admitted:
                hits.append(now)
            wait_ms = int((hits[0] + span_seconds - now) * 1000) if hits else 0
            return int(admitted), limit - len(hits), wait_ms


def _too_often(window: Window) -> Limited:
    said, wait = "At most {limit} requests in {span} seconds.", window.reset_seconds
    limit, span = window.limit, window.span_seconds
    return Limited("rate_limited", said, retry_after=wait, limit=limit, span=span)


def _quietly(forget: Callable[[], object]) -> None:
    try:
        forget()
    except redis.RedisError as error:
        log.warning("limits_without_redis", error=repr(error))


def address_window() -> Window | None:
    """Return where the caller's address stands, if this request was counted by it."""
    limit = by_address.current_limit
    if limit is None:
        return None
    reset = limit.reset_at - clock.to_epoch_ms(clock.now()) // 1000
    span = limit.limit.get_expiry()
    return Window(AUTH, limit.limit.amount, span, limit.remaining, min(max(reset, 1), span))


def _full(_limit: RequestLimit) -> Response | None:
    # An answer, not an exception: Flask-Limiter takes any exception for a dead store.
    window = address_window()
    return refused(_too_often(window)) if window else None


buckets = Buckets()
by_address = Limiter(
    key_func=client_address,
    strategy="moving-window",
    headers_enabled=False,
    on_breach=_full,
    key_prefix="limit",
)
