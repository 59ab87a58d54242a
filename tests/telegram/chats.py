"""People in Telegram, as tests play them."""

import re
from collections.abc import Sequence
from itertools import count
from typing import Any

import requests

from protonpay.store import db
from protonpay.telegram import messages, polling
from tests.actors import Actor
from tests.simulators import PATIENCE, Simulator

LINK = "/client/notifications/telegram"
_numbers = count(800_001)


class Telegram:
    """The simulator, and its people."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.url = simulator.url
        self.pull = simulator.pull
        self.forget_faults = simulator.forget_faults

    def someone(self, **about: Any) -> "Person":
        """Return somebody who was never here before."""
        person = Person(self._simulator, next(_numbers))
        if about:
            self.pull(f"people/{person.number}", **about)
        return person

    def fetch_all(self) -> None:
        """Let the bot have fetched whatever was written to it before."""
        url = f"{self.url}/bot100500:a-token-of-the-tests/getUpdates"
        while found := requests.get(url, timeout=PATIENCE).json()["result"]:
            offset = {"offset": found[-1]["update_id"] + 1}
            requests.post(url, json=offset, timeout=PATIENCE).raise_for_status()


class Person:
    """Somebody in Telegram, with a chat with the bot."""

    def __init__(self, simulator: Simulator, number: int) -> None:
        self._simulator = simulator
        self.number = number

    def says(self, text: str) -> None:
        self._simulator.pull(f"chats/{self.number}", text=text)

    def presses_start(self, url: str) -> None:
        """Open a link and press Start, on the page."""
        page = requests.get(url, params={"person": self.number}, timeout=PATIENCE)
        (text,) = re.findall(r'name="text" value="(/start [^"]+)"', page.text)
        form = {"person": self.number, "text": text}
        requests.post(url.partition("?")[0], data=form, timeout=PATIENCE).raise_for_status()

    def blocks(self) -> None:
        self._simulator.pull(f"people/{self.number}", blocked=True)

    @property
    def read(self) -> Sequence[str]:
        """What the bot has written here, oldest first."""
        chat = self._simulator.look(f"chats/{self.number}")
        return [each["text"] for each in chat if each["sender"] == "bot"]


def asked(actor: Actor) -> str:
    """Ask for a link; return its address."""
    answer = actor.post(LINK)
    assert answer.status_code == 200, answer.get_json()
    return str(answer.get_json()["link"]["url"])


def standing(actor: Actor) -> Any:
    return actor.get(LINK).get_json()["telegram"]


def link(actor: Actor, person: Person) -> None:
    """Link somebody's chat."""
    person.presses_start(asked(actor))
    polling.listen()
    assert standing(actor)["linked"]


def waiting() -> Sequence[str]:
    """Return the messages that wait, the oldest first."""
    sql = "SELECT id FROM telegram_messages WHERE state = 'PENDING' ORDER BY created_at, id"
    return [row[0] for row in db.execute(sql, {})]


def send_all() -> None:
    """Send what waits."""
    for message_id in waiting():
        assert messages.send(message_id) is None


def states() -> Sequence[str]:
    """Return how all messages stand, the oldest first."""
    sql = "SELECT state FROM telegram_messages ORDER BY created_at, id"
    return [row[0] for row in db.execute(sql, {})]
