"""For whose account a person asks: their own, or one that they are a member of (``X-Account``).

The header is read in one place, behind the proof of who asks. An API key is always of one
account, so it may not be sent with the header: what is ignored could act on another account than
was meant.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from apispec import APISpec
from flask import request

from protonpay.kernel import ids
from protonpay.kernel.errors import Invalid

HEADER = "X-Account"


class Membership(Protocol):
    """What the room that keeps teams says of somebody who acts for another's account."""

    @property
    def account_id(self) -> str:
        """The account that is acted on."""

    @property
    def person_id(self) -> str:
        """Who acts."""

    @property
    def scopes(self) -> Collection[str]:
        """What an API key that they make may hold."""

    def check(self, endpoint: str) -> None:
        """Refuse what their role may not do.

        Raises:
            Forbidden: it may not (``role_insufficient``).
        """

    def may(self, endpoint: str) -> bool:
        """Tell whether their role may call a route."""

    def note(self, endpoint: str, thing_id: str | None, request_id: str) -> None:
        """Write down what they do, in the caller's transaction.

        Raises:
            Forbidden: their role is another one by now (``role_insufficient``).
        """


class Members:
    """The questions to the room that keeps teams, bound by create_app."""

    def __init__(self) -> None:
        self._opened: Callable[[str, str], Membership | None] | None = None
        self._roles: Callable[[str], Sequence[str]] | None = None

    def bind(
        self,
        opened: Callable[[str, str], Membership | None],
        roles: Callable[[str], Sequence[str]],
    ) -> None:
        """Set who knows a member of an account, and which roles may call a route."""
        self._opened, self._roles = opened, roles

    def opened(self, person_id: str, public_id: str) -> Membership | None:
        """Return what a person is in an account; None if the account is their own.

        Raises:
            Forbidden: nothing, or one of the two is stopped.
        """
        if self._opened is None:
            raise RuntimeError("members are bound by create_app")
        return self._opened(person_id, public_id)

    def roles(self, endpoint: str) -> Sequence[str]:
        """Return the roles that may call a route, by the name of its endpoint."""
        if self._roles is None:
            raise RuntimeError("members are bound by create_app")
        return self._roles(endpoint)


members = Members()


def chosen() -> str | None:
    """Return the public id of the account that this request is for, if it says so.

    Raises:
        Invalid: it is none, or there are several (``invalid_account``).
    """
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1 or not ids.PUBLIC_ID_PATTERN.fullmatch(given[0]):
        raise Invalid("invalid_account", "X-Account is the public id of one account: PP-7K3M9QWD.")
    return given[0]


def check_no_choice() -> None:
    """Refuse that an API key is sent for another account than its own.

    Raises:
        Invalid: the header is there (``invalid_account``).
    """
    if HEADER in request.headers:
        said = "An API key is of one account: leave X-Account out."
        raise Invalid("invalid_account", said)


def document(operation: dict[str, Any], spec: APISpec, endpoint: str) -> None:
    """Describe the header in an OpenAPI operation, if members may call it."""
    roles = members.roles(endpoint)
    if not roles:
        return
    if HEADER not in spec.components.parameters:
        spec.components.parameter(HEADER, "header", _PARAMETER)
    operation.setdefault("parameters", []).append(HEADER)
    operation["x-member-roles"] = list(roles)


_PARAMETER = {
    "required": False,
    "schema": {
        "type": "string",
        "pattern": f"^{ids.PUBLIC_ID_PATTERN.pattern}$",
        "examples": ["PP-7K3M9QWD"],
    },
    "description": "The public id of the account that you act for, as a member of its team; left "
    "out, it is your own. `x-member-roles` of the operation says which roles may. Only with an "
    "access token: an API key is of one account.",
}
