"""Access and refresh tokens: made and decoded by Flask-JWT-Extended, checked again by us.

The library accepts tokens without ``exp``, ``jti`` or ``type`` and any lifetime
(library-pitfalls §3); what is required beyond its checks stands in ``_checked``
(RFC 8725).
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from flask_jwt_extended import JWTManager, create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from protonpay.kernel import clock, signing
from protonpay.kernel.errors import Unauthenticated

ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(days=7)
"""As the API document says, "Authentication"."""

_ACCESS_AUDIENCE = "protonpay-api"
_REFRESH_AUDIENCE = "protonpay-refresh"
_MFA_AUDIENCE = "protonpay-mfa"
_LONGEST_TOKEN = 4096
# RFC 7515 §7.1. PyJWT also takes padding and skips what is not base64: one token, many texts.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_REMEMBERED_SECONDS = 60
_MOST_REMEMBERED = 20_000

manager = JWTManager()


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says.

    Attributes:
        session_id: the sign-in it belongs to; ends with it.
        expires: Unix seconds.
    """

    user_id: str
    session_id: str
    token_id: str
    expires: int


class VerifiedTokens:
    """Tokens verified a moment ago, by digest: verifying again costs ten times as much.

    Kept for a minute at most and never past their end; whether the session still
    stands is asked on every request elsewhere.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Claims]] = {}

    def find(self, token: str) -> Claims | None:
        """Return the claims of a token verified less than a minute ago."""
        known = self._known.get(signing.digest_hex(token.encode()))
        if known is None or known[0] <= _now():
            return None
        return known[1]

    def remember(self, token: str, claims: Claims) -> None:
        """Keep the claims of a token that was just verified."""
        until = min(_now() + _REMEMBERED_SECONDS, claims.expires)
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[signing.digest_hex(token.encode())] = (until, claims)


verified = VerifiedTokens()


def init_app(app: Flask, *, secret_keys: tuple[str, ...], issuer: str) -> None:
    """Set the keys: the first signs, all of them verify until their tokens have run out."""
    ring = {signing.digest_hex(key.encode())[:16]: key for key in secret_keys}
    newest = next(iter(ring))
    app.config.update(
        JWT_ALGORITHM="HS256",
        JWT_DECODE_ALGORITHMS=["HS256"],
        JWT_SECRET_KEY=ring[newest],
        JWT_ACCESS_TOKEN_EXPIRES=ACCESS_LIFE,
        JWT_REFRESH_TOKEN_EXPIRES=REFRESH_LIFE,
        JWT_ENCODE_ISSUER=issuer,
        JWT_DECODE_ISSUER=issuer,
        JWT_DECODE_AUDIENCE=[_ACCESS_AUDIENCE, _REFRESH_AUDIENCE, _MFA_AUDIENCE],
        JWT_DECODE_LEEWAY=5,
        JWT_COOKIE_CSRF_PROTECT=False,
    )
    manager.init_app(app)

    def headers(_identity: str) -> dict[str, str]:
        return {"kid": newest}

    def key(header: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
        # Here, because the library fills in a missing type before it hands the claims on.
        if "crit" in header or header.get("kid") not in ring or "type" not in payload:
            raise PyJWTError("not a token of ours")
        return ring[header["kid"]]

    manager.additional_headers_loader(headers)
    manager.decode_key_loader(key)


def issue_access(user_id: str, session_id: str) -> str:
    """Make an access token of a session."""
    claims = {"sid": session_id, "amr": ["pwd"], "aud": _ACCESS_AUDIENCE}
    made: str = create_access_token(user_id, additional_claims=claims)
    return made


def issue_refresh(user_id: str, session_id: str, token_id: str, life: timedelta) -> str:
    """Make a refresh token whose ``jti`` is the row that remembers it."""
    claims = {"sid": session_id, "jti": token_id, "aud": _REFRESH_AUDIENCE}
    made: str = create_refresh_token(user_id, additional_claims=claims, expires_delta=life)
    return made


def issue_mfa(user_id: str, challenge_id: str, life: timedelta) -> str:
    """Make the token of a sign-in that waits for a second factor; ``jti`` is its row."""
    claims = {"sid": challenge_id, "jti": challenge_id, "aud": _MFA_AUDIENCE}
    made: str = create_access_token(user_id, additional_claims=claims, expires_delta=life)
    return made


def read_mfa(token: str) -> Claims:
    """Verify the token of a sign-in that waits; whether it was used is its row's business.

    Raises:
        Unauthenticated: ``token_expired`` or ``invalid_token``.
    """
    return _read(token, "access", _MFA_AUDIENCE, ACCESS_LIFE)


def read_access(token: str) -> Claims:
    """Verify an access token.

    Raises:
        Unauthenticated: ``token_expired`` or ``invalid_token``.
    """
    known = verified.find(token)
    if known is not None:
        return known
    claims = _read(token, "access", _ACCESS_AUDIENCE, ACCESS_LIFE)
    verified.remember(token, claims)
    return claims


def read_refresh(token: str) -> Claims:
    """Verify a refresh token; whether it was used before is the session's business.

    Raises:
        Unauthenticated: ``token_expired`` or ``invalid_token``.
    """
    return _read(token, "refresh", _REFRESH_AUDIENCE, REFRESH_LIFE)


def _read(token: str, kind: str, audience: str, life: timedelta) -> Claims:
    if len(token) > _LONGEST_TOKEN or not _COMPACT.fullmatch(token):
        raise _invalid()
    try:
        payload = decode_token(token)
    except ExpiredSignatureError:
        raise Unauthenticated("token_expired", "The token has expired.") from None
    except (PyJWTError, JWTExtendedException, ValueError, TypeError, KeyError):
        raise _invalid() from None
    return _checked(payload, kind, audience, life)


def _checked(payload: Mapping[str, Any], kind: str, audience: str, life: timedelta) -> Claims:
    texts = [payload.get(name) for name in ("sub", "sid", "jti")]
    times = [payload.get(name) for name in ("iat", "nbf", "exp")]
    if not all(isinstance(text, str) and text for text in texts):
        raise _invalid()
    if not all(type(moment) is int for moment in times):
        raise _invalid()
    if payload.get("type") != kind or payload.get("aud") != audience:
        raise _invalid()
    if payload["exp"] - payload["iat"] > life.total_seconds():
        raise _invalid()
    return Claims(payload["sub"], payload["sid"], payload["jti"], payload["exp"])


def _invalid() -> Unauthenticated:
    return Unauthenticated("invalid_token", "The token is not valid.")


def _now() -> int:
    return clock.to_epoch_ms(clock.now()) // 1000
