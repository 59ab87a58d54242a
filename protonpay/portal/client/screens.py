"""What every screen of the client portal stands on: who reads it, its calls, its frame."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Response,
    after_this_request,
    flash,
    g,
    redirect,
    render_template,
    request,
)
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from protonpay.chains.registry import NETWORKS
from protonpay.kernel import zones
from protonpay.kernel.errors import Refusal
from protonpay.portal import troubles, words
from protonpay.portal.answers import page, remember, spoken
from protonpay.portal.client import filters, returning, visits
from protonpay.portal.client.api import Answer, Call, Refused, SignedOut, api
from protonpay.portal.client.forms import Form
from protonpay.web import errors, idempotency, members, messages, step_up
from protonpay.web.links import links

client = Blueprint("client", __name__, url_prefix="/app")
client.record_once(filters.register)
_NOTHING: Mapping[str, Any] = {}

_LONGER = {"client.upload_document": 6 * 1024 * 1024}
"""Bytes of a form, of each that carries a file."""
_SAID_BY_US = (HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR)
"""Refusals that a page says in its own words; it has the API's for all others."""
OWN = tuple(
    f"/client/{name}"
    for name in ("2fa", "passkeys", "sessions", "password", "email", "memberships", "preferences")
)
"""What is a person's own, whomever they act for."""
TEST = "/app/test"
"""A screen of a sandbox alone: elsewhere it does not stand in the menu either."""
NAVIGATION: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    (
        "Money",
        (
            ("/app", "Overview"),
            ("/app/deposit", "Deposit"),
            ("/app/withdraw", "Withdraw"),
            ("/app/transfer", "Transfer"),
            ("/app/activity", "Activity"),
        ),
    ),
    ("Sell", (("/app/invoices", "Invoices"), ("/app/statements", "Statements"))),
    (
        "Build",
        (
            ("/app/keys", "API keys"),
            ("/app/webhooks", "Webhooks"),
            ("/app/events", "Events"),
            ("/app/requests", "Requests"),
            (TEST, "menu|Test"),
            ("/docs", "API reference"),
        ),
    ),
    (
        "Account",
        (
            ("/app/fees", "Fees and limits"),
            ("/app/addresses", "Addresses"),
            ("/app/identity", "Identity"),
            ("/app/team", "Team"),
            ("/app/notifications", "Notifications"),
            ("/app/security", "Security"),
            ("/app/preferences", "Preferences"),
        ),
    ),
)
"""The menu: groups of addresses and their names."""
BAR = (
    ("/app", "Overview", "home"),
    ("/app/deposit", "Deposit", "in"),
    ("/app/withdraw", "Withdraw", "out"),
    ("/app/activity", "Activity", "list"),
)
"""At the bottom of a phone, beside the menu: addresses, their names and icons."""


@client.before_request
def _begin() -> None:
    request.max_content_length = _LONGER.get(request.endpoint or "", request.max_content_length)
    visits.token()  # who is signed out sees no page, and sends no form
    if request.method == "POST":
        visits.check_form()


def ask(path: str, **query: Any) -> Answer:
    """Read from the API, for the page that is being made.

    Raises:
        Refused: the API does not give it.
        SignedOut: the session has ended.
    """
    asked = {name: value for name, value in query.items() if value not in (None, "")}
    _calls().append(Call("GET", f"{path}?{urlencode(asked)}" if asked else path))
    answer = api.call("GET", path, query=asked, token=visits.token(), more=_account(path))
    if answer.refused:
        raise Refused(answer)
    return answer


def booked(thing: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return what the book has of a deposit, withdrawal or transfer; of one under way, nothing.

    Args:
        thing: as the API gives it.

    Raises:
        Refused: the API does not give it.
        SignedOut: the session has ended.
    """
    if thing["status"] == "PENDING":
        return []  # and its page looks every few seconds
    entries: Sequence[Mapping[str, Any]] = ask(f"/client/activity/{thing['id']}/entries")["entries"]
    return entries


def ask_own(path: str) -> Answer:
    """Read what is true of the reader, whomever they act for.

    Raises:
        Refused: the API does not give it.
        SignedOut: the session has ended.
    """
    _calls().append(Call("GET", path))
    answer = api.call("GET", path, token=visits.token())
    if answer.refused:
        raise Refused(answer)
    return answer


def send(
    method: str,
    path: str,
    form: Form,
    body: Mapping[str, Any] | None = None,
    *,
    once: bool = True,
) -> Answer:
    """Have something done that a form asks for; the form knows why if it is refused.

    Args:
        method: of HTTP.
        path: below ``/api``.
        form: whose idempotency key and code of a second factor are sent along.
        body: of the call.
        once: whether the key is; not for what changes nothing, and is to be true each time.

    Raises:
        SignedOut: the session has ended.
    """
    more = {
        idempotency.HEADER: form.key if once else None,
        step_up.HEADER: form.code,
        **_account(path),
    }
    answer = api.call(method, path, body, token=visits.token(), more=more)
    if answer.refused:
        form.answer = answer
    return answer


def show(name: str, *, acts: Sequence[Call] = (), **values: Any) -> Response:
    """Make a page.

    Args:
        name: of its template in ``templates/app``.
        acts: the calls that its forms make, for who would make them from a program.
        values: what the template shows. The refusal of ``form`` gives the page its status.
    """
    language = words.chosen()
    html = render_template(
        f"app/{name}.html",
        lang=language,
        say=words.speaker(language, zone()),
        zone=zone(),
        navigation=NAVIGATION,
        test_place=TEST,
        bar=BAR,
        calls=[*_calls(), *acts],
        api_url=links.to("/api"),
        networks=list(NETWORKS),
        who=visits.kept("who"),
        acting=visits.kept(visits.ACCOUNT_NAME),
        whose=visits.whose(),
        unread=_unread,
        csrf_token=visits.form_token(),
        **values,
    )
    answer = spoken(language, page(html))
    answer.headers["Cache-Control"] = "no-store"
    form = values.get("form")
    if isinstance(form, Form) and form.answer is not None:
        answer.status_code = form.answer.status
        _say_when(answer, form.answer)
    return answer


def _account(path: str) -> Mapping[str, str | None]:
    """Return the header of the account that is acted for; of what is a person's own, none."""
    own = path.startswith(OWN)
    return {members.HEADER: None if own else visits.kept(visits.ACCOUNT)}


def _unread() -> int:
    """Return how much is unread, for the bell; nothing where nobody can say.

    No call of the page that is made: a screen is shown as the calls it is made of without this.
    """
    if not visits.is_signed_in():
        return 0
    path = "/client/notifications/unread"
    told = api.call("GET", path, token=visits.token(), more=_account(path))
    return 0 if told.refused else int(told["unreadCount"])


def zone() -> ZoneInfo:
    """Return the time zone of the reader, as it was chosen when the session began or since."""
    return zones.zone(visits.kept("zone") or zones.UTC_NAME)


def prefer() -> None:
    """Remember the reader's language and time zone, as the account has them now."""
    told = api.call("GET", "/client/preferences", token=visits.token())
    if told.refused:
        return
    visits.keep("zone", str(told["preferences"]["timeZone"]))
    language = str(told["preferences"]["language"])
    after_this_request(lambda response: remember(language, response))


def looked_at_again() -> bool:
    """Tell whether the page's own script asks, which takes the parts that change (``app.js``)."""
    return "X-Looks-Again" in request.headers


def download(path: str, **query: Any) -> Response:
    """Hand a file of the API on.

    Raises:
        Refused: the API does not give it.
        SignedOut: the session has ended.
    """
    answer = api.call("GET", path, query=query, token=visits.token(), more=_account(path))
    if answer.refused:
        raise Refused(answer)
    return Response(answer.content, headers={**answer.headers, "Cache-Control": "no-store"})


def done(said: str, to: str) -> AnyResponse:
    """Lead on after a form was done, and say so there."""
    flash(said)  # and is said in the language of the page that it leads to
    return redirect(to, HTTPStatus.SEE_OTHER)


def own_path(given: str | None, *, otherwise: str = "/app") -> str:
    """Return where to lead a reader who asked for it in an address: a page of ours, or ours alone.

    A whole address, or what a browser would take for one, leads nowhere else.
    """
    try:
        parts = urlsplit(given or "")
    except ValueError:
        return otherwise
    own = not parts.scheme and not parts.netloc and parts.path.startswith(("/app", "/pay/"))
    plain = given is not None and "\\" not in given and given.isprintable()
    return given if own and plain and given else otherwise


@client.errorhandler(SignedOut)
def _signed_out(_: SignedOut) -> AnyResponse:
    visits.end()
    return redirect(f"/login?{urlencode({'next': returning.address()})}", HTTPStatus.SEE_OTHER)


@client.errorhandler(Refused)
def _refused(refused: Refused) -> Response:
    return trouble(refused.answer)


@client.errorhandler(Refusal)
def refusal_page(refusal: Refusal) -> Response:
    """Make the page of a refusal of our own, such as a form whose session has ended."""
    said = messages.say(refusal.said, words.chosen(), refusal.values)
    told = _read(errors.refused(refusal))
    return trouble(replace(told, body={**told.body, "message": said}))


@client.errorhandler(HTTPException)
def _odd(error: HTTPException) -> Response:
    return trouble(Answer(error.code or 500, {"code": "not_found"}))


@client.errorhandler(Exception)
def unforeseen_page(error: Exception) -> Response:
    """Make the page of a bug, which is logged, or of a store that is busy."""
    return trouble(_read(errors.unforeseen(error)))


def _read(response: Response) -> Answer:
    return Answer(response.status_code, response.get_json(), headers=dict(response.headers))


@client.route("/<path:_any>")
def _nowhere(_any: str) -> Response:
    return trouble(Answer(HTTPStatus.NOT_FOUND, {"code": "not_found"}))


def trouble(answer: Answer) -> Response:
    """Make the page of what cannot be shown."""
    title, said = troubles.said(answer.status)
    known = answer.body if answer.status not in _SAID_BY_US else {}
    shown = show("trouble", problem=known, title=title, said=said, request_id=g.request_id)
    shown.status_code = answer.status
    _say_when(shown, answer)
    return shown


def _say_when(response: Response, answer: Answer) -> None:
    if "Retry-After" in answer.headers:
        response.headers["Retry-After"] = answer.headers["Retry-After"]


def _calls() -> list[Call]:
    calls: list[Call] = g.setdefault("calls", [])
    return calls
