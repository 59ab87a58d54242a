"""The chat with the bot as a person in Telegram sees it, and ``/_sim`` for tests."""

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from protonpay.sandbox.cards.faults import FAULTS
from protonpay.sandbox.cards.levers import body, of_faults
from protonpay.sandbox.cards.page import HEADERS
from protonpay.sandbox.telegram.messenger import USUAL, Messenger

_ABOUT = """\
Levers of a simulated Telegram. Bodies and answers are JSON.

GET    /_sim                          this page
GET    /_sim/chats/<person>           what was written in somebody's chat, the oldest first
POST   /_sim/chats/<person>           {"text": "/start …"}: they write to the bot
POST   /_sim/people/<person>          {"blocked": true}, {"language_code": "ru"}, {"username": "…"}
GET    /_sim/faults                   those that wait
POST   /_sim/faults                   {"fault": "status", "call": "sendMessage", "status": 429}
DELETE /_sim/faults

A call is getMe, getUpdates, sendMessage or *. The faults:

"""
_CHANGEABLE = ("blocked", "language_code", "username", "name")
_LONGEST_TEXT = 4096


def chat_page(messenger: Messenger) -> Blueprint:
    """Return ``/`` and ``/<bot>``: what ``https://t.me/<bot>`` opens in an app."""
    pages = Blueprint("pages", __name__, template_folder="templates")

    @pages.after_request
    def harden(response: AnyResponse) -> AnyResponse:
        response.headers.extend(HEADERS)
        return response

    @pages.get("/")
    def home() -> AnyResponse:
        return redirect(url_for("pages.show", bot=messenger.name))

    @pages.get("/<bot>")
    def show(bot: str) -> str:
        _known(messenger, bot)
        number = _number(request.args.get("person"))
        return render_template(
            "chat.html",
            bot=messenger.name,
            person=messenger.person(number),
            messages=messenger.chat(number),
            code=request.args.get("start", ""),
        )

    @pages.post("/<bot>")
    def press(bot: str) -> AnyResponse:
        _known(messenger, bot)
        number = _number(request.form.get("person"))
        act = request.form.get("act")
        if act in ("block", "unblock"):
            messenger.change(number, {"blocked": act == "block"})
        else:
            text = request.form.get("text", "").strip()[:_LONGEST_TEXT]
            if text:
                messenger.write(number, text)
        return redirect(url_for("pages.show", bot=bot, person=number), 303)

    return pages


def levers(messenger: Messenger) -> Blueprint:
    """Return ``/_sim``. No secret guards it."""
    sim = Blueprint("levers", __name__, url_prefix="/_sim")

    @sim.get("")
    def about() -> Response:
        faults = "\n".join(f"{name:18} {what}" for name, what in FAULTS.items())
        return Response(f"{_ABOUT}{faults}\n", mimetype="text/plain")

    _of_people(sim, messenger)
    of_faults(sim, messenger.faults)
    return sim


def _of_people(sim: Blueprint, messenger: Messenger) -> None:
    @sim.get("/chats/<int:person>")
    def chat(person: int) -> Response:
        return jsonify(messenger.chat(str(person)))

    @sim.post("/chats/<int:person>")
    def write(person: int) -> Response:
        return jsonify(messenger.write(str(person), str(body().get("text", ""))))

    @sim.post("/people/<int:person>")
    def change(person: int) -> Response:
        changes = body()
        if set(changes) - set(_CHANGEABLE):
            abort(400, f"not one of {', '.join(_CHANGEABLE)}")
        return jsonify(messenger.change(str(person), changes))


def _known(messenger: Messenger, bot: str) -> None:
    if bot != messenger.name:
        abort(404)


def _number(given: str | None) -> str:
    usual = str(USUAL["id"])
    return given if given and given.isascii() and given.isdigit() and len(given) < 16 else usual  # noqa: PLR2004 - Telegram's have 52 bits
