"""The second factor asked for once more, before what cannot be taken back: ``X-2FA-Code``.

Asked of a person in a session who has enabled one; an API key's scopes are its right (API
reference §11). Who acts for another's account proves a factor of their own, and must have one if
the account's owner has: a member is no weaker door than the owner.

The code travels in a header, so that it is no part of what an idempotency key stands for: a
repeated request is answered as the first was, though its code is used up.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

from apispec import APISpec
from flask import request

from protonpay.kernel.errors import Forbidden
from protonpay.web import auth

HEADER = "X-2FA-Code"
_LONGEST = 64

View = Callable[..., Any]
Proof = Callable[[str, str | None], AbstractContextManager[None]]


class Factors:
    """The question to the room that keeps second factors, bound by create_app."""

    def __init__(self) -> None:
        self._proved: Proof | None = None
        self._enabled: Callable[[str], bool] | None = None

    def bind(self, proved: Proof, enabled: Callable[[str], bool]) -> None:
        """Set who takes a user's code and lets the rest happen with it.

        Args:
            proved: takes a code.
            enabled: tells whether a user has a second factor.
        """
        self._proved, self._enabled = proved, enabled

    def missing(self, owner_id: str, person_id: str) -> bool:
        """Tell whether an owner has a second factor and who acts for them has none."""
        if self._enabled is None:
            raise RuntimeError("factors are bound by create_app")
        return self._enabled(owner_id) and not self._enabled(person_id)

    def proved(self, user_id: str, code: str | None) -> AbstractContextManager[None]:
        """Return the context in which a user's act is proved by a code."""
        if self._proved is None:
            raise RuntimeError("factors are bound by create_app")
        return self._proved(user_id, code)


factors = Factors()


def steps_up(view: View) -> View:
    """Let a view happen together with the use of a code, if its caller has a second factor.

    Stands right above the view: below the answer, so that a repeated one asks for nothing.
    """
    if getattr(view, "once", False):
        raise TypeError(f"{view.__name__}: @steps_up stands below the answer")

    @wraps(view)
    def proved(*validated: Any, **path: Any) -> Any:
        caller = auth.current()
        if caller.session_id is None:
            return view(*validated, **path)
        code = request.headers.get(HEADER)
        if caller.membership is not None and factors.missing(caller.user_id, caller.person_id):
            said = "The owner of this account has a second factor: enable one of your own first."
            raise Forbidden("second_factor_needed", said)
        with factors.proved(caller.person_id, None if code is None else code[:_LONGEST]):
            return view(*validated, **path)

    proved.steps_up = True  # type: ignore[attr-defined] # functions take attributes
    return proved


def document(operation: dict[str, Any], spec: APISpec) -> None:
    """Describe the header in an OpenAPI operation."""
    if HEADER not in spec.components.parameters:
        spec.components.parameter(HEADER, "header", _PARAMETER)
    operation.setdefault("parameters", []).append(HEADER)


_PARAMETER = {
    "required": False,
    "schema": {"type": "string", "examples": ["123456"]},
    "description": "If the account has a second factor and a person asks: a code of the app, or a "
    "recovery code. Each is good once. Without it 401 `two_factor_required`, with a wrong one 401 "
    "`two_factor_invalid`. API keys are not asked.",
}
