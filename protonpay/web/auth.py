"""Who is asking: an access token becomes an identity, and its session must still stand."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from flask import g, request

from protonpay.kernel.errors import Unauthenticated
from protonpay.web import limits, tokens

_READS = frozenset({"GET", "HEAD"})
_SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller of this request."""

    user_id: str
    session_id: str


class Sessions:
    """The question to the room that keeps sessions, bound by create_app."""

    def __init__(self) -> None:
        self._stands: Callable[[str], bool] | None = None

    def bind(self, stands: Callable[[str], bool]) -> None:
        """Set who answers whether a session still stands."""
        self._stands = stands

    def stands(self, session_id: str) -> bool:
        """Ask the database: Redis did not know."""
        if self._stands is None:
            raise RuntimeError("sessions are bound by create_app")
        return self._stands(session_id)


sessions = Sessions()


def authenticate() -> None:
    """Know the caller and count the request, before anything of it is read.

    ``OPTIONS`` tells nothing but the methods, so it asks for nobody.

    Raises:
        Unauthenticated: no token, a bad one, or one of a session that has ended.
        Limited: the account's bucket is full.
    """
    if limits.uncounted():
        return
    claims = tokens.read_access(bearer())
    policy = limits.READ if request.method in _READS else limits.WRITE
    window = limits.buckets.admit(policy, claims.user_id, claims.session_id)
    stands = window.session is limits.Session.STANDS or (
        window.session is limits.Session.UNKNOWN and sessions.stands(claims.session_id)
    )
    if not stands:
        raise Unauthenticated("token_revoked", "The session has ended. Sign in again.")
    g.identity = Identity(claims.user_id, claims.session_id)
    structlog.contextvars.bind_contextvars(user_id=claims.user_id)


def bearer() -> str:
    """Return the credential of the ``Authorization`` header (RFC 6750; any case of the scheme).

    Raises:
        Unauthenticated: ``authentication_required`` or ``invalid_token``.
    """
    header = request.headers.get("Authorization")
    if not header:
        raise Unauthenticated("authentication_required", "Send an access token.")
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != _SCHEME or not credential or " " in credential or not credential.isascii():
        raise Unauthenticated("invalid_token", "Send Authorization: Bearer and a token.")
    return credential


def current() -> Identity:
    """Return the caller of this request, in a view behind ``authenticate``."""
    identity: Identity = g.identity
    return identity
