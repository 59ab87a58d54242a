"""X-2FA-Code: asked for before what cannot be taken back, used once, with it or not at all."""

from typing import Any

import pytest

from protonpay.kernel.money import Usdc
from tests.actors import PASSWORD, Actor, make_actor
from tests.api_keys.keys import make_key
from tests.committed import OpenHouse
from tests.mail.letters import letters
from tests.moments import Moments
from tests.payouts.orders import WALLETS
from tests.refusals import refused
from tests.two_factor.apps import App, enabled
from tests.unchanged import nothing_changes, only_changes

WITHDRAWAL = {"amount": 50, "walletAddress": WALLETS["Base"], "network": "Base"}
KEY = {"name": "Mine", "permissions": ["balance:read"]}
ASKED: dict[str, dict[str, Any]] = {
    "/client/withdraw": WITHDRAWAL,
    "/client/api-keys": KEY,
    "/client/email": {"email": "new@example.com", "password": PASSWORD},
    "/client/password": {"password": PASSWORD, "newPassword": "another horse, another staple"},
}


@pytest.mark.checklist(49)
@pytest.mark.parametrize("path", ASKED)
def test_a_code_is_asked_for_and_without_one_nothing_changes(
    alice: Actor, app_of_alice: App, path: str
):
    with nothing_changes():
        answer = alice.post(path, ASKED[path])
        refused(answer, 401, "two_factor_required")
    assert "insufficient_user_authentication" in answer.headers["WWW-Authenticate"]
    assert alice.post(path, ASKED[path], headers=app_of_alice.headers()).status_code == 200


def test_who_has_no_second_factor_is_not_asked(bob: Actor):
    assert bob.post("/client/api-keys", KEY).status_code == 200
    sent = {"X-2FA-Code": "000000"}
    assert bob.post("/client/api-keys", KEY | {"name": "2"}, headers=sent).status_code == 200


def test_a_secret_is_rotated_with_a_code(alice: Actor, app_of_alice: App):
    order = {"url": "https://example.com/hook", "events": ["deposit.confirmed"]}
    hook = alice.post("/client/webhooks", order).get_json()["webhook"]["id"]
    path = f"/client/webhooks/{hook}/rotate-secret"
    with nothing_changes():
        refused(alice.post(path, {}), 401, "two_factor_required")
    assert alice.post(path, {}, headers=app_of_alice.headers()).status_code == 200


@pytest.mark.checklist(49)
def test_a_code_works_once(alice: Actor, app_of_alice: App, moments: Moments):
    headers = app_of_alice.headers()
    assert alice.post("/client/api-keys", KEY, headers=headers).status_code == 200
    again = alice.post("/client/api-keys", KEY | {"name": "2"}, headers=headers)
    refused(again, 401, "two_factor_invalid")
    # One of the step before is older than what was taken.
    earlier = alice.post("/client/api-keys", KEY, headers=app_of_alice.headers(-1))
    refused(earlier, 401, "two_factor_invalid")
    later = alice.post("/client/api-keys", KEY | {"name": "3"}, headers=app_of_alice.headers(1))
    assert later.status_code == 200


@pytest.mark.parametrize("steps", [-2, 2, 100])
def test_a_code_of_another_time_is_wrong(
    alice: Actor, app_of_alice: App, moments: Moments, steps: int
):
    moments.pass_by(300)
    answer = alice.post("/client/api-keys", KEY, headers=app_of_alice.headers(steps))
    refused(answer, 401, "two_factor_invalid")


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", " 123456", "12345a", "x" * 999])
def test_what_is_no_code_is_wrong(alice: Actor, app_of_alice: App, code: str):
    before = alice.get("/client/api-keys").get_json()
    sent = {"X-2FA-Code": code.encode().decode("latin-1")}
    refused(alice.post("/client/api-keys", KEY, headers=sent), 401, "two_factor_invalid")
    assert alice.get("/client/api-keys").get_json() == before


def test_a_refusal_leaves_the_code_unused(alice: Actor, app_of_alice: App):
    headers = app_of_alice.headers()
    with nothing_changes():
        too_much = alice.post("/client/withdraw", WITHDRAWAL | {"amount": 5000}, headers=headers)
        refused(too_much, 400, "insufficient_balance")
    assert alice.post("/client/withdraw", WITHDRAWAL, headers=headers).status_code == 200
    assert alice.available == Usdc.parse("949.95")


def test_a_repeated_request_is_answered_as_the_first_though_its_code_is_used(
    alice: Actor, app_of_alice: App
):
    headers = {**app_of_alice.headers(), "Idempotency-Key": "once"}
    first = alice.post("/client/withdraw", WITHDRAWAL, headers=headers)
    with nothing_changes():
        again = alice.post("/client/withdraw", WITHDRAWAL, headers=headers)
        without = alice.post("/client/withdraw", WITHDRAWAL, headers={"Idempotency-Key": "once"})
    assert first.status_code == again.status_code == without.status_code == 200
    assert first.data == again.data == without.data


def test_a_recovery_code_does_it_once_and_its_owner_is_told(alice: Actor, app_of_alice: App):
    sent = {"X-2FA-Code": app_of_alice.recovery_codes[3]}
    assert alice.post("/client/api-keys", KEY, headers=sent).status_code == 200
    assert alice.get("/client/2fa").get_json()["twoFactor"]["codesLeft"] == 9
    assert "recovery_code_used" in letters(alice.email)
    refused(alice.post("/client/api-keys", KEY, headers=sent), 401, "two_factor_invalid")


def test_somebody_elses_code_is_wrong(
    alice: Actor, bob: Actor, app_of_alice: App, moments: Moments
):
    app_of_bob = enabled(bob, moments)
    for sent in (app_of_bob.code(), app_of_bob.recovery_codes[0]):
        answer = alice.post("/client/api-keys", KEY, headers={"X-2FA-Code": sent})
        refused(answer, 401, "two_factor_invalid")


def test_an_api_key_is_not_asked(alice: Actor, app_of_alice: App):
    made = alice.post(
        "/client/api-keys",
        {"name": "Out", "permissions": ["withdrawals:write"]},
        headers=app_of_alice.headers(),
    ).get_json()["key"]["rawKey"]
    headers = {"Authorization": f"Bearer {made}"}
    answer = alice.client.post("/api/client/withdraw", json=WITHDRAWAL, headers=headers)
    assert answer.status_code == 200
    assert make_key  # keys of others are made in tests/api_keys


def wrong(actor: Actor, times: int, **more: Any) -> None:
    for _ in range(times):
        headers = {"X-2FA-Code": "000000", **more}
        refused(
            actor.post("/client/withdraw", WITHDRAWAL, headers=headers), 401, "two_factor_invalid"
        )


@pytest.mark.parametrize("more", [{}, {"Idempotency-Key": "guess"}], ids=["plain", "under a key"])
def test_five_wrong_codes_in_five_minutes_are_enough(
    alice: Actor, app_of_alice: App, moments: Moments, more: dict[str, str]
):
    with only_changes("second_factors"):  # the refusal undoes nothing, and nothing else was done
        wrong(alice, 5, **more)
    with nothing_changes():
        answer = alice.post("/client/withdraw", WITHDRAWAL, headers=app_of_alice.headers())
        refused(answer, 429, "rate_limited")
    assert 290 <= int(answer.headers["Retry-After"]) <= 301
    moments.pass_by(301)
    good = alice.post("/client/withdraw", WITHDRAWAL, headers=app_of_alice.headers())
    assert good.status_code == 200


def test_twenty_in_a_day_shut_it_for_the_day_and_its_owner_is_told_once(
    alice: Actor, app_of_alice: App, moments: Moments
):
    for _ in range(4):
        wrong(alice, 5)
        moments.pass_by(301)
    assert letters(alice.email).count("two_factor_guessed") == 1
    refused(
        alice.post("/client/withdraw", WITHDRAWAL, headers=app_of_alice.headers()),
        429,
        "rate_limited",
    )
    moments.pass_by(24 * 3600)
    headers = app_of_alice.headers()
    # The access token has ended meanwhile; what is asked is the code.
    signed = alice.client.post(
        "/api/auth/login", json={"email": alice.email, "password": PASSWORD}
    ).get_json()
    assert signed["code"] == "two_factor_required"
    second = {"mfaToken": signed["mfaToken"], "code": headers["X-2FA-Code"]}
    assert alice.client.post("/api/auth/2fa", json=second).status_code == 200


@pytest.mark.slow
@pytest.mark.checklist(49)
def test_of_eight_at_once_with_one_code_one_is_let_in(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
):
    moments = Moments(monkeypatch)
    actor = make_actor(open_house.app, "Anna")
    headers = enabled(actor, moments).headers()

    def ask() -> int:
        status: int = actor.post("/client/api-keys", KEY, headers=headers).status_code
        return status

    answers = open_house.at_once([ask] * 8)

    assert answers.count(200) == 1
    assert set(answers) <= {200, 401, 429}
    assert len(actor.get("/client/api-keys").get_json()["keys"]) == 1
