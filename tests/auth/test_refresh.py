"""POST /auth/refresh: each token carries its session on once (RFC 9700 §4.14.2)."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from protonpay.auth import service as auth
from protonpay.auth import sessions
from protonpay.auth.devices import Device
from protonpay.auth.models import AuthSession, RefreshToken
from protonpay.kernel import clock
from protonpay.kernel.errors import Unauthenticated
from protonpay.store.db import db, transaction
from protonpay.web import tokens
from tests.actors import PASSWORD, Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

UNVERIFIED: dict[str, Any] = {"options": {"verify_signature": False}}


def refresh(client: FlaskClient, token: Any):
    return client.post("/api/auth/refresh", json={"refreshToken": token})


def balance(client: FlaskClient, token: str):
    return client.get("/api/client/balance", headers={"Authorization": f"Bearer {token}"})


def _session(actor: Actor) -> AuthSession:
    return db.session.scalars(
        select(AuthSession).filter_by(user_id=actor.id).execution_options(populate_existing=True)
    ).one()


@pytest.mark.checklist(51)
def test_it_answers_a_new_pair_and_nothing_else(alice: Actor):
    with only_changes("refresh_tokens", "auth_sessions"):
        answer = refresh(alice.client, alice.refresh_token)

    assert answer.status_code == 200
    body = answer.get_json()
    assert list(body) == ["token", "refreshToken"]
    assert {body["token"], body["refreshToken"]}.isdisjoint({alice.token, alice.refresh_token})
    assert balance(alice.client, body["token"]).get_json()["balanceUsdc"] == "1000.00"


def test_the_old_access_token_lives_on_in_the_same_session(alice: Actor):
    refresh(alice.client, alice.refresh_token)

    assert alice.get("/client/balance").status_code == 200


def test_a_chain_of_tokens_carries_one_session_on(alice: Actor):
    token = alice.refresh_token
    for _ in range(5):
        token = refresh(alice.client, token).get_json()["refreshToken"]

    session = _session(alice)
    rows = db.session.scalars(select(RefreshToken.state).filter_by(session_id=session.id)).all()
    assert sorted(rows) == ["ACTIVE"] + ["USED"] * 5


@pytest.mark.checklist(52)
def test_a_second_use_ends_the_whole_session(alice: Actor):
    newer = refresh(alice.client, alice.refresh_token).get_json()

    refused(refresh(alice.client, alice.refresh_token), 401, "refresh_token_reused")

    session = _session(alice)
    assert session.end_reason == "refresh_token_reused"
    refused(balance(alice.client, newer["token"]), 401, "token_revoked")
    refused(balance(alice.client, alice.token), 401, "token_revoked")
    with nothing_changes():
        refused(refresh(alice.client, newer["refreshToken"]), 401, "token_revoked")
        refused(refresh(alice.client, alice.refresh_token), 401, "token_revoked")


@pytest.mark.checklist(55)
def test_a_second_use_ends_no_other_session(alice: Actor, bob: Actor):
    credentials = {"email": alice.email, "password": PASSWORD}
    other = alice.client.post("/api/auth/login", json=credentials).get_json()
    for _ in range(2):
        refresh(alice.client, alice.refresh_token)

    assert balance(alice.client, other["token"]).status_code == 200
    assert refresh(alice.client, other["refreshToken"]).status_code == 200
    assert refresh(bob.client, bob.refresh_token).status_code == 200


def test_after_signing_out_it_refreshes_no_more(alice: Actor):
    alice.post("/auth/logout")

    with nothing_changes():
        refused(refresh(alice.client, alice.refresh_token), 401, "token_revoked")


@pytest.mark.checklist(56)
def test_after_every_session_was_ended_it_refreshes_no_more(alice: Actor):
    with transaction():
        sessions.end_all_of(alice.id, "password_changed")

    with nothing_changes():
        refused(refresh(alice.client, alice.refresh_token), 401, "token_revoked")


def test_an_access_token_refreshes_nothing(alice: Actor):
    with nothing_changes():
        refused(refresh(alice.client, alice.token), 401, "invalid_token")


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "null", "Bearer x", "e30.e30.e30", "' OR 1=1--", "x" * 4096], ids=str
)
def test_what_is_no_token_is_401(client: FlaskClient, token: str):
    with nothing_changes():
        refused(refresh(client, token), 401, "invalid_token")


@pytest.mark.parametrize("token", [None, "", 1, True, [], {}, ["x"], "x" * 4097, "a\0"], ids=repr)
def test_what_is_no_text_is_400(client: FlaskClient, token: Any):
    with nothing_changes():
        refused(refresh(client, token), 400, "validation_error")


def test_a_token_is_read_from_the_body_only(alice: Actor):
    headers = {"Authorization": f"Bearer {alice.refresh_token}"}

    refused(
        alice.client.post("/api/auth/refresh", json={}, headers=headers), 400, "validation_error"
    )


@pytest.mark.checklist(54)
def test_an_altered_token_is_401_and_spends_nothing(alice: Actor):
    head, payload, signature = alice.refresh_token.split(".")
    bent = signature[:-5] + ("AAAAA" if signature[-5:] != "AAAAA" else "BBBBB")

    with nothing_changes():
        refused(refresh(alice.client, f"{head}.{payload}.{bent}"), 401, "invalid_token")
        refused(refresh(alice.client, f"{head}.{payload}."), 401, "invalid_token")
    assert refresh(alice.client, alice.refresh_token).status_code == 200


@pytest.mark.checklist(54)
def test_a_token_that_is_not_ours_or_over_is_401(alice: Actor, settings: dict[str, str]):
    key, claims = settings["SECRET_KEY"], jwt.decode(alice.refresh_token, **UNVERIFIED)
    header = jwt.get_unverified_header(alice.refresh_token)
    week = {"iat": claims["iat"] - 700_000, "nbf": claims["nbf"] - 700_000}
    over = jwt.encode(claims | week | {"exp": claims["exp"] - 700_000}, key, headers=header)
    theirs = jwt.encode(claims, "another secret key, long enough for HS256", headers=header)
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": header["kid"]})

    with nothing_changes():
        refused(refresh(alice.client, over), 401, "token_expired")
        refused(refresh(alice.client, theirs), 401, "invalid_token")
        refused(refresh(alice.client, unsigned), 401, "invalid_token")
    assert refresh(alice.client, jwt.encode(claims, key, headers=header)).status_code == 200


@pytest.mark.checklist(55)
def test_a_token_nobody_wrote_down_is_401(alice: Actor, bob: Actor):
    """Well signed, but its id is unknown, or of somebody else's session."""
    hers, his = _session(alice), _session(bob)
    his_token = db.session.scalars(select(RefreshToken.id).filter_by(session_id=his.id)).one()
    forged = (
        (alice.id, hers.id, "cmnobodyknowsthisid"),
        (alice.id, hers.id, his_token),
        (bob.id, hers.id, his_token),
        (alice.id, his.id, his_token),
        (alice.id, "cmnosuchsession", his_token),
    )
    for user_id, session_id, token_id in forged:
        token = tokens.issue_refresh(user_id, session_id, token_id, timedelta(days=1))
        with nothing_changes():
            refused(refresh(alice.client, token), 401, "invalid_token")
    assert refresh(bob.client, bob.refresh_token).status_code == 200


@pytest.mark.checklist(57)
def test_a_session_lasts_thirty_days_however_often_it_is_refreshed(alice: Actor):
    with transaction():
        db.session.execute(update(AuthSession).values(ends_at=clock.now()))

    with nothing_changes():
        refused(refresh(alice.client, alice.refresh_token), 401, "token_revoked")


@pytest.mark.checklist(57)
def test_the_last_token_of_a_session_ends_with_it(alice: Actor):
    session = _session(alice)
    almost = session.ends_at - timedelta(hours=5)
    token_id = db.session.scalars(select(RefreshToken.id).filter_by(session_id=session.id)).one()

    with clock.frozen(almost):
        grant = auth.refresh(token_id=token_id, session_id=session.id, user_id=alice.id)

    assert grant.refresh_life == timedelta(hours=5)
    newest = db.session.get_one(RefreshToken, grant.refresh_id)
    assert newest.expires_at == session.ends_at
    with clock.frozen(session.ends_at), pytest.raises(Unauthenticated, match="token_revoked"):
        auth.refresh(token_id=grant.refresh_id, session_id=session.id, user_id=alice.id)


def test_using_a_token_is_noted_with_its_time(alice: Actor):
    session = _session(alice)
    moment = clock.now()
    with clock.frozen(moment):
        refresh(alice.client, alice.refresh_token)

    used = db.session.scalars(
        select(RefreshToken).filter_by(session_id=session.id, state="USED")
    ).one()
    assert used.used_at == moment


def test_a_refresh_that_fails_half_way_spends_nothing(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: object) -> None:
        raise RuntimeError

    with nothing_changes(), monkeypatch.context() as broken:
        broken.setattr(auth, "_next_token", fails)
        refused(refresh(alice.client, alice.refresh_token), 500, "internal_error")
    assert refresh(alice.client, alice.refresh_token).status_code == 200


def test_the_service_needs_no_http(house: object):
    entered = auth.register(
        name="Cli", email="cli@example.com", password=PASSWORD, device=Device("127.0.0.1", "cli")
    )

    grant = auth.refresh(
        token_id=entered.grant.refresh_id,
        session_id=entered.grant.session_id,
        user_id=entered.user.id,
    )
    assert (grant.user_id, grant.session_id) == (entered.user.id, entered.grant.session_id)
