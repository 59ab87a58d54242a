"""What every answer carries: request id, security headers, rate-limit headers, metrics."""

import time
from http import HTTPMethod, HTTPStatus

import structlog
from flask import Flask, Response, g, request

from protonpay.kernel import clock, ids
from protonpay.telemetry import metrics
from protonpay.web import limits

log = structlog.get_logger(__name__)

_METHODS = frozenset(HTTPMethod)
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def init_app(app: Flask) -> None:
    """Begin and end every request of the application."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if ids.REQUEST_ID_PATTERN.fullmatch(given) else ids.new_request_id()
    g.begun = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    headers = response.headers
    if response.status_code == HTTPStatus.NO_CONTENT:
        headers.pop("Content-Type", None)
    headers["X-Request-Id"] = g.get("request_id", "")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Strict-Transport-Security"] = "max-age=63072000"
    headers.setdefault("Content-Security-Policy", _API_POLICY)
    headers.setdefault("Cache-Control", "no-store")
    window: limits.Window | None = g.get("window") or limits.address_window()
    if window is not None:
        _tell_window(response, window)
    _note(response)
    return response


def _tell_window(response: Response, window: limits.Window) -> None:
    # draft-ietf-httpapi-ratelimit-headers, and the older names that clients know.
    policy, left, reset = window.policy, window.left, window.reset_seconds
    response.headers["RateLimit-Policy"] = f'"{policy}";q={window.limit};w={window.span_seconds}'
    response.headers["RateLimit"] = f'"{policy}";r={left};t={reset}'
    response.headers["X-RateLimit-Limit"] = str(window.limit)
    response.headers["X-RateLimit-Remaining"] = str(left)
    now = clock.to_epoch_ms(clock.now()) // 1000
    response.headers["X-RateLimit-Reset"] = str(now + reset)


def _note(response: Response) -> None:
    rule = request.url_rule.rule if request.url_rule else "unmatched"
    seconds = time.perf_counter() - g.get("begun", 0)
    # A caller may invent methods; a label for each would fill the memory.
    method = request.method if request.method in _METHODS else "other"
    metrics.REQUESTS.labels(method, rule, response.status_code).inc()
    metrics.REQUEST_SECONDS.labels(rule).observe(seconds)
    log.info(
        "request",
        method=request.method,
        route=rule,
        status=response.status_code,
        ms=int(seconds * 1000),
    )
