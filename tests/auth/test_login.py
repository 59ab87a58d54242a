"""POST /auth/login and /auth/logout (API document, "Auth Endpoints")."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from protonpay.auth import passwords as judged
from protonpay.auth import service as auth
from protonpay.auth.models import AuthSession
from protonpay.auth.passwords import Cost, Passwords, passwords
from protonpay.kernel.money import Usdc
from protonpay.store.db import db
from protonpay.users.models import User
from tests.actors import PASSWORD, Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes


def login(client: FlaskClient, email: Any, password: Any = PASSWORD):
    return client.post("/api/auth/login", json={"email": email, "password": password})


def _sessions_of(actor: Actor) -> int:
    counted = select(func.count()).select_from(AuthSession).filter_by(user_id=actor.id)
    return db.session.scalars(counted).one()


def test_the_answer_is_the_documented_one(alice: Actor):
    with only_changes("auth_sessions", "refresh_tokens"):
        answer = login(alice.client, alice.email)

    assert answer.status_code == 200
    body = answer.get_json()
    assert list(body) == ["token", "refreshToken", "user"]
    assert body["user"] == {
        "id": alice.id,
        "email": alice.email,
        "name": "Alice",
        "role": "USER",
        "publicId": alice.public_id,
        "balanceUsdc": "1000.00",
    }


def test_the_balance_is_the_one_of_this_moment(alice: Actor, bob: Actor):
    alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": "0.000001"})

    assert login(alice.client, alice.email).get_json()["user"]["balanceUsdc"] == "999.999999"
    assert login(bob.client, bob.email).get_json()["user"]["balanceUsdc"] == "0.000001"


def test_every_sign_in_is_a_session_of_its_own(alice: Actor):
    tokens = {login(alice.client, alice.email).get_json()["token"] for _ in range(3)}

    assert len(tokens) == 3
    assert _sessions_of(alice) == 4
    assert alice.get("/client/balance").status_code == 200


@pytest.mark.checklist(44)
def test_a_wrong_password_and_an_unknown_address_are_told_alike(alice: Actor):
    with only_changes("failed_sign_ins"):
        wrong = refused(login(alice.client, alice.email, "wrong horse"), 401, "invalid_credentials")
        unknown = refused(login(alice.client, "nobody@example.com"), 401, "invalid_credentials")

    del wrong["requestId"], unknown["requestId"]
    assert wrong == unknown


@pytest.mark.checklist(44, 50)
def test_a_hash_is_verified_for_who_does_not_exist(alice: Actor, monkeypatch: pytest.MonkeyPatch):
    """So that the time it takes does not say who has an account."""
    verified = []

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored)
            return hasher.verify(stored, password)

        def check_needs_rehash(self, stored: str) -> bool:
            return hasher.check_needs_rehash(stored)

    hasher = passwords._hasher
    monkeypatch.setattr(passwords, "_hasher", Counting())
    login(alice.client, "nobody@example.com")
    login(alice.client, alice.email, "wrong horse")
    auth.suspend(alice.id)
    refused(login(alice.client, alice.email), 403, "account_suspended")

    nobodys, hers, when_suspended = verified
    assert nobodys == passwords._nobody
    assert nobodys.split("$")[:4] == hers.split("$")[:4]
    assert when_suspended == hers


def test_nobodys_password_lets_nobody_in(client: FlaskClient):
    answer = login(client, "nobody@example.com", "nobody has this password")

    refused(answer, 401, "invalid_credentials")


@pytest.mark.checklist(45)
@pytest.mark.parametrize("name", ["email", "password"])
@pytest.mark.parametrize("value", [None, [], {}, {"$ne": ""}, ["x"], 0, 1.5, True, ""], ids=repr)
def test_credentials_are_text(alice: Actor, name: str, value: Any):
    with nothing_changes():
        answer = alice.client.post(
            "/api/auth/login", json={"email": alice.email, "password": PASSWORD, name: value}
        )

    refused(answer, 400, "validation_error")


@pytest.mark.checklist(46)
def test_a_long_password_is_compared_to_its_end(client: FlaskClient):
    """bcrypt would look at 72 bytes of it."""
    long = "correct horse battery staple, " * 4
    person = {"name": "Long", "email": "long@example.com", "password": long}
    client.post("/api/auth/register", json=person)

    assert login(client, "long@example.com", long).status_code == 200
    for other in (long[:72], long[:-1], long[:-1] + "!", long + "!"):
        refused(login(client, "long@example.com", other), 401, "invalid_credentials")


@pytest.mark.checklist(47)
def test_a_megabyte_is_no_password(alice: Actor):
    answer = login(alice.client, alice.email, "x" * 1_000_000)

    refused(answer, 413, "body_too_large")
    refused(login(alice.client, alice.email, "x" * 60_000), 400, "validation_error")


@pytest.mark.parametrize(
    "email",
    ["' OR 1=1--", "alice%", "%", "_@example.com", "*", "\u202e", "x" * 1024, "ＡＬＩＣＥ"],  # noqa: RUF001
)
def test_an_address_is_compared_and_never_matched(alice: Actor, email: str):
    refused(login(alice.client, email), 401, "invalid_credentials")


@pytest.mark.parametrize("spelling", [str.upper, str.title, lambda email: f"{email}"])
def test_the_address_may_be_typed_in_any_case(alice: Actor, spelling: Any):
    assert login(alice.client, spelling(alice.email)).status_code == 200


def test_a_hash_made_at_another_cost_is_made_anew_at_sign_in(alice: Actor):
    cheap = Passwords()
    cheap.set_cost(Cost(memory_kib=16, rounds=1))
    user = db.session.get_one(User, alice.id)
    user.password_hash = cheap.hash(PASSWORD)
    db.session.flush()

    with only_changes("users", "auth_sessions", "refresh_tokens"):
        assert login(alice.client, alice.email).status_code == 200
    db.session.refresh(user)
    assert not passwords.is_outdated(user.password_hash)
    with only_changes("auth_sessions", "refresh_tokens"):
        assert login(alice.client, alice.email).status_code == 200


def test_a_stored_hash_that_cannot_be_read_lets_nobody_in(alice: Actor):
    user = db.session.get_one(User, alice.id)
    for stored in ("", "x", "pbkdf2:sha256:1$x$y", "$2b$12$" + "x" * 53):
        user.password_hash = stored
        db.session.flush()
        refused(login(alice.client, alice.email), 401, "invalid_credentials")


def test_too_many_sign_ins_at_once_are_asked_to_come_back(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(judged, "_PATIENCE_SECONDS", 0)
    with passwords._one, nothing_changes():
        answer = login(alice.client, alice.email)

    refused(answer, 503, "busy")
    assert answer.headers["Retry-After"] == "2"
    assert login(alice.client, alice.email).status_code == 200


@pytest.mark.checklist(50)
def test_a_suspended_account_is_told_so_by_its_password_only(alice: Actor):
    auth.suspend(alice.id)

    with only_changes("failed_sign_ins"):
        refused(login(alice.client, alice.email), 403, "account_suspended")
        refused(login(alice.client, alice.email, "wrong horse"), 401, "invalid_credentials")


@pytest.mark.checklist(16)
def test_suspending_ends_every_session_at_once(alice: Actor, bob: Actor):
    login(alice.client, alice.email)

    assert auth.suspend(alice.id) == 2

    for path in ("/client/balance", "/client/activity"):
        refused(alice.get(path), 401, "token_revoked")
    with nothing_changes():
        refused(
            alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": 1}),
            *(401, "token_revoked"),
        )
        refused(
            alice.post("/auth/refresh", {"refreshToken": alice.refresh_token}),
            *(401, "token_revoked"),
        )
    assert auth.suspend(alice.id) == 0


def test_a_suspension_that_comes_while_the_password_is_checked_wins(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    matches = passwords.matches

    def slowly(stored: str | None, password: str) -> bool:
        auth.suspend(alice.id)
        return matches(stored, password)

    monkeypatch.setattr(passwords, "matches", slowly)

    refused(login(alice.client, alice.email), 403, "account_suspended")
    assert _sessions_of(alice) == 1


def test_a_reinstated_account_signs_in_again_and_old_sessions_stay_ended(alice: Actor):
    auth.suspend(alice.id)

    auth.reinstate(alice.id)

    body = login(alice.client, alice.email).get_json()
    assert body["user"]["balanceUsdc"] == str(Usdc.parse("1000"))
    refused(alice.get("/client/balance"), 401, "token_revoked")
    auth.reinstate(alice.id)


def test_logout_answers_nothing(alice: Actor):
    answer = alice.post("/auth/logout")

    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert "Content-Type" not in answer.headers


def test_logout_asks_who_it_is(client: FlaskClient, alice: Actor):
    with nothing_changes():
        refused(client.post("/api/auth/logout"), 401, "authentication_required")
        refused(
            client.post(
                "/api/auth/logout", headers={"Authorization": f"Bearer {alice.refresh_token}"}
            ),
            *(401, "invalid_token"),
        )
