"""A second factor that was lost goes two days after that was asked for, unless it turns up."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from protonpay.auth import factor_resets, passkey_steps
from protonpay.auth.models import FactorReset
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.store.outbox import OutboxRow
from tests.actors import PASSWORD, Actor
from tests.mail import letters
from tests.moments import Moments
from tests.passkeys.devices import Device, added, at_the_door, enter
from tests.refusals import refused
from tests.two_factor.apps import STEP, App, enabled, set_up
from tests.unchanged import nothing_changes, only_changes

HOURS_48 = 48 * 3600


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


@pytest.fixture
def phone(alice: Actor, moments: Moments) -> App:
    """The app of Alice."""
    return enabled(alice, moments)


def operator(house: Flask, command: str, actor: Actor) -> tuple[int, str]:
    words = ["users", command, actor.email, "--reason", "she called"]
    told = house.test_cli_runner().invoke(args=words)
    return told.exit_code, told.output


def asked(house: Flask, actor: Actor) -> str:
    """Have an operator ask for it; return the reset's id."""
    code, said = operator(house, "reset-2fa", actor)
    assert code == 0, said
    return db.session.scalars(select(FactorReset.id)).one()


def signs_in(actor: Actor, code: str | None = None) -> int:
    who = {"email": actor.email, "password": PASSWORD}
    answer = actor.client.post("/api/auth/login", json=who)
    if code is None or "mfaToken" not in answer.json:
        return answer.status_code if "token" in answer.json else 401
    body = {"mfaToken": answer.json["mfaToken"], "code": code}
    return actor.client.post("/api/auth/2fa", json=body).status_code


def test_it_goes_after_two_days_and_not_before(
    house: Flask, alice: Actor, phone: App, moments: Moments
):
    reset = asked(house, alice)
    assert letters.letters(alice.email)[-1] == "two_factor_reset_asked"
    waits = select(OutboxRow.due_at).where(OutboxRow.job == "auth.reset_factors")
    assert db.session.scalars(waits).all() == [factor_resets.due_at(alice.id)]
    assert f"{moments.now:%Y-%m-%d}" not in letters.waiting(alice.email)[-1].text, "in two days"
    assert signs_in(alice) == 401
    now = alice.get("/client/2fa").json["twoFactor"]
    assert now["enabled"], "and its sessions go on"
    assert now["resetAt"] == f"{factor_resets.due_at(alice.id):%Y-%m-%dT%H:%M:%SZ}"

    moments.pass_by(HOURS_48 - 60)
    with nothing_changes():
        assert passkey_steps.reset_due(reset) == Later(60, "not due yet")
    moments.pass_by(60)
    assert passkey_steps.reset_due(reset) is None

    assert letters.letters(alice.email)[-1] == "two_factor_disabled"
    refused(alice.get("/client/2fa"), 401, "token_revoked")
    assert signs_in(alice) == 200
    with nothing_changes():
        assert passkey_steps.reset_due(reset) is None, "done once"
    assert operator(house, "reset-2fa", alice)[0] == 1, "there is none any more"


def by_link(alice: Actor, phone: App, house: Flask) -> None:
    """Click in the letter."""
    token = letters.token_of(letters.waiting(alice.email)[-1])
    page = letters.page_of(letters.waiting(alice.email)[-1])
    with nothing_changes():
        assert "Keep the second factor?" in alice.client.get(f"{page}?token={token}").text
    answer = alice.client.post(page, data={"token": token})
    assert "The second factor stays" in answer.text
    with nothing_changes():
        assert alice.client.post(page, data={"token": token}).status_code == 400


def by_code(alice: Actor, phone: App, house: Flask) -> None:
    """Sign in with the app."""
    assert signs_in(alice, phone.code()) == 200


def by_recovery_code(alice: Actor, phone: App, house: Flask) -> None:
    """Sign in with a recovery code."""
    assert signs_in(alice, phone.recovery_codes[0]) == 200


def by_call(alice: Actor, phone: App, house: Flask) -> None:
    """Stop it where one is signed in."""
    assert alice.call("DELETE", "/client/2fa/reset").status_code == 204
    with nothing_changes():
        refused(alice.call("DELETE", "/client/2fa/reset"), 404, "not_found")


def by_operator(alice: Actor, phone: App, house: Flask) -> None:
    """Have the operator stop it."""
    assert operator(house, "keep-2fa", alice) == (0, f"{alice.email}: the second factor stays\n")
    with nothing_changes():
        assert operator(house, "keep-2fa", alice) == (0, f"{alice.email}: nothing to stop\n")


@pytest.mark.parametrize("how", [by_link, by_code, by_recovery_code, by_call, by_operator])
def test_its_owner_stops_it(
    house: Flask,
    alice: Actor,
    phone: App,
    moments: Moments,
    how: Callable[[Actor, App, Flask], None],
):
    reset = asked(house, alice)
    how(alice, phone, house)
    assert letters.letters(alice.email).count("two_factor_kept") == 1
    assert factor_resets.due_at(alice.id) is None
    moments.pass_by(HOURS_48)
    with nothing_changes():
        assert passkey_steps.reset_due(reset) is None
    assert signs_in(alice) == 401, "the password alone still opens nothing"
    again = asked(house, alice)
    assert again != reset
    with nothing_changes():
        assert passkey_steps.reset_due(reset) is None
        assert isinstance(passkey_steps.reset_due(again), Later), "its two days begin anew"


@pytest.mark.parametrize("second_step", [True, False])
def test_a_passkey_stops_it(house: Flask, alice: Actor, moments: Moments, *, second_step: bool):
    device = added(alice)
    enabled(alice, moments)
    asked(house, alice)
    token = None
    if second_step:
        who = {"email": alice.email, "password": PASSWORD}
        token = alice.client.post("/api/auth/login", json=who).json["mfaToken"]
    options = at_the_door(alice, token)
    with only_changes("failed_sign_ins") if second_step else nothing_changes():
        other = replace(device, key=Device().key).sign(options["publicKey"])
        assert enter(alice, options, other, token).status_code == 401
    assert enter(alice, options, device.sign(options["publicKey"]), token).status_code == 200
    assert factor_resets.due_at(alice.id) is None


def test_what_is_no_proof_stops_nothing(house: Flask, alice: Actor, bob: Actor, phone: App):
    asked(house, alice)
    with nothing_changes():
        refused(bob.call("DELETE", "/client/2fa/reset"), 404, "not_found")
    due = factor_resets.due_at(alice.id)
    assert signs_in(alice, "000000") == 401
    with nothing_changes():
        answer = alice.client.post(factor_resets.KEEP_PAGE, data={"token": "nobodys"})
        assert answer.status_code == 400
    assert alice.get("/client/balance").status_code == 200
    assert factor_resets.due_at(alice.id) == due
    # Asked for again it is as it was: no second letter, no other moment.
    with nothing_changes():
        assert operator(house, "reset-2fa", alice)[0] == 0
    assert (
        "second factor is taken away at"
        in house.test_cli_runner().invoke(args=["users", "show", alice.email]).output
    )


def test_an_app_that_is_set_up_meanwhile_is_not_the_lost_one(
    house: Flask, alice: Actor, phone: App, moments: Moments
):
    reset = asked(house, alice)
    body = {"password": PASSWORD}
    gone = alice.post("/client/2fa/disable", body, headers=phone.headers())
    assert gone.status_code == 200, gone.json
    assert factor_resets.due_at(alice.id) is None
    moments.pass_by(STEP)
    new = set_up(alice)
    assert alice.post("/client/2fa/enable", {"code": new.code()}).status_code == 200
    moments.pass_by(HOURS_48)
    with nothing_changes():
        assert passkey_steps.reset_due(reset) is None


def test_passkeys_alone_are_lost_too(house: Flask, alice: Actor, moments: Moments):
    """And an app that is set up by who is signed in ends it: there is a second factor again."""
    added(alice)
    reset = asked(house, alice)
    app = set_up(alice)
    assert alice.post("/client/2fa/enable", {"code": app.code()}).status_code == 200
    assert factor_resets.due_at(alice.id) is None
    assert "two_factor_kept" in letters.letters(alice.email)
    with nothing_changes():
        assert passkey_steps.reset_due(reset) is None
