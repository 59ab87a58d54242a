"""A chat becomes an account's by a code that is asked for here and sent there, and no other way."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from protonpay.auth import email_tokens
from protonpay.auth.models import TokenPurpose
from protonpay.kernel import clock
from protonpay.store import db
from protonpay.telegram import polling, service
from protonpay.telegram.service import LIFE, Started
from protonpay.users import service as users
from tests.actors import Actor
from tests.mail.letters import letters, waiting
from tests.moments import Moments
from tests.refusals import refused
from tests.teams.people import member
from tests.telegram.chats import LINK, Telegram, asked, link, standing
from tests.unchanged import nothing_changes, only_changes

pytestmark = pytest.mark.usefixtures("_nothing_before")

UNLINKED = {"available": True, "linked": False, "username": None, "linkedAt": None}


def test_who_presses_start_is_linked_and_the_owner_is_written_to(alice: Actor, telegram: Telegram):
    person = telegram.someone(username="anna_in_telegram")
    url = asked(alice)
    assert url.startswith(f"{telegram.url}/tests_bot?start=")
    person.presses_start(url)
    assert standing(alice) == UNLINKED
    assert polling.listen() == 1
    found = standing(alice)
    assert found["linkedAt"] is not None
    assert {**found, "linkedAt": None} == {
        **UNLINKED,
        "linked": True,
        "username": "anna_in_telegram",
    }
    (letter,) = waiting(alice.email)
    assert letters(alice.email) == ["telegram_linked"]
    assert "@anna_in_telegram" in letter.text
    (answer,) = person.read
    assert "linked to your account now" in answer


def test_the_code_is_stored_as_a_digest_and_fits_a_link(alice: Actor, telegram: Telegram):
    (code,) = parse_qs(urlsplit(asked(alice)).query)["start"]
    assert len(code) <= 64
    (row,) = db.execute("SELECT digest FROM telegram_codes", {}).fetchall()
    assert code.encode() not in bytes(row[0])


def test_an_answer_that_is_repeated_keeps_no_code_that_can_be_read(
    alice: Actor, telegram: Telegram
):
    sent = {"Idempotency-Key": "once"}
    url = alice.post(LINK, headers=sent).get_json()["link"]["url"]
    assert alice.post(LINK, headers=sent).get_json()["link"]["url"] == url
    (code,) = parse_qs(urlsplit(url).query)["start"]
    (row,) = db.execute("SELECT body, sealed_body FROM idempotency_keys", {}).fetchall()
    assert all(code.encode() not in bytes(kept) for kept in row)


def test_a_code_works_once(alice: Actor, telegram: Telegram):
    first, second = telegram.someone(), telegram.someone()
    url = asked(alice)
    first.presses_start(url)
    second.presses_start(url)
    assert polling.listen() == 2
    (answer,) = second.read
    assert "was used or replaced" in answer
    assert service.chat_of(alice.id) == first.number


def test_a_newer_code_voids_the_older_one(alice: Actor, telegram: Telegram):
    person = telegram.someone()
    old, new = asked(alice), asked(alice)
    person.presses_start(old)
    with only_changes("telegram_positions"):
        polling.listen()
    person.presses_start(new)
    polling.listen()
    assert service.chat_of(alice.id) == person.number


def test_a_code_ends_after_minutes(alice: Actor, telegram: Telegram, moments: Moments):
    person = telegram.someone(language_code="ru")
    person.presses_start(asked(alice))
    moments.pass_by(LIFE.total_seconds())
    with only_changes("telegram_positions"):
        polling.listen()
    (answer,) = person.read
    assert "срок истёк" in answer


@pytest.mark.parametrize(
    "said", ["/start", "/start ", "/start no-such-code", "hello", "/stop", "\0"]
)
def test_whatever_a_stranger_writes_changes_nothing(telegram: Telegram, said: str):
    person = telegram.someone()
    person.says(said)
    with only_changes("telegram_positions"):
        assert polling.listen() == 1
    assert len(person.read) == 1


def test_one_chat_has_one_account_and_one_account_one_chat(
    alice: Actor, bob: Actor, telegram: Telegram
):
    person, other = telegram.someone(), telegram.someone()
    early = asked(bob)
    link(alice, person)
    with nothing_changes():
        refused(alice.post(LINK), 409, "telegram_linked")
    person.presses_start(early)
    with only_changes("telegram_positions"):
        polling.listen()
    assert "linked to an account already" in person.read[-1]
    person.says("/stop")
    polling.listen()
    person.presses_start(early)
    polling.listen()
    assert service.account_of(person.number) == bob.id
    assert standing(alice) == UNLINKED
    assert service.start("x", other.number, None) is Started.NO_CODE


@pytest.mark.parametrize("way", ["portal", "/stop", "blocked"])
def test_a_chat_is_unlinked_by_any_of_three_ways(alice: Actor, telegram: Telegram, way: str):
    person = telegram.someone()
    link(alice, person)
    if way == "portal":
        assert alice.call("DELETE", LINK).status_code == 204
    elif way == "blocked":
        person.blocks()
        polling.listen()
    else:
        person.says(way)
        polling.listen()
        assert "not linked any more" in person.read[-1]
    assert standing(alice) == UNLINKED
    assert letters(alice.email) == ["telegram_linked", "telegram_unlinked"]


def test_unlinking_nothing_does_nothing(alice: Actor, telegram: Telegram):
    with only_changes():
        assert alice.call("DELETE", LINK).status_code == 204


def test_who_stops_the_account_unlinks_what_a_thief_may_have_linked(
    alice: Actor, telegram: Telegram
):
    link(alice, telegram.someone())
    with db.transaction():
        user = users.lock(alice.id)
        token = email_tokens.issue(user, TokenPurpose.FREEZE, user.email)
    assert alice.client.post("/api/auth/freeze", json={"token": token}).status_code == 204
    assert service.chat_of(alice.id) is None
    assert "telegram_unlinked" in letters(alice.email)


def test_an_update_is_dealt_with_once_whoever_fetches_it(alice: Actor, telegram: Telegram):
    person = telegram.someone()
    link(alice, person)
    person.says("/stop")
    bot = service.line.bot
    assert bot is not None
    update = bot.updates(None)[-1]
    polling.listen()
    with nothing_changes():
        polling._take(bot, update)
    assert len(person.read) == 2


def test_after_a_quiet_week_any_number_may_be_the_next(telegram: Telegram, moments: Moments):
    bot = service.line.bot
    assert bot is not None
    telegram.someone().says("hello")
    assert [polling.listen(), polling.listen()] == [1, 0]
    with db.transaction():
        db.execute("UPDATE telegram_positions SET next = 4000000000", {})
    telegram.someone().says("hello")
    moments.pass_by(timedelta(days=7).total_seconds())
    assert polling.listen() == 1
    assert polling._place(bot) < 4_000_000_000


def test_a_mistake_of_ours_in_one_keeps_nobody_elses(
    alice: Actor, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
):
    broken, person = telegram.someone(), telegram.someone()
    broken.says("/stop")
    person.presses_start(asked(alice))
    end = service.end_of_chat

    def stumble(chat_id: int) -> bool:
        if chat_id == broken.number:
            raise RuntimeError("a mistake of ours")
        return end(chat_id)

    monkeypatch.setattr(service, "end_of_chat", stumble)
    assert polling.listen() == 2
    assert service.chat_of(alice.id) == person.number
    assert polling.listen() == 0


def test_without_a_bot_the_api_says_so(alice: Actor):
    assert standing(alice) == {**UNLINKED, "available": False}
    with nothing_changes():
        refused(alice.post(LINK), 409, "telegram_not_set_up")
        preferences = {"preferences": [{"kind": "invoice.paid", "telegram": False}]}
        told = alice.call("PATCH", "/client/notifications/preferences", json=preferences)
        refused(told, 409, "telegram_not_set_up")


def test_only_the_owner_links_and_unlinks(house: Flask, alice: Actor, telegram: Telegram):
    acting = member(house, alice, "admin")
    with nothing_changes():
        refused(acting.post(LINK), 403, "role_insufficient")
        refused(acting.call("DELETE", LINK), 403, "role_insufficient")


def test_a_code_is_over_at_its_moment(alice: Actor, telegram: Telegram):
    ends = alice.post(LINK).get_json()["link"]["expiresAt"]
    left = clock.from_text(ends) - clock.now()
    assert timedelta(0) < left <= LIFE
