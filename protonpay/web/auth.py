"""Who is asking: an access token or an API key becomes an identity.

The two are told apart by their prefix. A token's session must still stand, and a key must
let in what the route declares (``web/access.py``). A person may act for another account as a
member of its team (``web/members.py``): the account is theirs for this request, as far as their
role goes, and what is counted, proved and written down is theirs, the person's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from flask import g, request

from protonpay.kernel.errors import Forbidden, Unauthenticated, Unavailable
from protonpay.rails import service as rails
from protonpay.web import agents, limits, paths, tokens
from protonpay.web.access import NO_KEY, Access
from protonpay.web.members import Membership, check_no_choice, chosen, members

_READS = frozenset({"GET", "HEAD"})
_SCHEME = "bearer"
_MEANT_AS_KEY = "sk_"


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller of this request: in a session of theirs, or by a key of theirs.

    Attributes:
        user_id: the account that is acted on.
        membership: what the person is in it; None if it is their own, or if a key asks.
    """

    user_id: str
    session_id: str | None = None
    key_id: str | None = None
    membership: Membership | None = None

    @property
    def person_id(self) -> str:
        """Who asks: the account's owner, or a member."""
        return self.membership.person_id if self.membership else self.user_id


class OpenedKey(Protocol):
    """What the room that keeps API keys says of a good one."""

    @property
    def id(self) -> str:
        """Names the key; no secret."""

    @property
    def user_id(self) -> str:
        """Whose it is."""

    @property
    def permissions(self) -> Sequence[str]:
        """Its scopes, or ``full`` alone."""

    def note_use(self, address: str, *, method: str, route: str, agent: str) -> None:
        """Remember that it was used, and for what; never fails because of that."""


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


class Keys:
    """The question to the room that keeps API keys, bound by create_app."""

    def __init__(self) -> None:
        self._open: Callable[[str, str], OpenedKey] | None = None

    def bind(self, open_key: Callable[[str, str], OpenedKey]) -> None:
        """Set who opens a key that an address sent."""
        self._open = open_key

    def open(self, key: str, address: str) -> OpenedKey:
        """Return the key as it is now.

        Raises:
            Unauthenticated: it is none of ours, revoked or expired.
            Forbidden: not from this address, or its owner may not act.
        """
        if self._open is None:
            raise RuntimeError("keys are bound by create_app")
        return self._open(key, address)


sessions = Sessions()
keys = Keys()


def authenticate(access: Access) -> None:
    """Know the caller and count the request, before anything of it is read.

    ``OPTIONS`` tells nothing but the methods, so it asks for nobody. Who is refused here is
    counted by address: a wrong credential has no account whose bucket it could fill.

    Raises:
        Unauthenticated: no credential, a bad one, or one that has ended.
        Forbidden: a key that may not be used here (``ip_not_allowed``, ``account_suspended``)
            or for this (``insufficient_scope``); a person who is no member of the account, or
            whose role may not (``not_a_member``, ``role_insufficient``).
        Invalid: it names no account (``invalid_account``).
        Limited: the account's bucket is full, or the address has failed too often.
        Unavailable: it would change something, and an operator has stopped that (``read_only``).
    """
    if limits.uncounted():
        return
    try:
        credential = bearer()
        caller = _by_key if credential.startswith(_MEANT_AS_KEY) else _by_token
        g.identity = caller(credential, access)
    except Unauthenticated:
        limits.buckets.admit(limits.UNAUTH, limits.client_address())
        raise
    if request.method not in _READS and rails.paused_lately(rails.WRITES):
        said = "Nothing can be changed right now. What you read is true."
        raise Unavailable("read_only", said, retry_after=60)


def _by_token(token: str, _access: Access) -> Identity:
    claims = tokens.read_access(token)
    window = limits.buckets.admit(_policy(), claims.user_id, claims.session_id)
    stands = window.session is limits.Session.STANDS or (
        window.session is limits.Session.UNKNOWN and sessions.stands(claims.session_id)
    )
    if not stands:
        raise _ended()
    structlog.contextvars.bind_contextvars(user_id=claims.user_id)
    member = _member(claims.user_id)
    if member is None:
        return Identity(claims.user_id, session_id=claims.session_id)
    structlog.contextvars.bind_contextvars(account_id=member.account_id)
    return Identity(member.account_id, session_id=claims.session_id, membership=member)


def _member(person_id: str) -> Membership | None:
    account = chosen()
    member = None if account is None else members.opened(person_id, account)
    if member is not None:
        member.check(request.endpoint or "")
    return member


def _by_key(raw: str, access: Access) -> Identity:
    address = request.remote_addr or ""
    try:
        key = keys.open(raw, address)
    except Forbidden:
        # By address as well: who has found a key must not fill its owner's bucket.
        limits.buckets.admit(limits.UNAUTH, limits.client_address())
        raise
    structlog.contextvars.bind_contextvars(user_id=key.user_id, key_id=key.id)
    g.known_key = Identity(key.user_id, key_id=key.id)
    limits.buckets.admit(_policy(), key.user_id)
    if not access.lets_in(key.permissions):
        if access == NO_KEY:
            raise Forbidden("insufficient_scope", "API keys may not do this. Sign in.")
        said = "This needs an API key with {scopes}."
        raise Forbidden("insufficient_scope", said, scopes=access.wanted())
    check_no_choice()
    route = paths.named(request.url_rule.rule) if request.url_rule else ""
    key.note_use(address, method=request.method, route=route, agent=agents.sent())
    known: Identity = g.known_key
    return known


def _policy() -> str:
    if request.method not in _READS:
        return limits.WRITE
    return limits.PAGE if request.environ.get(limits.FROM_A_PAGE) else limits.READ


def check_still() -> None:
    """See that who asked still may, after a view has waited: a right ends at once.

    It counts no request.

    Raises:
        Unauthenticated, Forbidden: as ``authenticate``.
    """
    caller = current()
    if caller.session_id is None:
        keys.open(bearer(), request.remote_addr or "")
        return
    if not sessions.stands(caller.session_id):
        raise _ended()
    _member(caller.person_id)


def _ended() -> Unauthenticated:
    return Unauthenticated("token_revoked", "The session has ended. Sign in again.")


def bearer() -> str:
    """Return the credential of the ``Authorization`` header (RFC 6750; any case of the scheme).

    Raises:
        Unauthenticated: ``authentication_required`` or ``invalid_token``.
    """
    header = request.headers.get("Authorization")
    if not header:
        raise Unauthenticated("authentication_required", "Send an access token or an API key.")
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != _SCHEME or not credential or " " in credential or not credential.isascii():
        raise Unauthenticated("invalid_token", "Send Authorization: Bearer and a token or a key.")
    return credential


def known_key() -> Identity | None:
    """Return whose key asked, let in or not; None if it was none, or no good one."""
    known: Identity | None = g.get("known_key")
    return known


def current() -> Identity:
    """Return the caller of this request, in a view behind ``authenticate``."""
    identity: Identity = g.identity
    return identity
