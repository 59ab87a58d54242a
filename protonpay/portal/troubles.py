"""What a person sees in place of a refusal: a page, wherever a program would get JSON.

The API answers programs only (RFC 9457), also those that run in a browser.
"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Response, g, render_template, request

from protonpay.kernel import problems
from protonpay.portal import words
from protonpay.portal.answers import page, spoken
from protonpay.portal.words import sentence

troubles = Blueprint("troubles", __name__, template_folder="templates", static_folder=None)

_NOT_NOW = (sentence("Not now"), sentence("This could not be done. Go back and try again."))
_SAID: Mapping[int, tuple[str, str]] = {
    HTTPStatus.NOT_FOUND: (
        sentence("Nothing here"),
        sentence("There is no such page, or it is not yours."),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        sentence("Too large"),
        sentence("More was sent than this page takes. Go back and send less."),
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        sentence("Too many requests"),
        sentence("Wait a minute, then try again. Nothing was lost."),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        sentence("Something went wrong on our side"),
        sentence("It is written down here. Try again; if it stays, tell us the request's number."),
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        sentence("Not now"),
        sentence("We are busy, and nothing was done. Try again in a moment."),
    ),
}
_KEPT_HEADERS = ("Allow", "Retry-After")


def said(status: int) -> tuple[str, str]:
    """Return what is said of a status: a title and a sentence, as the catalogue knows them."""
    return _SAID.get(status, _NOT_NOW)


@troubles.after_app_request
def _for_people(response: Response) -> Response:
    if response.mimetype != problems.MEDIA_TYPE or not _asked_by_a_person():
        return response
    language = words.chosen()
    title, sentence_ = said(response.status_code)
    html = render_template(
        "trouble.html",
        lang=language,
        say=words.speaker(language),
        title=title,
        said=sentence_,
        request_id=g.get("request_id", ""),
    )
    shown = spoken(language, page(html))
    shown.status_code = response.status_code
    for name in _KEPT_HEADERS:
        if name in response.headers:
            shown.headers[name] = response.headers[name]
    return shown


def _asked_by_a_person() -> bool:
    wanted = request.accept_mimetypes
    return not request.path.startswith("/api/") and (
        wanted.quality("text/html") > wanted.quality(problems.MEDIA_TYPE)
    )
