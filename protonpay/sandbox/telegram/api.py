"""The Bot API as far as it is asked: ``getMe``, ``getUpdates``, ``sendMessage``."""

from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request

from protonpay.sandbox.telegram.messenger import Messenger, as_sent

_LONGEST_TEXT = 4096
_LONGEST_WAIT_SECONDS = 50
_WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


def refusal(code: int, said: str = "", **parameters: Any) -> Response:
    """Return a refusal as the API words it."""
    word = _WORDS.get(code, "Error")
    if code == 429:  # noqa: PLR2004 - as the API says it: with how long
        parameters = parameters or {"retry_after": 1}
        said = said or f"retry after {parameters['retry_after']}"
    body: dict[str, Any] = {"ok": False, "error_code": code}
    body["description"] = f"{word}: {said}" if said else word
    if parameters:
        body["parameters"] = parameters
    answer = jsonify(body)
    answer.status_code = code
    return answer


def telegram_api(messenger: Messenger) -> Blueprint:
    """Return the API of a bot; a call's name is that of its method."""
    api = Blueprint("api", __name__)

    @api.before_request
    def known() -> Response | None:
        given = (request.view_args or {}).pop("token", "")
        return None if given == messenger.token else refusal(401)

    messenger.faults.guard(api)
    for method, answer in (
        ("getMe", _get_me),
        ("getUpdates", _get_updates),
        ("sendMessage", _send_message),
        ("<method>", _other),
    ):
        api.add_url_rule(
            f"/bot<token>/{method}",
            endpoint=method.strip("<>"),
            view_func=partial(answer, messenger),
            methods=["GET", "POST"],
        )
    return api


def _get_me(messenger: Messenger) -> Response:
    number = int(messenger.token.partition(":")[0])
    me = {"id": number, "is_bot": True, "first_name": "Proton Pay", "username": messenger.name}
    return jsonify(ok=True, result=me)


def _get_updates(messenger: Messenger) -> Response:
    asked = _asked()
    offset = asked.get("offset")
    wait = min(float(asked.get("timeout") or 0), _LONGEST_WAIT_SECONDS)
    found = messenger.updates(None if offset is None else int(offset), wait)
    if found is None:
        return refusal(409, "terminated by other getUpdates request")
    return jsonify(ok=True, result=found)


def _send_message(messenger: Messenger) -> Response:
    asked = _asked()
    number, text = str(asked.get("chat_id", "")), str(asked.get("text", ""))
    if not text.strip():
        return refusal(400, "message text is empty")
    if len(text) > _LONGEST_TEXT:
        return refusal(400, "message is too long")
    if not messenger.knows(number):
        return refusal(400, "chat not found")
    person = messenger.person(number)
    if person["blocked"]:
        return refusal(403, "bot was blocked by the user")
    return jsonify(ok=True, result=as_sent(messenger.send(number, text), person))


def _other(_messenger: Messenger, **_method: str) -> Response:
    return refusal(404)


def _asked() -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {**request.args, **request.form}
