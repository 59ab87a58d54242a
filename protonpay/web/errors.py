"""The one builder of error answers, and the table from kind to status.

Bodies are RFC 9457 problems with two members more that clients look for: ``code``
(stable, machine-readable) and ``message`` (the detail again).
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import redis
import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from protonpay.kernel import errors, problems
from protonpay.store import db
from protonpay.web import messages

log = structlog.get_logger(__name__)

STATUS: Mapping[type[errors.Refusal], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Limited: 429,
    errors.Unavailable: 503,
}

_NOTHING: Mapping[str, object] = {}
_KEPT_HEADERS = frozenset({"allow", "retry-after", "www-authenticate"})


def problem(
    status: int,
    code: str,
    said: str,
    *,
    values: Mapping[str, object] = _NOTHING,
    more: Mapping[str, Any] = _NOTHING,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build an error answer in the caller's language (API document, "Error Codes"; RFC 9457).

    Args:
        status: one of the documented statuses, or a protocol one (405, 413, 415).
        code: stable name of what is wrong.
        said: one sentence for a person, as the catalogue knows it.
        values: what stands in its ``{names}``.
        more: members of the code's own; of bad input ``errors``: location → field → messages.
        headers: what the status calls for (``Retry-After``, ``Allow`` …).
    """
    language = messages.language()
    detail = messages.say(said, language, values)
    text = problems.body(
        status,
        code,
        detail,
        instance=request.path,
        request_id=g.get("request_id", ""),
        more={
            name: messages.say_each(value, language) if name == "errors" else value
            for name, value in more.items()
        },
    )
    response = Response(text, status, headers, mimetype=problems.MEDIA_TYPE)
    response.content_language.add(language)
    response.vary.add("Accept-Language")
    return response


def refused(refusal: errors.Refusal) -> Response:
    """Answer a refusal of our own."""
    status = STATUS[type(refusal)]
    headers = {}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _challenge(refusal.code)
    elif refusal.code == "insufficient_scope":
        headers["WWW-Authenticate"] = 'Bearer realm="protonpay", error="insufficient_scope"'
    return problem(
        status,
        refusal.code,
        refusal.said,
        values=refusal.values,
        more={**({"errors": refusal.fields} if refusal.fields else {}), **refusal.members},
        headers=headers,
    )


def init_app(app: Flask) -> None:
    """Make every error of the application come out of this builder."""
    app.register_error_handler(errors.Refusal, refused)
    app.register_error_handler(HTTPException, _protocol)
    app.register_error_handler(Exception, unforeseen)


def _challenge(code: str) -> str:
    # RFC 6750 §3.1: no error attribute when the request carried no credentials at all.
    if code == "authentication_required":
        return 'Bearer realm="protonpay"'
    # RFC 9470: the token is good, and what it proves is not enough for this.
    step_up = code in {"two_factor_required", "two_factor_invalid"}
    error = "insufficient_user_authentication" if step_up else "invalid_token"
    return f'Bearer realm="protonpay", error="{error}"'


def _protocol(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        # Made by this builder already: Flask-Limiter carries our refusal in its exception.
        return error.response
    status = error.code or 500
    data = getattr(error, "data", None) or {}
    kept = {k: v for k, v in error.get_headers() if k.lower() in _KEPT_HEADERS}
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE:
        return unforeseen(error)
    if "messages" in data:
        return problem(
            400, "validation_error", "The request is not valid.", more={"errors": data["messages"]}
        )
    code = problems.PROTOCOL_CODES.get(status, "malformed_request")
    return problem(status, code, _sentence(error), headers=kept)


def _sentence(error: HTTPException) -> str:
    # Only our own descriptions are shown; a library's may quote what it was given.
    described = getattr(error, "said_by_us", None)
    return described or f"{HTTPStatus(error.code or 500).phrase}."


def unforeseen(error: Exception) -> Response:
    """Answer what nobody refused: the stores are busy (503), or a bug, which is logged (500)."""
    busy = db.as_unavailable(error)
    if isinstance(error, redis.RedisError):
        busy = errors.Unavailable("unavailable", "The service is busy. Try again.", retry_after=1)
    if busy is not None:
        log.warning("store_unavailable", error=repr(error))
        return refused(busy)
    log.error("unforeseen", path=request.path, exc_info=error)
    return problem(500, "internal_error", "Something went wrong on our end.")
