"""POST /auth/register (API document, "Auth Endpoints")."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from protonpay.auth import service as auth
from protonpay.auth.models import AuthSession, RefreshToken
from protonpay.kernel import clock, ids
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.store.db import db
from protonpay.users.models import User
from tests.actors import PASSWORD, Actor
from tests.nasty import NASTY
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

JOHN = {"name": "John Doe", "email": "john@example.com", "password": "securePassword123"}


def register(client: FlaskClient, **changes: Any):
    return client.post("/api/auth/register", json=JOHN | changes)


@pytest.mark.checklist(42)
def test_the_documents_example_is_answered_as_documented(client: FlaskClient):
    with only_changes(
        "users",
        "auth_sessions",
        "refresh_tokens",
        "ledger_accounts",
        "ledger_balances",
        "email_tokens",
        "letters",
        "outbox",
    ):
        answer = register(client)

    assert (answer.status_code, answer.content_type) == (200, "application/json")
    body = answer.get_json()
    assert list(body) == ["token", "refreshToken", "user"]
    user = body["user"]
    assert set(user) == {"id", "email", "name", "role", "publicId"}
    assert (user["email"], user["name"], user["role"]) == (
        *("john@example.com", "John Doe", "USER"),
    )
    assert ids.ID_PATTERN.fullmatch(user["id"])
    assert ids.PUBLIC_ID_PATTERN.fullmatch(user["publicId"])
    assert body["token"].startswith("eyJhbGciOiJIUzI1NiIs")
    assert body["refreshToken"].startswith("eyJhbGciOiJIUzI1NiIs")


def test_both_tokens_work_at_once(client: FlaskClient):
    body = register(client).get_json()

    balance = client.get(
        "/api/client/balance", headers={"Authorization": f"Bearer {body['token']}"}
    )
    assert balance.get_json()["balanceUsdc"] == "0.00"
    renewed = client.post("/api/auth/refresh", json={"refreshToken": body["refreshToken"]})
    assert renewed.status_code == 200


def test_the_account_opens_empty_and_on_the_default_plan(client: FlaskClient):
    moment = clock.now()
    with clock.frozen(moment):
        user_id = register(client).get_json()["user"]["id"]

    user = db.session.get_one(User, user_id)
    assert (user.plan, user.standing, user.role) == ("default", "ACTIVE", "USER")
    assert user.email_verified_at is None
    assert user.created_at == moment
    for address in (chart.available(user_id), chart.held(user_id)):
        assert ledger.balance(address) == Usdc(0)


def test_the_session_knows_where_it_came_from_and_when_it_ends(client: FlaskClient):
    moment = clock.now()
    with clock.frozen(moment):
        answer = client.post(
            "/api/auth/register",
            json=JOHN,
            headers={"User-Agent": "curl/8.0 " + "x" * 400},
            environ_overrides={"REMOTE_ADDR": "203.0.113.9"},
        )
    user_id = answer.get_json()["user"]["id"]

    session = db.session.scalars(select(AuthSession).filter_by(user_id=user_id)).one()
    assert (session.address, session.agent) == ("203.0.113.9", ("curl/8.0 " + "x" * 400)[:300])
    assert session.ends_at - session.created_at == timedelta(days=30)
    token = db.session.scalars(select(RefreshToken).filter_by(session_id=session.id)).one()
    assert (token.state, token.used_at) == ("ACTIVE", None)
    assert token.expires_at == moment + timedelta(days=7)


def test_no_password_and_no_token_is_stored(client: FlaskClient):
    body = register(client).get_json()

    user = db.session.get_one(User, body["user"]["id"])
    assert user.password_hash.startswith("$argon2id$")
    rows = repr([vars(row) for row in db.session.scalars(select(RefreshToken))])
    for secret in (JOHN["password"], body["token"], body["refreshToken"]):
        assert secret not in user.password_hash
        assert secret not in rows


@pytest.mark.checklist(36)
@pytest.mark.parametrize("name", ["name", "email", "password"])
@pytest.mark.parametrize("value", [None, "", [], {}, ["x"], 12345678901234, True, "a\0b"], ids=repr)
def test_every_member_is_a_text_that_says_something(client: FlaskClient, name: str, value: Any):
    with nothing_changes():
        answer = register(client, **{name: value})

    body = refused(answer, 400, "validation_error")
    assert list(body["errors"]["json"]) == [name]


@pytest.mark.checklist(36)
@pytest.mark.parametrize("name", ["name", "email", "password"])
def test_every_member_is_required(client: FlaskClient, name: str):
    person = {member: value for member, value in JOHN.items() if member != name}
    with nothing_changes():
        answer = client.post("/api/auth/register", json=person)

    body = refused(answer, 400, "validation_error")
    assert body["errors"] == {"json": {name: ["Missing data for required field."]}}


@pytest.mark.checklist(41)
@pytest.mark.parametrize(
    "extra",
    [
        {"role": "ADMIN"},
        {"balanceUsdc": "1e9"},
        {"id": "cmaaaaaaaa"},
        {"emailVerified": True},
        {"plan": "vip"},
        {"publicId": "PP-00000000"},
        {"passwordHash": "x"},
        {"__proto__": {}},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_nobody_chooses_what_they_are(client: FlaskClient, extra: dict[str, Any]):
    with nothing_changes():
        refused(register(client, **extra), 400, "validation_error")


@pytest.mark.checklist(37)
@pytest.mark.parametrize(
    "email",
    [
        "a",
        "a@",
        "a@b",
        "a b@c.de",
        "a@b.co\n",
        "a@b.co, c@d.ef",
        '"x"@y.zz',
        "a" * 250 + "@b.co",
        ".a@b.co",
        "a.@b.co",
        "a..b@b.co",
        "a" * 65 + "@b.co",
    ],
)
def test_an_address_must_be_able_to_receive_mail(client: FlaskClient, email: str):
    with nothing_changes():
        refused(register(client, email=email), 400, "validation_error")


@pytest.mark.checklist(38)
@pytest.mark.parametrize("again", ["john@example.com", "John@Example.COM", "JOHN@EXAMPLE.COM"])
def test_an_address_has_one_account_in_whatever_case(client: FlaskClient, again: str):
    register(client)
    with nothing_changes():
        refused(register(client, email=again, name="Another"), 409, "email_taken")


def test_the_address_is_kept_as_it_was_typed_and_found_in_any_case(client: FlaskClient):
    user = register(client, email="John.Doe@Example.COM").get_json()["user"]

    assert user["email"] == "John.Doe@Example.COM"
    person = {"email": "john.doe@example.com", "password": JOHN["password"]}
    login = client.post("/api/auth/login", json=person)
    assert login.get_json()["user"]["email"] == "John.Doe@Example.COM"


def test_a_tag_makes_another_address(client: FlaskClient):
    register(client)

    assert register(client, email="john+two@example.com").status_code == 200


@pytest.mark.parametrize("name", ["x", "x" * 100, "й" * 100, " ", "O'Brien", "李"])
def test_a_name_has_1_to_100_characters(client: FlaskClient, name: str):
    assert register(client, name=name).get_json()["user"]["name"] == name


@pytest.mark.checklist(36)
def test_a_longer_name_is_refused(client: FlaskClient):
    with nothing_changes():
        refused(register(client, name="x" * 101), 400, "validation_error")


@pytest.mark.checklist(28)
@pytest.mark.slow
def test_a_name_comes_back_as_it_was_sent(client: FlaskClient):
    """Each to the byte; nobody escapes, trims or normalises."""
    for number, name in enumerate(NASTY):
        body = register(client, name=name, email=f"nasty{number}@example.com").get_json()
        assert body["user"]["name"] == name
        stored = db.session.scalar(select(User.name).where(User.id == body["user"]["id"]))
        assert stored == name


@pytest.mark.checklist(39)
@pytest.mark.parametrize(
    "password",
    [
        "x7!Kq9$mZp2",  # 11 characters
        "",
        "password1234",
        "123456789012",
        "qwertyuiopas",
        "aaaaaaaaaaaa",
        "letmeinletmein",
        "john@example.com",
        "JohnDoe12345",
        "johndoejohndoe",
        "protonpay1234",
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(client: FlaskClient, password: str):
    with nothing_changes():
        answer = register(client, password=password)

    assert answer.status_code == 400
    assert answer.get_json()["code"] == ("weak_password" if password else "validation_error")
    if password:
        assert password not in answer.get_data(as_text=True)


@pytest.mark.checklist(39)
def test_a_password_has_128_characters_at_most(client: FlaskClient):
    long = "correct horse battery staple, " * 5

    with nothing_changes():
        refused(register(client, password=long[:129]), 400, "weak_password")
        refused(register(client, password="x" * 1025), 400, "validation_error")
    assert register(client, password=long[:128]).status_code == 200
    shorter = register(client, password=long[:64], email="another@example.com")
    assert shorter.status_code == 200


@pytest.mark.checklist(40)
@pytest.mark.parametrize(
    "password",
    [
        *("  leading and trailing  ", "пароль, который никто не знает", "🐎🔋📎✅ пять 12"),
        *(
            "tab\tnewline\nand\rreturn",
            "' OR 1=1; DROP TABLE users",
            "é" + "\u0301" * 5 + "xyzwvut",
        ),
        *("x7!Kq9$mZp2w", "%s{}${}`id`%00 and more", "\u202eright to left, or is it"),
    ],
)
def test_a_password_is_needed_exactly_as_it_was_sent(client: FlaskClient, password: str):
    assert register(client, password=password).status_code == 200

    def login(tried: str) -> int:
        credentials = {"email": JOHN["email"], "password": tried}
        return client.post("/api/auth/login", json=credentials).status_code

    assert login(password) == 200
    for other in (password.strip(), password.lower(), password + " ", password[:-1]):
        if other != password:
            assert login(other) == 401


def test_a_weak_password_is_told_before_a_taken_address(client: FlaskClient, alice: Actor):
    answer = register(client, email=alice.email, password="password1234")

    refused(answer, 400, "weak_password")


def test_two_users_never_share_a_public_id(client: FlaskClient):
    seen = {
        register(client, email=f"j{n}@example.com").get_json()["user"]["publicId"] for n in "123"
    }

    assert len(seen) == 3


def test_a_session_that_cannot_be_opened_leaves_no_user(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: object) -> None:
        raise RuntimeError

    with nothing_changes(), monkeypatch.context() as broken:
        broken.setattr(auth, "_next_token", fails)
        refused(register(client), 500, "internal_error")
    assert register(client).status_code == 200


def test_the_password_of_the_actors_is_a_good_one(client: FlaskClient):
    assert register(client, password=PASSWORD).status_code == 200
