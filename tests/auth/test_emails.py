"""The account's address: proved, and changed, by letters (API reference §11)."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from protonpay.auth import email_tokens
from protonpay.auth.models import EmailToken
from protonpay.store.db import db, transaction
from protonpay.users import service as users
from tests.actors import PASSWORD, Actor, make_actor
from tests.committed import OpenHouse, open_house
from tests.mail import letters
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

__all__ = ["open_house"]


def verify(client: FlaskClient, token: str) -> TestResponse:
    return client.post("/api/auth/verify-email", json={"token": token})


def first_token(actor: Actor) -> str:
    return letters.token_of(letters.waiting(actor.email)[0])


def verified(actor: Actor) -> bool:
    steps: dict[str, bool] = actor.get("/client/dashboard").get_json()["setupSteps"]
    return steps["emailVerified"]


def change(actor: Actor, email: str, password: str = PASSWORD) -> TestResponse:
    return actor.post("/client/email", {"email": email, "password": password})


def age(actor: Actor, by: timedelta) -> None:
    """Let time pass for the tokens of a user."""
    older = "created_at = created_at - :by, expires_at = expires_at - :by"
    with transaction() as session:
        session.execute(
            text(f"UPDATE email_tokens SET {older} WHERE user_id = :id"),
            {"by": by, "id": actor.id},
        )


def test_who_registers_is_sent_a_link_that_proves_the_address_once(alice: Actor):
    (letter,) = letters.waiting(alice.email)
    assert letters.page_of(letter) == "/verify-email"
    token = letters.token_of(letter)
    assert not verified(alice)

    with only_changes("users", "email_tokens"):
        answer = verify(alice.client, token)

    assert answer.get_json() == {"email": alice.email}
    assert verified(alice)
    with nothing_changes():
        refused(verify(alice.client, token), 400, "invalid_link")


def test_what_is_stored_opens_nothing(alice: Actor):
    token = first_token(alice)
    (row,) = db.session.scalars(select(EmailToken).where(EmailToken.user_id == alice.id))
    assert token.encode() not in row.digest
    with nothing_changes():
        for guess in (row.digest.hex(), token[:-1], token + "A", token.swapcase(), "", "\x00"):
            assert verify(alice.client, guess).status_code == 400
    assert verify(alice.client, token).status_code == 200


def test_a_letter_speaks_the_language_of_who_registered(client: FlaskClient):
    person = {"name": "Анна", "email": "anna@example.com", "password": PASSWORD}
    client.post("/api/auth/register", json=person, headers={"Accept-Language": "ru"})

    (letter,) = letters.waiting("anna@example.com")
    assert "Здравствуйте, Анна!" in letter.text


@pytest.mark.checklist(45)
def test_a_link_works_for_a_day(alice: Actor):
    token = first_token(alice)
    age(alice, timedelta(hours=24))
    with nothing_changes():
        refused(verify(alice.client, token), 400, "invalid_link")


def test_a_new_link_voids_the_old_one(alice: Actor):
    old = first_token(alice)

    answer = alice.post("/client/email/verification")

    assert answer.get_json() == {"email": alice.email}
    newer = letters.token_of(letters.waiting(alice.email)[-1])
    with nothing_changes():
        refused(verify(alice.client, old), 400, "invalid_link")
    assert verify(alice.client, newer).status_code == 200
    with nothing_changes():
        refused(alice.post("/client/email/verification"), 409, "already_verified")


def test_five_letters_an_hour_are_enough(house: Flask):
    newcomer = make_actor(house, "Newcomer")
    for _ in range(email_tokens.MOST_AN_HOUR - 1):
        assert newcomer.post("/client/email/verification").status_code == 200

    with nothing_changes():
        answer = newcomer.post("/client/email/verification")
        refused(answer, 429, "too_many_letters")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    age(newcomer, timedelta(hours=1))
    assert newcomer.post("/client/email/verification").status_code == 200


def test_an_address_is_changed_by_who_knows_the_password_and_reads_the_new_one(alice: Actor):
    before = alice.email
    verify(alice.client, first_token(alice))
    with only_changes("email_tokens", "letters", "outbox"):
        assert change(alice, "Alice.New@Example.com").status_code == 200
    assert users.get(alice.id).email == before

    (letter,) = letters.waiting("Alice.New@Example.com")
    with only_changes("users", "email_tokens", "letters", "outbox"):
        answer = verify(alice.client, letters.token_of(letter))

    assert answer.get_json() == {"email": "Alice.New@Example.com"}
    db.session.expire_all()
    assert users.find_by_email("alice.new@example.com") is not None
    assert users.find_by_email(before) is None
    assert verified(alice)
    warning = letters.waiting(before)[-1]
    assert "Alice.New@Example.com" in warning.text
    assert letters.page_of(warning) == "/freeze"


def test_a_wrong_password_changes_nothing(alice: Actor):
    with nothing_changes():
        refused(change(alice, "new@example.com", "wrong"), 401, "invalid_credentials")


def test_wrong_passwords_are_counted(alice: Actor, rates):
    rates(login="2 per minute")
    for _ in range(2):
        refused(change(alice, "new@example.com", "wrong"), 401, "invalid_credentials")
    with nothing_changes():
        refused(change(alice, "new@example.com"), 429, "rate_limited")


def test_a_taken_address_is_refused_when_asked_for_and_when_proved(alice: Actor, bob: Actor):
    with nothing_changes():
        refused(change(alice, bob.email.upper()), 409, "email_taken")
        refused(change(alice, alice.email), 409, "email_taken")
    change(alice, "wanted@example.com")
    token = letters.token_of(letters.waiting("wanted@example.com")[0])
    person = {"name": "Carol", "email": "wanted@example.com", "password": PASSWORD}
    assert bob.client.post("/api/auth/register", json=person).status_code == 200

    with nothing_changes():
        refused(verify(alice.client, token), 409, "email_taken")


def test_a_link_for_an_address_that_was_left_proves_nothing(alice: Actor):
    stale = first_token(alice)
    change(alice, "second@example.com")
    verify(alice.client, letters.token_of(letters.waiting("second@example.com")[0]))

    with nothing_changes():
        refused(verify(alice.client, stale), 400, "invalid_link")


def test_old_tokens_are_forgotten(alice: Actor):
    age(alice, timedelta(days=32))
    assert email_tokens.prune() == 1
    assert db.session.scalar(select(EmailToken.digest)) is None


def test_of_many_at_once_one_uses_the_link(open_house: OpenHouse):
    alice = make_actor(open_house.app, "Alice")
    token = first_token(alice)

    answers = open_house.at_once([lambda: verify(alice.client, token)] * 8)

    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 7]
