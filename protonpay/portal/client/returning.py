"""Where a reader comes back to whose session ended: the page of the form, with what was typed."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from flask import request
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

from protonpay.portal.client.forms import Form

NOWHERE = "client._nowhere"
"""The endpoint of what is no page."""
_LONGEST = 3500
"""Characters of an address inside of another one; a server reads lines of 4,094."""
_LAST_STEPS = {
    "/app/transfer": "/app/transfer/confirm",
    "/app/withdraw": "/app/withdraw/confirm",
}
"""Pages that keep the key of the form that is sent from them."""
_ELSEWHERE = {"/app/wallets": "/app/addresses"}
"""Pages of forms whose own address does not begin like theirs."""


def address() -> str:
    """Return the address of what was asked for, or of the form that was sent, filled in.

    No secret is in it. The form's idempotency key is: what was done under it already, and whose
    answer was lost on the way, is not done again.
    """
    if request.method != "POST":
        return _with(request.path, list(request.args.items(multi=True)))
    return _with(_page(request.path), Form().kept())


def _page(path: str) -> str:
    """Return the page that a form stands on: its own address, or the nearest one above it."""
    if path in _LAST_STEPS:
        return _LAST_STEPS[path]
    above = path
    while above.startswith("/app/"):
        if above in _ELSEWHERE:
            return _ELSEWHERE[above]
        if _opens(above):
            return above
        above = above.rpartition("/")[0]
    return "/app"


def _opens(path: str) -> bool:
    adapter = request_ctx.url_adapter
    try:
        return adapter is not None and adapter.match(path, method="GET")[0] != NOWHERE
    except HTTPException:
        return False


def _with(path: str, asked: Sequence[tuple[str, str]]) -> str:
    """Return an address with a query; what is longest is left out of one that nobody would read."""
    kept = list(asked)
    while kept:
        made = f"{path}?{urlencode(kept)}"
        if len(quote(made)) <= _LONGEST:
            return made
        kept.remove(max(kept, key=lambda pair: len(quote(pair[1]))))
    return path
