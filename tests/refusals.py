"""What every refusal looks like, whoever makes it (API reference §6)."""

import re
from http import HTTPStatus
from typing import Any

from werkzeug.test import TestResponse

_ALWAYS = ["type", "title", "status", "detail", "instance", "code", "message", "requestId"]
_LEAKS = re.compile(
    r"Traceback|\.py\b|postgres|psycopg|sqlalchemy|redis|SELECT|<html|/root|/tmp|/home",
    re.IGNORECASE,
)


def refused(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is one refusal, whole and without a leak; return its body."""
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer.content_type == "application/problem+json"
    assert [member for member in body if member not in {"errors", "mfaToken"}] == _ALWAYS
    assert ("mfaToken" in body) == (
        answer.request.path == "/api/auth/login" and status == 401 and code == "two_factor_required"
    )
    assert ("errors" not in body) or status == HTTPStatus.BAD_REQUEST
    assert body["status"] == status
    assert body["title"] == HTTPStatus(status).phrase
    assert body["type"] == f"https://protonpay.org/problems/{code.replace('_', '-')}"
    assert body["message"] == body["detail"] != ""
    assert body["instance"] == answer.request.path
    assert body["requestId"] == answer.headers["X-Request-Id"]
    assert not _LEAKS.search(answer.get_data(as_text=True))
    challenged = status == HTTPStatus.UNAUTHORIZED or code == "insufficient_scope"
    assert ("WWW-Authenticate" in answer.headers) == challenged
    return body
