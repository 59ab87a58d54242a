"""Screens of the account itself: fees, addresses, identity, security."""

import base64

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.kernel import zones
from protonpay.portal import words
from protonpay.portal.client.api import Answer, Call
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import ask, ask_own, client, done, download, prefer, send, show

_SIDES = ("FRONT", "BACK", "SELFIE", "PROOF_OF_ADDRESS")
_DOCUMENTS = ("PASSPORT", "ID_CARD", "RESIDENCE_PERMIT", "DRIVING_LICENCE")


@client.get("/statements")
def statements() -> Response:
    """Show the months that are over."""
    listed = ask("/client/statements", limit=24, cursor=request.args.get("cursor"))
    return show("statements", listed=listed)


@client.get("/statements/<month:month>")
def statement(month: str) -> Response:
    """Show a month, from its opening balance over every entry to its closing balance."""
    return show("statement", one=ask(f"/client/statements/{month}")["statement"])


@client.get("/statements/<month:month>.pdf")
def statement_paper(month: str) -> Response:
    """Give a month as a paper."""
    return download(f"/client/statements/{month}", format="pdf")


@client.get("/statements/<month:month>.csv")
def statement_table(month: str) -> Response:
    """Give a month as a table for a spreadsheet."""
    return download(f"/client/statements/{month}", format="csv")


@client.get("/fees")
def fees() -> Response:
    """Show what everything costs this account, and its limits."""
    return show("fees", told=ask("/client/fees"), form=Form(), quote=None)


@client.post("/fees")
def reckon() -> Response:
    """Reckon what a withdrawal would cost."""
    form = Form()
    body = form.body("network", amounts=["amount"])
    answer = send("POST", "/client/withdraw/quote", form, body, once=False)
    quote = None if answer.refused else answer["quote"]
    return show("fees", told=ask("/client/fees"), form=form, quote=quote)


@client.get("/addresses")
def addresses() -> Response:
    """Show the address book and the linked wallets."""
    return _addresses(Form())


@client.post("/addresses")
def add_address() -> AnyResponse:
    """Put an address into the book."""
    form = Form()
    if send("POST", "/client/addresses", form, form.body("network", "address", "label")).refused:
        return _addresses(form)
    return done("The address is in your book. It can be paid after a day.", "/app/addresses")


@client.post("/addresses/<id:entry_id>/remove")
def remove_address(entry_id: str) -> AnyResponse:
    """Take an address out of the book."""
    form = Form()
    if send("DELETE", f"/client/addresses/{entry_id}", form).refused:
        return _addresses(form)
    return done("The address is removed.", "/app/addresses")


@client.post("/addresses/policy")
def set_policy() -> AnyResponse:
    """Let withdrawals go to listed addresses alone, or anywhere."""
    form = Form()
    body = {"onlyListed": form["onlyListed"] == "yes"}
    if send("PATCH", "/client/addresses/policy", form, body).refused:
        return _addresses(form)
    return done("Saved.", "/app/addresses")


@client.post("/wallets/message")
def wallet_message() -> Response:
    """Show what a wallet is to sign, so that it is known to be its owner's."""
    form = Form()
    answer = send("POST", "/client/wallets/message", form, form.body("network", "address"))
    return _addresses(form, challenge=None if answer.refused else answer["challenge"])


@client.post("/wallets")
def link_wallet() -> AnyResponse:
    """Link a wallet by its signature."""
    form = Form()
    if send("POST", "/client/wallets", form, form.body("challengeId", "signature")).refused:
        return _addresses(form)
    return done("The wallet is linked.", "/app/addresses")


@client.post("/wallets/<id:wallet_id>/unlink")
def unlink_wallet(wallet_id: str) -> AnyResponse:
    """Take a wallet away."""
    form = Form()
    if send("DELETE", f"/client/wallets/{wallet_id}", form).refused:
        return _addresses(form)
    return done("The wallet is unlinked.", "/app/addresses")


@client.get("/identity")
def identity() -> Response:
    """Show how the identity check stands, and ask for what it needs."""
    return _identity(Form())


@client.post("/identity")
def submit_identity() -> AnyResponse:
    """Send the answers of an identity check."""
    form = Form()
    body = form.body("fullName", "dateOfBirth", "country", "documentKind", "documentNumber")
    body["country"] = str(body.get("country", "")).upper()
    if send("POST", "/client/kyc", form, body).refused:
        return _identity(form)
    return done("Thank you. Somebody looks at it now.", "/app/identity")


@client.post("/identity/documents")
def upload_document() -> AnyResponse:
    """Take a file into the identity check that is to be sent."""
    form, given = Form(), request.files.get("content")
    content = b"" if given is None else given.read()
    body = {"kind": form["kind"], "content": base64.b64encode(content).decode()}
    if send("POST", "/client/kyc/documents", form, body).refused:
        return _identity(form)
    return done("The document is added.", "/app/identity")


@client.post("/identity/documents/<id:document_id>/remove")
def remove_document(document_id: str) -> AnyResponse:
    """Take a file back that was not sent yet."""
    form = Form()
    if send("DELETE", f"/client/kyc/documents/{document_id}", form).refused:
        return _identity(form)
    return done("The document is removed.", "/app/identity")


@client.get("/preferences")
def preferences() -> Response:
    """Show in which language and time zone the account is told things."""
    return _preferences(Form())


@client.post("/preferences")
def set_preferences() -> AnyResponse:
    """Change them, for this page too."""
    form = Form()
    if send("PATCH", "/client/preferences", form, form.body("language", "timeZone")).refused:
        return _preferences(form)
    prefer()
    return done("Saved.", f"/app/preferences?{words.SWITCH}={form['language']}")


@client.get("/security")
def security() -> Response:
    """Show what guards the account: address, password, second factor, passkeys, sessions."""
    return _security(Form())


@client.post("/security/email/verification")
def send_verification() -> AnyResponse:
    """Have the letter written again that proves the address."""
    form = Form()
    if send("POST", "/client/email/verification", form).refused:
        return _security(form)
    return done("A letter is on its way.", "/app/security")


@client.post("/security/email")
def change_email() -> AnyResponse:
    """Change the address: the letter to the new one has the last word."""
    form = Form()
    body = {**form.body("email"), "password": request.form.get("password", "")}
    if send("POST", "/client/email", form, body).refused:
        return _security(form)
    return done("A letter is on its way to the new address. Use its link.", "/app/security")


@client.post("/security/password")
def change_password() -> AnyResponse:
    """Change the password; other sessions end."""
    form = Form()
    body = {name: request.form.get(name, "") for name in ("password", "newPassword")}
    if send("POST", "/client/password", form, body).refused:
        return _security(form)
    return done("The password is changed, and other sessions have ended.", "/app/security")


@client.post("/security/2fa/setup")
def begin_two_factor() -> Response:
    """Show the code that an authenticator app is set up with."""
    form = Form()
    body = {"password": request.form.get("password", "")}
    answer = send("POST", "/client/2fa/setup", form, body)
    if answer.refused:
        return _security(form)
    return show("two_factor", form=form, setup=answer["setup"])


@client.post("/security/2fa/enable")
def enable_two_factor() -> Response:
    """Finish with the app's first code; recovery codes are shown on this page alone."""
    form = Form()
    answer = send("POST", "/client/2fa/enable", form, {"code": form.code or ""})
    return _security(form) if answer.refused else _codes(answer)


@client.post("/security/2fa/codes")
def renew_codes() -> Response:
    """Make new recovery codes; the old ones are void."""
    form = Form()
    answer = send("POST", "/client/2fa/recovery-codes", form)
    return _security(form) if answer.refused else _codes(answer)


@client.post("/security/2fa/disable")
def disable_two_factor() -> AnyResponse:
    """Take the second factor away."""
    form = Form()
    body = {"password": request.form.get("password", "")}
    if send("POST", "/client/2fa/disable", form, body).refused:
        return _security(form)
    return done("The second factor is off.", "/app/security")


@client.post("/security/passkeys/options")
def begin_passkey() -> Response:
    """Show the page whose script asks this device for a passkey."""
    form = Form()
    body = {"password": request.form.get("password", "")}
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


def _codes(answer: Answer) -> Response:
    return show("recovery_codes", codes=answer["recoveryCodes"])


def _addresses(form: Form, challenge: object = None) -> Response:
    return show(
        "addresses",
        form=form,
        challenge=challenge,
        listed=ask("/client/addresses", limit=100),
        policy=ask("/client/addresses/policy")["policy"],
        wallets=ask("/client/wallets", limit=100)["wallets"],
        acts=[Call("POST", "/client/addresses", _AN_ENTRY)],
    )


def _identity(form: Form) -> Response:
    return show(
        "identity",
        form=form,
        case=ask("/client/kyc")["kyc"],
        documents=ask("/client/kyc/documents")["documents"],
        document_kinds=_DOCUMENTS,
        kinds=_SIDES,
    )


def _preferences(form: Form) -> Response:
    stands = ask("/client/preferences")["preferences"]
    return show("preferences", form=form, stands=stands, zone_names=sorted(zones.NAMES))


def _security(form: Form) -> Response:
    return show(
        "security",
        form=form,
        steps=ask_own("/client/dashboard")["setupSteps"],
        two_factor=ask("/client/2fa")["twoFactor"],
        passkeys=ask("/client/passkeys", limit=50)["passkeys"],
        sessions=ask("/client/sessions", limit=50)["sessions"],
    )


_AN_ENTRY = {"network": "Solana", "address": "…", "label": "Treasury"}
