"""Telegram's Bot API: what was written to our bot, and what it writes.

Each answer is ``{"ok": …}``: a ``result``, or ``error_code`` and ``description``. The token is part
of every path, so no path is ever logged (``wire`` says the server alone).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protonpay.wire.http import NoAnswer, Throttled, Wire

_SEND_SECONDS = 10
_TOO_MANY = 429
_USUAL_WAIT_SECONDS = 5
_LONGEST_TEXT = 4096
"""Characters of a message (Bot API, sendMessage)."""
_NO_SUCH_CHAT = "chat not found"
_BLOCKED = ("kicked", "left")
_NO = (400, 403)


class NotTaken(Exception):
    """The message was refused for ever.

    Attributes:
        reason: what Telegram said, for an operator.
        gone: the chat takes nothing of ours any more: it is blocked, or there is none.
    """

    def __init__(self, reason: str, *, gone: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Update:
    """What somebody did in their chat with the bot.

    Attributes:
        id: of this update; later ones have higher ones, until a week has passed without any.
        chat_id: of their private chat; None if it is something else than a private chat.
        username: as they are called in Telegram, without the @.
        language: of their app, as an IETF tag; empty if it is not told.
        text: what they wrote; None if it was no text.
        blocked: they have blocked the bot.
    """

    id: int
    chat_id: int | None
    username: str | None
    language: str
    text: str | None
    blocked: bool


class Bot:
    """One bot.

    Args:
        base_url: of the Bot API, ``https://api.telegram.org``.
        token: as BotFather gave it: the bot's number, a colon and a secret.
        wait_seconds: how long Telegram holds the question for updates while there is none.
    """

    def __init__(self, base_url: str, token: str, *, wait_seconds: int = 25) -> None:
        self.id = token.partition(":")[0]
        self._path = f"/bot{token}"
        self._wait_seconds = wait_seconds
        self._sending = Wire(base_url, read_seconds=_SEND_SECONDS)
        self._listening = Wire(base_url, read_seconds=wait_seconds + _SEND_SECONDS)

    def updates(self, offset: int | None) -> Sequence[Update]:
        """Wait for updates and return them, the oldest first.

        Args:
            offset: those below it are forgotten there; None: from the oldest that is kept.

        Raises:
            Throttled: not now.
            NoAnswer: unknown; also when somebody else asks for this bot (409).
        """
        asked: dict[str, Any] = {
            "timeout": self._wait_seconds,
            "allowed_updates": ["message", "my_chat_member"],
        }
        if offset is not None:
            asked["offset"] = offset
        code, answer = self._call(self._listening, "getUpdates", asked)
        found = answer.get("result")
        if answer.get("ok") is not True or not isinstance(found, list):
            raise NoAnswer(f"Telegram, getUpdates: {code} {_said(answer)}")
        return [_update(each) for each in found]

    def send(self, chat_id: int, text: str) -> None:
        """Write into a chat; returns when Telegram has taken it.

        Raises:
            NotTaken: no.
            Throttled: not now: nothing was sent.
            NoAnswer: unknown: it may have been sent.
        """
        message = {
            "chat_id": chat_id,
            "text": text[:_LONGEST_TEXT],
            "link_preview_options": {"is_disabled": True},
        }
        code, answer = self._call(self._sending, "sendMessage", message)
        if answer.get("ok") is True:
            return
        if code in _NO:
            said = _said(answer)
            raise NotTaken(said, gone=code != _NO[0] or _NO_SUCH_CHAT in said)
        # Also a token that is not good (401, 404): whoever runs this sets another one.
        raise NoAnswer(f"Telegram, sendMessage: {code} {_said(answer)}")

    def _call(
        self, wire: Wire, method: str, asked: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, Any]]:
        body = json.dumps(asked, ensure_ascii=False).encode()
        got = wire.post(f"{self._path}/{method}", data=body)
        answer = got.json()
        if not isinstance(answer, dict):
            raise NoAnswer(f"Telegram, {method}: {got.status} and no object")
        code = answer.get("error_code", got.status)
        if code == _TOO_MANY:
            wanted = _member(answer, "parameters").get("retry_after")
            seconds = wanted if isinstance(wanted, int) and wanted > 0 else _USUAL_WAIT_SECONDS
            raise Throttled("Telegram asks for patience", seconds)
        return code, answer


def _update(raw: Any) -> Update:
    if not isinstance(raw, dict) or not isinstance(raw.get("update_id"), int):
        raise NoAnswer("Telegram, getUpdates: an update without a number")
    message, membership = _member(raw, "message"), _member(raw, "my_chat_member")
    place = message or membership
    chat, sender = _member(place, "chat"), _member(place, "from")
    chat_id, text = chat.get("id"), message.get("text")
    private = chat.get("type") == "private" and isinstance(chat_id, int)
    return Update(
        id=raw["update_id"],
        chat_id=chat_id if private else None,
        username=str(sender["username"])[:64] if sender.get("username") else None,
        language=str(sender.get("language_code") or ""),
        text=text if isinstance(text, str) else None,
        blocked=_member(membership, "new_chat_member").get("status") in _BLOCKED,
    )


def _member(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _said(answer: Mapping[str, Any]) -> str:
    return str(answer.get("description", ""))[:500].replace("\x00", "")
