"""Who of the operators asks, and whether their role may: the door of ``/api/admin``."""

from collections.abc import Callable
from typing import Protocol

import structlog
from flask import g, request

from protonpay.kernel.errors import Unauthenticated
from protonpay.web import limits
from protonpay.web.auth import bearer

SECURITY = {
    "operator": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of an operator's session: 15 minutes unused, 8 hours at most.",
    }
}
"""How the operators' document names their credential."""

NOBODY = "nobody"
"""What a route that names no action asks for: no role may."""


class Operator(Protocol):
    """What the room that keeps operators says of one who asks."""

    @property
    def id(self) -> str:
        """Names them."""

    @property
    def session_id(self) -> str:
        """The session whose token they sent."""

    def check(self, action: str) -> None:
        """Refuse what their role may not do.

        Raises:
            Forbidden: it may not (``role_insufficient``).
        """


class Desk:
    """The question to the room that keeps operators, bound by create_app."""

    def __init__(self) -> None:
        self._opened: Callable[[str, str], Operator] | None = None

    def bind(self, opened: Callable[[str, str], Operator]) -> None:
        """Set who knows an operator by a token that was sent from somewhere."""
        self._opened = opened

    def opened(self, token: str, origin: str) -> Operator:
        """Return whose token it is.

        Raises:
            Unauthenticated: nobody's, or its session has ended.
        """
        if self._opened is None:
            raise RuntimeError("the desk is bound by create_app")
        return self._opened(token, origin)


desk = Desk()


def authenticate(action: str) -> None:
    """Know the operator, count the request, and ask whether their role may.

    Raises:
        Unauthenticated: no token, or one that is no good.
        Forbidden: the role may not (``role_insufficient``).
        Limited: too many requests of one operator, or failures of one address.
    """
    if limits.uncounted():
        return
    origin = f"{request.remote_addr or ''} {g.get('request_id', '')}"
    try:
        operator = desk.opened(bearer(), origin)
    except Unauthenticated:
        limits.buckets.admit(limits.UNAUTH, limits.client_address())
        raise
    structlog.contextvars.bind_contextvars(operator_id=operator.id)
    reads = request.method in ("GET", "HEAD")
    limits.buckets.admit(limits.READ if reads else limits.WRITE, operator.id)
    operator.check(action)
    g.operator = operator


def current() -> Operator:
    """Return the operator of this request, in a view behind ``authenticate``."""
    operator: Operator = g.operator
    return operator
