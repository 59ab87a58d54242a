"""The pages of who pays an invoice: it needs no account, the address of the page is enough."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, redirect, render_template, request
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from protonpay.chains.registry import NETWORKS
from protonpay.deposits import service as deposits
from protonpay.deposits.service import Offer
from protonpay.invoices import cards, receipts
from protonpay.invoices import checkout as invoices
from protonpay.invoices.addresses import back_to, site_of
from protonpay.invoices.states import LOOKUP_TRIES
from protonpay.kernel import ids
from protonpay.kernel.errors import NotFound
from protonpay.portal import checkout, words
from protonpay.portal.answers import OWN_ASSETS, page, spoken
from protonpay.portal.client import visits
from protonpay.portal.client.forms import Form
from protonpay.web import messages, qr
from protonpay.web.links import links

pay_pages = Blueprint("pay", __name__, template_folder="templates", static_folder=None)

_AGAIN = 3000  # ms until a stream is opened again


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a form of the page.

    Attributes:
        at: which form: ``card``, ``claim``, ``rest``, ``sent`` or ``time``.
        beside: the field of it that was refused, if one alone was.
        refused: why not, in English; its ``values`` by name.
        claiming: amount, address and network of a claim that is still to be confirmed.
    """

    at: str = ""
    refused: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    claiming: Mapping[str, object] | None = None
    beside: str = ""


NOTHING_TRIED = Tried()


@dataclass(slots=True)
class _House:
    """Whether money here is play money, as every page's band says."""

    test: bool = True


_house = _House()


@pay_pages.record
def _learn(state: BlueprintSetupState) -> None:
    _house.test = bool(state.app.jinja_env.globals["test_data"])


@pay_pages.get("/pay/<invoice_id>")
def pay(invoice_id: str) -> Response:
    """Show an invoice to its payer, as it stands now."""
    return shown_page(invoice_id)


@pay_pages.get("/pay/<id:invoice_id>/plain")
def plain(invoice_id: str) -> Response:
    """Show the same without a script; the page looks again by itself all the same."""
    return shown_page(invoice_id, plain=True)


@pay_pages.get("/pay/<id:invoice_id>/receipt")
def receipt(invoice_id: str) -> AnyResponse:
    """Show what was paid, for paper: it changes only with the money."""
    language = words.chosen()
    say = words.speaker(language)
    try:
        shown = invoices.look(invoice_id)
    except NotFound:
        return missing()
    if not shown.invoice.received_micro:
        return back(invoice_id)
    address = links.to(f"/pay/{invoice_id}/receipt")
    html = render_template(
        "receipt.html",
        lang=language,
        say=say,
        shown=shown,
        face=checkout.face(shown, say),
        address=address,
        keys=links.to("/docs#receipts"),
        code=qr.svg(address),
    )
    return spoken(language, page(html))


@pay_pages.get("/pay/<id:invoice_id>/receipt.json")
def signed_receipt(invoice_id: str) -> AnyResponse:
    """Give the receipt as a file that proves itself, wherever this page is by then."""
    try:
        signed = receipts.signed(invoice_id, issuer=links.to(""), test=_house.test)
    except NotFound:
        return missing()
    file = Response(json.dumps(signed, indent=2) + "\n", mimetype="application/jose+json")
    file.headers["Content-Disposition"] = f'attachment; filename="receipt-{invoice_id}.json"'
    file.headers["Cache-Control"] = "no-store"
    return file


@pay_pages.get("/pay/receipt-keys.json")
def receipt_keys() -> Response:
    """Give the public keys that receipts are verified with."""
    return Response(json.dumps(receipts.public_keys()), mimetype="application/jwk-set+json")


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


@pay_pages.get("/pay/<id:invoice_id>/card/<id:deposit_id>")
def came_back(invoice_id: str, deposit_id: str) -> AnyResponse:
    """Receive a payer back from a card provider: have it asked, say that nobody need pay again."""
    try:
        cards.came_back(invoice_id, deposit_id)
    except NotFound:
        return missing()
    return back(invoice_id)


@pay_pages.app_template_filter("host")
def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def back(invoice_id: str, part: str = "") -> AnyResponse:
    """Lead to the page of an invoice, or to a part of it."""
    return redirect(f"/pay/{invoice_id}{part}", HTTPStatus.SEE_OTHER)


def shown_page(invoice_id: str, *, plain: bool = False, tried: Tried = NOTHING_TRIED) -> Response:
    """Make the page of an invoice, perhaps with what became of one of its forms."""
    language = words.chosen()
    say = words.speaker(language)
    try:
        shown = invoices.look(_as_id(invoice_id))
    except NotFound:
        return missing()
    face, payer = checkout.face(shown, say), _payer()
    offers = [one for one in deposits.offers() if one.configured]
    languages = [*request.accept_languages.values(), language]
    html = render_template(
        "pay.html",
        lang=language,
        say=say,
        shown=shown,
        face=face,
        plain=plain,
        back=_way_back(shown),
        site=_site(shown),
        final_block=checkout.final_block(shown, say),
        payer=payer,
        refused=tried.refused and messages.say(tried.refused, language, tried.values),
        at=tried.at,
        beside=tried.beside,
        typed=request.form,
        claiming=tried.claiming,
        chosen=_way(shown, tried, offers, signed_in=payer is not None),
        came_by=next((one.network for one in reversed(shown.payments) if one.network), ""),
        networks=list(NETWORKS),
        tries=LOOKUP_TRIES,
        left=checkout.time_left(shown, say),
        codes={place.network: qr.svg(place.code) for place in shown.places},
        tills=checkout.tills(_by_card(offers), languages),
        # Where addresses are being prepared anything new is worth another look.
        version="" if shown.can_be_paid and not shown.places else shown.version,
        refresh=0 if request.args.get("refresh") == "off" else face.refresh,
    )
    framed_by = shown.invoice.embed_origin or "'none'"
    policy = OWN_ASSETS.replace("frame-ancestors 'none'", f"frame-ancestors {framed_by}")
    answer = spoken(language, page(html, policy))
    if tried.refused:
        answer.status_code = HTTPStatus.BAD_REQUEST
    return answer


def _way(
    shown: invoices.Checkout, tried: Tried, offers: Sequence[Offer], *, signed_in: bool
) -> str:
    """Return which way to pay is open: what was asked for, or what is nearest."""
    places = [place.network.lower() for place in shown.places]
    open_card = shown.card is not None and shown.card.state == "OPEN"
    by_card = ["card"] if offers or open_card else []
    ways = [*(["balance"] if signed_in else []), *places, *by_card, "balance"]
    came = [one.network.lower() for one in reversed(shown.payments) if one.network]
    wanted = [tried.at, request.args.get("network", ""), *(["card"] if open_card else []), *came]
    return next((way for way in wanted if way in ways), ways[0])


def _by_card(offers: Sequence[Offer]) -> Sequence[tuple[str, str]]:
    return [(money.code, one.provider) for one in offers for money in one.currencies]


def _payer() -> Mapping[str, str] | None:
    """Return who pays from a balance, if somebody is signed in and nobody frames the page."""
    # A frame's page could be clicked by who does not see what they click.
    if not visits.is_signed_in() or request.headers.get("Sec-Fetch-Dest") == "iframe":
        return None
    named = visits.kept(visits.ACCOUNT_NAME) or visits.kept("who") or ""
    return {"name": named, "csrf_token": visits.form_token(), "key": Form().key}


def _way_back(shown: invoices.Checkout) -> str | None:
    if shown.invoice.redirect_url is None or shown.invoice.state != "PAID":
        return None
    return back_to(shown.invoice.redirect_url, shown.invoice.id)


def _site(shown: invoices.Checkout) -> str | None:
    """Return the seller's site, for who can no longer pay and never did: not where the paid go."""
    invoice = shown.invoice
    ended = invoice.state in ("EXPIRED", "CANCELLED") and not shown.payments
    return site_of(invoice.redirect_url) if ended and invoice.redirect_url else None


def missing() -> Response:
    """Make the page of an invoice that there is not, or that nobody may know of."""
    language = words.chosen()
    missing = page(render_template("no_invoice.html", lang=language, say=words.speaker(language)))
    missing.status_code = HTTPStatus.NOT_FOUND
    return spoken(language, missing)


def _as_id(text: str) -> str:
    # A path that cannot be an id has a page for people, too; nobody looks it up.
    if not ids.ID_PATTERN.fullmatch(text):
        raise NotFound("not_found", "There is no such invoice.")
    return text
