"""What a payer does on the pay page: pays by card, asks back, names a transaction, asks for time.

Nobody is signed in: whoever has the page's address may send these. None of them moves money.
"""

import re
from collections.abc import Callable

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.deposits.ordering import Destinations
from protonpay.invoices import cards, claims, lookups, rests
from protonpay.invoices import service as invoices
from protonpay.kernel.errors import Conflict, NotFound, Refusal
from protonpay.portal.pay_pages import Tried, back, missing, pay_pages, shown_page
from protonpay.web.limits import AUTH, auth_rate, by_address
from protonpay.web.links import links

__all__ = ["pay_pages"]

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]{1,63}(?:\.[^@\s.]{1,63}){1,5}")
_LONGEST = 300
"""Characters of a field that anybody may fill."""


@pay_pages.post("/pay/<id:invoice_id>/card")
@by_address.shared_limit(auth_rate, scope=AUTH)
def by_card(invoice_id: str) -> AnyResponse:
    """Have a card page opened; its price is shown before anybody goes there.

    The form's answer is our own page again: a browser follows no form to another site (CSP).
    """
    provider, _, currency = _typed("way").partition(" ")
    email = _typed("email")
    if not _EMAIL.fullmatch(email):
        return shown_page(
            invoice_id, tried=Tried("card", "Not a valid e-mail address.", beside="email")
        )
    to = Destinations(
        return_url=links.to(f"/pay/{invoice_id}/card/{{id}}"),
        callback_url=links.to(f"/api/callbacks/{provider}"),
    )
    try:
        cards.open_page(invoice_id, provider=provider, currency=currency, email=email, to=to)
    except Conflict:
        # It was paid meanwhile, or is being: the page says so itself.
        return back(invoice_id)
    except Refusal as refusal:
        return _refused(invoice_id, "card", refusal)
    return back(invoice_id, "?network=card#card")


@pay_pages.post("/pay/<id:invoice_id>/claim")
@by_address.shared_limit(auth_rate, scope=AUTH)
def claim(invoice_id: str) -> AnyResponse:
    """Ask money back: the address is shown once more before it is written down."""
    to = {"wallet_address": _typed("address"), "network": _typed("network")}
    try:
        if _typed("sure") == "yes":
            claims.ask_back(invoice_id, **to)
            return back(invoice_id, "#claim")
        amount, address = claims.checked(invoice_id, **to)
    except Refusal as refusal:
        return _refused(invoice_id, "claim", refusal)
    claiming = {"amount": amount, "address": address, "network": to["network"]}
    return shown_page(invoice_id, tried=Tried("claim", claiming=claiming))


@pay_pages.post("/pay/<id:invoice_id>/sent")
@by_address.shared_limit(auth_rate, scope=AUTH)
def sent(invoice_id: str) -> AnyResponse:
    """Have a transaction looked up; the page shows what its network says once it is known."""
    return _done("sent", invoice_id, lambda: lookups.look_for(invoice_id, _typed("transaction")))


@pay_pages.post("/pay/<id:invoice_id>/time")
@by_address.shared_limit(auth_rate, scope=AUTH)
def more_time(invoice_id: str) -> AnyResponse:
    """Give a payer more time, if there is any to give."""
    return _done("time", invoice_id, lambda: invoices.extend(invoice_id))


@pay_pages.post("/pay/<id:invoice_id>/rest")
@by_address.shared_limit(auth_rate, scope=AUTH)
def ask_for_rest(invoice_id: str) -> AnyResponse:
    """Tell the seller that the rest would be paid."""
    return _done("rest", invoice_id, lambda: rests.ask(invoice_id))


def _done(at: str, invoice_id: str, act: Callable[[], object]) -> AnyResponse:
    try:
        act()
    except Refusal as refusal:
        return _refused(invoice_id, at, refusal)
    return back(invoice_id, "" if at == "time" else f"#{at}")


def _refused(invoice_id: str, at: str, refusal: Refusal) -> Response:
    if isinstance(refusal, NotFound):
        return missing()
    return shown_page(invoice_id, tried=Tried(at, refusal.said, refusal.values))


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:_LONGEST]
