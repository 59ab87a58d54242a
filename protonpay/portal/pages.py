"""Pages a browser opens: the front door, and the way back from a card provider."""

from datetime import datetime
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, send_from_directory

from protonpay.chains.registry import NETWORKS
from protonpay.deposits import service as deposits
from protonpay.kernel import clock
from protonpay.kernel.errors import NotFound
from protonpay.portal import theme, words
from protonpay.portal.answers import OWN_ASSETS, page, spoken
from protonpay.portal.client.api import Call
from protonpay.portal.words import sentence
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


@pages.get("/js/protonpay.js")
def embed() -> Response:
    """Serve what a seller's site opens the pay page with, in a dialog over its own."""
    return _asset(_STATIC, "embed.js")


@pages.get("/deposits/<id:deposit_id>")
def came_back(deposit_id: str) -> Response:
    """Receive a payer back from a card provider: have it asked, say what is known."""
    try:
        state = deposits.returned(deposit_id)
    except NotFound:
        abort(404)
    title, said = _STATES.get(state, _CHECKING)
    return _shown("returned.html", title=title, said=said, settled=state in _STATES)


@pages.app_template_filter("utc")
def _utc(moment: datetime) -> str:
    return clock.to_text(moment)


def _asset(folder: Path, name: str) -> Response:
    response = send_from_directory(folder, name, max_age=86_400)
    response.headers["Content-Security-Policy"] = OWN_ASSETS
    return response
