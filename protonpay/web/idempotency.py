"""``Idempotency-Key``: its header, what a request is known by, and the repeated answer.

The client area's blueprint puts every POST through ``once``; a view that asks somebody outside
in its middle says so in one word, ``@in_steps``. A request without the header goes straight on.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import marshmallow
from apispec import APISpec
from flask import Response, g, request
from marshmallow import fields

from protonpay.kernel.errors import Invalid
from protonpay.store import idempotency
from protonpay.web import auth
from protonpay.web.fields import NumberText, Secret

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
ORIGINAL = "X-Original-Request-Id"

# Bare as most clients send it, or quoted as the draft has it. A comma in a bare one is how two
# headers of this name arrive.
_SYNTAX = r'^([!#-+\--\[\]-~]{1,255}|"[!#-\[\]-~]{1,255}")$'
_KEY = re.compile(_SYNTAX, re.ASCII)
_OF_THE_BODY = ("Content-Type", "Location")

View = Callable[..., Any]
Path = tuple[str, ...]


def in_steps(view: View) -> View:
    """Mark a view whose service asks somebody outside between two commits (§5.3)."""
    if getattr(view, "once", False):
        raise TypeError(f"{view.__name__}: @in_steps stands below the answer")
    view.in_steps = True  # type: ignore[attr-defined] # functions take attributes
    return view


def read_header() -> None:
    """Know the key of a POST before its body is read.

    Raises:
        Invalid: not one key of 1 to 255 visible characters (``invalid_idempotency_key``).
    """
    given = request.headers.get(HEADER)
    if given is None or request.method != "POST":
        return
    if not _KEY.fullmatch(given):
        said = "Idempotency-Key is one key of 1 to 255 visible ASCII characters."
        raise Invalid("invalid_idempotency_key", said)
    g.idempotency_key = given[1:-1] if given.startswith('"') else given


def once(view: View, schema: Any) -> View:
    """Wrap a view, its answer's making included, so that a key has one effect and one answer.

    Args:
        view: takes what was validated, makes a ``Response`` or raises a refusal.
        schema: of the answer; its ``Secret`` members are not repeated for long.
    """
    run = idempotency.in_steps if getattr(view, "in_steps", False) else idempotency.at_once
    secrets = _secrets(schema)

    @wraps(view)
    def answer(*validated: Any, **path: Any) -> Any:
        key = g.get("idempotency_key")
        if key is None:
            return view(*validated, **path)
        operation = _operation(key, validated)
        return _response(run(operation, lambda: _read(view(*validated, **path), secrets)))

    answer.once = True  # type: ignore[attr-defined]
    return answer


def document(operation: dict[str, Any], spec: APISpec) -> None:
    """Describe the header and a repeated answer's headers in an OpenAPI operation."""
    if HEADER not in spec.components.parameters:
        spec.components.parameter(HEADER, "header", _PARAMETER)
        for name, described in _HEADERS.items():
            spec.components.header(name, described)
    operation.setdefault("parameters", []).append(HEADER)
    for status, described in operation["responses"].items():
        if str(status).startswith("2"):
            described.setdefault("headers", {}).update({name: name for name in _HEADERS})


_PARAMETER = {
    "required": False,
    "schema": {"type": "string", "pattern": _SYNTAX},
    "description": "A key of your choice, one for each thing you want done once. The same request "
    "with the same key is answered as the first one was; another request with it is 409 "
    "`idempotency_key_reused`; while the first is at work, 409 `idempotency_in_progress`. Kept "
    "for at least 24 hours. Refusals do not use it up.",
}
_HEADERS = {
    REPLAYED: {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "Present when the answer is a repeated one.",
    },
    ORIGINAL: {
        "schema": {"type": "string"},
        "description": "The id of the request that was answered first, when this is a repetition.",
    },
}


def _operation(key: str, validated: Sequence[Any]) -> idempotency.Operation:
    caller = auth.current()
    if caller.membership is not None:
        # Each person of an account has keys of their own; no key that is sent holds a space.
        key = f"{key} {caller.person_id}"
    return idempotency.Operation(
        account_id=caller.user_id,
        method=request.method,
        route=request.url_rule.rule if request.url_rule else request.path,
        key=key,
        fingerprint=_fingerprint(validated),
        request_id=g.request_id,
    )


def _fingerprint(validated: Sequence[Any]) -> bytes:
    query = sorted(request.args.items(multi=True))
    asked = [request.method, request.path, query, _normal(validated)]
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).digest()


def _normal(value: Any) -> Any:
    """Return what a validated value means, however it was written."""
    if isinstance(value, dict):
        # What was left out is what is null: a member added later changes no older request.
        return {name: _normal(each) for name, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_normal(each) for each in value]
    return value.normal if isinstance(value, NumberText) else value


def _read(response: Response, secrets: Sequence[Path]) -> idempotency.Answer:
    body = response.get_data()
    told = {name: response.headers[name] for name in _OF_THE_BODY if name in response.headers}
    public = _without(body, secrets) if secrets else body
    return idempotency.Answer(response.status_code, told, body, public)


def _response(answer: idempotency.Answer) -> Response:
    response = Response(answer.body, answer.status, dict(answer.headers))
    if answer.replay_of is not None:
        response.headers[REPLAYED] = "true"
        response.headers[ORIGINAL] = answer.replay_of
    return response


def _secrets(schema: Any) -> list[Path]:
    made = schema() if isinstance(schema, type) else schema
    if not isinstance(made, marshmallow.Schema):
        return []
    found: list[Path] = []
    for name, field in made.fields.items():
        member, inner = field.data_key or name, field
        if isinstance(inner, fields.List):
            inner = inner.inner
        if isinstance(inner, Secret):
            found.append((member,))
        elif isinstance(inner, fields.Nested):
            found += [(member, *path) for path in _secrets(inner.schema)]
    return found


def _without(body: bytes, secrets: Sequence[Path]) -> bytes:
    document = json.loads(body)
    for path in secrets:
        _erase(document, path)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _erase(document: Any, path: Path) -> None:
    if isinstance(document, list):
        for each in document:
            _erase(each, path)
    elif isinstance(document, dict) and path[0] in document:
        if len(path) == 1:
            document[path[0]] = None
        else:
            _erase(document[path[0]], path[1:])
