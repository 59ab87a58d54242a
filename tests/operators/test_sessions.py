"""Operators come in by a door of their own, for a short time, and are nobody's clients."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from protonpay.audit import service as audit
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Invalid
from protonpay.operators import service
from protonpay.operators.service import IDLE, SESSION_LIFE, Role
from protonpay.store.db import db
from tests.actors import PASSWORD, Actor
from tests.api_keys.keys import make_key
from tests.operators.desk import make_clerk, sign_in
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.web.conftest import rates

__all__ = ["rates"]


def run(house: Flask, *words: str) -> Any:
    return house.test_cli_runner().invoke(args=list(words))


def test_an_operator_is_known_by_the_token_which_is_nowhere(house: Flask):
    clerk = make_clerk(house, Role.SUPPORT)
    answer = clerk.get("/me").get_json()["operator"]
    assert answer == {"id": clerk.id, "name": "Clerk", "email": clerk.email, "role": "support"}
    kept = db.session.execute(text("SELECT operator_sessions::text FROM operator_sessions"))
    assert clerk.token not in kept.scalar_one()


def test_clients_and_operators_are_strangers_to_each_other(house: Flask, alice: Actor):
    clerk = make_clerk(house, Role.ADMIN)
    with nothing_changes():
        refused(alice.get("/admin/me"), 401, "invalid_token")
        refused(alice.client.get("/api/admin/me"), 401, "authentication_required")
        refused(sign_in(alice.client, alice.email), 401, "invalid_credentials")
        as_client = {"Authorization": f"Bearer {clerk.token}"}
        refused(clerk.client.get("/api/client/balance", headers=as_client), 401, "invalid_token")
        login = {"email": clerk.email, "password": PASSWORD}
        refused(clerk.client.post("/api/auth/login", json=login), 401, "invalid_credentials")
    refused(make_key(alice, "full").call("GET", "/admin/me"), 401, "invalid_token")


def test_who_knows_no_password_is_told_nothing(house: Flask):
    clerk = make_clerk(house, Role.SUPPORT)
    wrong, unknown = (
        refused(sign_in(clerk.client, email, "wrong"), 401, "invalid_credentials")
        for email in (clerk.email, "nobody@house.example")
    )
    assert wrong["detail"] == unknown["detail"]


def test_guessing_shuts_the_door_of_that_operator(
    house: Flask,
    rates: Callable[..., None],
):
    clerk = make_clerk(house, Role.SUPPORT)
    other = make_clerk(house, Role.SUPPORT)
    rates(login="2 per minute")
    for _ in range(2):
        refused(sign_in(clerk.client, clerk.email, "wrong"), 401, "invalid_credentials")
    refused(sign_in(clerk.client, clerk.email), 429, "rate_limited")
    assert sign_in(clerk.client, other.email).status_code == 200


def test_who_fails_elsewhere_does_not_shut_them_out_where_they_sign_in(
    house: Flask, rates: Callable[..., None]
):
    clerk = make_clerk(house, Role.SUPPORT)
    away = house.test_client()
    away.environ_base["REMOTE_ADDR"] = "198.51.100.1"
    rates(login="2 per minute")
    for _ in range(2):
        refused(sign_in(away, clerk.email, "wrong"), 401, "invalid_credentials")
    refused(sign_in(away, clerk.email), 429, "rate_limited")
    assert sign_in(clerk.client, clerk.email).status_code == 200


@pytest.mark.parametrize("way", ["idle", "a day", "signed out", "disabled", "role", "password"])
def test_a_session_ends(house: Flask, way: str):
    clerk = make_clerk(house, Role.SUPPORT)
    now = clock.now()
    if way == "idle":
        with clock.frozen(now + IDLE - timedelta(seconds=1)):
            assert clerk.get("/me").status_code == 200
        now += 2 * IDLE
    elif way == "a day":
        while now - clock.now() < SESSION_LIFE - IDLE:
            now += IDLE - timedelta(minutes=1)
            with clock.frozen(now):
                assert clerk.get("/me").status_code == 200
        now += IDLE - timedelta(minutes=1)
        with clock.frozen(now):
            clerk.get("/me")
        now += IDLE - timedelta(minutes=1)
    elif way == "signed out":
        assert clerk.post("/logout").status_code == 204
    elif way == "disabled":
        service.disable(clerk.email)
    elif way == "role":
        service.set_role(clerk.email, Role.FINANCE)
    else:
        service.set_password(clerk.email, f"another {PASSWORD}")
    with clock.frozen(now):
        refused(clerk.get("/me"), 401, "token_revoked")
    if way == "disabled":
        refused(sign_in(clerk.client, clerk.email), 401, "invalid_credentials")


def test_an_address_is_one_person_with_one_role(house: Flask):
    clerk = make_clerk(house, Role.FINANCE)
    with nothing_changes(), pytest.raises(Conflict) as taken:
        service.add(email=clerk.email.upper(), name="Twice", role=Role.OPERATOR, password=PASSWORD)
    assert taken.value.code == "email_taken"
    with nothing_changes(), pytest.raises(Invalid) as weak:
        service.add(email="o@house.example", name="Olga", role=Role.ADMIN, password="olga12345678")
    assert weak.value.code == "weak_password"


def test_commands_add_show_change_and_disable(house: Flask):
    email = "olga@house.example"
    words = ("operators", "add", email, "--name", "Olga", "--role", "support")
    assert run(house, *words, "--password", PASSWORD).exit_code == 2, "no reason"
    added = run(house, *words, "--password", PASSWORD, "--reason", "new colleague")
    assert (added.exit_code, added.output) == (0, f"{email}: support\n")
    assert run(house, "operators", "role", email, "finance", "--reason", "moved").exit_code == 0
    assert "finance" in run(house, "operators", "list").output
    again = ("operators", "password", email, "--password", f"{PASSWORD} 2", "--reason", "lost")
    assert run(house, *again).exit_code == 0
    assert run(house, "operators", "disable", email, "--reason", "left").exit_code == 0
    assert "disabled" in run(house, "operators", "list").output
    gone = run(house, "operators", "disable", "nobody@house.example", "--reason", "x")
    assert (gone.exit_code, "no such operator" in gone.output) == (1, True)
    acts = [entry.action for entry in audit.entries(subject=f"operator {email}")]
    assert acts == ["operators.disable", "operators.password", "operators.role", "operators.add"]
    assert all(PASSWORD not in str(entry.after) for entry in audit.entries())
