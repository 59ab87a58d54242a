"""A refusal is a page for a person and JSON for a program."""

import pytest
from flask import Flask
from redis import RedisError

from protonpay.deposits import service as deposits
from protonpay.kernel import ids
from protonpay.kernel.errors import Limited, Unavailable
from protonpay.portal.client.api import Answer, api
from tests.actors import Actor
from tests.portal.client.reader import Reader, sign_in

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "ru"}
PROGRAMS = ({}, {"Accept": "*/*"}, {"Accept": "application/json"})
LARGE = b"email=" + b"x" * 3_000_000


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Здесь ничего нет"),
        ("GET", "/static/nothing.css", 404, "Здесь ничего нет"),
        ("POST", "/login", 413, "Слишком много"),
        ("POST", "/reset-password", 413, "Слишком много"),
        ("PUT", "/docs", 405, "Сейчас нельзя"),
    ],
)
def test_a_person_gets_a_page(house: Flask, method: str, path: str, status: int, title: str):
    client = house.test_client()
    body = LARGE if status == 413 else None
    sent = {"content_type": "application/x-www-form-urlencoded"} if body else {}
    answer = client.open(path, method=method, data=body, headers=PERSON, **sent)
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    assert '<html lang="ru"' in answer.text
    assert f"<h1>{title}</h1>" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert ("Allow" in answer.headers) == (status == 405)
    for program in PROGRAMS:
        told = client.open(path, method=method, data=body, headers=program, **sent)
        assert (told.status_code, told.mimetype) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("happens", "status", "title"),
    [
        (RuntimeError("a bug"), 500, "<h1>Ошибка"),
        (Unavailable("unavailable", "The service is busy. Try again.", retry_after=7), 503, ""),
    ],
)
def test_a_bug_and_a_busy_store_are_pages_too(
    house: Flask, monkeypatch: pytest.MonkeyPatch, happens: Exception, status: int, title: str
):
    def fail(*_: object) -> None:
        raise happens

    monkeypatch.setattr(deposits, "returned", fail)
    path = f"/deposits/{ids.new_id()}"
    answer = house.test_client().get(path, headers=PERSON)
    assert answer.status_code == status
    assert (title or "Сейчас нельзя") in answer.text
    assert "a bug" not in answer.text
    assert answer.headers.get("Retry-After") == ("7" if status == 503 else None)


def test_the_api_never_answers_a_page(alice: Actor):
    """Whatever a browser says that it wants."""
    answer = alice.client.get("/api/nowhere", headers=PERSON)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_it_speaks_the_language_of_the_page(house: Flask):
    """The address chose English; the browser would have had Russian."""
    answer = house.test_client().get("/nowhere?lang=en", headers=PERSON)
    assert "<h1>Nothing here</h1>" in answer.text
    assert answer.headers["Content-Language"] == "en"


def test_a_screen_says_when_to_come_again(
    house: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    reader = sign_in(house, alice)
    busy = Answer(503, {"code": "unavailable", "message": "Busy."}, headers={"Retry-After": "7"})
    monkeypatch.setattr(api, "call", lambda *_, **__: busy)
    screen = reader.open("/app/activity")
    assert reader.answer is not None
    assert (reader.status, reader.answer.headers["Retry-After"]) == (503, "7")
    assert "Busy." in screen.text


@pytest.mark.parametrize(
    ("happens", "status", "when"),
    [
        (Unavailable("unavailable", "The service is busy. Try again.", retry_after=7), 503, "7"),
        (Limited("rate_limited", "Too many requests.", retry_after=30), 429, "30"),
        (RedisError("away"), 503, "1"),
        (RuntimeError("a bug"), 500, None),
    ],
)
def test_what_stops_a_screen_or_the_sign_in_is_a_page_that_says_when(
    house: Flask, alice: Actor, happens: Exception, status: int, when: str | None
):
    def fail(_: str, path: str, *__: object, **___: object) -> Answer:
        if path == "/client/notifications/unread":
            return Answer(200, {"unreadCount": 0})
        raise happens

    inside, outside = sign_in(house, alice), Reader(house)
    fields = outside.open("/login").form("/login").fields
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "call", fail)
        answers = (
            inside.client.get("/app/activity?lang=ru", headers=PERSON),
            outside.client.post("/login", data=fields, headers=PERSON),
        )
    for answer in answers:
        assert (answer.status_code, answer.mimetype) == (status, "text/html")
        assert '<html lang="ru"' in answer.text
        assert answer.headers.get("Retry-After") == when
        assert "a bug" not in answer.text
