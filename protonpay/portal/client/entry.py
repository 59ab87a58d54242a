"""Sign up, sign in with one step or two, forget a password, sign out."""

from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.kernel.errors import Refusal
from protonpay.portal.client import visits
from protonpay.portal.client.api import Answer, Call, SignedOut, api
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import own_path, prefer, refusal_page, show

entry = Blueprint("entry", __name__)
entry.register_error_handler(Refusal, refusal_page)


@entry.before_request
def _begin() -> None:
    if request.method == "POST":
        visits.check_form()


@entry.get("/login")
def login() -> Response:
    """Show the form to sign in with."""
    return show("login", form=Form(), next=_next())


@entry.post("/login")
def sign_in() -> AnyResponse:
    """Sign in, or go on to the second step."""
    form = Form()
    body = {**form.body("email"), **form.secret("password")}
    answer = api.call("POST", "/auth/login", body)
    if answer.code == "two_factor_required":
        visits.keep("mfa", str(answer["mfaToken"]))
        return redirect(f"/2fa?{urlencode({'next': _next()})}", HTTPStatus.SEE_OTHER)
    return _entered(answer, form, "login")


@entry.post("/login/passkey")
def sign_in_with_passkey() -> AnyResponse:
    """Sign in with what a passkey has signed; the script of the page has asked for it."""
    form = Form()
    return _entered(api.call("POST", "/auth/passkey", form.signed()), form, "login")


@entry.get("/2fa")
def second_step() -> AnyResponse:
    """Show the form for a code."""
    if visits.kept("mfa") is None:
        return redirect("/login", HTTPStatus.SEE_OTHER)
    return show("second_step", form=Form(), next=_next())


@entry.post("/2fa")
def prove() -> AnyResponse:
    """Finish a sign-in with a code of the app, or a recovery code."""
    form, waiting = Form(), visits.kept("mfa")
    if waiting is None:
        return redirect("/login", HTTPStatus.SEE_OTHER)
    body = {"mfaToken": waiting, **form.proof()}
    answer = api.call("POST", "/auth/2fa", body)
    return _entered(answer, form, "second_step")


@entry.get("/register")
def register() -> Response:
    """Show the form that opens an account."""
    return show("register", form=Form(), next=_next(), acts=[_REGISTERING])


@entry.post("/register")
def sign_up() -> AnyResponse:
    """Open an account and sign in."""
    form = Form()
    body = {**form.body("name", "email"), **form.secret("password")}
    return _entered(api.call("POST", "/auth/register", body), form, "register")


@entry.get("/forgot")
def forgot() -> Response:
    """Show the form that asks for a letter."""
    return show("forgot", form=Form(), sent=False)


@entry.post("/forgot")
def ask_letter() -> Response:
    """Have a letter written, if the address has an account; the page says the same if not."""
    form = Form()
    answer = api.call("POST", "/auth/forgot-password", form.body("email"))
    form.answer = answer if answer.refused else None
    return show("forgot", form=form, sent=not answer.refused)


@entry.post("/logout")
def sign_out() -> AnyResponse:
    """End the session, here and everywhere its tokens are."""
    with suppress(SignedOut):
        api.call("POST", "/auth/logout", token=visits.token())
    visits.sign_out()
    return redirect("/login", HTTPStatus.SEE_OTHER)


_REGISTERING = Call(
    "POST",
    "/auth/register",
    {"name": "John Doe", "email": "john@example.com", "password": "…"},
)


def _entered(answer: Answer, form: Form, name: str) -> AnyResponse:
    if answer.refused:
        form.answer = answer
        return show(name, form=form, next=_next())
    own = visits.sign_in(answer["token"])
    visits.keep("who", str(answer["user"]["name"])[:60])
    prefer()
    # What somebody else has typed is not theirs to see.
    to = _next() if own else urlsplit(_next()).path
    return redirect(to, HTTPStatus.SEE_OTHER)


def _next() -> str:
    return own_path(request.values.get("next"))
