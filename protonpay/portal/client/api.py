"""Asking the API from a page: the whole of a request, without a network in between.

A page may do what an API client may and nothing else. Its calls pass the same doors: validation,
limits, second factor, idempotency, refusals in the reader's language. So no rule is written
twice, and each page can be shown as the calls it is made of (ADR 25).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from protonpay.portal import words
from protonpay.web import auth, limits

_BASE = "/api"
_NOT_THE_SESSION = frozenset(
    {"two_factor_required", "two_factor_invalid", "invalid_credentials", "invalid_link"}
)
_TOLD = ("Content-Type", "Content-Disposition", "Retry-After")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a page, as it is shown to who would make it from a program.

    Attributes:
        path: with its query, below ``/api``.
        body: what was sent, None if nothing; secrets of a person are left out by the page.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said.

    Attributes:
        body: the JSON object of the answer; a problem (RFC 9457) if it refused.
        content: the answer as it came, and ``headers`` that tell what it is.
    """

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether it is a refusal."""
        return self.status >= HTTPStatus.BAD_REQUEST

    @property
    def code(self) -> str:
        """The stable code of a refusal, or nothing."""
        return str(self.body.get("code", "")) if self.refused else ""

    @property
    def errors(self) -> Mapping[str, str]:
        """What is wrong with each member of the body or the query, by its name."""
        found: dict[str, str] = {}
        for members in self.body.get("errors", {}).values():
            if isinstance(members, dict):
                found.update({name: _first(said) for name, said in members.items()})
        return found

    def __getitem__(self, member: str) -> Any:
        return self.body[member]


class SignedOut(Exception):
    """The session of a page's caller has ended."""


class Refused(Exception):
    """A page cannot be shown, because the API refused what it is made of."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.code)
        self.answer = answer


class Api:
    """The API of this process, bound by create_app."""

    def __init__(self) -> None:
        self._app: Flask | None = None

    def bind(self, app: Flask) -> None:
        """Set the application whose routes are called."""
        self._app = app

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] = _NOTHING,
        token: str | None = None,
        more: Mapping[str, str | None] = _NOTHING,
    ) -> Answer:
        """Make a call and return its answer, whatever it is.

        Args:
            method: of HTTP.
            path: below ``/api``.
            body: sent as JSON.
            query: of the address; what is None is left out.
            token: an access token.
            more: headers; what is None is left out.

        Raises:
            SignedOut: the token's session has ended.
        """
        environ = EnvironBuilder(
            path=_BASE + path,
            base_url=request.url_root,
            method=method,
            query_string={name: str(value) for name, value in query.items() if value is not None},
            headers=_headers(token, more),
            json=body,
            environ_base={"REMOTE_ADDR": request.remote_addr or "", limits.FROM_A_PAGE: True},
        ).get_environ()
        # A context of its own: nothing of the page's request is seen by the API, or kept by it.
        with self._opened() as app, app.request_context(environ):
            response = app.full_dispatch_request()
            answer = _read(response)
            response.close()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        over = answer.status == HTTPStatus.UNAUTHORIZED and answer.code not in _NOT_THE_SESSION
        if over and token is not None:
            raise SignedOut
        return answer

    def stands(self, session_id: str) -> bool:
        """Tell whether a session still stands, by the database.

        Redis remembers an ended session as long as a token made before may live; a browser's
        cookie lives longer.
        """
        with self._opened():
            return auth.sessions.stands(session_id)

    @contextmanager
    def _opened(self) -> Iterator[Flask]:
        if self._app is None:
            raise RuntimeError("the API of pages is bound by create_app")
        with self._app.app_context():
            yield self._app


api = Api()


def _headers(token: str | None, more: Mapping[str, str | None]) -> Headers:
    sent = {
        "X-Request-Id": g.request_id,
        "Accept-Language": words.chosen(),
        "User-Agent": request.headers.get("User-Agent"),
        "Authorization": token and f"Bearer {token}",
        **more,
    }
    return Headers({name: value for name, value in sent.items() if value})


def _read(response: Response) -> Answer:
    told = {name: response.headers[name] for name in _TOLD if name in response.headers}
    body = response.get_json(silent=True) or {}
    return Answer(response.status_code, body, response.get_data(), told)


def _first(said: Any) -> str:
    while isinstance(said, dict | list) and said:
        said = next(iter(said.values() if isinstance(said, dict) else said))
    return str(said)
