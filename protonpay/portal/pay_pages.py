"""The pages of who pays an invoice: it needs no account, the address of the page is enough."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.deposits import service as deposits
from protonpay.deposits.ordering import Destinations
from protonpay.invoices import cards
from protonpay.invoices import checkout as invoices
from protonpay.invoices.addresses import back_to
from protonpay.kernel import ids
from protonpay.kernel.errors import Conflict, NotFound, Refusal
from protonpay.portal import checkout, words
from protonpay.portal.answers import OWN_ASSETS, page, spoken
from protonpay.portal.client import visits
from protonpay.portal.client.forms import Form
from protonpay.web import messages, qr
from protonpay.web.limits import AUTH, auth_rate, by_address
from protonpay.web.links import links

pay_pages = Blueprint("pay", __name__, template_folder="templates", static_folder=None)

_AGAIN = 3000  # ms until a stream is opened again
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]{1,63}(?:\.[^@\s.]{1,63}){1,5}")


@pay_pages.get("/pay/<invoice_id>")
def pay(invoice_id: str) -> Response:
    """Show an invoice to its payer, as it stands now."""
    return _shown(invoice_id)


@pay_pages.get("/pay/<id:invoice_id>/plain")
def plain(invoice_id: str) -> Response:
    """Show the same without a script; the page looks again by itself all the same."""
    return _shown(invoice_id, plain=True)


@pay_pages.get("/pay/<id:invoice_id>/receipt")
def receipt(invoice_id: str) -> AnyResponse:
    """Show what was paid, for paper: it changes only with the money."""
    language = words.chosen()
    say = words.speaker(language)
    try:
        shown = invoices.look(invoice_id)
    except NotFound:
        return _missing()
    if not shown.invoice.received_micro:
        return _back(invoice_id, "")
    address = links.to(f"/pay/{invoice_id}/receipt")
    html = render_template(
        "receipt.html",
        lang=language,
        say=say,
        shown=shown,
        face=checkout.face(shown, say),
        address=address,
        code=qr.svg(address),
    )
    return spoken(language, page(html))


@pay_pages.get("/pay/<id:invoice_id>/events")
def standing(invoice_id: str) -> Response:
    """Say how an invoice stands, as a stream of one event that ends at once.

    The browser comes again by itself: a stream that stayed open would hold one of the few
    threads of a process for every page that somebody left open.
    """
    try:
        version = invoices.version(invoice_id)
    except NotFound:
        abort(404)
    said = f"retry: {_AGAIN}\nid: {version}\nevent: standing\ndata: {version}\n\n"
    return Response(said, mimetype="text/event-stream")


@pay_pages.post("/pay/<id:invoice_id>/card")
@by_address.shared_limit(auth_rate, scope=AUTH)
def by_card(invoice_id: str) -> AnyResponse:
    """Have a card page opened; its price is shown before anybody goes there.

    The form's answer is our own page again: a browser follows no form to another site (CSP).
    """
    provider, _, currency = request.form.get("way", "").partition(" ")
    email = request.form.get("email", "").strip()
    if not _EMAIL.fullmatch(email):
        return _shown(invoice_id, refused="Not a valid e-mail address.")
    to = Destinations(
        return_url=links.to(f"/pay/{invoice_id}/card/{{id}}"),
        callback_url=links.to(f"/api/callbacks/{provider}"),
    )
    try:
        cards.open_page(invoice_id, provider=provider, currency=currency, email=email, to=to)
    except NotFound:
        return _missing()
    except Conflict:
        # It was paid meanwhile, or is being: the page says so itself.
        return _back(invoice_id)
    except Refusal as refusal:
        said = messages.say(refusal.said, words.chosen(), refusal.values)
        return _shown(invoice_id, refused=said)
    return _back(invoice_id)


@pay_pages.get("/pay/<id:invoice_id>/card/<id:deposit_id>")
def came_back(invoice_id: str, deposit_id: str) -> AnyResponse:
    """Receive a payer back from a card provider: have it asked, say that nobody need pay again."""
    try:
        cards.came_back(invoice_id, deposit_id)
    except NotFound:
        return _missing()
    return _back(invoice_id, "")


@pay_pages.app_template_filter("host")
def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _back(invoice_id: str, part: str = "#card") -> AnyResponse:
    return redirect(f"/pay/{invoice_id}{part}", HTTPStatus.SEE_OTHER)


def _shown(invoice_id: str, refused: str | None = None, *, plain: bool = False) -> Response:
    language = words.chosen()
    say = words.speaker(language)
    try:
        shown = invoices.look(_as_id(invoice_id))
    except NotFound:
        return _missing()
    face = checkout.face(shown, say)
    html = render_template(
        "pay.html",
        lang=language,
        say=say,
        shown=shown,
        face=face,
        plain=plain,
        back=_way_back(shown),
        payer=_payer(),
        refused=refused and messages.say(refused, language, {}),
        left=checkout.time_left(shown, say),
        codes={place.network: qr.svg(place.code) for place in shown.places},
        offers=[one for one in deposits.offers() if one.configured],
        # Where addresses are being prepared anything new is worth another look.
        version="" if shown.can_be_paid and not shown.places else shown.version,
        refresh=0 if request.args.get("refresh") == "off" else face.refresh,
    )
    framed_by = shown.invoice.embed_origin or "'none'"
    policy = OWN_ASSETS.replace("frame-ancestors 'none'", f"frame-ancestors {framed_by}")
    answer = spoken(language, page(html, policy))
    if refused:
        answer.status_code = HTTPStatus.BAD_REQUEST
    return answer


def _payer() -> Mapping[str, str] | None:
    """Return who pays from a balance, if somebody is signed in and nobody frames the page."""
    # A frame's page could be clicked by who does not see what they click.
    if not visits.is_signed_in() or request.headers.get("Sec-Fetch-Dest") == "iframe":
        return None
    named = visits.kept("account_name") or visits.kept("who") or ""
    return {"name": named, "csrf_token": visits.form_token(), "key": Form().key}


def _way_back(shown: invoices.Checkout) -> str | None:
    if shown.invoice.redirect_url is None or shown.invoice.state != "PAID":
        return None
    return back_to(shown.invoice.redirect_url, shown.invoice.id)


def _missing() -> Response:
    language = words.chosen()
    missing = page(render_template("no_invoice.html", lang=language, say=words.speaker(language)))
    missing.status_code = HTTPStatus.NOT_FOUND
    return spoken(language, missing)


def _as_id(text: str) -> str:
    # A path that cannot be an id has a page for people, too; nobody looks it up.
    if not ids.ID_PATTERN.fullmatch(text):
        raise NotFound("not_found", "There is no such invoice.")
    return text
