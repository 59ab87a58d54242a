"""What every operation of the OpenAPI document says alike.

Which errors a call can end with follows from its door, its body and its path; a route names
only what is more than that (``refuses=``). Headers and error answers are written once, as
components.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from apispec import APISpec

from protonpay.kernel.problems import MEDIA_TYPE
from protonpay.web import sheets
from protonpay.web.paging import Listing, Paged

Operation = dict[str, Any]

SERVERS = [{"url": "/", "description": "This installation"}]
ABOUT = """Custodial USDC accounts: deposits by card and on chain, transfers, withdrawals, webhooks.

* **Amounts** are strings in answers (`"1250.00"`). In requests they are strings, or JSON
  numbers written without an exponent; what would have to be rounded is refused.
* **Errors** are problems of RFC 9457 with a stable `code`, in the language of `Accept-Language`
  (English, Russian). A method that a path does not have is 405 with `Allow`; a request that is no
  good HTTP is 400, 408, 411, 413, 414 or 431 before any call sees it.
* **Answers** may get further members, and closed lists of values further values. Requests with a
  member or a query parameter that is not described are refused.
* **Lists** are CSV, too: `format=csv` or `Accept: text/csv`.
* **Keys**: `Authorization: Bearer` takes an access token or an API key. A call without `apiKey`
  among its security lets no key in."""

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_POLICY = "(auth|client-read|client-write|unauth)"

_PARAMETERS: Mapping[str, dict[str, Any]] = {
    "Accept-Language": {
        "schema": _TEXT,
        "description": "The language of an error's `detail` and `message`: `en` or `ru`.",
        "example": "ru",
    },
    "X-Request-Id": {
        "schema": _TEXT,
        "description": "Names the request; taken if it is 8 to 64 of `A-Z a-z 0-9 _ -`, "
        "otherwise another name is given.",
        "example": "order-2026-0001",
    },
    "If-None-Match": {
        "schema": _TEXT,
        "description": "The `ETag` of the answer you have; if it still holds, 304.",
        "example": 'W/"5e0a1b2c3d4e5f60718293a4b5c6d7e8"',
    },
}
_HEADERS: Mapping[str, dict[str, Any]] = {
    "X-Request-Id": {
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
        "required": True,
        "description": "The name of this request, for questions about it.",
    },
    "Cache-Control": {
        "schema": _TEXT,
        "required": True,
        "description": "`no-store`, but for what says how long it may be kept.",
    },
    "Content-Language": {
        "schema": {"type": "string", "enum": ["en", "ru"]},
        "required": True,
        "description": "The language of `detail` and `message`.",
    },
    "RateLimit-Policy": {
        "schema": {"type": "string", "pattern": f'^"{_POLICY}";q=[0-9]+;w=[0-9]+$'},
        "description": "The bucket that counted the call: requests (`q`) in seconds (`w`).",
    },
    "RateLimit": {
        "schema": {"type": "string", "pattern": f'^"{_POLICY}";r=[0-9]+;t=[0-9]+$'},
        "description": "Requests left (`r`), and seconds until there are more (`t`).",
    },
    "X-RateLimit-Limit": {"schema": _COUNT, "description": "`q` of `RateLimit-Policy`."},
    "X-RateLimit-Remaining": {"schema": _COUNT, "description": "`r` of `RateLimit`."},
    "X-RateLimit-Reset": {
        "schema": _COUNT,
        "description": "When there are more, in seconds since 1970.",
    },
    "Retry-After": {
        "schema": {"type": "integer", "minimum": 1},
        "description": "Seconds after which asking again makes sense.",
    },
    "WWW-Authenticate": {
        "schema": {"type": "string", "pattern": '^Bearer realm="protonpay"'},
        "description": "How to prove who asks (RFC 6750).",
    },
    "ETag": {
        "schema": {"type": "string", "pattern": '^W/".+"$'},
        "required": True,
        "description": "Names this very answer; send it as `If-None-Match`.",
    },
    "Content-Disposition": {
        "schema": {"type": "string", "pattern": '^attachment; filename="[^"]+"$'},
        "description": "The name of the file, if it is one.",
    },
    "Link": {
        "schema": {"type": "string", "pattern": '^<.+>; rel="next"$'},
        "description": "The next page, if there is one (RFC 8288).",
    },
}
_ALWAYS = ("X-Request-Id", "Cache-Control")
_COUNTED = (
    "RateLimit-Policy",
    "RateLimit",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)
_OF_STATUS: Mapping[int, Sequence[str]] = {
    401: ["WWW-Authenticate"],
    403: ["WWW-Authenticate"],
    409: ["Retry-After"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}
_EXAMPLES: Mapping[int, tuple[str, str]] = {
    400: ("validation_error", "The request is not valid."),
    401: ("token_expired", "The token has expired."),
    403: ("insufficient_scope", "API keys may not do this. Sign in."),
    404: ("not_found", "Not Found."),
    409: ("withdrawal_cooldown", "Next withdrawal is possible in 42 seconds."),
    413: ("body_too_large", "Request Entity Too Large."),
    415: ("unsupported_media_type", "Unsupported Media Type."),
    429: ("rate_limited", "At most 30 requests in 60 seconds."),
    500: ("internal_error", "Something went wrong on our end."),
    503: ("unavailable", "The service is busy. Try again."),
}


def register(spec: APISpec, problem: Any) -> None:
    """Give a document the components that operations name: parameters, headers, errors."""
    for name, described in _PARAMETERS.items():
        spec.components.parameter(name, "header", {"required": False, **described}, lazy=True)
    for name, described in _HEADERS.items():
        spec.components.header(name, described, lazy=True)
    for status, (code, said) in _EXAMPLES.items():
        own = _OF_STATUS.get(status, ())
        headers = [*_ALWAYS, "Content-Language", *_COUNTED, *own]
        content = {"schema": problem, "example": _example(status, code, said)}
        answer = {
            "description": HTTPStatus(status).phrase,
            "headers": {name: name for name in headers},
            "content": {MEDIA_TYPE: content},
        }
        spec.components.response(HTTPStatus(status).name, answer, lazy=True)


def _example(status: int, code: str, said: str) -> dict[str, Any]:
    errors = {"errors": {"json": {"amount": ["Must be greater than zero."]}}}
    return {
        "type": f"https://protonpay.org/problems/{code.replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": said,
        "instance": "/api/client/withdraw",
        "code": code,
        "message": said,
        **(errors if status == HTTPStatus.BAD_REQUEST else {}),
        "requestId": "req_cmg7xk2p91q0v8r3t5w6y4zab",
    }


def refusals(*, client: bool, counted: bool, body: bool, writes: bool, item: bool) -> set[int]:
    """Return the error statuses that follow from what kind of call it is.

    Args:
        client: it asks who calls.
        counted: a bucket counts it, in a store that may be away.
        body: it reads JSON.
        writes: its key may be in use, or stand for another request.
        item: its path names one thing.
    """
    statuses = {400, 500}
    for holds, more in (
        (client, {401, 403}),
        (counted, {429, 503}),
        (body, {413, 415}),
        (writes, {409}),
        (item, {404}),
    ):
        if holds:
            statuses |= more
    return statuses


def describe(
    operation: Operation, *, name: str, statuses: Iterable[int], counted: bool, security: Any
) -> None:
    """Complete an operation whose body, query and good answers are described already."""
    operation["operationId"] = name
    operation["security"] = security
    answers = operation["responses"]
    parameters = operation.setdefault("parameters", [])
    parameters += ["Accept-Language", "X-Request-Id"]
    if HTTPStatus.NOT_MODIFIED in map(int, answers):
        parameters.append("If-None-Match")
    for answer in answers.values():
        if not isinstance(answer, str):
            _show_files(answer)
            headers = [*_ALWAYS, *(_COUNTED if counted else ()), *_own(answers, answer)]
            answer.setdefault("headers", {}).update({header: header for header in headers})
    for status in sorted(statuses):
        answers.setdefault(status, HTTPStatus(status).name)
    operation["responses"] = dict(sorted(answers.items(), key=lambda each: int(each[0])))


def _show_files(answer: dict[str, Any]) -> None:
    """Describe the files that an answer is beside its JSON: a list is CSV."""
    contents = answer.get("content", {})
    for content in list(contents.values()):
        schema = content.get("schema")
        forms = getattr(schema, "forms", {})
        if isinstance(schema, Listing):
            forms = {sheets.MEDIA_TYPE: sheets.described(schema)}
        contents.update({kind: {"schema": described} for kind, described in forms.items()})
        if forms:
            answer.setdefault("headers", {})["Content-Disposition"] = "Content-Disposition"


def _own(answers: Mapping[Any, Any], answer: Mapping[str, Any]) -> list[str]:
    contents = answer.get("content", {}).values()
    paged = any(isinstance(content.get("schema"), Paged) for content in contents)
    kept = HTTPStatus.NOT_MODIFIED in map(int, answers)
    return [*(["Link"] if paged else []), *(["ETag"] if kept else [])]


def link(operation: Operation, items: Mapping[str, Sequence[str]]) -> None:
    """Say which operations go on with the thing that a good answer holds.

    Args:
        operation: its answer has a member such as ``payout`` with an ``id``.
        items: operations by the parameter of their path, such as ``payout_id``.
    """
    for status, answer in operation["responses"].items():
        if isinstance(answer, str) or str(status) != "200":
            continue
        for content in answer.get("content", {}).values():
            members = getattr(content.get("schema"), "fields", {})
            found = {
                target: {
                    "operationId": target,
                    "parameters": {f"path.{member}_id": f"$response.body#/{member}/id"},
                }
                for member, field in members.items()
                if "id" in getattr(getattr(field, "schema", None), "fields", {})
                for target in items.get(f"{member}_id", ())
            }
            if found:
                answer["links"] = found
