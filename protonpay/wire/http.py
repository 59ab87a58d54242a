"""HTTP outward with limits on everything and two kinds of end: an answer, or not knowing.

Nothing is retried here: whoever calls has written down what it is about to do
and asks again with the same words.
"""

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from typing_extensions import override
from urllib3.exceptions import HTTPError

from protonpay.wire.deadline import DeadlineAdapter
from protonpay.wire.exact import read_json

_CHUNK = 16_384

# It logs whole addresses, which may carry keys.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class NoAnswer(Exception):
    """The other side's answer is not known: it may or may not have done what we asked.

    Timeouts, refused and reset connections, answers cut short, too long or
    unreadable. Never to be read as a no.
    """


class Throttled(NoAnswer):
    """The other side asks for patience (status 429), so nothing was done.

    Attributes:
        seconds: how long it asks us to wait, or what is usual.
    """

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body as JSON with exact numbers (``Decimal`` instead of float).

        Raises:
            NoAnswer: the body is not JSON, so it says nothing.
        """
        try:
            return read_json(self.body)
        except ValueError as error:
            raise NoAnswer(f"status {self.status} with an unreadable body") from error


class Wire:
    """One server we speak to: its address, our patience and the most we read.

    Args:
        base_url: joined with each path as text; no trailing slash.
        connect_seconds: to establish the connection.
        read_seconds: for the whole answer, first to last byte.
        max_bytes: longest body that is read.
        headers: sent with every request.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_seconds: float = 5,
        read_seconds: float = 30,
        max_bytes: int = 1_048_576,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        # All that is said of the address in errors: paths and queries may carry keys.
        self._server = urlsplit(base_url).netloc.rpartition("@")[2]
        self._timeout = (connect_seconds, read_seconds)
        self._max_bytes = max_bytes
        self._headers = dict(headers or {})
        self._local = threading.local()

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a GET.

        Raises:
            NoAnswer: no complete answer came.
        """
        return self._send("GET", path, params=params, headers=headers)

    def post(
        self,
        path: str,
        *,
        data: bytes,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a POST with these exact bytes.

        Raises:
            NoAnswer: no complete answer came; the server may have acted on it.
        """
        sent = {"Content-Type": content_type, **(headers or {})}
        return self._send("POST", path, data=data, headers=sent)

    def _send(self, method: str, path: str, **kwargs: Any) -> Answer:
        try:
            with self._session().request(
                method,
                self.base_url + path,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
                **kwargs,
            ) as response:
                return Answer(response.status_code, response.headers, self._read(response))
        except (requests.RequestException, HTTPError, OSError) as error:
            raise NoAnswer(f"{method} {self._server}: {type(error).__name__}") from error

    def _read(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                raise NoAnswer(f"more than {self._max_bytes} bytes from {self._server}")
        return bytes(body)

    def _session(self) -> requests.Session:
        # A session may be shared neither between threads nor across a fork.
        pid = os.getpid()
        kept: tuple[int, requests.Session] | None = getattr(self._local, "kept", None)
        if kept is None or kept[0] != pid:
            session = _Session()
            session.headers.update({"User-Agent": "ProtonPay/1.0", **self._headers})
            kept = self._local.kept = (pid, session)
        return kept[1]


class _Session(requests.Session):
    """A session that remembers nothing of a server and asks nothing of its surroundings."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, DeadlineAdapter())

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        # Even where it follows none, requests reads the whole body of a redirect.
        return None
