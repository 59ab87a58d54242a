"""Screens of deposits: an address on chain, a card and what it would bring, what came of them."""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from protonpay.portal.client.api import Call
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import ask, booked, client, send, show

_LATELY = 10


@client.get("/deposit")
def deposit() -> Response:
    """Show the ways to put money in; what an amount by card would bring, if one was typed."""
    form = Form()
    if form["network"]:
        return _at_an_address(form)
    if not form["amount"]:
        return _ways(form)
    body = form.body("currency", amounts=["amount"])
    answer = send("POST", "/client/deposit/quote", form, body, once=False)
    return _ways(form, quote=None if answer.refused else answer["quote"])


@client.post("/deposit/crypto")
def deposit_address() -> AnyResponse:
    """Lead to the address of a network: a page that is reloaded or kept shows it again."""
    form = Form()
    if send("POST", "/client/deposit/crypto", form, form.body("network")).refused:
        return _ways(form)
    asked = urlencode({"network": form["network"]})
    return redirect(f"/app/deposit?{asked}", HTTPStatus.SEE_OTHER)


@client.post("/deposit/card")
def deposit_by_card() -> Response:
    """Open a deposit, and show what it would bring before the reader leaves for its provider.

    A link leads there: browsers hold ``form-action`` against where a form is redirected to, too.
    """
    form = Form()
    body = form.body("currency", "provider", amounts=["amount"])
    answer = send("POST", "/client/deposit/card", form, body)
    if not answer.refused:
        return show("leaving", one=answer["deposit"], url=answer["url"], asked=body)
    return _ways(form)


@client.get("/deposits/<id:deposit_id>")
def one_deposit(deposit_id: str) -> Response:
    """Show what became of a deposit."""
    answer = ask(f"/client/deposit/{deposit_id}")
    one = answer["deposit"]
    return show("deposited", answer=answer, one=one, entries=booked(one))


def _at_an_address(form: Form) -> Response:
    # The same address each time, whoever asks and however often: a look changes nothing.
    answer = send("POST", "/client/deposit/crypto", form, form.body("network"), once=False)
    return _ways(form, where=None if answer.refused else answer["deposit"])


def _ways(form: Form, **shown: object) -> Response:
    offered = ask("/client/deposit/providers")["providers"]
    taken = {money["code"] for one in offered if one["configured"] for money in one["currencies"]}
    return show(
        "deposit",
        form=form,
        currencies=sorted(taken),
        lately=ask("/client/deposits", limit=_LATELY),
        acts=_DEPOSITING,
        **shown,
    )


_DEPOSITING: Sequence[Call] = (
    Call("POST", "/client/deposit/crypto", {"network": "Solana"}),
    Call("POST", "/client/deposit/quote", {"amount": "100", "currency": "USD"}),
    Call("POST", "/client/deposit/card", {"amount": "100", "currency": "USD", "provider": "tap"}),
)
