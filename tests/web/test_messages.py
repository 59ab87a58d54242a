"""Errors are said in the caller's language, their codes in none (RFC 9110 §12.5.4)."""

from collections.abc import Callable

import pytest
from flask import Flask

from protonpay.web import messages
from protonpay.web.messages import ENGLISH, IN_RUSSIAN, RUSSIAN, say, say_each
from tests.actors import Actor
from tests.payouts.orders import WALLETS, withdraw
from tests.refusals import refused

RU = {"Accept-Language": "ru"}


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        (None, "en"),
        ("", "en"),
        ("en", "en"),
        ("ru", "ru"),
        ("RU", "ru"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"),
        ("en-US,en;q=0.9,ru;q=0.8", "en"),
        ("en-GB;q=0.5, ru;q=0.4", "en"),
        ("de, fr;q=0.9", "en"),
        ("uk-UA, ru;q=0.1", "ru"),
        ("*", "en"),
        ("ru;q=0, *", "en"),
        ("en;q=0, *;q=0.1", "ru"),
        ("en;q=0.1, *;q=0.5", "ru"),
        ("ru;q=0.4, *;q=0.5", "en"),
        ("*;q=0", "en"),
        ("en;q=0", "en"),
        ("ru;q=nonsense", "en"),
        (", ;;q=, =", "en"),
        ("\u00e9\u00ff", "en"),
        ("ru" * 2000, "en"),
    ],
)
def test_the_language_a_caller_reads_best_is_spoken(alice: Actor, asked: str | None, spoken: str):
    headers = {} if asked is None else {"Accept-Language": asked}
    answer = alice.get("/client/nothing", headers=headers)

    body = refused(answer, 404, "not_found")
    assert answer.headers["Content-Language"] == spoken
    assert answer.headers["Vary"] == "Accept-Language"
    assert body["detail"] == {"en": "Not Found.", "ru": "Не найдено."}[spoken]


def test_detail_and_message_are_said_alike_and_the_code_stays(alice: Actor):
    withdraw(alice, 50)

    answer = withdraw(alice, 50)
    english = refused(answer, 409, "withdrawal_cooldown")
    order = {"amount": 50, "walletAddress": WALLETS["Base"], "network": "Base"}
    russian = refused(alice.post("/client/withdraw", order, headers=RU), 409, "withdrawal_cooldown")
    seconds = int(answer.headers["Retry-After"])
    assert english["message"] == f"Next withdrawal is possible in {seconds} seconds."
    said = [f"Следующий вывод возможен через {left} с." for left in (seconds, seconds - 1)]
    assert russian["message"] in said
    assert english.keys() == russian.keys()
    assert english["title"] == russian["title"]


def test_every_text_beside_a_field_is_said_too(alice: Actor):
    order = {
        "amount": 0,
        "walletAddress": "x" * 129,
        "network": None,
        "extra": 1,
    }
    body = refused(alice.post("/client/withdraw", order, headers=RU), 400, "validation_error")

    assert body["detail"] == "Запрос составлен неверно."
    assert body["errors"] == {
        "json": {
            "amount": ["Должно быть больше нуля."],
            "walletAddress": ["Длина должна быть от 1 до 128."],
            "network": ["Поле не может быть null."],
            "extra": ["Неизвестное поле."],
        }
    }
    query = refused(
        alice.get("/client/activity?type=X&limit=101", headers=RU), 400, "validation_error"
    )["errors"]["query"]
    assert query["type"] == ["Допустимые значения: DEPOSIT, WITHDRAWAL, TRANSFER."]
    assert query["limit"] == ["Должно быть от 1 до 100."]


def test_a_refusal_by_address_speaks_too(house: Flask, rates: Callable[..., None]):
    rates(auth="1 per minute")
    client = house.test_client()
    client.post("/api/auth/login", json={})

    answer = client.post("/api/auth/login", json={}, headers=RU)

    assert refused(answer, 429, "rate_limited")["detail"] == "Не более 1 запросов за 60 с."


def test_what_succeeds_has_no_language(alice: Actor):
    answer = alice.get("/client/balance", headers=RU)

    assert "Content-Language" not in answer.headers


@pytest.mark.parametrize("sentence", sorted(IN_RUSSIAN))
def test_every_sentence_is_found_whole_and_put_together(sentence: str):
    values = dict.fromkeys(
        ("limit", "lines", "span", "min", "max", "equal", "choices", "seconds"), "7"
    )
    values |= dict.fromkeys(
        ("shortest", "longest", "providers", "currencies", "name", "scopes", "address"), "X"
    )
    values |= {
        "currency": "USD",
        "reason": "X",
        "action": "X",
        "what": "X",
        "networks": "X, Y",
        "last": "Z",
        "network": "X",
    }
    values["moment"] = "2026-11-26T12:00:00.000Z"
    used = {name: value for name, value in values.items() if f"{{{name}}}" in sentence}

    assert say(sentence, ENGLISH, used) == sentence.format(**used)
    russian = say(sentence, RUSSIAN, used)
    assert russian == IN_RUSSIAN[sentence].format(**used)
    assert say(sentence.format(**used), RUSSIAN, {}) == russian


def test_a_value_is_never_read_as_a_sentence(alice: Actor):
    order = {"url": "https://example.com/", "events": ["{name.__class__}", "deposit.confirmed"]}

    body = refused(alice.post("/client/webhooks", order, headers=RU), 400, "validation_error")

    assert body["detail"] == "Неизвестное событие: {name.__class__}."


def test_what_is_not_in_the_catalogue_stays_english():
    assert say("Never said before.", RUSSIAN, {}) == "Never said before."
    assert say("Only {count} left.", RUSSIAN, {"count": 3}) == "Only 3 left."
    assert say_each({"json": {0: ["Unknown field.", 5]}}, RUSSIAN) == {
        "json": {0: ["Неизвестное поле.", 5]}
    }
    assert messages.LANGUAGES == ("en", "ru")
