"""The body of every error, whoever writes it: RFC 9457, with ``code`` and ``message``."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"

PROTOCOL_CODES = {
    400: "malformed_request",
    401: "authentication_required",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    411: "length_required",
    413: "body_too_large",
    414: "url_too_long",
    415: "unsupported_media_type",
    429: "rate_limited",
    431: "headers_too_large",
    503: "unavailable",
}
"""The code of a status that the protocol itself asks for."""


def body(
    status: int,
    code: str,
    detail: str,
    *,
    instance: str,
    request_id: str,
    more: Mapping[str, Any] | None = None,
) -> str:
    """Return the JSON of an error (API reference §6).

    Args:
        status: the answer's own.
        code: stable name of what is wrong.
        detail: one sentence for a person.
        instance: the path that was asked for, as far as it is known.
        request_id: as in ``X-Request-Id``.
        more: members of the code's own, ``errors`` among them (location → field → messages).
    """
    members: dict[str, Any] = {
        "type": f"https://protonpay.org/problems/{code.replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "message": detail,
        **(more or {}),
        "requestId": request_id,
    }
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), default=str)
