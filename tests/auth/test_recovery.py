"""A forgotten password, and a changed one (API reference §11)."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from protonpay.auth import recovery
from protonpay.auth.email_tokens import LIFE, MOST_AN_HOUR
from protonpay.auth.models import TokenPurpose
from protonpay.auth.service import suspend
from protonpay.kernel import clock
from protonpay.store.db import db
from protonpay.store.outbox import OutboxRow
from tests.actors import PASSWORD, Actor
from tests.auth.test_emails import age, verify
from tests.mail import letters
from tests.moments import Moments
from tests.refusals import refused
from tests.two_factor.apps import enabled
from tests.two_factor.conftest import moments
from tests.unchanged import nothing_changes, only_changes

__all__ = ["moments"]

NEW = "correct horse battery"


def forget(client: FlaskClient, email: str) -> TestResponse:
    return client.post("/api/auth/forgot-password", json={"email": email})


def reset(client: FlaskClient, token: str, password: str = NEW) -> TestResponse:
    return client.post("/api/auth/reset-password", json={"token": token, "password": password})


def login(actor: Actor, password: str) -> TestResponse:
    who = {"email": actor.email, "password": password}
    return actor.client.post("/api/auth/login", json=who)


def asked(actor: Actor) -> str:
    recovery.write_reset(actor.email.upper(), clock.now())
    letter = letters.waiting(actor.email)[-1]
    assert letters.page_of(letter) == "/reset-password"
    return letters.token_of(letter)


def change(actor: Actor, password: str = PASSWORD, new: str = NEW) -> TestResponse:
    return actor.post("/client/password", {"password": password, "newPassword": new})


@pytest.mark.checklist(46)
def test_the_same_is_done_for_every_address(house: Flask, alice: Actor):
    before = db.session.scalars(select(OutboxRow.id)).all()
    for email in (alice.email, "nobody@example.com", "no address", "x" * 1000):
        with only_changes("outbox"):
            answer = forget(alice.client, email)
        assert (answer.status_code, answer.data) == (204, b"")
    jobs = db.session.execute(
        select(OutboxRow.job, OutboxRow.args).where(OutboxRow.id.not_in(before))
    ).all()
    assert [job for job, _ in jobs] == ["auth.write_reset"] * 4
    assert jobs[1][1]["email"] == "nobody@example.com"
    assert {frozenset(args) for _, args in jobs} == {frozenset({"email", "asked_at"})}
    with nothing_changes():
        recovery.write_reset("nobody@example.com", clock.now())


def test_a_link_sets_a_new_password_once_and_ends_every_session(alice: Actor):
    token = asked(alice)

    assert reset(alice.client, token).status_code == 204

    refused(alice.get("/client/balance"), 401, "token_revoked")
    refused(login(alice, PASSWORD), 401, "invalid_credentials")
    assert login(alice, NEW).status_code == 200
    assert letters.page_of(letters.waiting(alice.email)[-1]) == "/freeze"
    with nothing_changes():
        refused(reset(alice.client, token), 400, "invalid_link")


def test_who_was_reset_is_not_signed_in_and_has_proved_the_address(alice: Actor):
    answer = reset(alice.client, asked(alice))

    assert answer.data == b""
    back = replace(alice, token=login(alice, NEW).get_json()["token"])
    assert back.get("/client/dashboard").get_json()["setupSteps"]["emailVerified"]


def test_a_weak_password_leaves_the_link_good(alice: Actor):
    token = asked(alice)
    with nothing_changes():
        for weak in ("short", alice.email, "password12345", "a" * 129):
            refused(reset(alice.client, token, weak), 400, "weak_password")
    assert reset(alice.client, token).status_code == 204


def test_a_link_works_for_half_an_hour(alice: Actor):
    token = asked(alice)
    age(alice, timedelta(minutes=30))
    with nothing_changes():
        refused(reset(alice.client, token), 400, "invalid_link")


def test_a_link_of_another_purpose_resets_nothing(alice: Actor):
    token = letters.token_of(letters.waiting(alice.email)[0])
    with nothing_changes():
        refused(reset(alice.client, token), 400, "invalid_link")
        refused(alice.client.post("/api/auth/freeze", json={"token": token}), 400, "invalid_link")


def test_a_link_that_would_have_ended_is_not_written(alice: Actor):
    """No worker ran: who asked has long asked again, or given up."""
    life = LIFE[TokenPurpose.RESET]
    with nothing_changes():
        recovery.write_reset(alice.email, clock.now() - life)
    recovery.write_reset(alice.email, clock.now() - life + timedelta(minutes=1))
    assert letters.letters(alice.email)[-1] == "reset_password"


def test_no_more_than_five_letters_an_hour_are_written(alice: Actor):
    for _ in range(MOST_AN_HOUR):
        recovery.write_reset(alice.email, clock.now())
    with nothing_changes():
        recovery.write_reset(alice.email, clock.now())


def test_a_suspended_account_is_sent_nothing(house: Flask, alice: Actor):
    assert (
        house.test_cli_runner()
        .invoke(args=["users", "suspend", alice.email, "--reason", "asked"])
        .exit_code
        == 0
    )
    with nothing_changes():
        recovery.write_reset(alice.email, clock.now())


def test_a_password_is_changed_and_the_other_sessions_end(alice: Actor):
    other = login(alice, PASSWORD).get_json()["token"]
    pending = asked(alice)

    answer = change(alice)

    assert answer.get_json() == {"endedSessions": 1}
    assert alice.get("/client/balance").status_code == 200
    refused(replace(alice, token=other).get("/client/balance"), 401, "token_revoked")
    assert login(alice, NEW).status_code == 200
    refused(reset(alice.client, pending), 400, "invalid_link")
    assert re.search("password", letters.waiting(alice.email)[-1].subject)


@pytest.mark.parametrize("way", ["reset", "changed", "frozen", "suspended"])
def test_an_address_that_was_asked_for_before_is_nobodys_any_more(alice: Actor, way: str):
    """Who knew the old password may have asked for it: their letter lies elsewhere."""
    elsewhere = {"email": "thief@example.com", "password": PASSWORD}
    assert alice.post("/client/email", elsewhere).status_code == 200
    token = letters.token_of(letters.waiting("thief@example.com")[-1])
    if way == "reset":
        reset(alice.client, asked(alice))
    elif way == "suspended":
        suspend(alice.id)
    else:
        assert change(alice).status_code == 200
    if way == "frozen":
        again = elsewhere | {"password": NEW}
        assert alice.post("/client/email", again).status_code == 200
        token = letters.token_of(letters.waiting("thief@example.com")[-1])
        link = letters.token_of(letters.waiting(alice.email)[-1])
        assert alice.client.post("/api/auth/freeze", json={"token": link}).status_code == 204

    with nothing_changes():
        refused(verify(alice.client, token), 400, "invalid_link")


def test_a_sign_in_that_waits_for_its_second_step_ends_with_its_password(
    alice: Actor, moments: Moments
):
    app = enabled(alice, moments)
    waits = {"mfaToken": login(alice, PASSWORD).get_json()["mfaToken"], "code": app.code()}
    reset(alice.client, asked(alice))

    with nothing_changes():
        refused(alice.client.post("/api/auth/2fa", json=waits), 401, "invalid_token")


def test_a_wrong_or_a_weak_password_changes_nothing(alice: Actor):
    with nothing_changes():
        refused(change(alice, password="wrong"), 401, "invalid_credentials")
        refused(change(alice, new="short"), 400, "weak_password")
