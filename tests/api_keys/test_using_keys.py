"""What a key opens, and what it does not (API reference §9)."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask

from protonpay.kernel.scopes import Scope
from tests.actors import PASSWORD, Actor
from tests.api_keys.keys import Key, make_key
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

NOBODY = "cm" + "a" * 23
MONTH = "2026-01"
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
OPENS: Mapping[tuple[str, str], list[set[str]]] = {
    ("GET", "/client/balance"): [{"balance:read"}],
    ("GET", "/client/balance/history"): [{"balance:read"}],
    ("GET", "/client/dashboard"): [{"balance:read", "activity:read"}],
    ("GET", "/client/activity"): [{"activity:read"}],
    ("GET", "/client/fees"): [set()],
    ("GET", "/client/preferences"): [set()],
    ("GET", f"/client/activity/{NOBODY}/entries"): [{"balance:read", "activity:read"}],
    ("GET", "/client/statements"): [{"balance:read", "activity:read"}],
    ("GET", f"/client/statements/{MONTH}"): [{"balance:read", "activity:read"}],
    ("GET", "/client/ledger/proof"): [{"balance:read"}],
    ("POST", "/client/deposit/card"): [{"deposits:write"}],
    ("POST", "/client/deposit/crypto"): [{"deposits:write"}],
    ("GET", f"/client/deposit/{NOBODY}"): [{"activity:read"}, {"deposits:write"}],
    ("POST", "/client/withdraw"): [{"withdrawals:write"}],
    ("POST", "/client/withdraw/payee"): [{"withdrawals:write"}],
    ("POST", f"/client/withdraw/{NOBODY}/cancel"): [{"withdrawals:write"}],
    ("GET", f"/client/withdraw/{NOBODY}"): [{"activity:read"}, {"withdrawals:write"}],
    ("POST", "/client/transfer"): [{"transfers:write"}],
    ("POST", "/client/transfer/payee"): [{"transfers:write"}],
    ("POST", "/client/test/payments"): [{"deposits:write"}],
    ("GET", "/client/test/payments"): [{"activity:read"}, {"deposits:write"}],
    ("GET", f"/client/test/payments/{NOBODY}"): [{"activity:read"}, {"deposits:write"}],
    ("POST", f"/client/test/invoices/{NOBODY}/expire"): [{"invoices:write"}],
    ("POST", "/client/test/faults"): [set()],
    ("GET", "/client/test/faults"): [set()],
    ("DELETE", f"/client/test/faults/{NOBODY}"): [set()],
    ("POST", "/client/webhooks"): [{"webhooks:write"}],
    ("GET", "/client/webhooks"): [{"webhooks:write"}],
    ("GET", f"/client/webhooks/{NOBODY}"): [{"webhooks:write"}],
    ("PATCH", f"/client/webhooks/{NOBODY}"): [{"webhooks:write"}],
    ("DELETE", f"/client/webhooks/{NOBODY}"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/rotate-secret"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/test"): [{"webhooks:write"}],
    ("GET", f"/client/webhooks/{NOBODY}/deliveries"): [{"webhooks:write"}],
    ("GET", "/client/webhooks/health"): [{"webhooks:write"}],
    ("GET", f"/client/webhooks/{NOBODY}/health"): [{"webhooks:write"}],
    ("GET", f"/client/events/evt_{NOBODY}/deliveries"): [{"webhooks:write"}],
    ("GET", f"/client/webhooks/{NOBODY}/deliveries/evt_{NOBODY}"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/deliveries/evt_{NOBODY}/resend"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/recover"): [{"webhooks:write"}],
    ("POST", f"/client/webhooks/{NOBODY}/replay"): [{"webhooks:write"}],
    ("GET", "/client/events"): [{"activity:read"}, {"webhooks:write"}],
    ("GET", f"/client/events/evt_{NOBODY}"): [{"activity:read"}, {"webhooks:write"}],
    ("GET", "/client/deposit/providers"): [set()],
    ("POST", "/client/deposit/quote"): [set()],
    ("GET", "/client/deposits"): [{"activity:read"}, {"deposits:write"}],
    ("POST", "/client/withdraw/quote"): [{"activity:read"}, {"withdrawals:write"}],
    ("GET", "/client/withdrawals"): [{"activity:read"}, {"withdrawals:write"}],
    ("GET", "/client/transfers"): [{"activity:read"}, {"transfers:write"}],
    ("GET", f"/client/transfer/{NOBODY}"): [{"activity:read"}, {"transfers:write"}],
    ("POST", "/client/invoices"): [{"invoices:write"}],
    ("GET", "/client/invoices"): [{"activity:read"}, {"invoices:write"}],
    ("GET", "/client/invoices/counts"): [{"activity:read"}, {"invoices:write"}],
    ("GET", f"/client/invoices/{NOBODY}"): [{"activity:read"}, {"invoices:write"}],
    ("POST", f"/client/invoices/{NOBODY}/pay"): [{"transfers:write"}],
    ("POST", f"/client/invoices/{NOBODY}/accept"): [{"invoices:write"}],
    ("POST", f"/client/invoices/{NOBODY}/cancel"): [{"invoices:write"}],
    ("POST", f"/client/invoices/{NOBODY}/decline"): [{"invoices:write"}],
    ("POST", f"/client/invoices/{NOBODY}/send"): [{"invoices:write"}],
    ("PATCH", f"/client/invoices/{NOBODY}"): [{"invoices:write"}],
    ("POST", f"/client/invoices/{NOBODY}/extend"): [{"invoices:write"}],
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
    ("POST", f"/client/api-keys/{NOBODY}/rotate"),
    ("DELETE", f"/client/api-keys/{NOBODY}"),
    ("GET", "/client/requests"),
    ("GET", "/client/requests/days"),
    ("GET", "/client/requests/errors"),
    ("GET", f"/client/requests/{NOBODY}"),
    ("GET", "/client/search"),
    ("GET", "/client/notifications"),
    ("GET", "/client/notifications/unread"),
    ("POST", "/client/notifications/read"),
    ("GET", "/client/notifications/preferences"),
    ("PATCH", "/client/notifications/preferences"),
    ("GET", "/client/notifications/telegram"),
    ("POST", "/client/notifications/telegram"),
    ("DELETE", "/client/notifications/telegram"),
    ("PATCH", "/client/preferences"),
    ("GET", "/client/kyc"),
    ("POST", "/client/kyc"),
    ("POST", "/client/kyc/documents"),
    ("GET", "/client/kyc/documents"),
    ("DELETE", f"/client/kyc/documents/{NOBODY}"),
    ("POST", "/client/test/kyc"),
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
    ("DELETE", "/client/2fa/reset"),
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
    ("GET", "/client/sessions/failed"),
    ("DELETE", "/client/sessions"),
    ("DELETE", f"/client/sessions/{NOBODY}"),
)


def _send(key: Key, method: str, path: str) -> Any:
    return key.call(method, path, json={} if method in ("POST", "PATCH") else None)


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


def test_a_key_opens_what_its_account_owns_and_no_more(alice: Actor, bob: Actor):
    order = {"amount": 10, "walletAddress": WALLET, "network": "Base"}
    payout = alice.post("/client/withdraw", order).get_json()["payout"]

    refused(make_key(bob).get(f"/client/withdraw/{payout['id']}"), 404, "not_found")
    assert make_key(alice).get(f"/client/withdraw/{payout['id']}").status_code == 200


def test_signing_in_needs_no_key_and_gives_none(alice: Actor):
    credentials = {"email": alice.email, "password": PASSWORD}
    assert "sk_" not in alice.post("/auth/login", credentials).get_data(as_text=True)
