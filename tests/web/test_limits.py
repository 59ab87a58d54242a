"""Three buckets, each shared and sliding (API document, "Rate Limits")."""

import time
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from protonpay.kernel import ids
from protonpay.kernel.money import Usdc
from protonpay.store.queue import door
from protonpay.web import limits
from tests.actors import PASSWORD, Actor
from tests.another_app import another_app
from tests.refusals import refused
from tests.unchanged import nothing_changes

SECOND = 1_000_000  # of Redis' clock, in the windows of accounts


def _knock(client: FlaskClient, address: str = "127.0.0.1", path: str = "login", **kwargs):
    environ = {"REMOTE_ADDR": address}
    return client.post(f"/api/auth/{path}", json={}, environ_overrides=environ, **kwargs)


def _statuses(client: FlaskClient, *addresses: str) -> list[int]:
    return [_knock(client, address).status_code for address in addresses]


def test_the_documents_numbers_are_the_default(settings: Mapping[str, str]):
    usual = {name: value for name, value in settings.items() if not name.startswith("RATE_LIMIT")}
    with another_app(usual, **dict.fromkeys(settings.keys() - usual.keys(), "")):
        assert limits.buckets.auth_rate == "5 per minute"
        each = limits.buckets._rates
        assert [(name, rate.amount, rate.get_expiry()) for name, rate in each.items()] == [
            ("client-read", 60, 60),
            ("client-write", 30, 60),
            ("unauth", 120, 60),
            ("client-page", 600, 60),
            ("auth-account", 10, 900),
        ]


def test_reads_share_one_bucket_over_all_endpoints(alice: Actor, rates: Callable[..., None]):
    rates(read="4 per minute")

    for path in ("/client/balance", "/client/dashboard", "/client/fees", "/client/activity"):
        assert alice.get(path).status_code == 200
    refused(alice.get("/client/balance"), 429, "rate_limited")
    refused(alice.get("/client/withdraw/cmaaaaaaaa"), 429, "rate_limited")


def test_head_takes_from_the_bucket_of_get(alice: Actor, rates: Callable[..., None]):
    rates(read="1 per minute")

    assert alice.call("HEAD", "/client/balance").status_code == 200
    assert alice.get("/client/balance").status_code == 429


@pytest.mark.checklist(82, 84)
def test_writes_share_one_bucket_and_nothing_is_done_beyond_it(
    alice: Actor, bob: Actor, rates: Callable[..., None]
):
    rates(write="2 per minute")
    order = {"toIdentifier": bob.email, "amount": 1}

    assert alice.post("/client/transfer", order).status_code == 200
    assert alice.post("/client/withdraw", {}).status_code == 400
    with nothing_changes():
        refused(alice.post("/client/transfer", order), 429, "rate_limited")
        refused(alice.post("/client/deposit/card", {}), 429, "rate_limited")
    assert bob.available == Usdc.parse("1")
    assert alice.get("/client/balance").status_code == 200


@pytest.mark.checklist(82)
def test_the_31st_write_debits_nothing(alice: Actor, bob: Actor, rates: Callable[..., None]):
    rates(write="30 per minute")
    for _ in range(30):
        assert alice.post("/client/withdraw", {}).status_code == 400
    order = {"amount": 10, "walletAddress": "0x" + "a" * 40, "network": "Base"}

    with nothing_changes():
        refused(alice.post("/client/withdraw", order), 429, "rate_limited")


def test_an_account_has_one_bucket_whatever_it_asks_from(alice: Actor, rates: Callable[..., None]):
    rates(read="2 per minute")
    credentials = {"email": alice.email, "password": PASSWORD}
    other_session = alice.client.post("/api/auth/login", json=credentials).get_json()["token"]

    assert alice.get("/client/balance").status_code == 200
    for address, status in (("198.51.100.7", 200), ("198.51.100.8", 429)):
        answer = alice.client.get(
            "/api/client/balance",
            headers={"Authorization": f"Bearer {other_session}"},
            environ_overrides={"REMOTE_ADDR": address},
        )
        assert answer.status_code == status


def test_another_account_has_another_bucket(alice: Actor, bob: Actor, rates: Callable[..., None]):
    rates(read="1 per minute")

    assert [alice.get("/client/balance").status_code for _ in range(2)] == [200, 429]
    assert bob.get("/client/balance").status_code == 200


def test_who_is_not_known_takes_from_nobodys_bucket(alice: Actor, rates: Callable[..., None]):
    rates(read="1 per minute")
    altered = {"Authorization": f"Bearer {alice.token[:-4]}AAAA"}

    for _ in range(3):
        assert alice.client.get("/api/client/balance", headers=altered).status_code == 401
    assert alice.get("/client/balance").status_code == 200


def test_the_window_slides(alice: Actor, rates: Callable[..., None]):
    """Three in the last minute: each frees its place a minute after it was taken."""
    rates(read="3 per minute")
    for _ in range(3):
        alice.get("/client/balance")
    window = f"limit:client-read:{alice.id}"
    first, second, _third = door.client.zrange(window, 0, -1)

    door.client.zincrby(window, -20 * SECOND, second)
    door.client.zincrby(window, -50 * SECOND, first)
    full = alice.get("/client/balance")
    assert (full.status_code, full.headers["Retry-After"]) == (429, "10")
    assert full.headers["RateLimit"] == '"client-read";r=0;t=10'

    door.client.zincrby(window, -10 * SECOND, first)
    assert alice.get("/client/balance").headers["RateLimit"] == '"client-read";r=0;t=40'
    assert alice.get("/client/balance").status_code == 429


def test_a_refused_request_takes_no_place(alice: Actor, rates: Callable[..., None]):
    rates(read="2 per minute")
    for _ in range(9):
        alice.get("/client/balance")

    assert door.client.zcard(f"limit:client-read:{alice.id}") == 2


def test_a_window_is_forgotten_when_it_has_passed(alice: Actor, rates: Callable[..., None]):
    rates(read="2 per minute")
    alice.get("/client/balance")

    assert 59_000 < door.client.pttl(f"limit:client-read:{alice.id}") <= 60_000


@pytest.mark.checklist(43)
def test_auth_routes_share_one_bucket_and_no_password_is_hashed_beyond_it(
    client: FlaskClient, rates: Callable[..., None]
):
    rates(auth="5 per minute")

    for path in ("register", "login", "refresh", "login"):
        assert _knock(client, path=path).status_code == 400
    assert _knock(client, path="logout").status_code == 401
    person = {"name": "Eve", "email": "eve@example.com", "password": PASSWORD}
    with nothing_changes():
        answer = client.post("/api/auth/register", json=person)
    refused(answer, 429, "rate_limited")
    assert answer.headers["RateLimit"].startswith('"auth";r=0;t=')
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


@pytest.mark.checklist(48)
def test_the_right_password_is_no_way_around_it(alice: Actor, rates: Callable[..., None]):
    rates(auth="1 per minute")
    credentials = {"email": alice.email, "password": PASSWORD}
    door.client.flushdb()

    answers = [alice.client.post("/api/auth/login", json=credentials) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]


@pytest.mark.checklist(48)
def test_auth_is_counted_by_address(client: FlaskClient, rates: Callable[..., None]):
    rates(auth="1 per minute")

    assert _statuses(client, "203.0.113.5", "203.0.113.5", "203.0.113.6") == [400, 429, 400]


def test_an_ipv6_site_counts_as_one_address(client: FlaskClient, rates: Callable[..., None]):
    rates(auth="1 per minute")

    same_site = ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::1")
    assert _statuses(client, *same_site) == [400, 429, 400]
    assert _statuses(client, "fe80::1%eth0", "fe80::2%eth1") == [400, 429]


def test_ipv4_callers_of_a_dual_stack_socket_are_counted_each_by_itself(
    client: FlaskClient, rates: Callable[..., None]
):
    """A listener on [::] names them ``::ffff:a.b.c.d``; a /64 would lump them all together."""
    rates(auth="1 per minute")

    assert _statuses(client, "::ffff:203.0.113.5", "::ffff:203.0.113.6") == [400, 400]
    assert _statuses(client, "203.0.113.5", "::ffff:203.0.113.6") == [429, 429]


@pytest.mark.parametrize("address", ["", "unix:", "not an address", "1.2.3", "é"])
def test_an_address_that_cannot_be_read_still_counts(house: Flask, address: str):
    """Flask-Limiter takes an exception for a dead store, and an empty key for no limit (§4)."""
    with house.test_request_context(environ_overrides={"REMOTE_ADDR": address}):
        assert limits.client_address() == (address or "unknown")


def test_the_auth_window_slides(
    client: FlaskClient, rates: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    rates(auth="2 per minute")
    began = time.time()

    def at(seconds: int) -> int:
        moved = SimpleNamespace(time=lambda: began + seconds)
        monkeypatch.setattr("limits.storage.redis.time", moved)
        return _knock(client).status_code

    assert [at(second) for second in (0, 50, 55, 61, 62, 109, 111)] == [
        *(400, 400, 429),  # the first is a minute old at 60
        *(400, 429),  # the second at 110
        *(429, 400),
    ]


def test_options_costs_nothing(client: FlaskClient, rates: Callable[..., None]):
    rates(auth="1 per minute")

    assert [client.options("/api/auth/login").status_code for _ in range(3)] == [200] * 3
    assert _knock(client).status_code == 400


@pytest.mark.checklist(30)
@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip"])
def test_no_header_says_who_is_calling(
    client: FlaskClient, alice: Actor, rates: Callable[..., None], name: str
):
    rates(auth="1 per minute", unauth="1 per minute", read="1 per minute")
    said = [{name: f"198.51.100.{each}"} for each in range(3)]

    assert [_knock(client, headers=each).status_code for each in said] == [400, 429, 429]
    unknown = [client.get("/api/client/fees", headers=each) for each in said]
    assert [answer.status_code for answer in unknown] == [401, 429, 429]
    known = [alice.get("/client/fees", headers=each) for each in said]
    assert [answer.status_code for answer in known] == [200, 429, 429]


@pytest.fixture
def behind_a_proxy(house: Flask, settings: Mapping[str, str]) -> Iterator[FlaskClient]:
    with another_app(settings, TRUSTED_PROXIES="1", RATE_LIMIT_AUTH="1 per minute") as app:
        yield app.test_client()


def test_behind_our_proxy_the_last_hop_is_the_caller(behind_a_proxy: FlaskClient):
    """Only what our own proxy appended is true; what the caller wrote before it is not."""

    def through(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return _knock(behind_a_proxy, "10.0.0.1", headers=headers).status_code

    assert through("198.51.100.1") == 400
    assert through("198.51.100.1") == 429
    assert through("1.2.3.4, 198.51.100.1") == 429
    assert through("198.51.100.1, 198.51.100.2") == 400


@pytest.mark.parametrize(
    "path", ["/api/health", "/api/openapi.json", "/", "/api/docs", "/api/nothing"]
)
def test_what_has_no_bucket_is_not_counted(
    client: FlaskClient, rates: Callable[..., None], path: str
):
    rates(auth="1 per minute", read="1 per minute")

    assert len({client.get(path).status_code for _ in range(4)}) == 1


def _unknown(client: FlaskClient, address: str, **headers: str) -> TestResponse:
    environ = {"REMOTE_ADDR": address}
    return client.get("/api/client/balance", headers=headers, environ_overrides=environ)


def test_calls_of_nobody_are_counted_by_address(client: FlaskClient, rates: Callable[..., None]):
    """API reference §7, ``unauth``: bad credentials have no account whose bucket they fill."""
    rates(unauth="3 per minute")
    wrong = ("Bearer x", f"Bearer {ids.new_api_key()}", "Basic x")

    for authorization in wrong:
        answer = _unknown(client, "203.0.113.5", Authorization=authorization)
        assert answer.status_code == 401
    assert answer.headers["RateLimit"] == '"unauth";r=0;t=60'
    refused(_unknown(client, "203.0.113.5"), 429, "rate_limited")
    assert _unknown(client, "203.0.113.6").status_code == 401


def test_who_is_known_never_pays_for_the_neighbours_failures(
    alice: Actor, rates: Callable[..., None]
):
    rates(unauth="1 per minute")
    for _ in range(3):
        _unknown(alice.client, "127.0.0.1")

    assert alice.get("/client/balance").status_code == 200
    assert door.client.zcard("limit:unauth:127.0.0.1") == 1


def test_an_ended_session_counts_as_nobody(alice: Actor, rates: Callable[..., None]):
    rates(unauth="1 per minute")
    alice.post("/auth/logout")

    assert [alice.get("/client/balance").status_code for _ in range(2)] == [401, 429]
