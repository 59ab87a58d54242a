"""Write down what keys asked: told to Redis with the answer, written to rows by a worker.

The log must cost a request nothing and may not make it fail: so it may miss lines, when Redis or a
worker dies with them in hand. What moved money is in the ledger and the event log (ADR 30).
"""

import json
import time
from http import HTTPStatus
from typing import cast

import psycopg
import redis
import structlog
from flask import Flask, Response, g, request

from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Unavailable
from protonpay.store import db
from protonpay.store.db import transaction
from protonpay.store.queue import door
from protonpay.telemetry.logs import redact
from protonpay.web import paths
from protonpay.web.auth import known_key
from protonpay.web.idempotency import HEADER as IDEMPOTENCY_KEY

log = structlog.get_logger(__name__)

WAITING = "requests:waiting"
"""The list in Redis of lines that are no rows yet, oldest first."""
MOST_WAITING = 10_000
"""More lines than that are not kept, the oldest go first: no worker may have come for a while. Some
kilobytes each: Redis has other things to remember."""
LONGEST_BODY = 4096
"""Characters; of a longer body nothing is kept, for half of one says nothing."""

_LONGEST = 500
# Those whose commit was not heard of come again, with others.
_INSERT = """
    INSERT INTO request_log (id, created_at, user_id, key_id, method, route, path, status, code,
        milliseconds, request_id, idempotency_key, address, agent, body, answer)
    SELECT told.* FROM json_to_recordset(%(lines)s) AS told (
        id text, created_at timestamptz, user_id text, key_id text, method text, route text,
        path text, status int, code text, milliseconds int, request_id text, idempotency_key text,
        address text, agent text, body text, answer text)
    JOIN users ON users.id = told.user_id
    ON CONFLICT DO NOTHING
"""


def init_app(app: Flask) -> None:
    """Tell of every request of a key once its answer is made."""
    app.after_request(_tell)


def collect(limit: int) -> int:
    """Make rows of lines that wait; return how many were taken.

    Run twice at once each takes others; who dies with lines in hand loses them.

    Raises:
        Unavailable: the database is away; the lines wait on.
    """
    lines = cast("list[bytes]", door.client.lpop(WAITING, limit) or [])
    if not lines:
        return 0
    try:
        with transaction():
            db.execute(_INSERT, {"lines": f"[{b','.join(lines).decode()}]"})
    except Unavailable:
        door.client.lpush(WAITING, *reversed(lines))
        raise
    except psycopg.DataError:
        # Nothing of ours writes such lines. Who can write to Redis can blind this log, no more.
        log.exception("requests_not_readable", lines=len(lines))
    return len(lines)


def _tell(response: Response) -> Response:
    asked = known_key()
    if asked is not None:
        try:
            line = _line(response, asked.user_id, asked.key_id or "")
            with door.client.pipeline(transaction=False) as pipe:
                pipe.rpush(WAITING, line)
                pipe.ltrim(WAITING, -MOST_WAITING, -1)
                pipe.execute()
        except redis.RedisError as error:
            log.warning("request_not_told", error=repr(error))
        except Exception:
            # It was answered: what it did stands, whatever this log makes of it.
            log.exception("request_not_told")
    return response


def _line(response: Response, user_id: str, key_id: str) -> str:
    refused = response.status_code >= HTTPStatus.BAD_REQUEST
    problem = response.get_json(silent=True) if refused else None
    code = problem.get("code") if isinstance(problem, dict) else None
    query = request.query_string.decode("ascii", "replace")
    line = {
        "id": ids.new_id(),
        "created_at": clock.now().isoformat(),
        "user_id": user_id,
        "key_id": key_id,
        "method": request.method[:16],
        "route": paths.named(request.url_rule.rule) if request.url_rule else "",
        "path": _short(f"{request.path}?{query}" if query else request.path),
        "status": response.status_code,
        "code": code,
        "milliseconds": int((time.perf_counter() - g.begun) * 1000),
        "request_id": g.request_id,
        "idempotency_key": _short(request.headers.get(IDEMPOTENCY_KEY)),
        "address": request.remote_addr or "",
        "agent": _short(request.headers.get("User-Agent")),
        "body": _body(),
        "answer": response.get_data(as_text=True)[:LONGEST_BODY] if code else None,
    }
    return json.dumps(line, ensure_ascii=False)


def _short(said: str | None) -> str | None:
    return None if said is None else _kept(redact(said[:_LONGEST]))


def _body() -> str | None:
    """Return the body that was read, as it came, or without what looks like a secret of ours."""
    text = g.get("body_read", b"").decode("utf-8", "replace")
    if not text or len(text) > LONGEST_BODY:
        return None
    try:
        parsed = json.loads(text)
        hidden = redact(parsed)
    except (ValueError, RecursionError):
        return _kept(redact(text))
    return _kept(text if hidden == parsed else json.dumps(hidden, ensure_ascii=False))


def _kept(text: str) -> str:
    # What a column of text has no room for.
    return text.replace("\0", "").encode("utf-8", "replace").decode()
