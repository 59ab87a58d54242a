"""Pages a browser opens: the front door, pay pages, and the way back from a card provider."""

from datetime import datetime
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, request, send_from_directory

from protonpay.chains.registry import NETWORKS
from protonpay.deposits import service as deposits
from protonpay.invoices import checkout as invoices
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import NotFound
from protonpay.portal import checkout, theme, words
from protonpay.portal.answers import OWN_ASSETS, page, spoken
from protonpay.portal.client.api import Call
from protonpay.portal.words import sentence
from protonpay.web import qr
from protonpay.web.links import links

pages = Blueprint("portal", __name__, template_folder="templates", static_folder=None)
pages.app_context_processor(theme.given)

_STATIC = Path(__file__).parent / "static"
_SWAGGER = Path(__file__).parents[2] / "node_modules" / "swagger-ui-dist"
# Its package holds pages of its own, with addresses of others in them.
_SWAGGER_FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js"})
# Swagger UI writes its own style elements.
_DOCS = f"{OWN_ASSETS}; style-src 'self' 'unsafe-inline'"
_FIRST = Call(
    "POST",
    "/auth/register",
    {"name": "John Doe", "email": "john@example.com", "password": "securePassword123"},
)
_AGAIN = 3000  # ms until a stream is opened again
_STATES = {
    "CONFIRMED": (sentence("Paid"), sentence("The amount is in your balance.")),
    "FAILED": (
        sentence("Not paid"),
        sentence("The provider did not take the payment. Nothing was charged."),
    ),
    "EXPIRED": (
        sentence("Expired"),
        sentence("This payment page has expired. Nothing was charged."),
    ),
}
_CHECKING = (
    sentence("We are checking"),
    sentence("The provider is being asked. Do not pay again."),
)


def _shown(template: str, **values: object) -> Response:
    language = words.chosen()
    html = render_template(template, lang=language, say=words.speaker(language), **values)
    return spoken(language, page(html))


@pages.get("/")
def front() -> Response:
    """Show where everything is."""
    return _shown("front.html", api=links.to("/api"), networks=list(NETWORKS), first=_FIRST)


@pages.get("/api/docs")
def docs() -> Response:
    """Show the API in Swagger UI, from our own files."""
    if not _SWAGGER.is_dir():
        abort(404)
    return page(render_template("docs.html"), _DOCS)


@pages.get("/api/docs/<name>")
def docs_asset(name: str) -> Response:
    """Serve the two files of Swagger UI that the page loads."""
    if name not in _SWAGGER_FILES:
        abort(404)
    return _asset(_SWAGGER, name)


@pages.get("/static/<path:name>")
def static(name: str) -> Response:
    """Serve our own files."""
    return _asset(_STATIC, name)


@pages.get("/deposits/<id:deposit_id>")
def came_back(deposit_id: str) -> Response:
    """Receive a payer back from a card provider: have it asked, say what is known."""
    try:
        state = deposits.returned(deposit_id)
    except NotFound:
        abort(404)
    title, said = _STATES.get(state, _CHECKING)
    return _shown("returned.html", title=title, said=said, settled=state in _STATES)


@pages.get("/pay/<invoice_id>")
def pay(invoice_id: str) -> Response:
    """Show an invoice to its payer, as it stands now."""
    language = words.chosen()
    say = words.speaker(language)
    try:
        shown = invoices.look(_as_id(invoice_id))
    except NotFound:
        missing = page(render_template("no_invoice.html", lang=language, say=say))
        missing.status_code = 404
        return spoken(language, missing)
    face = checkout.face(shown, say)
    html = render_template(
        "pay.html",
        lang=language,
        say=say,
        shown=shown,
        face=face,
        left=checkout.time_left(shown, say),
        codes={place.network: qr.svg(place.code) for place in shown.places},
        # Where addresses are being prepared anything new is worth another look.
        version="" if shown.can_be_paid and not shown.places else shown.version,
        refresh=0 if request.args.get("refresh") == "off" else face.refresh,
    )
    return spoken(language, page(html))


@pages.get("/pay/<id:invoice_id>/events")
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


def _as_id(text: str) -> str:
    # A path that cannot be an id has a page for people, too; nobody looks it up.
    if not ids.ID_PATTERN.fullmatch(text):
        raise NotFound("not_found", "There is no such invoice.")
    return text


@pages.app_template_filter("utc")
def _utc(moment: datetime) -> str:
    return clock.to_text(moment)


def _asset(folder: Path, name: str) -> Response:
    response = send_from_directory(folder, name, max_age=86_400)
    response.headers["Content-Security-Policy"] = OWN_ASSETS
    return response
