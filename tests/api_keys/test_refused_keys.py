"""Which keys are refused and when, what a use leaves behind, and where no key is ever seen."""

import io
import itertools
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import structlog
from flask import Flask
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from protonpay.api_keys import service
from protonpay.auth import service as auth
from protonpay.kernel import clock, ids
from protonpay.overview import queries
from protonpay.store.db import db
from protonpay.store.queue import door
from tests.actors import Actor
from tests.api_keys.keys import bearer, create, make_key, revoke, row
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.web.conftest import Away


@pytest.fixture
def log(house: Flask) -> Iterator[io.StringIO]:
    """What the handler of the program writes."""
    ours = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    assert isinstance(ours, logging.StreamHandler)
    written = io.StringIO()
    usual = ours.setStream(written)
    yield written
    ours.setStream(usual)


def _damaged(raw: str) -> Iterator[str]:
    yield from (raw[:-1], raw + "0", raw.lower(), raw[:-6], raw * 2)
    yield from ("sk_", "sk_live_", "sk_live_" + "0" * 38, raw.replace("live", "test"), f"sk_{raw}")
    yield from (f"{raw[:20]}'{raw[21:]}", f"{raw[:20]}%00{raw[23:]}", raw + "=", "sk_" + "a" * 4000)
    for position, other in itertools.product((8, 20, 39, 40, 45), "0aZ"):
        if raw[position] != other:
            yield raw[:position] + other + raw[position + 1 :]


@pytest.mark.checklist(59, 81, 96)
def test_a_key_with_a_wrong_checksum_is_refused_without_a_query(
    alice: Actor,
    database_away: Away,
):
    """The CRC is checked first; without a database it is still 401, not 503."""
    key = make_key(alice)

    with database_away():
        for damaged in _damaged(key.raw):
            refused(bearer(alice, damaged), 401, "api_key_invalid")
        refused(key.get("/client/balance"), 503, "database_busy")
        refused(bearer(alice, ids.new_api_key()), 503, "database_busy")
    assert key.get("/client/balance").status_code == 200


def test_a_key_nobody_made_is_refused(alice: Actor):
    answer = bearer(alice, ids.new_api_key())

    refused(answer, 401, "api_key_invalid")
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge == 'Bearer realm="protonpay", error="invalid_token"'


@pytest.mark.checklist(96)
def test_a_revoked_key_is_refused_at_once(alice: Actor):
    """Revoked, and nothing remembered makes it live on."""
    key, other = make_key(alice), make_key(alice)
    for _ in range(3):
        assert key.get("/client/balance").status_code == 200

    revoke(alice, key.id)

    refused(key.get("/client/balance"), 401, "api_key_invalid")
    assert other.get("/client/balance").status_code == 200


def test_a_revoked_key_stays_revoked_whatever_redis_knows(
    alice: Actor,
    redis_away: Away,
):
    key = make_key(alice)
    key.get("/client/balance")
    revoke(alice, key.id)

    door.client.flushall()
    refused(key.get("/client/balance"), 401, "api_key_invalid")
    with redis_away():
        refused(key.get("/client/balance"), 401, "api_key_invalid")


def test_a_key_goes_on_while_redis_is_away(alice: Actor, redis_away: Away):
    key = make_key(alice)
    with redis_away():
        assert key.get("/client/balance").status_code == 200


@pytest.mark.checklist(96)
def test_an_expired_key_is_refused(alice: Actor):
    """To the moment."""
    now = clock.now().replace(microsecond=0)
    key = make_key(alice, expiresAt=clock.to_text(now + timedelta(hours=1)))

    with clock.frozen(now + timedelta(minutes=59, seconds=59, milliseconds=999)):
        assert key.get("/client/balance").status_code == 200
    with clock.frozen(now + timedelta(hours=1)):
        refused(key.get("/client/balance"), 401, "api_key_expired")


@pytest.mark.checklist(96)
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("203.0.113.255", 200),
        ("203.0.114.0", 403),
        ("::ffff:203.0.113.9", 200),
        ("::ffff:203.0.114.9", 403),
        ("2001:db8::1", 200),
        ("2001:db9::1", 403),
        ("2001:db8::1%eth0", 200),
        ("198.51.100.7", 200),
        ("198.51.100.8", 403),
        ("", 403),
        ("unix:", 403),
        ("not an address", 403),
    ],
)
def test_a_key_is_good_from_its_networks_only(alice: Actor, address: str, status: int):
    """Wrong address, 403."""
    allowed = ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7"]
    key = make_key(alice, allowedIps=allowed)

    answer = key.get("/client/balance", address=address)

    assert answer.status_code == status
    if status == 403:
        refused(answer, 403, "ip_not_allowed")
        assert row(alice, key)["lastUsedAt"] is None


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip"])
def test_no_header_says_where_a_key_comes_from(alice: Actor, name: str):
    key = make_key(alice, allowedIps=["203.0.113.0/24"])
    headers = {name: "203.0.113.7"}
    refused(key.get("/client/balance", headers=headers), 403, "ip_not_allowed")


def test_behind_our_proxy_the_last_hop_is_judged(alice: Actor, house: Flask):
    """As ``create_app`` sees it with ``TRUSTED_PROXIES=1``."""
    key = make_key(alice, allowedIps=["203.0.113.0/24"])
    proxy = Client(ProxyFix(house.wsgi_app, x_for=1))

    def through(forwarded: str) -> int:
        headers = {"Authorization": f"Bearer {key.raw}", "X-Forwarded-For": forwarded}
        return proxy.get("/api/client/balance", headers=headers).status_code

    assert through("203.0.113.7") == 200
    assert through("192.0.2.1, 203.0.113.7") == 200
    assert through("203.0.113.7, 192.0.2.1") == 403


def test_who_is_suspended_is_refused_at_once_and_goes_on_when_reinstated(alice: Actor):
    key = make_key(alice)
    assert key.get("/client/balance").status_code == 200

    auth.suspend(alice.id)
    with nothing_changes():
        refused(key.get("/client/balance"), 403, "account_suspended")
    auth.reinstate(alice.id)

    assert key.get("/client/balance").status_code == 200


def test_the_end_of_a_session_ends_no_key(alice: Actor):
    key = make_key(alice)
    alice.post("/auth/logout")
    refused(alice.get("/client/balance"), 401, "token_revoked")
    assert key.get("/client/balance").status_code == 200


def test_the_use_of_a_key_is_noted_once_a_minute(alice: Actor):
    key, now = make_key(alice), clock.now()

    def use(seconds: int, address: str) -> tuple[str, str]:
        with clock.frozen(now + timedelta(seconds=seconds)):
            assert key.get("/client/balance", address=address).status_code == 200
            shown = row(alice, key)
        return shown["lastUsedAt"], shown["lastUsedIp"]

    def at(seconds: int) -> str:
        return clock.to_text(now + timedelta(seconds=seconds))

    assert use(0, "203.0.113.1") == (at(0), "203.0.113.1")
    assert use(59, "203.0.113.2") == (at(0), "203.0.113.1")
    assert use(60, "::ffff:203.0.113.3") == (at(60), "203.0.113.3")
    assert use(121, "2001:db8::5") == (at(121), "2001:db8::5")


def test_a_key_says_what_it_was_used_for_last(alice: Actor):
    key = make_key(alice)
    answer = key.post(
        "/client/transfer?x=1", {}, headers={"User-Agent": "python-requests/2.32.3 " + "x" * 400}
    )
    assert answer.status_code == 400
    shown = row(alice, key)
    assert (shown["lastUsedMethod"], shown["lastUsedRoute"]) == ("POST", "/api/client/transfer")
    assert shown["lastUsedProgram"] == "Python Requests"
    assert len(shown["lastUsedAgent"]) == 300


def test_a_refused_request_is_no_use(alice: Actor, rates: Callable[..., None]):
    key = make_key(alice, ["balance:read"])
    refused(key.post("/client/transfer", {}), 403, "insufficient_scope")
    rates(read="1 per minute")
    alice.get("/client/balance")
    refused(key.get("/client/balance"), 429, "rate_limited")
    door.client.flushdb()
    assert row(alice, key)["lastUsedAt"] is None


def test_a_use_that_cannot_be_noted_is_not_in_the_way(
    alice: Actor, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
):
    """Postgres cancels the statement, as it does when it has too much to do."""
    key = make_key(alice)
    with monkeypatch.context() as slow:
        statement = f"{service._NOTE_USE} AND pg_sleep(1) IS NOT NULL"
        slow.setattr(service, "_NOTE_USE", statement)
        db.session.execute(text("SET LOCAL statement_timeout = '50ms'"))
        answer = key.get("/client/balance")

    assert answer.status_code == 200
    assert answer.get_json()["balanceUsdc"] == "1000.00"
    assert "key_use_not_noted" in log.getvalue()
    assert row(alice, key)["lastUsedAt"] is None


def test_a_key_shares_its_owners_buckets(alice: Actor, rates: Callable[..., None]):
    first, second = make_key(alice), make_key(alice)
    rates(read="3 per minute", write="3 per minute")  # two of the writes made the keys

    assert first.get("/client/balance").headers["RateLimit"] == '"client-read";r=2;t=60'
    assert second.get("/client/balance").status_code == 200
    assert alice.get("/client/balance").status_code == 200
    for each in (first, second, alice):
        refused(each.get("/client/balance"), 429, "rate_limited")
    assert first.post("/client/transfer", {}).status_code == 400
    refused(alice.post("/client/transfer", {}), 429, "rate_limited")


def test_a_key_found_elsewhere_takes_nothing_from_its_owner(
    alice: Actor,
    rates: Callable[..., None],
):
    key = make_key(alice, allowedIps=["203.0.113.0/24"])
    rates(read="2 per minute", unauth="3 per minute")

    for _ in range(3):
        refused(key.get("/client/balance", address="192.0.2.1"), 403, "ip_not_allowed")
    refused(key.get("/client/balance", address="192.0.2.1"), 429, "rate_limited")

    assert key.get("/client/balance", address="203.0.113.1").status_code == 200


@pytest.mark.checklist(95)
def test_no_log_and_no_error_shows_a_key(
    alice: Actor, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
):
    """Not when it is made, used, refused, nor when something breaks with it."""
    key = make_key(alice)

    def breaks(_user_id: str) -> None:
        structlog.get_logger("tests").warning("seen", raw_key=key.raw, sent=f"Bearer {key.raw}")
        raise RuntimeError(f"broke with {key.raw}")

    monkeypatch.setattr(queries, "purse", breaks)
    answers = [
        key.get("/client/balance"),
        key.get(f"/client/fees?key={key.raw}"),
        key.post("/client/transfer", {key.raw: key.raw}),
        key.post("/client/api-keys", {"name": "x"}),
        bearer(alice, key.raw[:-1]),
        create(alice, name=key.raw, permissions=key.raw),
    ]
    revoke(alice, key.id)
    answers.append(key.get("/client/balance"))

    assert [answer.status_code for answer in answers] == [500, 400, 400, 403, 401, 400, 401]
    # But for the third, where it was the name of a member: that one is told to who sent it.
    for answer in (*answers[:2], *answers[3:]):
        assert key.raw[12:] not in answer.get_data(as_text=True)
    logged = log.getvalue()
    said = [json.loads(line)["event"] for line in logged.splitlines()]
    assert {"seen", "unforeseen", "request"} <= set(said)
    assert key.raw[12:] not in logged
