"""Screens of withdrawals: where to, how much, everything once more; how far it is."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from protonpay.chains.registry import NETWORKS, network
from protonpay.kernel import clock
from protonpay.portal.client import blanks, filters, looks
from protonpay.portal.client.api import Call
from protonpay.portal.client.forms import KEY, Form
from protonpay.portal.client.screens import ask, booked, client, done, send, show

_COMPARED = 100
"""How many of the last withdrawals a new address is compared with."""
_PROBE = "1"
"""The amount of a quote that is asked for its address and its limits alone."""
_FIELDS = ("walletAddress", "network", "sure")
"""What the first step tells the later ones; ``sure``: of an address that looks like another."""
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
    """Ask where to: the first of three steps. What they know stands in the page's address."""
    return _where(Form())


@client.get("/withdraw/amount")
def amount_of_withdrawal() -> Response:
    """Have the address judged, and ask how much."""
    form = Form()
    quote = _quoted(form, _PROBE)
    if quote is None:
        return _where(form)
    alike = _alike(form)
    if alike is not None and not form["sure"]:
        return _where(form, alike)
    if form["most"]:
        form = _with_the_most(form, quote)
    return _how_much(form, quote)


@client.get("/withdraw/confirm")
def confirm_withdrawal() -> AnyResponse:
    """Have the amount judged, and show all of a withdrawal before it is made."""
    form = Form()
    if form[KEY]:
        return _confirming(form)
    order = _order(form)
    quote = _quoted(form, order.get("amount"))
    if quote is None:
        return _step_of(form)
    codes = [code for code in quote["problems"] if code in filters.AT_THE_AMOUNT]
    if codes:
        _refuse(form, "amount", filters.problem_said(codes[0]))
        return _how_much(form, quote)
    # The key is of this withdrawal from here on: a second click, a reload, a step back are it.
    asked = {**form.body(*_FIELDS), **order, KEY: form.key}
    return redirect(f"/app/withdraw/confirm?{urlencode(asked)}", HTTPStatus.SEE_OTHER)


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
    one = answer["payout"]
    entries = booked(one)
    return show("withdrawn", form=form, answer=answer, one=one, entries=entries, acts=acts)


def room(fees: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what the plan leaves room for now, by a quote; None if it lets nothing out.

    Args:
        fees: of ``GET /client/fees``.
    """
    networks = fees["withdrawal"]
    if not networks:
        return None
    asked = {"amount": _PROBE, "network": next(iter(networks))}
    answer = send("POST", "/client/withdraw/quote", Form(), asked, once=False)
    return None if answer.refused else answer["quote"]


def _payee(order: Mapping[str, Any], quote: Mapping[str, Any]) -> str | None:
    """Return what stands at the address; None where no chain would pay it, or nobody may ask."""
    if quote["internal"] or filters.standing(quote["problems"]):
        return None
    answer = send("POST", "/client/withdraw/payee", Form(), _address(order), once=False)
    return "UNKNOWN" if answer.refused else answer["payee"]["kind"]


def _address(order: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: order[name] for name in ("walletAddress", "network") if name in order}


def _quoted(form: Form, amount: str | None) -> Mapping[str, Any] | None:
    """Return what a withdrawal to an address would cost; None if it cannot go there.

    The form knows why not, beside the field.
    """
    if form.lacks("network", "walletAddress"):
        return None
    asked = {**_address(_order(form)), **({} if amount is None else {"amount": amount})}
    answer = send("POST", "/client/withdraw/quote", form, asked, once=False)
    if answer.refused:
        return None
    quote: Mapping[str, Any] = answer["quote"]
    codes = [code for code in quote["problems"] if code in filters.AT_THE_ADDRESS]
    if codes:
        _refuse(form, "walletAddress", filters.problem_said(codes[0]))
    return None if codes else quote


def _with_the_most(form: Form, quote: Mapping[str, Any]) -> Form:
    """Fill in the largest amount that can go."""
    most = quote["maxAmount"]
    filled = Form(MultiDict({**form.body(*_FIELDS), "amount": most}))
    if most == "0.00":
        _refuse(filled, "amount", "Nothing can be withdrawn now: see the balance and the limits.")
    return filled


def _refuse(form: Form, name: str, said: str) -> None:
    form.answer = blanks.said_beside(name, said)


def _order(form: Form) -> Mapping[str, Any]:
    return form.body("walletAddress", "network", amounts=["amount"])


def _alike(form: Form) -> looks.Alike | None:
    sent = ask("/client/withdrawals", limit=_COMPARED)["withdrawals"]
    return looks.alike(form["walletAddress"], [each["walletAddress"] for each in sent])


def _where(form: Form, alike: looks.Alike | None = None) -> Response:
    fees = ask("/client/fees")["fees"]
    return show(
        "withdraw",
        form=form,
        alike=alike,
        limits=fees,
        quote=room(fees),
        book=ask("/client/addresses", limit=100)["addresses"],
        now=clock.to_text(clock.now()),
        payable={
            one.name: {"chain": one.chain_id, "usdc": one.usdc} for one in map(network, NETWORKS)
        },
        acts=ASKED,
    )


def _how_much(form: Form, quote: Mapping[str, Any]) -> Response:
    order = _order(form)
    return show(
        "withdraw_amount",
        form=form,
        order=order,
        quote=quote,
        payee=_payee(order, quote),
        limits=ask("/client/fees")["fees"],
        alike=_alike(form),
        acts=[Call("POST", "/client/withdraw/payee", _address(order)), *ASKED],
    )


def _step_of(form: Form) -> Response:
    """Return the step whose field was refused."""
    if not form.error("amount"):
        return _where(form)
    quote = _quoted(asking := Form(), _PROBE)
    return _where(asking) if quote is None else _how_much(form, quote)


def _confirming(form: Form) -> AnyResponse:
    order = _order(form)
    quote = _quoted(quoting := Form(), order.get("amount"))
    if quote is None:
        return _step_of(quoting)
    return show(
        "withdraw_confirm",
        form=form,
        quote=quote,
        payee=_payee(order, quote),
        order=order,
        alike=_alike(form),
        two_factor=ask("/client/2fa")["twoFactor"]["enabled"],
        acts=[
            Call("POST", "/client/withdraw/payee", _address(order)),
            Call("POST", "/client/withdraw", order),
        ],
    )
