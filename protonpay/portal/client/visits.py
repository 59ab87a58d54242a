"""The browser's session: one signed cookie that names a session of the API, and holds no secret.

Nothing is remembered here: a session ends where every session ends (``auth.sessions``), and the
cookie of an ended one opens nothing. Between the two steps of a sign-in it holds what names that
sign-in, which opens nothing without the second factor. The cookie is ``__Host-``: of this host
alone, over https alone (browsers take 127.0.0.1 for as good), never readable by a script.
"""

from datetime import timedelta

from flask import Flask, g, request, session
from flask_wtf import csrf
from wtforms import ValidationError

from protonpay.kernel import signing
from protonpay.kernel.errors import Forbidden
from protonpay.portal.client.api import SignedOut, api
from protonpay.web import tokens

COOKIE = "__Host-protonpay"
_OF_THE_PAGE = "of_the_page"
LIFE = timedelta(days=7)
"""Of a browser that does not come back; as long as a refresh token."""


def init_app(app: Flask, *, secret_key: str) -> None:
    """Set the cookie and its key, and whose API the pages call."""
    api.bind(app)
    app.secret_key = signing.hmac_hex(secret_key.encode(), b"browser sessions")
    app.jinja_env.globals["is_signed_in"] = is_signed_in
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=LIFE,
        WTF_CSRF_TIME_LIMIT=None,
    )


def sign_in(access_token: str) -> None:
    """Begin a browser's session from what the API gave; nothing of what was before stays."""
    claims = tokens.read_access(access_token)
    sign_out()
    session.permanent = True
    session["user"], session["sid"] = claims.user_id, claims.session_id


def sign_out() -> None:
    """Forget the session."""
    session.clear()
    g.pop(_OF_THE_PAGE, None)


def is_signed_in() -> bool:
    """Tell whether the browser names a session; whether it stands is asked with each token."""
    return "sid" in session


def token() -> str:
    """Return an access token of the browser's session.

    Raises:
        SignedOut: there is no session, or it has ended.
    """
    if not is_signed_in():
        raise SignedOut
    made: str | None = g.get(_OF_THE_PAGE)
    if made is None:
        # Once for a page, however many calls it is made of.
        if not api.stands(session["sid"]):
            raise SignedOut
        made = tokens.issue_access(session["user"], session["sid"])
        setattr(g, _OF_THE_PAGE, made)
    return made


def keep(name: str, value: str) -> None:
    """Remember something small and public until the session of this browser changes."""
    session.permanent = True
    session[name] = value


def kept(name: str) -> str | None:
    """Return what ``keep`` remembered."""
    found: str | None = session.get(name)
    return found


def forget(*names: str) -> None:
    """Forget what ``keep`` remembered."""
    for name in names:
        session.pop(name, None)


def form_token() -> str:
    """Return what proves that a form is ours."""
    made: str = csrf.generate_csrf()
    return made


def check_form() -> None:
    """Take a form only from a page of ours.

    Raises:
        Forbidden: it came from elsewhere, or its page is of another session (``form_expired``).
    """
    try:
        csrf.validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        raise Forbidden("form_expired", "This page was open for too long. Send it again.") from None
