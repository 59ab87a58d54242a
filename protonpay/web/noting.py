"""Who did it: what a member changes in an account is written down together with the change.

Below the answer that an idempotency key repeats: a repetition does nothing, so nothing is noted.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, g, request

from protonpay.kernel.errors import Refusal
from protonpay.store import db
from protonpay.web import auth
from protonpay.web.members import Membership

View = Callable[..., Any]
_READS = frozenset({"GET", "HEAD"})


def noted(view: View) -> View:
    """Wrap a view, its answer's making included, so that a member's act leaves its trace."""
    in_steps = getattr(view, "in_steps", False)

    @wraps(view)
    def answer(*validated: Any, **path: Any) -> Any:
        member = auth.current().membership
        if member is None or request.method in _READS:
            return view(*validated, **path)
        if in_steps:
            # Somebody outside is asked in its middle: that it was begun is written before.
            with db.transaction():
                _note(member, next(iter(path.values()), None))
            return view(*validated, **path)
        return _together(member, view, *validated, **path)

    return answer


def _together(member: Membership, view: View, *validated: Any, **path: Any) -> Any:
    with db.transaction():
        try:
            response = view(*validated, **path)
        except Refusal as refusal:
            if db.undone():
                raise
            # Behind a transaction that ended well: what that one wrote stays.
            refused = refusal
        else:
            _note(member, next(iter(path.values()), None) or _made(response))
            return response
    raise refused


def _note(member: Membership, thing_id: str | None) -> None:
    member.note(request.endpoint or "", thing_id, g.request_id)


def _made(response: Response) -> str | None:
    """Return the id of the thing that an answer holds: ``{"payout": {"id": …}}``."""
    body = response.get_json(silent=True)
    for member in body.values() if isinstance(body, dict) else ():
        if isinstance(member, dict) and isinstance(member.get("id"), str):
            return str(member["id"])
    return None
