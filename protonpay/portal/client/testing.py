"""The screen on which a sandbox is tried: be paid, decide who one is, let a call fail."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, redirect
from flask.blueprints import BlueprintSetupState
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from protonpay.identity.port import REASONS
from protonpay.portal import words
from protonpay.portal.client.api import Call, Refused
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import TEST, ask, client, done, send, show, zone

_LATELY = 10
_MOST = 50
_FORMS = ("sending", "paying", "deciding", "failing")
_USUAL = "100.00"
_CALLS = (
    "POST /client/withdraw",
    "POST /client/transfer",
    "POST /client/invoices",
    "POST /client/deposit/card",
    "POST /client/deposit/crypto",
)
"""What a fault is worth most for: calls that must not be carried out twice."""


def test() -> Response:
    """Show what can be tried."""
    return _screen()


def pay() -> AnyResponse:
    """Have the wallet outside pay; lead to where the money is seen to arrive."""
    form = Form()
    body = form.body("network", "invoiceId", amounts=["amount"], yes_no=["vanishes"])
    if send("POST", "/client/test/payments", form, body).refused:
        return _screen(**{"paying" if form["invoiceId"] else "sending": form})
    flash("Test USDC is on its way: it shows here within seconds.")
    if form["invoiceId"]:
        return _on_to(f"/app/invoices/{form['invoiceId']}")
    asked = urlencode({"network": form["network"]}) if form["at"] == "address" else ""
    return _on_to(f"/app/deposit?{asked}" if asked else "/app/deposit")


def decide() -> AnyResponse:
    """Decide the reader's own identity check."""
    form = Form()
    body = form.body("outcome", "reason")
    if body.get("outcome") == "APPROVED":
        body.pop("reason", None)
    if send("POST", "/client/test/kyc", form, body).refused:
        return _screen(deciding=form)
    return done("Your identity check is decided.", TEST)


def run_out(invoice_id: str) -> AnyResponse:
    """Let the time of an invoice be over."""
    form = Form()
    if send("POST", f"/client/test/invoices/{invoice_id}/expire", form).refused:
        return _screen(paying=form)
    return done("The time of this invoice is over.", f"/app/invoices/{invoice_id}")


def fail() -> AnyResponse:
    """Have the next call of an API key meet a fault."""
    form = Form()
    method, _, path = form["call"].partition(" ")
    body = form.body("kind") | ({"method": method, "route": f"/api{path}"} if path else {})
    if send("POST", "/client/test/faults", form, body).refused:
        return _screen(failing=form)
    return done("The next call of your API keys that it is meant for meets this fault.", TEST)


def take_back(fault_id: str) -> AnyResponse:
    """Take a fault back that no call has met yet."""
    form = Form()
    if send("DELETE", f"/client/test/faults/{fault_id}", form).refused:
        return _screen(failing=form)
    return done("The fault is taken back.", TEST)


def _open(state: BlueprintSetupState) -> None:
    """Add the screen where there is something to be tried: in production there is no such page."""
    if state.app.jinja_env.globals["test_data"]:
        state.add_url_rule(TEST.removeprefix("/app"), "test", test)
        state.add_url_rule("/test/payments", "test_payment", pay, methods=["POST"])
        state.add_url_rule("/test/kyc", "test_identity", decide, methods=["POST"])
        ending = "/test/invoices/<id:invoice_id>/expire"
        state.add_url_rule(ending, "test_expiry", run_out, methods=["POST"])
        state.add_url_rule("/test/faults", "test_fault", fail, methods=["POST"])
        removal = "/test/faults/<id:fault_id>/remove"
        state.add_url_rule(removal, "test_fault_removal", take_back, methods=["POST"])


client.record(_open)


def _screen(**refused: Form) -> Response:
    """Show the screen; each of its forms is its own, and knows only why it was refused itself."""
    forms = {name: refused.get(name) or _empty() for name in _FORMS}
    return show(
        "test",
        form=next(iter(refused.values()), None),
        usual=_USUAL,
        lately=ask("/client/test/payments", limit=_LATELY)["payments"],
        invoices=_open_invoices(),
        case=_if_allowed("/client/kyc", "kyc"),
        hooks=_if_allowed("/client/webhooks", "webhooks"),
        reasons=REASONS,
        faults=ask("/client/test/faults")["faults"],
        calls_to_fail=_CALLS,
        cards=[one for one in ask("/client/deposit/providers")["providers"] if one["configured"]],
        acts=_TRYING,
        **forms,
    )


def _open_invoices() -> Sequence[tuple[str, str]]:
    """Return options: what each still asks for, and what for."""
    say = words.speaker(words.chosen(), zone())
    found = []
    for one in ask("/client/invoices", status="PENDING", limit=_MOST)["invoices"]:
        due = f"{say.amount(one['amountDue'])} USDC"
        found.append((one["id"], f"{due} · {one['description'] or one['id']}"))
    return found


def _empty() -> Form:
    return Form(MultiDict())


def _if_allowed(path: str, member: str) -> Any:
    """Return what there is, None if the reader's role in the account does not see it."""
    try:
        return ask(path)[member]
    except Refused as refused:
        if refused.answer.status != HTTPStatus.FORBIDDEN:
            raise
        return None


def _on_to(place: str) -> AnyResponse:
    return redirect(place, HTTPStatus.SEE_OTHER)


_TRYING: Sequence[Call] = (
    Call("POST", "/client/test/payments", {"network": "Base", "amount": _USUAL}),
    Call("POST", "/client/test/payments", {"network": "Base", "invoiceId": "…"}),
    Call("POST", "/client/test/invoices/…/expire"),
    Call("POST", "/client/test/kyc", {"outcome": "APPROVED"}),
    Call("POST", "/client/test/faults", {"kind": "answer_lost"}),
    Call("DELETE", "/client/test/faults/…"),
)
