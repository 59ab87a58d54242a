"""What every page is answered with: its policy, its language, nobody told where it was."""

from flask import Response, request

from protonpay.portal import theme
from protonpay.portal.words import SWITCH

OWN_ASSETS = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
"""A page's content policy: nothing that is not ours, and nobody's frame."""

_REMEMBERED = 31_536_000  # s


def page(html: str, policy: str = OWN_ASSETS) -> Response:
    """Answer a page."""
    return Response(html, headers={"Content-Security-Policy": policy})


def spoken(language: str, response: Response) -> Response:
    """Say which language a page is in, whose address others shall not learn."""
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language, Cookie"
    if request.args.get(SWITCH) == language:
        remember(language, response)
    theme.remember(response)
    # The address is all that is needed to see the page, or to use the link.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def remember(language: str, response: Response) -> Response:
    """Have the browser ask for a language from now on."""
    response.set_cookie(SWITCH, language, max_age=_REMEMBERED, samesite="Lax")
    return response
