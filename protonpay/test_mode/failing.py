"""Answer a call of an API key by the fault that its owner asked for.

Around what carries a request out: its caller is known and counted by then, and may do it. What
is not carried out leaves its idempotency key as free as a real fault would; what is has kept its
answer under it. Only the application of a sandbox has this.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import redis
import structlog
from flask import Flask, Response, g, request

from protonpay.kernel.errors import Limited, Unavailable
from protonpay.test_mode import faults
from protonpay.test_mode.faults import Fault
from protonpay.web import paths
from protonpay.web.auth import known_key
from protonpay.web.errors import problem, refused

log = structlog.get_logger(__name__)

RETRY_AFTER = 5
"""Seconds."""
_OURS = "test."
"""The endpoints by which faults are asked for, among others: no fault stands in their way."""


def init_app(app: Flask) -> None:
    """Let faults be met by every call of a key; after the routes are there."""
    # Not by hooks: Flask's for all blueprints come before the door of each.
    for endpoint, view in app.view_functions.items():
        if not endpoint.startswith(_OURS):
            app.view_functions[endpoint] = _around(app.ensure_sync(view))


def _around(carry_out: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(carry_out)
    def answer(**named: Any) -> Any:
        fault = _asked_for()
        if fault is None:
            return carry_out(**named)
        if fault.kind != faults.ANSWER_LOST:
            return _answer_of(fault) if _is_met(fault) else carry_out(**named)
        done = carry_out(**named)  # a refusal leaves by here: nothing was done that it would tell
        if not _is_met(fault):
            return done
        if isinstance(done, Response):
            done.close()
        return _answer_of(fault)

    return answer


def _asked_for() -> Fault | None:
    caller, rule = known_key(), request.url_rule
    if caller is None or rule is None:
        return None
    route = paths.named(rule.rule)
    try:
        standing = faults.standing(caller.user_id)
    except redis.RedisError as error:
        log.warning("faults_without_redis", error=repr(error))
        return None
    return next((one for one in standing if one.is_meant_for(request.method, route)), None)


def _is_met(fault: Fault) -> bool:
    """Use a fault up; False if another call was faster, or if nobody knows."""
    caller = known_key()
    try:
        met = caller is not None and faults.take(caller.user_id, fault.id)
    except redis.RedisError as error:
        log.warning("faults_without_redis", error=repr(error))
        return False
    if met:
        log.info("fault_met", fault_id=fault.id, kind=fault.kind)
    return met


def _answer_of(fault: Fault) -> Response:
    said = "This fault was asked for in test mode. The call was not carried out."
    if fault.kind == faults.RATE_LIMITED:
        g.window = replace(g.window, left=0, reset_seconds=RETRY_AFTER)
        return refused(Limited("rate_limited", said, retry_after=RETRY_AFTER))
    if fault.kind == faults.UNAVAILABLE:
        return refused(Unavailable("unavailable", said, retry_after=RETRY_AFTER))
    if fault.kind == faults.ANSWER_LOST:
        said = (
            "This fault was asked for in test mode. The call was carried out; its answer is lost."
        )
    return problem(500, "internal_error", said)
