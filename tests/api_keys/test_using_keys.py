"""What a key opens, and what it does not (API reference §9)."""

import io
import itertools
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import structlog
from flask import Flask
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from protonpay.api_keys import service
from protonpay.auth import service as auth
from protonpay.kernel import clock, ids
from protonpay.kernel.scopes import Scope
from protonpay.overview import queries
from protonpay.store.db import db
from protonpay.store.queue import door
from tests.actors import PASSWORD, Actor
from tests.api_keys.keys import Key, create, make_key, revoke, row
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes
from tests.web.conftest import Away

NOBODY = "cm" + "a" * 23
MONTH = "2026-01"
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
OPENS: Mapping[tuple[str, str], list[set[str]]] = {
    ("GET", "/client/balance"): [{"balance:read"}],
    ("GET", "/client/dashboard"): [{"balance:read", "activity:read"}],
    ("GET", "/client/activity"): [{"activity:read"}],
    ("GET", "/client/fees"): [set()],
    ("GET", "/client/preferences"): [set()],
    ("GET", "/client/statements"): [{"balance:read", "activity:read"}],
    ("GET", f"/client/statements/{MONTH}"): [{"balance:read", "activity:read"}],
    ("GET", "/client/ledger/proof"): [{"balance:read"}],
    ("POST", "/client/deposit/card"): [{"deposits:write"}],
    ("POST", "/client/deposit/crypto"): [{"deposits:write"}],
    ("GET", f"/client/deposit/{NOBODY}"): [{"activity:read"}, {"deposits:write"}],
    ("POST", "/client/withdraw"): [{"withdrawals:write"}],
    ("GET", f"/client/withdraw/{NOBODY}"): [{"activity:read"}, {"withdrawals:write"}],
    ("POST", "/client/transfer"): [{"transfers:write"}],
    ("POST", "/client/webhooks"): [{"webhooks:write"}],
    ("GET", "/client/webhooks"): [{"webhooks:write"}],
    ("GET", f"/client/webhooks/{NOBODY}"): [{"webhooks:write"}],
    ("PATCH", f"/client/webhooks/{NOBODY}"): [{"webhooks:write"}],
    ("DELETE", f"/client/webhooks/{NOBODY}"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/rotate-secret"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/test"): [{"webhooks:write"}],
    ("GET", f"/client/webhooks/{NOBODY}/deliveries"): [{"webhooks:write"}],
    ("GET", f"/client/webhooks/{NOBODY}/deliveries/evt_{NOBODY}"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/deliveries/evt_{NOBODY}/resend"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/recover"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/replay"): [{"webhooks:write"}],
    ("GET", "/client/events"): [{"activity:read"}, {"webhooks:write"}],
    ("GET", f"/client/events/evt_{NOBODY}"): [{"activity:read"}, {"webhooks:write"}],
    ("GET", "/client/deposit/providers"): [set()],
    ("GET", "/client/deposits"): [{"activity:read"}, {"deposits:write"}],
    ("POST", "/client/withdraw/quote"): [{"activity:read"}, {"withdrawals:write"}],
    ("GET", "/client/withdrawals"): [{"activity:read"}, {"withdrawals:write"}],
    ("GET", "/client/transfers"): [{"activity:read"}, {"transfers:write"}],
    ("GET", f"/client/transfer/{NOBODY}"): [{"activity:read"}, {"transfers:write"}],
    ("POST", "/client/invoices"): [{"invoices:write"}],
    ("GET", "/client/invoices"): [{"activity:read"}, {"invoices:write"}],
    ("GET", f"/client/invoices/{NOBODY}"): [{"activity:read"}, {"invoices:write"}],
    ("POST", f"/client/invoices/{NOBODY}/pay"): [{"transfers:write"}],
    ("POST", f"/client/invoices/{NOBODY}/accept"): [{"invoices:write"}],
    ("POST", f"/client/invoices/{NOBODY}/cancel"): [{"invoices:write"}],
    ("POST", f"/client/invoices/{NOBODY}/decline"): [{"invoices:write"}],
    ("GET", "/client/wallets"): [{"balance:read"}],
    ("GET", f"/client/wallets/{NOBODY}"): [{"balance:read"}],
    ("GET", "/client/addresses"): [{"activity:read"}, {"withdrawals:write"}],
    ("GET", f"/client/addresses/{NOBODY}"): [{"activity:read"}, {"withdrawals:write"}],
    ("GET", "/client/addresses/policy"): [{"activity:read"}, {"withdrawals:write"}],
    ("POST", f"/client/invoices/{NOBODY}/refund"): [{"invoices:write", "withdrawals:write"}],
}
"""Every client route that lets keys in, and with which scopes."""
MANAGING = (
    ("POST", "/client/api-keys"),
    ("GET", "/client/api-keys"),
    ("GET", f"/client/api-keys/{NOBODY}"),
    ("DELETE", f"/client/api-keys/{NOBODY}"),
    ("GET", "/client/requests"),
    ("GET", "/client/requests/errors"),
    ("GET", f"/client/requests/{NOBODY}"),
    ("PATCH", "/client/preferences"),
    ("GET", "/client/kyc"),
    ("POST", "/client/kyc"),
    ("POST", "/client/kyc/documents"),
    ("GET", "/client/kyc/documents"),
    ("DELETE", f"/client/kyc/documents/{NOBODY}"),
    ("POST", "/client/wallets/message"),
    ("POST", "/client/wallets"),
    ("DELETE", f"/client/wallets/{NOBODY}"),
    ("POST", "/client/addresses"),
    ("DELETE", f"/client/addresses/{NOBODY}"),
    ("PATCH", "/client/addresses/policy"),
    ("POST", "/client/email"),
    ("POST", "/client/email/verification"),
    ("POST", "/client/password"),
    ("GET", "/client/2fa"),
    ("POST", "/client/2fa/setup"),
    ("POST", "/client/2fa/enable"),
    ("POST", "/client/2fa/recovery-codes"),
    ("POST", "/client/2fa/disable"),
    ("POST", "/client/passkeys/options"),
    ("POST", "/client/passkeys"),
    ("GET", "/client/passkeys"),
    ("PATCH", f"/client/passkeys/{NOBODY}"),
    ("DELETE", f"/client/passkeys/{NOBODY}"),
    ("GET", "/client/team/members"),
    ("PATCH", f"/client/team/members/{NOBODY}"),
    ("DELETE", f"/client/team/members/{NOBODY}"),
    ("POST", "/client/team/invitations"),
    ("GET", "/client/team/invitations"),
    ("GET", f"/client/team/invitations/{NOBODY}"),
    ("POST", f"/client/team/invitations/{NOBODY}/resend"),
    ("DELETE", f"/client/team/invitations/{NOBODY}"),
    ("GET", "/client/team/acts"),
    ("POST", "/client/memberships"),
    ("GET", "/client/memberships"),
    ("DELETE", f"/client/memberships/{NOBODY}"),
    ("GET", "/client/sessions"),
    ("DELETE", "/client/sessions"),
    ("DELETE", f"/client/sessions/{NOBODY}"),
)


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


def _send(key: Key, method: str, path: str) -> Any:
    return key.call(method, path, json={} if method in ("POST", "PATCH") else None)


def _bearer(owner: Actor, credential: str, path: str = "/client/balance") -> Any:
    headers = {"Authorization": f"Bearer {credential}"}
    return owner.client.get(f"/api{path}", headers=headers)


@pytest.mark.checklist(59, 81)
@pytest.mark.parametrize("scope", [scope.value for scope in Scope])
def test_a_scope_opens_what_it_says_and_nothing_else(alice: Actor, scope: str):
    """Without ``balance:read`` no balance, without a write scope no write."""
    key = make_key(alice, [scope])

    for (method, path), alternatives in OPENS.items():
        answer = _send(key, method, path)
        if any(wanted <= {scope} for wanted in alternatives):
            assert answer.status_code in {200, 400, 404}, (method, path)
        else:
            refused(answer, 403, "insufficient_scope")


def test_the_dashboard_takes_both_of_its_scopes(alice: Actor):
    assert make_key(alice, ["activity:read", "balance:read"]).get("/client/dashboard").status == (
        "200 OK"
    )


def test_a_full_key_opens_everything_that_keys_may(alice: Actor):
    key = make_key(alice)
    for method, path in OPENS:
        assert _send(key, method, path).status_code in {200, 400, 404}, (method, path)


def test_all_scopes_together_are_still_no_person(alice: Actor):
    key = make_key(alice, [scope.value for scope in Scope])
    for method, path in MANAGING:
        refused(_send(key, method, path), 403, "insufficient_scope")


def test_the_table_of_this_test_is_every_client_route(app: Flask):
    routes = {
        (method, rule.rule.replace("/api", "", 1))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/client/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    named = re.compile(rf"(evt_)?{NOBODY}|{MONTH}")
    known = {(method, named.sub("<id>", path)) for method, path in (*OPENS, *MANAGING)}
    assert {(method, _any_id(path)) for method, path in routes} == known


def _any_id(rule: str) -> str:
    return "/".join(
        "<id>" if part.startswith(("<id:", "<event:", "<month:")) else part
        for part in rule.split("/")
    )


@pytest.mark.checklist(97)
def test_a_key_never_manages_keys(alice: Actor):
    """Creating keys with a key is 403, listing and revoking too."""
    key = make_key(alice)
    with only_changes("api_keys"):
        key.get("/client/balance")
    with nothing_changes():
        for method, path in (*MANAGING, ("DELETE", f"/client/api-keys/{key.id}")):
            answer = key.call(method, path, json={"name": "x"} if method == "POST" else None)
            body = refused(answer, 403, "insufficient_scope")
            assert body["detail"] == "API keys may not do this. Sign in."


def test_a_key_is_no_session(alice: Actor):
    key = make_key(alice)
    with nothing_changes():
        refused(key.post("/auth/logout"), 401, "invalid_token")
        refused(key.post("/auth/refresh", {"refreshToken": key.raw}), 401, "invalid_token")
    assert alice.get("/client/balance").status_code == 200


def test_what_is_missing_is_said_as_rfc_6750_says_it(alice: Actor):
    answer = make_key(alice, ["balance:read"]).post("/client/transfer", {})

    body = refused(answer, 403, "insufficient_scope")
    assert body["detail"] == "This needs an API key with transfers:write."
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge == 'Bearer realm="protonpay", error="insufficient_scope"'


def test_a_key_spends_what_its_owner_has(alice: Actor, bob: Actor):
    key = make_key(alice, ["transfers:write", "withdrawals:write"])

    sent = key.post("/client/transfer", {"toIdentifier": bob.email, "amount": 25})
    order = {"amount": 10, "walletAddress": WALLET, "network": "Base"}
    payout = key.post("/client/withdraw", order).get_json()["payout"]

    assert sent.get_json()["newBalance"] == "975.00"
    assert key.get(f"/client/withdraw/{payout['id']}").get_json()["payout"] == payout
    assert alice.get("/client/balance").get_json()["balanceUsdc"] == "964.95"


@pytest.mark.checklist(81)
def test_a_key_that_may_not_withdraw_moves_nothing(alice: Actor):
    """A key with a read scope: 403, and nothing is held."""
    key = make_key(alice, ["balance:read", "activity:read"])
    with nothing_changes():
        order = {"amount": 10, "walletAddress": WALLET, "network": "Base"}
        refused(key.post("/client/withdraw", order), 403, "insufficient_scope")


def test_the_scope_is_judged_before_the_body_is_read(alice: Actor):
    key = make_key(alice, ["balance:read"])
    for body in ("{", "[]", ""):
        answer = key.call("POST", "/client/transfer", data=body, content_type="text/plain")
        refused(answer, 403, "insufficient_scope")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(alice: Actor, scheme: str):
    headers = {"Authorization": f"{scheme} {make_key(alice).raw}"}
    assert alice.client.get("/api/client/balance", headers=headers).status_code == 200


def test_a_key_is_read_from_the_header_and_from_nowhere_else(alice: Actor):
    raw = make_key(alice).raw
    for name in ("key", "api_key", "apiKey", "token", "access_token"):
        answer = alice.client.get("/api/client/balance", query_string={name: raw})
        refused(answer, 401, "authentication_required")
        answer = alice.client.post("/api/client/transfer", json={name: raw})
        refused(answer, 401, "authentication_required")
        alice.client.set_cookie(name, raw)
        refused(alice.client.get("/api/client/balance"), 401, "authentication_required")
    for header in ("X-Api-Key", "Api-Key", "X-Authorization"):
        answer = alice.client.get("/api/client/balance", headers={header: raw})
        refused(answer, 401, "authentication_required")
    for header in (f"Basic {raw}", f"ApiKey {raw}", raw, f"Bearer {raw}, Bearer {raw}"):
        answer = alice.client.get("/api/client/balance", headers={"Authorization": header})
        refused(answer, 401, "invalid_token")


def test_a_key_beside_a_token_in_the_query_changes_nothing(alice: Actor):
    refused(
        alice.get("/client/balance", query_string={"key": make_key(alice).raw}),
        400,
        "validation_error",
    )


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
            refused(_bearer(alice, damaged), 401, "api_key_invalid")
        refused(key.get("/client/balance"), 503, "database_busy")
        refused(_bearer(alice, ids.new_api_key()), 503, "database_busy")
    assert key.get("/client/balance").status_code == 200


def test_a_key_nobody_made_is_refused(alice: Actor):
    answer = _bearer(alice, ids.new_api_key())

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
        _bearer(alice, key.raw[:-1]),
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


def test_a_key_opens_what_its_account_owns_and_no_more(alice: Actor, bob: Actor):
    order = {"amount": 10, "walletAddress": WALLET, "network": "Base"}
    payout = alice.post("/client/withdraw", order).get_json()["payout"]

    refused(make_key(bob).get(f"/client/withdraw/{payout['id']}"), 404, "not_found")
    assert make_key(alice).get(f"/client/withdraw/{payout['id']}").status_code == 200


def test_signing_in_needs_no_key_and_gives_none(alice: Actor):
    credentials = {"email": alice.email, "password": PASSWORD}
    assert "sk_" not in alice.post("/auth/login", credentials).get_data(as_text=True)
