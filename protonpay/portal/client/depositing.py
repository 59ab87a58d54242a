"""Screens of deposits: an address on chain, a card and what it would bring, what came of them."""

from collections.abc import Sequence

from flask import Response

from protonpay.portal.client.api import Call
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import ask, client, send, show

_LATELY = 10


@client.get("/deposit")
def deposit() -> Response:
    """Show the ways to put money in; what an amount by card would bring, if one was typed."""
    form = Form()
    if not form["amount"]:
        return _ways(form)
    body = form.body("currency", amounts=["amount"])
    answer = send("POST", "/client/deposit/quote", form, body, once=False)
    return _ways(form, quote=None if answer.refused else answer["quote"])


@client.post("/deposit/crypto")
def deposit_address() -> Response:
    """Show the address of a network."""
    form = Form()
    answer = send("POST", "/client/deposit/crypto", form, form.body("network"))
    return _ways(form, where=None if answer.refused else answer["deposit"])


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
    return show("deposited", one=ask(f"/client/deposit/{deposit_id}")["deposit"])


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
