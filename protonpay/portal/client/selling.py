"""Screens of invoices: the list, a new one, and what can be done with one."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.portal import checkout, words
from protonpay.portal.client import blanks, looks, visits
from protonpay.portal.client.api import Call
from protonpay.portal.client.building import deliveries_of
from protonpay.portal.client.forms import Form, amount
from protonpay.portal.client.screens import (
    ask,
    client,
    done,
    download,
    looked_at_again,
    send,
    show,
    zone,
)
from protonpay.web import qr

_LASTS = ("86400", "3600", "604800", "2592000")
"""Seconds that an invoice can be paid for, the usual first."""
_EVENTS = 5
"""Of an invoice, on its page; the log has them all."""
_NO_LINES = words.sentence("Write a name=text on each line, each name once.")
_FURTHER = ("tolerance", "redirectUrl", "embedOrigin", "metadata", "acceptLate", "fixedEnd")
"""Fields that most invoices leave as they are: they are behind a word, until one says something."""
_STATUSES = (
    "PENDING",
    "CONFIRMING",
    "PAID",
    "EXPIRED",
    "CANCELLED",
    "PARTIALLY_REFUNDED",
    "REFUNDED",
)


@client.get("/invoices")
def invoices() -> Response:
    """Show the invoices, by the filters of the address."""
    asked = {name: request.args.get(name) for name in ("status", "cursor")}
    listed = ask("/client/invoices", limit=50, **asked, **looks.span(request.args, zone()))
    counts = {one["status"]: one["count"] for one in ask("/client/invoices/counts")["counts"]}
    return show("invoices", form=Form(), listed=listed, statuses=_STATUSES, counts=counts)


@client.get("/invoices.csv")
def invoices_file() -> Response:
    """Give the whole of what the filters show, as a table for a spreadsheet."""
    asked = {"status": request.args.get("status"), **looks.span(request.args, zone())}
    return download("/client/invoices", format="csv", **{k: v for k, v in asked.items() if v})


@client.get("/invoices/new")
def new_invoice() -> Response:
    """Ask what a new invoice is about."""
    return _new(Form())


@client.post("/invoices/new")
def make_invoice() -> AnyResponse:
    """Make it; done once, however often it is sent."""
    form = Form()
    if form["preview"]:
        return _new(form)
    body = form.body(
        *("description", "restOf", "redirectUrl", "embedOrigin"),
        amounts=["amount", "tolerance"],
        whole=["expiresInSeconds"],
        yes_no=["acceptLate"],
    )
    body["extendable"] = not form["fixedEnd"]
    try:
        body["metadata"] = _attached(form["metadata"])
    except ValueError:
        form.answer = blanks.said_beside("metadata", _NO_LINES)
        return _new(form)
    answer = send("POST", "/client/invoices", form, body)
    if answer.refused:
        return _new(form)
    return redirect(f"/app/invoices/{answer['invoice']['id']}", HTTPStatus.SEE_OTHER)


@client.get("/invoices/<id:invoice_id>")
def one_invoice(invoice_id: str) -> Response:
    """Show how an invoice stands, and what was paid."""
    return _one(invoice_id, Form())


@client.post("/invoices/<id:invoice_id>/note")
def note_of_invoice(invoice_id: str) -> AnyResponse:
    """Keep what its owner notes; nothing at all takes the note away."""
    form = Form()
    note = form["note"].replace("\r\n", "\n") or None
    if send("PATCH", f"/client/invoices/{invoice_id}", form, {"note": note}, once=False).refused:
        return _one(invoice_id, form)
    return done("The note is kept.", f"/app/invoices/{invoice_id}")


@client.post("/invoices/<id:invoice_id>/extend")
def extend_invoice(invoice_id: str) -> AnyResponse:
    """Let it be payable until later."""
    form = Form()
    body = form.body("expiresAt")
    if send("POST", f"/client/invoices/{invoice_id}/extend", form, body).refused:
        return _one(invoice_id, form)
    return done("The invoice can be paid for longer.", f"/app/invoices/{invoice_id}")


@client.post("/invoices/<id:invoice_id>/cancel")
def cancel_invoice(invoice_id: str) -> AnyResponse:
    """Take it back."""
    form = Form()
    if send("POST", f"/client/invoices/{invoice_id}/cancel", form).refused:
        return _one(invoice_id, form)
    return done("The invoice is cancelled.", f"/app/invoices/{invoice_id}")


@client.post("/invoices/<id:invoice_id>/refund")
def refund_invoice(invoice_id: str) -> AnyResponse:
    """Give back what was paid, all of it or a part."""
    form = Form()
    body = form.body("walletAddress", "network", amounts=["amount"])
    if form["claimId"]:
        body = form.body("claimId")
    if "walletAddress" not in body:
        body.pop("network", None)
    elif form.lacks("network"):
        return _one(invoice_id, form)
    if send("POST", f"/client/invoices/{invoice_id}/refund", form, body).refused:
        return _one(invoice_id, form)
    return done("The refund is on its way.", f"/app/invoices/{invoice_id}")


@client.post("/invoices/<id:invoice_id>/decline")
def decline_claim(invoice_id: str) -> AnyResponse:
    """Give nothing back of what its payer asks."""
    form = Form()
    path = f"/client/invoices/{invoice_id}/decline"
    if send("POST", path, form, form.body("claimId")).refused:
        return _one(invoice_id, form)
    return done("Declined: nothing was given back.", f"/app/invoices/{invoice_id}")


@client.post("/invoices/<id:invoice_id>/accept")
def accept_invoice(invoice_id: str) -> AnyResponse:
    """Take what has come for all of it."""
    form = Form()
    if send("POST", f"/client/invoices/{invoice_id}/accept", form).refused:
        return _one(invoice_id, form)
    return done("The invoice is paid.", f"/app/invoices/{invoice_id}")


@client.post("/invoices/<id:invoice_id>/send")
def send_invoice(invoice_id: str) -> AnyResponse:
    """Send its page to who shall pay it."""
    form = Form()
    path = f"/client/invoices/{invoice_id}/send"
    if send("POST", path, form, form.body("email", "language")).refused:
        return _one(invoice_id, form)
    return done("The e-mail is on its way.", f"/app/invoices/{invoice_id}")


def _new(form: Form) -> Response:
    """Ask what an invoice is about, beside its page as its payer would see it."""
    try:
        asked: Usdc | None = Usdc.parse(amount(form["amount"]))
    except ValueError:
        asked = None
    lasts = form["expiresInSeconds"] if form["expiresInSeconds"] in _LASTS else _LASTS[0]
    until = clock.to_text(clock.now() + timedelta(seconds=int(lasts)))
    seller = visits.kept(visits.ACCOUNT_NAME) or visits.kept("who") or ""
    return show(
        "invoice_new",
        form=form,
        asked=asked,
        until=until,
        seller=seller,
        further=any(form[name] or form.error(name) for name in _FURTHER),
        tills=_tills(),
        acts=_INVOICING,
    )


def _tills() -> Sequence[tuple[str, str]]:
    """Return the ways to pay by card, in the order of a payer whose browser is the reader's."""
    offered = ask("/client/deposit/providers")["providers"]
    ways = [(money["code"], one["provider"]) for one in offered for money in one["currencies"]]
    set_up = {one["provider"] for one in offered if one["configured"]}
    languages = [*request.accept_languages.values(), words.chosen()]
    return checkout.tills((way for way in ways if way[1] in set_up), languages)


def _rest(invoice: Mapping[str, Any]) -> str:
    """Return the query of a new invoice for what an invoice still lacks; empty if it is nothing."""
    missing = Usdc.parse(invoice["amount"]) - Usdc.parse(invoice["amountPaid"])
    about = {"amount": str(missing), "description": invoice["description"] or ""}
    about["restOf"] = invoice["id"]
    return urlencode(about) if missing > ZERO else ""


def _attached(typed: str) -> Mapping[str, str]:
    """Read texts by their names, one on a line.

    Raises:
        ValueError: a line is none, or a name is there twice.
    """
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, typed.splitlines())):
        name, sign, text = (part.strip() for part in line.partition("="))
        if not sign or name in found:
            raise ValueError(line)
        found[name] = text
    return found


def _ends(end: str) -> Sequence[str]:
    """Return until when an invoice could be payable, each by one of ``_LASTS`` later."""
    return [clock.to_text(clock.from_text(end) + timedelta(seconds=int(more))) for more in _LASTS]


def _told(invoice_id: str) -> Sequence[Mapping[str, Any]]:
    """Return the newest events of an invoice, each with its deliveries for who may see them.

    Not where a part of the page is looked at again: these are in none.
    """
    if looked_at_again():
        return []
    asked = {"object": invoice_id, "order": "desc", "limit": _EVENTS}
    events = ask("/client/events", **asked)["events"]
    return [{**one, "deliveries": deliveries_of(one["id"])} for one in events]


def _one(invoice_id: str, form: Form) -> Response:
    path = f"/client/invoices/{invoice_id}"
    whole = ask(path)
    two_factor = ask("/client/2fa")["twoFactor"]["enabled"]
    acts = [Call("POST", f"{path}/cancel"), Call("POST", f"{path}/refund", {"amount": "10.00"})]
    acts.append(Call("POST", f"{path}/accept"))
    acts.append(Call("POST", f"{path}/extend", {"expiresAt": whole["invoice"]["expiresAt"]}))
    acts.append(Call("PATCH", path, {"note": "Paid in two parts."}))
    acts.append(Call("POST", f"{path}/send", {"email": "doe@example.com", "language": "en"}))
    waiting = [claim["id"] for claim in whole["claims"] if claim["status"] == "OPEN"]
    for one in waiting:
        acts.append(Call("POST", f"{path}/refund", {"claimId": one}))
        acts.append(Call("POST", f"{path}/decline", {"claimId": one}))
    rest = _rest(whole["invoice"])
    return show(
        "invoice",
        form=form,
        whole=whole,
        rest=rest,
        code=qr.svg(whole["invoice"]["payUrl"]),
        two_factor=two_factor,
        told=_told(invoice_id),
        ends=_ends(whole["invoice"]["expiresAt"]),
        acts=acts,
    )


_INVOICING = (
    Call("POST", "/client/invoices", {"amount": "50.00", "description": "Monthly subscription"}),
)
