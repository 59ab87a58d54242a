"""/client/2fa: set up, enable, renew recovery codes, take away."""

import re

import pytest
from sqlalchemy import select

from protonpay.store.db import db
from protonpay.two_factor.models import RecoveryCode, SecondFactor
from tests.actors import PASSWORD, Actor
from tests.mail.letters import letters
from tests.moments import Moments
from tests.refusals import refused
from tests.two_factor.apps import App, set_up
from tests.unchanged import nothing_changes

NONE = {"enabled": False, "enabledAt": None, "codesLeft": 0, "resetAt": None}


def standing(actor: Actor) -> dict:
    return actor.get("/client/2fa").get_json()["twoFactor"]


def test_before_there_is_none(alice: Actor):
    assert standing(alice) == NONE
    steps = alice.get("/client/dashboard").get_json()["setupSteps"]
    assert steps["twoFaEnabled"] is False


def test_an_app_is_told_its_secret_in_three_forms(alice: Actor):
    setup = alice.post("/client/2fa/setup", {"password": PASSWORD}).get_json()["setup"]
    assert re.fullmatch(r"[A-Z2-7]{32}", setup["secret"])
    assert setup["uri"].startswith("otpauth://totp/ProtonPay:alice")
    assert f"secret={setup['secret']}" in setup["uri"]
    assert "issuer=ProtonPay" in setup["uri"]
    assert setup["qrSvg"].startswith("<svg")
    assert standing(alice) == NONE, "nothing is asked for before a code was sent"
    kept = db.session.scalars(select(SecondFactor.secret)).one()
    assert setup["secret"].encode() not in kept


def test_the_first_code_enables_it_once(alice: Actor, moments: Moments):
    app = set_up(alice)
    answer = alice.post("/client/2fa/enable", {"code": app.code()})
    codes = answer.get_json()["recoveryCodes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[A-Z2-7]{6}(-[A-Z2-7]{6}){3}", code) for code in codes)
    now = standing(alice)
    assert (now["enabled"], now["codesLeft"]) == (True, 10)
    assert alice.get("/client/dashboard").get_json()["setupSteps"]["twoFaEnabled"] is True
    assert "two_factor_enabled" in letters(alice.email)
    with nothing_changes():
        refused(alice.post("/client/2fa/enable", {"code": app.code(1)}), 409, "two_factor_enabled")
        again = alice.post("/client/2fa/setup", {"password": PASSWORD})
        refused(again, 409, "two_factor_enabled")


def test_other_sessions_end_with_it(alice: Actor, moments: Moments):
    other = alice.client.post(
        "/api/auth/login", json={"email": alice.email, "password": PASSWORD}
    ).get_json()
    app = set_up(alice)
    assert alice.post("/client/2fa/enable", {"code": app.code()}).status_code == 200
    headers = {"Authorization": f"Bearer {other['token']}"}
    refused(alice.client.get("/api/client/balance", headers=headers), 401, "token_revoked")
    assert alice.get("/client/balance").status_code == 200


def test_a_setup_is_good_for_ten_minutes_and_the_newest_alone(alice: Actor, moments: Moments):
    older, app = set_up(alice), set_up(alice)
    refused(alice.post("/client/2fa/enable", {"code": older.code()}), 401, "two_factor_invalid")
    moments.pass_by(600)
    with nothing_changes():
        late = alice.post("/client/2fa/enable", {"code": app.code()})
        refused(late, 409, "two_factor_not_set_up")


def test_without_a_setup_there_is_nothing_to_enable(alice: Actor):
    with nothing_changes():
        refused(alice.post("/client/2fa/enable", {"code": "123456"}), 409, "two_factor_not_set_up")


@pytest.mark.parametrize("password", ["wrong", PASSWORD + " "])
def test_the_password_is_asked_for(alice: Actor, password: str):
    with nothing_changes():
        answer = alice.post("/client/2fa/setup", {"password": password})
        refused(answer, 401, "invalid_credentials")


def test_it_is_taken_away_with_password_and_code(alice: Actor, app_of_alice: App, moments: Moments):
    body = {"password": PASSWORD}
    with nothing_changes():
        refused(alice.post("/client/2fa/disable", body), 401, "two_factor_required")
    wrong = alice.post("/client/2fa/disable", {"password": "no"}, headers=app_of_alice.headers())
    refused(wrong, 401, "invalid_credentials")

    answer = alice.post("/client/2fa/disable", body, headers=app_of_alice.headers())

    assert answer.get_json()["twoFactor"] == NONE
    assert "two_factor_disabled" in letters(alice.email)
    assert db.session.scalars(select(RecoveryCode)).all() == []
    assert alice.post("/client/withdraw/quote", {"amount": 5, "network": "Base"}).status_code == 200


def test_recovery_codes_are_renewed_as_a_set(alice: Actor, app_of_alice: App):
    with nothing_changes():
        refused(alice.post("/client/2fa/recovery-codes"), 401, "two_factor_required")
    old = app_of_alice.recovery_codes[0]
    answer = alice.post("/client/2fa/recovery-codes", headers={"X-2FA-Code": old})
    fresh = answer.get_json()["recoveryCodes"]
    assert len(fresh) == 10
    assert not set(fresh) & set(app_of_alice.recovery_codes)
    refused(
        alice.post(
            "/client/2fa/recovery-codes", headers={"X-2FA-Code": app_of_alice.recovery_codes[1]}
        ),
        401,
        "two_factor_invalid",
    )


def test_without_a_second_factor_there_are_no_codes_to_renew(alice: Actor):
    with nothing_changes():
        refused(alice.post("/client/2fa/recovery-codes"), 409, "two_factor_not_enabled")
