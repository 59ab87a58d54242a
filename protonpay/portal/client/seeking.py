"""The search: what a person has of a thing leads to its page, or to all that it could be."""

from http import HTTPStatus

from flask import redirect
from werkzeug.wrappers import Response as AnyResponse

from protonpay.kernel.ids import API_KEY_PREFIX
from protonpay.kernel.money import Usdc
from protonpay.portal.client.api import Refused
from protonpay.portal.client.forms import Form, amount
from protonpay.portal.client.screens import ask, client, show

_GROUPS = (
    ("PAYOUT", "Withdrawals"),
    ("DEPOSIT", "Deposits"),
    ("TRANSFER", "Transfers"),
    ("INVOICE", "Invoices"),
    ("PAYMENT", "Payments of invoices"),
    ("REFUND", "Refunds"),
    ("EVENT", "Events"),
    ("WEBHOOK", "Webhooks"),
    ("API_KEY", "API keys"),
    ("REQUEST", "Requests"),
    ("ADDRESS", "Addresses"),
)
"""In the order of the page; what they are called."""
_KEY_SHOWN = 12
"""Characters of an API key that are no secret: more of one goes no further than here."""


@client.get("/search")
def search() -> AnyResponse:
    """Lead to what was meant if there is but one such thing; show all that begins so if not."""
    form = Form()
    text = form["q"]
    if not text:
        return show("search", form=form, text="", groups=None)
    if text.startswith(API_KEY_PREFIX):
        text = text[:_KEY_SHOWN]
    elif not any(each.isalpha() for each in text):
        text = amount(text)
    try:
        hits = ask("/client/search", q=text)["hits"]
    except Refused as refused:
        if refused.answer.status != HTTPStatus.BAD_REQUEST:
            raise
        form.answer = refused.answer
        return show("search", form=form, text=text, groups=None)
    exact = [hit for hit in hits if hit["exact"]]
    if len(exact) == 1:
        return redirect(exact[0]["link"], HTTPStatus.SEE_OTHER)
    by_kind = ((word, [hit for hit in hits if hit["kind"] == kind]) for kind, word in _GROUPS)
    return show(
        "search",
        form=form,
        text=text,
        groups=[(word, found) for word, found in by_kind if found],
        everything=_in_activity(text),
    )


def _in_activity(text: str) -> dict[str, str]:
    """Return the filters of activity that show all of what moved with a text."""
    try:
        Usdc.parse(text)
    except ValueError:
        return {"q": text}
    return {"minAmount": text, "maxAmount": text}
