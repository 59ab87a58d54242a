"""Every error, whoever makes it, comes out of one builder (API reference §6)."""

import json
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from protonpay.kernel import clock, errors
from protonpay.overview import queries
from protonpay.store.db import db
from protonpay.web.errors import STATUS, problem
from protonpay.web.errors import refused as refusal
from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.web.conftest import Away

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
SECRET = "postgresql://protonpay:sesame@db.internal/protonpay"


@pytest.mark.checklist(19)
@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/client",
        "/api/client/balance/",
        "/api//client/balance",
        "//api/client/balance",
        "/api/client//balance",
        "/api/client/Balance",
        "/api/client/balance%00",
        "/api/client/../client/balance",
        "/api/client/balance;v=1",
    ],
)
def test_a_path_has_one_spelling_and_every_other_is_404(alice: Actor, path: str):
    """Werkzeug answers ``//`` with a redirect in HTML unless it is told not to."""
    headers = {"Authorization": f"Bearer {alice.token}"}
    answer = alice.client.get(f"http://localhost{path}", headers=headers)

    assert answer.get_json()["code"] == "not_found"
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("room", ["deposit", "withdraw"])
@pytest.mark.parametrize(
    "record_id",
    [
        "%00",
        "c",
        "cm%00aaaaaaaa",
        "CMAAAAAAAAAAAA",
        "cm'%20OR%201=1--",
        "cmaaaaaaa%0A",
        "c" * 40,
        "cmaaaaaaaaaaaaaaaaaaaaaaa",
    ],
)
def test_what_cannot_be_an_id_leads_nowhere(alice: Actor, room: str, record_id: str):
    refused(alice.get(f"/client/{room}/{record_id}"), 404, "not_found")


@pytest.mark.checklist(18)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO", "CONNECT"])
def test_a_wrong_method_is_405_and_says_which_are_right(alice: Actor, method: str):
    answer = alice.call(method, "/client/balance")

    refused(answer, 405, "method_not_allowed")
    assert {each.strip() for each in answer.headers["Allow"].split(",")} == {
        "GET",
        "HEAD",
        "OPTIONS",
    }


@pytest.mark.checklist(18)
def test_get_on_a_post_route_is_405(alice: Actor):
    for path in ("/client/transfer", "/auth/login", "/callbacks/tap"):
        answer = alice.get(path)
        refused(answer, 405, "method_not_allowed")
        assert {each.strip() for each in answer.headers["Allow"].split(",")} == {"OPTIONS", "POST"}


@pytest.mark.checklist(20)
def test_a_method_in_a_header_is_not_the_method(alice: Actor):
    key = alice.post("/client/api-keys", {"name": "mine"}).get_json()["key"]["id"]

    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert alice.get(f"/client/api-keys/{key}", headers={name: "DELETE"}).status_code == 200
        answer = alice.post(f"/client/api-keys/{key}", {}, headers={name: "DELETE"})
        refused(answer, 405, "method_not_allowed")
    assert alice.get(f"/client/api-keys/{key}").status_code == 200


def test_head_is_get_without_a_body(alice: Actor):
    assert alice.call("HEAD", "/client/balance").get_data() == b""
    assert alice.call("HEAD", "/client/balance").status_code == 200
    assert alice.client.head("/api/client/balance").status_code == 401


def test_options_tells_the_methods_to_anybody_and_costs_nothing(alice: Actor):
    answer = alice.client.options("/api/client/balance")

    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_invalid_body_names_each_field(alice: Actor):
    body = refused(
        alice.post("/client/transfer", {"amount": "1e2", "note": "x" * 501}),
        400,
        "validation_error",
    )
    assert body["errors"] == {
        "json": {
            "toIdentifier": ["Missing data for required field."],
            "amount": ["Not an exact amount with at most six decimals."],
            "note": ["Length must be between 1 and 500."],
        }
    }


def test_a_malformed_body_is_400(alice: Actor):
    answer = alice.call("POST", "/client/transfer", data=b"{", content_type="application/json")

    refused(answer, 400, "malformed_json")


def test_a_body_that_is_too_long_is_413(client: FlaskClient):
    answer = client.post("/api/auth/login", data=b"x" * 65_537, content_type="application/json")

    refused(answer, 413, "body_too_large")


def test_another_media_type_is_415(client: FlaskClient):
    answer = client.post("/api/auth/login", data=b"{}", content_type="text/plain")

    refused(answer, 415, "unsupported_media_type")


def test_nobody_is_401_with_a_challenge(client: FlaskClient):
    """RFC 6750 §3.1: without credentials no error is named, with bad ones it is."""
    nobody = client.get("/api/client/balance")
    refused(nobody, 401, "authentication_required")
    assert nobody.headers["WWW-Authenticate"] == 'Bearer realm="protonpay"'

    bad = client.get("/api/client/balance", headers={"Authorization": "Bearer x"})
    refused(bad, 401, "invalid_token")
    assert bad.headers["WWW-Authenticate"] == 'Bearer realm="protonpay", error="invalid_token"'


def test_wrong_credentials_are_401(client: FlaskClient):
    body = {"email": "nobody@example.com", "password": "not this one"}

    refused(client.post("/api/auth/login", json=body), 401, "invalid_credentials")


def test_a_limit_of_the_plan_is_403(alice: Actor):
    order = {"amount": 10_001, "walletAddress": WALLET, "network": "Base"}

    refused(alice.post("/client/withdraw", order), 403, "plan_limit_exceeded")


def test_the_cooldown_is_409_and_says_when(alice: Actor):
    order = {"amount": 10, "walletAddress": WALLET, "network": "Base"}
    now = clock.now()
    with clock.frozen(now):
        alice.post("/client/withdraw", order)
    with clock.frozen(now + timedelta(seconds=18)):
        answer = alice.post("/client/withdraw", order)

    body = refused(answer, 409, "withdrawal_cooldown")
    assert body["detail"] == "Next withdrawal is possible in 42 seconds."
    assert answer.headers["Retry-After"] == "42"


def test_too_often_is_429_and_says_when(alice: Actor, rates: Callable[..., None]):
    rates(read="1 per minute")
    alice.get("/client/balance")

    answer = alice.get("/client/balance")

    body = refused(answer, 429, "rate_limited")
    assert body["detail"] == "At most 1 requests in 60 seconds."
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


@pytest.mark.checklist(35)
@pytest.mark.parametrize(
    "bug",
    [
        RuntimeError(SECRET),
        KeyError("password"),
        AssertionError(SECRET),
        psycopg.errors.UndefinedTable('relation "users" does not exist, SELECT * FROM users'),
        RecursionError(),
    ],
    ids=lambda bug: type(bug).__name__,
)
def test_a_bug_is_500_and_tells_nothing(
    alice: Actor, monkeypatch: pytest.MonkeyPatch, bug: Exception
):
    def fails(_user_id: str) -> None:
        raise bug

    monkeypatch.setattr(queries, "purse", fails)
    answer = alice.get("/client/balance")

    body = refused(answer, 500, "internal_error")
    assert body["detail"] == "Something went wrong on our end."
    assert "sesame" not in answer.get_data(as_text=True)


def test_a_bug_is_500_for_what_accepts_html_too(alice: Actor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queries, "purse", lambda _: 1 // 0)

    for accepted in ("text/html", "*/*", "no/such;q=nonsense", ""):
        answer = alice.get("/client/balance", headers={"Accept": accepted})
        refused(answer, 500, "internal_error")


@pytest.mark.checklist(35)
@pytest.mark.parametrize("path", ["/client/balance", "/client/dashboard", "/client/activity"])
def test_a_database_that_is_away_is_503(alice: Actor, database_away: Away, path: str):
    with database_away():
        answer = alice.get(path)

    refused(answer, 503, "database_busy")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.checklist(35)
def test_a_write_without_a_database_is_503_and_nothing_is_done(
    alice: Actor, bob: Actor, database_away: Away
):
    with nothing_changes(), database_away():
        transfer = alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": 1})
        login = alice.post("/auth/login", {"email": alice.email, "password": "x"})

    refused(transfer, 503, "database_busy")
    refused(login, 503, "database_busy")


def test_a_statement_that_waits_too_long_is_503(alice: Actor, monkeypatch: pytest.MonkeyPatch):
    def waits(_user_id: str) -> None:
        driver = db.session().connection().connection.driver_connection
        driver.execute("SET LOCAL statement_timeout = '1ms'; SELECT pg_sleep(1)")

    monkeypatch.setattr(queries, "purse", waits)

    refused(alice.get("/client/balance"), 503, "database_busy")


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError("redis.internal:6379 refused"),
        redis.TimeoutError(),
        redis.BusyLoadingError(),
        OperationalError("SELECT 1", {}, psycopg.OperationalError("server closed")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_store_that_breaks_off_is_503(
    alice: Actor, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def fails(_user_id: str) -> None:
        raise error

    monkeypatch.setattr(queries, "purse", fails)
    answer = alice.get("/client/balance")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    refused(answer, 503, answer.get_json()["code"])


def test_each_kind_of_refusal_has_one_status():
    kinds = {kind.__name__: status for kind, status in STATUS.items()}
    assert kinds == {
        "Invalid": 400,
        "Unauthenticated": 401,
        "Forbidden": 403,
        "NotFound": 404,
        "Conflict": 409,
        "Limited": 429,
        "Unavailable": 503,
    }
    assert set(STATUS) == set(errors.Refusal.__subclasses__())


def test_a_scope_that_is_missing_is_named_in_the_challenge(house: Flask):
    with house.test_request_context("/api/client/balance"):
        answer = refusal(errors.Forbidden("insufficient_scope", "This key may not."))

    assert (
        answer.headers["WWW-Authenticate"] == 'Bearer realm="protonpay", error="insufficient_scope"'
    )


def test_a_path_is_quoted_as_json_and_nothing_more(house: Flask):
    with house.test_request_context('/api/"<script>\u2028é'):
        answer = problem(404, "not_found", "Not Found.")

    assert json.loads(answer.get_data())["instance"] == '/api/"<script>\u2028é'
    assert b'\\"<script>' in answer.get_data()


def test_a_redirect_is_nobodys_error(client: FlaskClient):
    """No route of ours redirects: what Werkzeug would send elsewhere is not found."""
    for path in ("/api/docs/", "/deposits/", "/static"):
        assert client.get(path).status_code == 404
