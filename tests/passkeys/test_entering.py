"""A passkey signs in, alone or after the password; what is not quite one does not."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from protonpay.auth import factor_resets, passkey_steps
from protonpay.auth import service as auth
from protonpay.auth.models import FactorReset
from protonpay.kernel import clock
from protonpay.store.db import db
from tests.actors import PASSWORD, Actor, make_actor
from tests.committed import OpenHouse
from tests.mail.letters import letters
from tests.moments import Moments
from tests.passkeys.devices import Device, added, asked, at_the_door, encoded, enter
from tests.passkeys.test_keeping import listed
from tests.refusals import refused
from tests.two_factor.apps import App
from tests.unchanged import nothing_changes, only_changes


@pytest.fixture
def device(alice: Actor) -> Device:
    """Alice's, with a passkey."""
    return added(alice)


def mfa_token(actor: Actor) -> str:
    body = {"email": actor.email, "password": PASSWORD}
    return actor.client.post("/api/auth/login", json=body).get_json()["mfaToken"]


def test_a_passkey_signs_in_without_a_name_and_answers_as_a_login_does(
    alice: Actor, device: Device
):
    options = at_the_door(alice)
    assert options["publicKey"]["allowCredentials"] == [], "it tells nobody who has passkeys"
    answer = enter(alice, options, device.sign(options["publicKey"])).get_json()
    assert set(answer) == {"token", "refreshToken", "user"}
    assert answer["user"]["id"] == alice.id
    headers = {"Authorization": f"Bearer {answer['token']}"}
    assert alice.client.get("/api/client/balance", headers=headers).status_code == 200
    assert listed(alice)[0]["usedAt"] is not None


def test_a_passkey_is_both_factors(alice: Actor, app_of_alice: App):
    device = added(alice, headers=app_of_alice.headers())
    options = at_the_door(alice)
    assert enter(alice, options, device.sign(options["publicKey"])).status_code == 200


def test_a_password_alone_still_opens_an_account_without_an_app(alice: Actor, device: Device):
    body = {"email": alice.email, "password": PASSWORD}
    assert "token" in alice.client.post("/api/auth/login", json=body).get_json()


def test_an_answer_is_good_once(alice: Actor, device: Device):
    options = at_the_door(alice)
    signed = device.sign(options["publicKey"])
    assert enter(alice, options, signed).status_code == 200
    with nothing_changes():
        refused(enter(alice, options, signed), 401, "passkey_invalid")
    other = at_the_door(alice)
    with nothing_changes():
        refused(enter(alice, other, signed), 401, "passkey_invalid")


def test_an_answer_comes_within_five_minutes(alice: Actor, device: Device, moments: Moments):
    options = at_the_door(alice)
    moments.pass_by(301)
    with nothing_changes():
        signed = device.sign(options["publicKey"])
        refused(enter(alice, options, signed), 401, "passkey_invalid")


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost:8001"},
        {"origin": "http://127.0.0.1:8000"},
        {"domain": "evil.example"},
        {"looks": False},
        {"key": Device().key},
        {"id": b"another passkey's"},
        {"user_handle": ""},
        {"user_handle": encoded(b"somebody else")},
        {"user_handle": encoded(b"\xff")},
    ],
    ids=["port", "number", "domain", "look", "key", "id", "no user", "another user", "no text"],
)
def test_what_is_not_quite_it_opens_nothing(alice: Actor, device: Device, wrong: dict):
    options = at_the_door(alice)
    signed = replace(device, **wrong).sign(options["publicKey"])
    signed["response"] = {name: part for name, part in signed["response"].items() if part}
    with nothing_changes():
        refused(enter(alice, options, signed), 401, "passkey_invalid")
    assert enter(alice, options, device.sign(options["publicKey"])).status_code == 200


@pytest.mark.parametrize("member", ["clientDataJSON", "authenticatorData", "signature"])
@pytest.mark.parametrize("part", ["!", "A", encoded(b"\x00" * 40), encoded(b"[" * 5000)])
def test_what_no_device_says_opens_nothing(alice: Actor, device: Device, member: str, part: str):
    options = at_the_door(alice)
    signed = device.sign(options["publicKey"])
    signed["response"][member] = part
    with nothing_changes():
        refused(enter(alice, options, signed), 401, "passkey_invalid")


def test_a_challenge_for_adding_signs_nobody_in(alice: Actor, device: Device):
    options = asked(alice)
    with nothing_changes():
        signed = device.sign(options["publicKey"])
        refused(enter(alice, options, signed), 401, "passkey_invalid")


def test_a_copied_passkey_opens_nothing_any_more(alice: Actor, device: Device):
    thief = device.twin()
    for _ in range(2):
        options = at_the_door(alice)
        assert enter(alice, options, device.sign(options["publicKey"])).status_code == 200
    sessions = len(alice.get("/client/sessions").get_json()["sessions"])

    options = at_the_door(alice)
    refused(enter(alice, options, thief.sign(options["publicKey"])), 401, "passkey_suspended")

    assert listed(alice)[0]["suspendedAt"] is not None
    assert letters(alice.email)[-1] == "passkey_suspended"
    assert len(alice.get("/client/sessions").get_json()["sessions"]) == sessions
    options = at_the_door(alice)
    with nothing_changes():
        signed = device.sign(options["publicKey"])
        refused(enter(alice, options, signed), 401, "passkey_suspended")


def test_a_device_that_does_not_count_is_no_copy(alice: Actor):
    device = added(alice, Device(counts=False))
    for _ in range(2):
        options = at_the_door(alice)
        assert enter(alice, options, device.sign(options["publicKey"])).status_code == 200


def test_a_passkey_stands_in_for_a_code(alice: Actor, app_of_alice: App):
    device = added(alice, headers=app_of_alice.headers())
    token = mfa_token(alice)
    options = at_the_door(alice, token)
    assert [one["id"] for one in options["publicKey"]["allowCredentials"]] == [encoded(device.id)]
    signed, another = device.sign(options["publicKey"]), mfa_token(alice)
    with only_changes("failed_sign_ins"):
        refused(enter(alice, options, signed), 401, "passkey_invalid")
        refused(enter(alice, options, signed, another), 401, "passkey_invalid")
    assert enter(alice, options, signed, token).get_json()["user"]["id"] == alice.id
    with nothing_changes():
        refused(enter(alice, options, signed, token), 401, "invalid_token")


def test_an_account_without_passkeys_says_so_after_its_password(alice: Actor, app_of_alice: App):
    body = {"mfaToken": mfa_token(alice)}
    with nothing_changes():
        answer = alice.client.post("/api/auth/passkey/options", json=body)
        refused(answer, 409, "no_passkey")


def test_somebody_elses_passkey_is_no_second_step(alice: Actor, bob: Actor, app_of_alice: App):
    added(alice, headers=app_of_alice.headers())
    bobs = added(bob)
    token = mfa_token(alice)
    options = at_the_door(alice, token)
    with only_changes("failed_sign_ins"):
        signed = bobs.sign(options["publicKey"])
        refused(enter(alice, options, signed, token), 401, "passkey_invalid")


def test_who_is_suspended_stays_outside(alice: Actor, device: Device):
    auth.suspend(alice.id)
    options = at_the_door(alice)
    with nothing_changes():
        signed = device.sign(options["publicKey"])
        refused(enter(alice, options, signed), 403, "account_suspended")


def test_an_operator_takes_away_what_was_lost(alice: Actor, house: Flask):
    added(alice)
    command = ["users", "reset-2fa", alice.email, "--reason", "lost"]
    result = house.test_cli_runner().invoke(args=command)
    assert result.exit_code == 0, result.output
    reset = db.session.scalars(select(FactorReset.id)).one()
    with clock.frozen(clock.now() + factor_resets.DELAY):
        assert passkey_steps.reset_due(reset) is None
    assert letters(alice.email)[-1] == "passkey_removed"
    refused(alice.get("/client/passkeys"), 401, "token_revoked")
    with nothing_changes():
        again = house.test_cli_runner().invoke(args=command)
        assert again.exit_code == 1


@pytest.mark.slow
def test_of_eight_at_once_with_one_answer_one_session_opens(open_house: OpenHouse):
    actor = make_actor(open_house.app, "Anna")
    device = added(actor, Device(counts=False))
    options = at_the_door(actor)
    signed = device.sign(options["publicKey"])

    statuses = open_house.at_once([lambda: enter(actor, options, signed).status_code] * 8)

    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 401, 429}
    assert len(actor.get("/client/sessions").get_json()["sessions"]) == 2
