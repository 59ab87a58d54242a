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
ACCOUNT, ACCOUNT_NAME = "account", "account_name"
"""Of the session: the public id of the account that is acted for, and its name."""
_OF_THE_PAGE = "of_the_page"
_BEFORE = "before"
_LASTS = ("user", ACCOUNT, ACCOUNT_NAME)
"""Of a session that ended by itself, for who signs in next: whose it was, for whom they acted."""
_FORMS = "csrf_token"  # as Flask-WTF calls it, in the session and of a page
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


def sign_in(access_token: str) -> bool:
    """Begin a browser's session from what the API gave; nothing of another person's stays.

    Who comes back after their session has ended acts for whom they acted for: a form that they
    send then is not of their own account by mistake.

    Returns:
        Whether what was typed before may be shown: nobody else did.
    """
    claims = tokens.read_access(access_token)
    before = session.get(_BEFORE, {})
    sign_out()
    session.permanent = True
    session["user"], session["sid"] = claims.user_id, claims.session_id
    own: bool = before.get("user", claims.user_id) == claims.user_id
    if own:
        session.update(before)
    return own


def sign_out() -> None:
    """Forget the session."""
    session.clear()
    g.pop(_OF_THE_PAGE, None)
    g.pop(_FORMS, None)


def end() -> None:
    """Forget a session that has ended by itself, all but whose it was."""
    if not is_signed_in():
        return  # a sign-in may be under way, in a dialog over a page that looks again by itself
    before = {name: session[name] for name in _LASTS if name in session}
    sign_out()
    session.permanent = True
    session[_BEFORE] = before


def whose() -> str:
    """Return for whom forms of a page are sent, to be compared only: who, and for which account."""
    return ":".join(kept(name) or "" for name in ("user", ACCOUNT))


def act_for(public_id: str | None, name: str = "") -> None:
    """Act for another account from here on, or for one's own; forms of pages before are void."""
    forget(ACCOUNT, ACCOUNT_NAME, _FORMS)
    g.pop(_FORMS, None)
    if public_id is not None:
        keep(ACCOUNT, public_id)
        keep(ACCOUNT_NAME, name[:60])


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
