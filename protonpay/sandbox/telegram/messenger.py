"""One bot and its private chats: what was written in each, and what the bot has not fetched.

A person is a document: ``id`` (their number, and their chat's), ``name``, ``username``,
``language_code``, whether they ``blocked`` the bot. A message is one, too: ``chat``, ``sender``
(``person`` or ``bot``), ``text``, ``date``. An update waits until the bot asks for those above it.
"""

import threading
from collections.abc import Mapping
from typing import Any

from protonpay.kernel import clock
from protonpay.sandbox.cards.faults import Faults
from protonpay.sandbox.cards.store import Document, Store

PERSON, MESSAGE, UPDATE = "person", "message", "update"
USUAL: Document = {
    "id": "700001",
    "name": "Anna",
    "username": "anna",
    "language_code": "en",
    "blocked": False,
}
"""Who writes to the bot on the page unless somebody else is named."""
_MOST_SHOWN = 50
_MOST_AT_ONCE = 100
_FIRST_UPDATE = 900_000_001


class Messenger:
    """What Telegram knows of one bot.

    Args:
        token: of the bot; its number stands before the colon.
        name: of the bot, without the @.
    """

    def __init__(self, store: Store, faults: Faults, *, token: str, name: str) -> None:
        self.store, self.faults = store, faults
        self.token, self.name = token, name
        self._written = threading.Condition(store.lock)
        self._asking = 0

    def person(self, number: str) -> Document:
        """Return somebody as they stand; who was never seen is somebody new."""
        found = self.store.find(PERSON, number)
        new = {**USUAL, "id": number, "name": f"Person {number}", "username": f"person_{number}"}
        return found or (USUAL if number == USUAL["id"] else new)

    def change(self, number: str, changes: Mapping[str, Any]) -> Document:
        """Change somebody: their language, their name, or whether the bot is blocked."""
        with self._written:
            before = self.person(number)
            now = {**before, **changes}
            self.store.save(PERSON, now)
            if before["blocked"] != now["blocked"]:
                self._tell({"my_chat_member": _membership(now)})
        return now

    def write(self, number: str, text: str) -> Document:
        """Let somebody write to the bot; who does has blocked it no more."""
        with self._written:
            person = self.change(number, {"blocked": False})
            message = self._keep(number, "person", text)
            self._tell(
                {"message": {**_sent(message), "from": _user(person), "chat": _chat(person)}}
            )
        return message

    def send(self, number: str, text: str) -> Document:
        """Let the bot write to somebody who has written to it, and has not blocked it."""
        with self._written:
            return self._keep(number, "bot", text)

    def knows(self, number: str) -> bool:
        """Tell whether somebody has ever written to the bot."""
        return self.store.find(PERSON, number) is not None

    def chat(self, number: str) -> list[Document]:
        """Return what was written in a chat, the oldest first."""
        return list(reversed(self.store.find_by_key(MESSAGE, number)[:_MOST_SHOWN]))

    def updates(self, offset: int | None, seconds: float) -> list[Document] | None:
        """Return what the bot has not fetched, waiting for it; forget what is below the offset.

        Returns:
            None if somebody else has asked meanwhile.
        """
        with self._written:
            self._asking += 1
            turn = self._asking
            self._written.notify_all()
            if offset is not None:
                self._forget_below(offset)
            until = clock.now().timestamp() + seconds
            while not self._waiting() and turn == self._asking:
                left = until - clock.now().timestamp()
                if left <= 0:
                    break
                self._written.wait(left)
            return self._waiting()[:_MOST_AT_ONCE] if turn == self._asking else None

    def _waiting(self) -> list[Document]:
        kept = reversed(self.store.newest(UPDATE, 1000))
        return [each["update"] for each in kept if not each["fetched"]]

    def _forget_below(self, offset: int) -> None:
        for each in self.store.newest(UPDATE, 1000):
            if each["update"]["update_id"] < offset and not each["fetched"]:
                self.store.save(UPDATE, {**each, "fetched": True})

    def _tell(self, what: Document) -> None:
        number = self._next(UPDATE, _FIRST_UPDATE)
        update = {"update_id": number, **what}
        self.store.save(UPDATE, {"id": str(number), "update": update, "fetched": False})
        self._written.notify_all()

    def _keep(self, chat: str, sender: str, text: str) -> Document:
        number = self._next(MESSAGE, 1)
        now = clock.to_epoch_ms(clock.now()) // 1000
        message = {"id": str(number), "chat": chat, "sender": sender, "text": text, "date": now}
        self.store.save(MESSAGE, message, chat)
        return message

    def _next(self, kind: str, first: int) -> int:
        newest = self.store.newest(kind, 1)
        return int(newest[0]["id"]) + 1 if newest else first


def as_sent(message: Document, person: Document) -> Document:
    """Return a message of the bot's as the API gives it."""
    return {**_sent(message), "chat": _chat(person)}


def _sent(message: Document) -> Document:
    return {"message_id": int(message["id"]), "date": message["date"], "text": message["text"]}


def _user(person: Document) -> Document:
    return {
        "id": int(person["id"]),
        "is_bot": False,
        "first_name": person["name"],
        "username": person["username"],
        "language_code": person["language_code"],
    }


def _chat(person: Document) -> Document:
    return {
        "id": int(person["id"]),
        "type": "private",
        "first_name": person["name"],
        "username": person["username"],
    }


def _membership(person: Document) -> Document:
    status = "kicked" if person["blocked"] else "member"
    return {
        "chat": _chat(person),
        "from": _user(person),
        "date": clock.to_epoch_ms(clock.now()) // 1000,
        "new_chat_member": {"status": status},
    }
