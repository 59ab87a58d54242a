"""Signing in with two steps: no token before the second."""

import pytest
from sqlalchemy import text

from protonpay.store.db import db, transaction
from tests.actors import PASSWORD, Actor, make_actor
from tests.committed import OpenHouse
from tests.moments import Moments
from tests.refusals import refused
from tests.two_factor.apps import App, enabled
from tests.unchanged import nothing_changes, only_changes


def login(actor: Actor, password: str = PASSWORD):
    return actor.client.post("/api/auth/login", json={"email": actor.email, "password": password})


def second(actor: Actor, token: str, code: str):
    return actor.client.post("/api/auth/2fa", json={"mfaToken": token, "code": code})


@pytest.mark.checklist(49)
def test_the_password_alone_opens_nothing(alice: Actor, app_of_alice: App):
    answer = login(alice)
    refused(answer, 401, "two_factor_required")
    told = answer.get_json()
    assert "token" not in told
    assert "refreshToken" not in told
    headers = {"Authorization": f"Bearer {told['mfaToken']}"}
    refused(alice.client.get("/api/client/balance", headers=headers), 401, "invalid_token")
    refreshed = alice.client.post("/api/auth/refresh", json={"refreshToken": told["mfaToken"]})
    refused(refreshed, 401, "invalid_token")


def test_the_second_step_answers_as_a_sign_in_does(alice: Actor, app_of_alice: App):
    token = login(alice).get_json()["mfaToken"]
    answer = second(alice, token, app_of_alice.code()).get_json()
    assert set(answer) == {"token", "refreshToken", "user"}
    assert answer["user"]["id"] == alice.id
    assert answer["user"]["balanceUsdc"] == "1000.00"
    headers = {"Authorization": f"Bearer {answer['token']}"}
    assert alice.client.get("/api/client/balance", headers=headers).status_code == 200
    carried = alice.client.post("/api/auth/refresh", json={"refreshToken": answer["refreshToken"]})
    assert carried.status_code == 200, "a session that stands is not asked again"


def test_a_recovery_code_is_a_second_step(alice: Actor, app_of_alice: App):
    token = login(alice).get_json()["mfaToken"]
    assert second(alice, token, app_of_alice.recovery_codes[0]).status_code == 200
    token = login(alice).get_json()["mfaToken"]
    again = second(alice, token, app_of_alice.recovery_codes[0])
    refused(again, 401, "two_factor_invalid")


def test_a_challenge_is_good_once_and_for_five_minutes(
    alice: Actor, app_of_alice: App, moments: Moments
):
    token = login(alice).get_json()["mfaToken"]
    assert second(alice, token, app_of_alice.code()).status_code == 200
    moments.pass_by(30)
    with nothing_changes():
        refused(second(alice, token, app_of_alice.code()), 401, "invalid_token")
    late = login(alice).get_json()["mfaToken"]
    moments.pass_by(301)
    with nothing_changes():
        answer = second(alice, late, app_of_alice.code())
    assert (answer.status_code, answer.get_json()["code"]) in {
        (401, "token_expired"),
        (401, "invalid_token"),
    }


def test_a_wrong_code_leaves_the_challenge_and_is_counted(alice: Actor, app_of_alice: App):
    token = login(alice).get_json()["mfaToken"]
    with only_changes("second_factors", "failed_sign_ins"):
        for _ in range(5):
            refused(second(alice, token, "000000"), 401, "two_factor_invalid")
    refused(second(alice, token, app_of_alice.code()), 429, "rate_limited")


def test_its_owner_reads_that_somebody_knew_the_password(alice: Actor, app_of_alice: App):
    token = login(alice).get_json()["mfaToken"]
    refused(second(alice, token, "000000"), 401, "two_factor_invalid")
    (told,) = alice.get("/client/sessions/failed").json["failed"]
    assert (told["reason"], told["count"]) == ("wrong_code", 1)


def test_another_access_token_is_no_challenge(alice: Actor, app_of_alice: App):
    with nothing_changes():
        refused(second(alice, alice.token, app_of_alice.code()), 401, "invalid_token")
        refused(second(alice, "nonsense", app_of_alice.code()), 401, "invalid_token")


def test_somebody_elses_code_opens_nothing(
    alice: Actor, bob: Actor, app_of_alice: App, moments: Moments
):
    enabled(bob, moments)
    token = login(bob).get_json()["mfaToken"]
    refused(second(bob, token, app_of_alice.code()), 401, "two_factor_invalid")


def test_a_wrong_password_says_nothing_of_a_second_factor(alice: Actor, app_of_alice: App):
    with only_changes("failed_sign_ins"):
        answer = login(alice, "wrong password entirely")
        refused(answer, 401, "invalid_credentials")
    assert "mfaToken" not in answer.get_json()


def test_who_is_suspended_between_the_steps_stays_outside(alice: Actor, app_of_alice: App):
    token = login(alice).get_json()["mfaToken"]
    with transaction():
        db.session.execute(
            text("UPDATE users SET standing = 'SUSPENDED' WHERE id = :id"), {"id": alice.id}
        )
    with only_changes("failed_sign_ins"):
        refused(second(alice, token, app_of_alice.code()), 403, "account_suspended")


@pytest.mark.slow
def test_of_eight_at_once_with_one_challenge_one_session_opens(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
):
    moments = Moments(monkeypatch)
    actor = make_actor(open_house.app, "Anna")
    app = enabled(actor, moments)
    token, code = login(actor).get_json()["mfaToken"], app.code()

    statuses = open_house.at_once([lambda: second(actor, token, code).status_code] * 8)

    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 401, 429}
    assert len(actor.get("/client/sessions").get_json()["sessions"]) == 2
