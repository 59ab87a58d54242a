"""/client/api-keys (API document; API reference §9)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from protonpay.api_keys.models import ApiKey
from protonpay.kernel import clock, ids, signing
from protonpay.kernel.scopes import Scope
from protonpay.store.db import db
from tests.actors import Actor
from tests.api_keys.keys import create, make_key, revoke, row
from tests.nasty import NASTY
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes, tables

MEMBERS = (
    *("id", "name", "prefix", "permissions", "allowedIps", "createdAt", "expiresAt"),
    *("lastUsedAt", "lastUsedIp", "lastUsedMethod", "lastUsedRoute", "lastUsedAgent"),
    *("lastUsedProgram", "retiring"),
)
NEVER = "cm" + "a" * 23


def _in(**delta: int) -> str:
    return clock.to_text(clock.now() + timedelta(**delta))


def test_the_documents_example_is_answered_as_documented(alice: Actor):
    with only_changes("api_keys"):
        answer = alice.post("/client/api-keys", {"name": "Production Key"})

    assert (answer.status_code, answer.content_type) == (200, "application/json")
    body = answer.get_json()
    assert list(body) == ["key"]
    key = body["key"]
    assert list(key) == ["id", "name", "prefix", "rawKey", "permissions"]
    assert ids.ID_PATTERN.fullmatch(key["id"])
    assert (key["name"], key["permissions"]) == ("Production Key", "full")
    assert re.fullmatch(r"sk_live_[0-9A-Za-z]{38}", key["rawKey"])
    assert key["prefix"] == key["rawKey"][:12]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_key_is_shown_to_its_owner_without_what_opens_a_door(alice: Actor):
    moment = clock.now()
    with clock.frozen(moment):
        key = make_key(
            alice,
            ["balance:read", "invoices:write"],
            expiresAt="2100-01-01T01:00:00+01:00",
            allowedIps=["203.0.113.0/24", "2001:DB8:0::/48", "198.51.100.7"],
        )

    shown = row(alice, key)
    assert tuple(shown) == MEMBERS
    assert shown == {
        "id": key.id,
        "name": "Production Key",
        "prefix": key.raw[:12],
        "permissions": ["balance:read", "invoices:write"],
        "allowedIps": ["203.0.113.0/24", "2001:db8::/48", "198.51.100.7/32"],
        "createdAt": clock.to_text(moment),
        "expiresAt": "2100-01-01T00:00:00Z",
        "lastUsedAt": None,
        "lastUsedIp": None,
        "lastUsedMethod": None,
        "lastUsedRoute": None,
        "lastUsedAgent": None,
        "lastUsedProgram": None,
        "retiring": [],
    }
    assert alice.get("/client/api-keys").get_json() == {
        "keys": [shown],
        "nextCursor": None,
        "hasMore": False,
    }


@pytest.mark.checklist(95)
def test_only_the_hash_of_a_key_is_kept(alice: Actor):
    """The raw key is in no GET, and the database holds only the hash."""
    key = make_key(alice)
    assert key.get("/client/balance").status_code == 200

    for path in ("/client/api-keys", f"/client/api-keys/{key.id}", "/client/dashboard"):
        shown = alice.get(path).get_data(as_text=True)
        assert key.raw not in shown
        assert key.raw[12:] not in shown
        assert signing.digest_hex(key.raw.encode()) not in shown
    for table in tables():
        rows = db.session.scalars(text(f"SELECT t::text FROM {table} AS t")).all()
        assert not any(key.raw[12:] in each for each in rows), table
    stored = db.session.get_one(ApiKey, key.id)
    assert stored.key_hash == signing.digest_hex(key.raw.encode())


@pytest.mark.parametrize("name", ["x", "x" * 100, "й" * 100, " padded ", "<b>", "' OR 1=1--"])
def test_a_name_is_kept_as_it_was_sent(alice: Actor, name: str):
    answer = create(alice, name=name)

    assert answer.get_json()["key"]["name"] == name
    assert alice.get("/client/api-keys").get_json()["keys"][0]["name"] == name


@pytest.mark.slow
def test_any_name_of_a_sensible_length_is_taken(alice: Actor):
    for name in NASTY:
        answer = create(alice, name=name[:100])
        assert answer.get_json()["key"]["name"] == name[:100]
        assert revoke(alice, answer.get_json()["key"]["id"]).status_code == 204


@pytest.mark.checklist(94)
@pytest.mark.parametrize("name", ["", "x" * 101, None, 1, True, [], {}, "a\0b"], ids=repr)
def test_any_other_name_is_refused(alice: Actor, name: Any):
    """An empty name and one of 101 characters are 400."""
    with nothing_changes():
        body = refused(create(alice, name=name), 400, "validation_error")
    assert list(body["errors"]["json"]) == ["name"]


def test_a_name_is_needed(alice: Actor):
    with nothing_changes():
        refused(alice.post("/client/api-keys", {}), 400, "validation_error")


@pytest.mark.parametrize("count", [1, 3, len(Scope)])
def test_scopes_are_kept_in_the_order_they_were_named(alice: Actor, count: int):
    scopes = [scope.value for scope in reversed(Scope)][:count]

    answer = create(alice, permissions=scopes)

    assert answer.get_json()["key"]["permissions"] == scopes
    assert row(alice, make_key(alice, scopes))["permissions"] == scopes


@pytest.mark.checklist(97)
@pytest.mark.parametrize(
    "permissions",
    [
        *("admin", "", "FULL", "full ", "balance:read", None, True, 1, {}, []),
        *(["full"], ["admin"], ["balance:read", "full"], ["balance:read"] * 2, ["balance:write"]),
        *([None], [1], [["balance:read"]], [{}], ["balance:read\n"], ["BALANCE:READ"]),
    ],
    ids=repr,
)
def test_other_permissions_do_not_exist(alice: Actor, permissions: Any):
    """``"permissions": "admin"`` is 400."""
    with nothing_changes():
        body = refused(create(alice, permissions=permissions), 400, "validation_error")
    assert list(body["errors"]["json"]) == ["permissions"]


@pytest.mark.parametrize(
    "moment",
    [
        *("", "tomorrow", "2100-01-01", "2100-01-01T00:00:00", "2100-13-01T00:00:00Z"),
        *("2100-01-01T00:00:00Z ", "2100-01-01 00:00:00Z", "2100-01-01T24:00:00Z", "4102444800"),
        *("2100-01-01T00:00:00+99:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
        *(4102444800, True, [], {}, "٢١٠٠-01-01T00:00:00Z"),
    ],
    ids=repr,
)
def test_an_expiry_is_a_moment(alice: Actor, moment: Any):
    with nothing_changes():
        body = refused(create(alice, expiresAt=moment), 400, "validation_error")
    assert list(body["errors"]["json"]) == ["expiresAt"]


def test_an_expiry_lies_ahead(alice: Actor):
    for past in (_in(seconds=-1), _in(days=-400), clock.to_text(clock.now())):
        with nothing_changes():
            refused(create(alice, expiresAt=past), 400, "validation_error")
    for ahead in (_in(seconds=5), "2100-01-01T00:00:00.123Z", "9999-12-31T23:59:59Z", None):
        assert create(alice, expiresAt=ahead).status_code == 200


@pytest.mark.parametrize(
    "networks",
    [
        *("203.0.113.0/24", None, {}, [None], [1], [""], ["example.com"], ["*"], ["1.2.3"]),
        *(["203.0.113.7/24"], ["203.0.113.0/33"], ["203.0.113.0/"], ["203.0.113.0/024"]),
        *(["203.0.113.0/255.255.255.0"], ["0300.0.113.0/24"], ["2001:db8::1/64"], ["::/129"]),
        *(["fe80::1%eth0"], ["::ffff:203.0.113.7"], ["::ffff:203.0.113.0/120"], [" 1.2.3.4"]),
        *(["1.2.3.4\n"], ["203.0.113.0/24 "], ["2001:db8::/32", "2001:DB8::/32"]),
        *(["1.2.3.4", "1.2.3.4/32"], ["203.0.113.0/-1"], [f"10.0.{n}.0/24" for n in range(51)]),
    ],
    ids=repr,
)
def test_networks_are_exact_and_named_once(alice: Actor, networks: Any):
    with nothing_changes():
        body = refused(create(alice, allowedIps=networks), 400, "validation_error")
    assert list(body["errors"]["json"]) == ["allowedIps"]


@pytest.mark.parametrize("extra", ["id", "prefix", "rawKey", "userId", "lastUsedAt", "isAdmin"])
def test_nothing_else_is_the_clients_to_say(alice: Actor, extra: str):
    with nothing_changes():
        body = refused(create(alice, **{extra: "x"}), 400, "validation_error")
    assert body["errors"] == {"json": {extra: ["Unknown field."]}}


@pytest.mark.checklist(94)
def test_the_21st_key_is_refused(alice: Actor, bob: Actor):
    """Twenty live keys and no more, of each account."""
    keys = [make_key(alice) for _ in range(20)]
    with nothing_changes():
        refused(create(alice), 409, "too_many_api_keys")
    assert create(bob).status_code == 200

    assert revoke(alice, keys[0].id).status_code == 204
    assert create(alice).status_code == 200
    refused(create(alice), 409, "too_many_api_keys")


def test_an_expired_key_takes_no_place(alice: Actor):
    now = clock.now()
    with clock.frozen(now):
        for _ in range(20):
            make_key(alice, expiresAt=_in(minutes=1))
        refused(create(alice), 409, "too_many_api_keys")
    with clock.frozen(now + timedelta(minutes=2)):
        assert create(alice).status_code == 200
        assert len(alice.get("/client/api-keys").get_json()["keys"]) == 21


def test_keys_are_listed_page_by_page_newest_first(alice: Actor, bob: Actor):
    now = clock.now()
    made = []
    for second in (0, 1, 1, 1, 2):
        with clock.frozen(now + timedelta(seconds=second)):
            made.append(make_key(alice).id)
    make_key(bob)
    newest_first = [made[4], *sorted(made[1:4], reverse=True), made[0]]

    seen, cursor = [], None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = alice.get("/client/api-keys", query_string=query).get_json()
        seen += [key["id"] for key in page["keys"]]
        cursor = page["nextCursor"]
        assert page["hasMore"] == (cursor is not None)
        if cursor is None:
            break
        foreign = {"cursor": cursor}
        refused(bob.get("/client/api-keys", query_string=foreign), 400, "invalid_cursor")
        refused(alice.get("/client/activity", query_string=foreign), 400, "invalid_cursor")

    assert seen == newest_first


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "userId=1", "limit=1&limit=2"]
)
def test_a_list_takes_the_parameters_of_every_list(alice: Actor, query: str):
    refused(alice.get(f"/client/api-keys?{query}"), 400, "validation_error")


def test_a_revoked_key_is_gone_for_its_owner_and_kept_for_the_record(alice: Actor):
    key, moment = make_key(alice), clock.now()
    with clock.frozen(moment), only_changes("api_keys"):
        answer = revoke(alice, key.id)
    assert (answer.status_code, answer.get_data()) == (204, b"")

    refused(alice.get(f"/client/api-keys/{key.id}"), 404, "not_found")
    assert alice.get("/client/api-keys").get_json()["keys"] == []
    with nothing_changes():
        refused(revoke(alice, key.id), 404, "not_found")
    assert db.session.get_one(ApiKey, key.id).revoked_at == moment


@pytest.mark.checklist(98)
def test_somebody_elses_key_is_not_there(alice: Actor, bob: Actor):
    """B reads or revokes A's key: 404."""
    key = make_key(alice)
    with nothing_changes():
        refused(bob.get(f"/client/api-keys/{key.id}"), 404, "not_found")
        refused(revoke(bob, key.id), 404, "not_found")
        refused(bob.get(f"/client/api-keys/{NEVER}"), 404, "not_found")
    assert key.get("/client/balance").status_code == 200


def test_who_is_suspended_makes_no_key(alice: Actor):
    db.session.execute(text("UPDATE users SET standing = 'SUSPENDED'"))
    with nothing_changes():
        refused(create(alice), 403, "account_suspended")


def test_what_a_key_may_do_is_said_once(alice: Actor):
    """The program itself may not widen a key, nor forget one."""
    make_key(alice)
    for change in (
        "UPDATE api_keys SET permissions = '{full}'",
        "UPDATE api_keys SET allowed_ips = '{}'",
        "UPDATE api_keys SET user_id = 'x'",
        "DELETE FROM api_keys",
    ):
        with pytest.raises(Exception, match="permission denied"), db.session.begin_nested():
            db.session.execute(text(change))
    assert len(db.session.scalars(select(ApiKey)).all()) == 1
