"""Screens of withdrawals: where to and how much, everything once more, how far it is."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from protonpay.chains.registry import NETWORKS, network
from protonpay.portal import words
from protonpay.portal.client import filters, looks
from protonpay.portal.client.api import Answer, Call
from protonpay.portal.client.forms import KEY, Form
from protonpay.portal.client.screens import ask, client, done, send, show

_COMPARED = 100
"""How many of the last withdrawals a new address is compared with."""
ASKED = (
    Call(
        "POST",
        "/client/withdraw/quote",
        {"amount": "50.00", "walletAddress": "…", "network": "Solana"},
    ),
)
"""What asks what a withdrawal would cost, and what there is room for."""


@client.get("/withdraw")
def withdraw() -> Response:
    """Ask where to, and how much."""
    form = Form()
    return show("withdraw", form=form, **_withdrawing())


@client.post("/withdraw/check")
def check_withdrawal() -> AnyResponse:
    """Have what was typed judged; lead on to the last step only if nothing stands in its way."""
    form = Form()
    if form["most"]:
        form = _with_the_most(form)
        return show("withdraw", form=form, **_withdrawing())
    answer = send("POST", "/client/withdraw/quote", form, _order(form), once=False)
    if answer.refused or _misdirected(form, answer):
        return show("withdraw", form=form, **_withdrawing())
    # The key is of this withdrawal from here on: a second click, a reload, a step back are it.
    asked = {**_order(form), KEY: form.key}
    return redirect(f"/app/withdraw/confirm?{urlencode(asked)}", HTTPStatus.SEE_OTHER)


@client.get("/withdraw/confirm")
def confirm_withdrawal() -> AnyResponse:
    """Show all of a withdrawal before it is made."""
    return _confirming(Form())


@client.post("/withdraw")
def make_withdrawal() -> AnyResponse:
    """Make it; done once, however often it is sent."""
    form = Form()
    answer = send("POST", "/client/withdraw", form, _order(form))
    if answer.refused:
        return _confirming(form)
    return redirect(f"/app/withdrawals/{answer['payout']['id']}", HTTPStatus.SEE_OTHER)


@client.get("/withdrawals/<id:payout_id>")
def one_withdrawal(payout_id: str) -> Response:
    """Show how far a withdrawal is."""
    return _one(payout_id, Form())


@client.post("/withdrawals/<id:payout_id>/cancel")
def cancel_withdrawal(payout_id: str) -> AnyResponse:
    """Take it back, if nothing is signed for it."""
    form = Form()
    if send("POST", f"/client/withdraw/{payout_id}/cancel", form).refused:
        return _one(payout_id, form)
    return done("The withdrawal is asked back.", f"/app/withdrawals/{payout_id}")


def _one(payout_id: str, form: Form) -> Response:
    path = f"/client/withdraw/{payout_id}"
    acts = [Call("POST", f"{path}/cancel")]
    answer = ask(path)
    return show("withdrawn", form=form, answer=answer, one=answer["payout"], acts=acts)


def room(fees: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what the plan leaves room for now, by a quote; None if it lets nothing out.

    Args:
        fees: of ``GET /client/fees``.
    """
    networks = fees["withdrawal"]
    if not networks:
        return None
    asked = {"amount": "1", "network": next(iter(networks))}
    answer = send("POST", "/client/withdraw/quote", Form(), asked, once=False)
    return None if answer.refused else answer["quote"]


def _payee(order: Mapping[str, Any], quote: Mapping[str, Any]) -> str | None:
    """Return what stands at the address; None where no chain would pay it."""
    if quote["problems"] or quote["internal"]:
        return None
    answer = send("POST", "/client/withdraw/payee", Form(), _address(order), once=False)
    return "UNKNOWN" if answer.refused else answer["payee"]["kind"]


def _address(order: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: order[name] for name in ("walletAddress", "network") if name in order}


def _with_the_most(form: Form) -> Form:
    """Fill in the largest amount that can go; what was typed beside it stays."""
    asked = {**form.body("network"), "amount": "1"}
    answer = send("POST", "/client/withdraw/quote", form, asked, once=False)
    if answer.refused:
        return form
    most = answer["quote"]["maxAmount"]
    filled = Form(MultiDict({**dict(form.kept()), KEY: form.key, "amount": most}))
    if most == "0.00":
        _refuse(filled, "amount", "Nothing can be withdrawn now: see the balance and the limits.")
    return filled


def _refuse(form: Form, name: str, said: str) -> None:
    told = words.speaker(words.chosen())(said)
    errors = {"json": {name: [told]}}
    form.answer = Answer(HTTPStatus.BAD_REQUEST, {"message": told, "errors": errors})


def _misdirected(form: Form, answer: Answer) -> bool:
    """Refuse an address beside its field; tell whether it was."""
    codes = [code for code in answer["quote"]["problems"] if code in filters.AT_THE_ADDRESS]
    if form["walletAddress"] and not codes:
        return False
    said = filters.problem_said(codes[0] if codes else "invalid_address")
    _refuse(form, "walletAddress", said)
    return True


def _order(form: Form) -> Mapping[str, Any]:
    return form.body("walletAddress", "network", amounts=["amount"])


def _withdrawing() -> dict[str, Any]:
    fees = ask("/client/fees")["fees"]
    return {
        "balance": ask("/client/balance"),
        "limits": fees,
        "quote": room(fees),
        "book": ask("/client/addresses", limit=100)["addresses"],
        "payable": {
            one.name: {"chain": one.chain_id, "usdc": one.usdc} for one in map(network, NETWORKS)
        },
        "acts": ASKED,
    }


def _confirming(form: Form) -> AnyResponse:
    order = _order(form)
    quoted = send("POST", "/client/withdraw/quote", quoting := Form(), order, once=False)
    if quoted.refused:
        return show("withdraw", form=quoting, **_withdrawing())
    quote = quoted["quote"]
    sent = ask("/client/withdrawals", limit=_COMPARED)["withdrawals"]
    return show(
        "withdraw_confirm",
        form=form,
        quote=quote,
        payee=_payee(order, quote),
        order=order,
        alike=looks.alike(order["walletAddress"], [each["walletAddress"] for each in sent])
        if "walletAddress" in order
        else None,
        two_factor=ask("/client/2fa")["twoFactor"]["enabled"],
        acts=[
            Call("POST", "/client/withdraw/payee", _address(order)),
            Call("POST", "/client/withdraw", order),
        ],
    )
