"""Screens of what guards the account: address, password, second factor, passkeys, sessions."""

from flask import Response, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.portal.client import visits
from protonpay.portal.client.api import Answer
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import ask, ask_own, client, done, download, send, show


@client.get("/security")
def security() -> Response:
    """Show what guards the account: address, password, second factor, passkeys, sessions."""
    return _security(Form())


@client.get("/session")
def session() -> Response:
    """Say whose forms this browser sends now: a page asks before it lets one go (``again.js``)."""
    return jsonify(csrfToken=visits.form_token(), whose=visits.whose())


@client.post("/security/email/verification")
def send_verification() -> AnyResponse:
    """Have the letter written again that proves the address."""
    form = Form()
    if send("POST", "/client/email/verification", form).refused:
        return _security(form)
    return done("An e-mail is on its way.", "/app/security")


@client.post("/security/email")
def change_email() -> AnyResponse:
    """Change the address: the letter to the new one has the last word."""
    form = Form()
    body = {**form.body("email"), **form.secret("password")}
    if send("POST", "/client/email", form, body).refused:
        return _security(form)
    return done("An e-mail is on its way to the new address. Use its link.", "/app/security")


@client.post("/security/password")
def change_password() -> AnyResponse:
    """Change the password; other sessions end."""
    form = Form()
    body = form.secret("password", "newPassword")
    if send("POST", "/client/password", form, body).refused:
        return _security(form)
    return done("The password is changed, and other sessions have ended.", "/app/security")


@client.post("/security/2fa/setup")
def begin_two_factor() -> Response:
    """Show the code that an authenticator app is set up with."""
    form = Form()
    body = form.secret("password")
    answer = send("POST", "/client/2fa/setup", form, body)
    if answer.refused:
        return _security(form)
    return show("two_factor", form=form, setup=answer["setup"])


@client.post("/security/2fa/enable")
def enable_two_factor() -> Response:
    """Finish with the app's first code; recovery codes are shown on this page alone."""
    form = Form()
    answer = send("POST", "/client/2fa/enable", form, form.proof())
    return _security(form) if answer.refused else _codes(answer)


@client.post("/security/2fa/codes")
def renew_codes() -> Response:
    """Make new recovery codes; the old ones are void."""
    form = Form()
    answer = send("POST", "/client/2fa/recovery-codes", form)
    return _security(form) if answer.refused else _codes(answer)


@client.post("/security/2fa/keep")
def keep_two_factor() -> AnyResponse:
    """Stop the second factor from being taken away."""
    form = Form()
    if send("DELETE", "/client/2fa/reset", form).refused:
        return _security(form)
    return done("The second factor stays.", "/app/security")


@client.post("/security/2fa/disable")
def disable_two_factor() -> AnyResponse:
    """Take the second factor away."""
    form = Form()
    body = form.secret("password")
    if send("POST", "/client/2fa/disable", form, body).refused:
        return _security(form)
    return done("The second factor is off.", "/app/security")


@client.post("/security/passkeys/options")
def begin_passkey() -> Response:
    """Show the page whose script asks this device for a passkey."""
    form = Form()
    body = form.secret("password")
    answer = send("POST", "/client/passkeys/options", form, body)
    if answer.refused:
        return _security(form)
    return show("passkey", form=form, options=answer["options"])


@client.post("/security/passkeys")
def add_passkey() -> AnyResponse:
    """Keep the public half of what the device has made."""
    form = Form()
    body = {**form.signed(), **form.body("name")}
    if send("POST", "/client/passkeys", form, body, once=False).refused:
        return _security(form)
    return done("The passkey is added.", "/app/security")


@client.post("/security/passkeys/<id:passkey_id>/remove")
def remove_passkey(passkey_id: str) -> AnyResponse:
    """Take a passkey away."""
    form = Form()
    if send("DELETE", f"/client/passkeys/{passkey_id}", form).refused:
        return _security(form)
    return done("The passkey is removed.", "/app/security")


@client.post("/security/sessions/<id:session_id>/end")
def end_session(session_id: str) -> AnyResponse:
    """End one session."""
    form = Form()
    if send("DELETE", f"/client/sessions/{session_id}", form).refused:
        return _security(form)
    return done("The session has ended.", "/app/security")


@client.post("/security/sessions/end")
def end_other_sessions() -> AnyResponse:
    """End every session but this one."""
    form = Form()
    if send("DELETE", "/client/sessions", form).refused:
        return _security(form)
    return done("All other sessions have ended.", "/app/security")


@client.get("/security/sign-ins")
def sign_ins() -> Response:
    """Show who signed in, also where that has ended."""
    cursor = request.args.get("cursor")
    return show(
        "sign_ins",
        listed=ask("/client/sessions", status="ANY", limit=50, cursor=cursor),
        failed=ask("/client/sessions/failed", limit=50)["failed"] if cursor is None else [],
    )


@client.get("/security/sign-ins.csv")
def sign_ins_file() -> Response:
    """Give all of it as a table for a spreadsheet."""
    return download("/client/sessions", status="ANY", format="csv")


def _codes(answer: Answer) -> Response:
    return show("recovery_codes", codes=answer["recoveryCodes"])


def _security(form: Form) -> Response:
    return show(
        "security",
        form=form,
        steps=ask_own("/client/dashboard")["setupSteps"],
        two_factor=ask("/client/2fa")["twoFactor"],
        passkeys=ask("/client/passkeys", limit=50)["passkeys"],
        sessions=ask("/client/sessions", limit=50)["sessions"],
        failed=ask("/client/sessions/failed", limit=5)["failed"],
    )
