"""The simulated Bot API answers as Telegram's documentation says it does."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.simulators import PATIENCE, Simulator, running

TOKEN = "100500:a-token-of-the-tests"


@pytest.fixture(scope="module")
def telegram() -> Iterator[Simulator]:
    with running("protonpay.sandbox.telegram", "--token", TOKEN) as found:
        yield found


def call(telegram: Simulator, method: str, *, token: str = TOKEN, **asked: Any) -> Any:
    answer = requests.post(f"{telegram.url}/bot{token}/{method}", json=asked, timeout=PATIENCE)
    said = answer.json()
    assert said["ok"] is (answer.status_code == 200)
    assert said.get("error_code", 200) == answer.status_code
    return said


def test_an_update_waits_until_those_above_it_are_asked_for(telegram: Simulator):
    telegram.pull("chats/700002", text="/start x")
    (first,) = call(telegram, "getUpdates")["result"]
    assert call(telegram, "getUpdates")["result"] == [first]
    assert first["message"]["chat"] == {
        "id": 700002,
        "type": "private",
        "first_name": "Person 700002",
        "username": "person_700002",
    }
    assert first["message"]["text"] == "/start x"
    telegram.pull("people/700002", blocked=True)
    (second,) = call(telegram, "getUpdates", offset=first["update_id"] + 1)["result"]
    assert second["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    assert call(telegram, "getUpdates", offset=second["update_id"] + 1)["result"] == []


def test_who_asks_later_takes_the_place_of_who_waits(telegram: Simulator):
    said: list[Any] = []
    waits = threading.Thread(target=lambda: said.append(call(telegram, "getUpdates", timeout=9)))
    waits.start()
    while waits.is_alive():
        call(telegram, "getUpdates")
        waits.join(0.05)
    assert said[0]["description"] == "Conflict: terminated by other getUpdates request"


@pytest.mark.parametrize(
    ("method", "asked", "said"),
    [
        ("sendMessage", {"chat_id": 1, "text": "x"}, "Bad Request: chat not found"),
        ("sendMessage", {"chat_id": 1, "text": " "}, "Bad Request: message text is empty"),
        ("sendMessage", {"chat_id": 1, "text": "x" * 4097}, "Bad Request: message is too long"),
        ("sendPhoto", {}, "Not Found"),
        ("getMe", {"token": "100500:another"}, "Unauthorized"),
    ],
)
def test_a_refusal_says_why(telegram: Simulator, method: str, asked: Any, said: str):
    assert call(telegram, method, **asked)["description"] == said


def test_who_has_blocked_the_bot_gets_nothing_until_they_write(telegram: Simulator):
    telegram.pull("chats/700003", text="hello")
    message = {"chat_id": 700003, "text": "hello yourself"}
    assert call(telegram, "sendMessage", **message)["result"]["text"] == "hello yourself"
    telegram.pull("people/700003", blocked=True)
    refused = call(telegram, "sendMessage", **message)
    assert refused["description"] == "Forbidden: bot was blocked by the user"
    telegram.pull("chats/700003", text="again")
    assert call(telegram, "sendMessage", **message)["ok"]
    assert [each["text"] for each in telegram.look("chats/700003")] == [
        *("hello", "hello yourself", "again", "hello yourself"),
    ]


def test_too_many_are_told_how_long_to_wait(telegram: Simulator):
    telegram.pull("faults", fault="status", call="sendMessage", status=429)
    said = call(telegram, "sendMessage", chat_id=700003, text="x")
    assert said["description"] == "Too Many Requests: retry after 1"
    assert said["parameters"] == {"retry_after": 1}


def test_the_page_is_the_chat_and_nothing_of_it_runs(telegram: Simulator):
    page = f"{telegram.url}/protonpay_sandbox_bot"
    form = {"person": "700004", "text": "<b>bold</b>"}
    shown = requests.post(page, data=form, timeout=PATIENCE)
    assert "&lt;b&gt;bold&lt;/b&gt;" in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    asks = requests.get(page, params={"start": "abc", "person": "700004"}, timeout=PATIENCE)
    assert 'value="/start abc">Start</button>' in asks.text
    assert requests.get(f"{telegram.url}/another_bot", timeout=PATIENCE).status_code == 404
