"""Screens of the account itself: statements, fees, addresses, identity, preferences."""

import base64

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.kernel import zones
from protonpay.locales import countries
from protonpay.portal import words
from protonpay.portal.client import figures
from protonpay.portal.client.api import Call
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import ask, client, done, download, prefer, send, show, zone

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
    one = ask(f"/client/statements/{month}")["statement"]
    figure = figures.month(words.speaker(words.chosen(), zone()), one)
    return show("statement", one=one, figure=figure)


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
    if send("POST", "/client/kyc", form, body).refused:
        return _identity(form)
    return done("Thank you. It is being reviewed.", "/app/identity")


@client.post("/identity/documents")
def upload_document() -> AnyResponse:
    """Take a file into the identity check that is to be sent."""
    form, given = Form(), request.files.get("content")
    body = form.body("kind")
    if content := b"" if given is None else given.read():
        body["content"] = base64.b64encode(content).decode()
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
        fees=ask("/client/fees"),
        documents=ask("/client/kyc/documents")["documents"],
        document_kinds=_DOCUMENTS,
        kinds=_SIDES,
        countries=countries.named(words.chosen()),
    )


def _preferences(form: Form) -> Response:
    stands = ask("/client/preferences")["preferences"]
    return show("preferences", form=form, stands=stands, zone_names=sorted(zones.NAMES))


_AN_ENTRY = {"network": "Solana", "address": "…", "label": "Treasury"}
