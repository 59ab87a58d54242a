"""A key gets a new secret; the old one opens for a while and ends by itself (portal §4.7)."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from protonpay.api_keys import rotation
from protonpay.kernel import clock, signing
from protonpay.store import overlaps
from protonpay.store.db import db
from tests.actors import Actor
from tests.api_keys.keys import Key, make_key, revoke, row
from tests.refusals import refused
from tests.teams.people import id_of, member
from tests.unchanged import nothing_changes, only_changes


def ask(owner: Actor, key_id: str, **body: Any) -> TestResponse:
    return owner.post(f"/client/api-keys/{key_id}/rotate", body)


def rotate(owner: Actor, key: Key, **body: Any) -> Key:
    answer = ask(owner, key.id, **body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return Key(owner.client, key.id, answer.get_json()["key"]["rawKey"])


def opens(key: Key, path: str = "/client/balance") -> bool:
    return key.get(path).status_code == 200


def test_old_and_new_open_while_they_overlap_and_the_old_one_ends_by_itself(alice: Actor):
    old, now = make_key(alice, ["balance:read"], name="Server"), clock.now()
    before = row(alice, old)
    with clock.frozen(now), only_changes("api_keys", "api_key_retiring_secrets"):
        new = rotate(alice, old, overlapSeconds=3600)

    assert new.raw != old.raw
    assert (opens(old), opens(new)) == (True, True)
    shown = row(alice, new)
    assert shown["prefix"] == new.raw[:12]
    (retiring,) = shown["retiring"]
    assert retiring["prefix"] == old.raw[:12]
    assert retiring["endsAt"] == clock.to_text(now + timedelta(hours=1))
    same = ("id", "name", "permissions", "allowedIps", "createdAt", "expiresAt")
    assert {name: shown[name] for name in same} == {name: before[name] for name in same}
    with clock.frozen(now + timedelta(minutes=59)):
        assert opens(old)
    with clock.frozen(now + timedelta(hours=1)):
        refused(old.get("/client/balance"), 401, "api_key_expired")
        assert opens(new)
        db.session.expire_all()
        assert row(alice, new)["retiring"] == []


def test_each_secret_says_when_it_was_used_last(alice: Actor):
    old, now = make_key(alice), clock.now()
    new = rotate(alice, old, overlapSeconds=86_400)

    def used(key: Key, minutes: int) -> None:
        db.session.expire_all()
        with clock.frozen(now + timedelta(minutes=minutes)):
            assert opens(key)

    used(old, 5)
    used(new, 10)
    db.session.expire_all()
    shown = row(alice, new)
    assert shown["lastUsedAt"] == clock.to_text(now + timedelta(minutes=10))
    assert shown["retiring"][0]["lastUsedAt"] == clock.to_text(now + timedelta(minutes=5))


def test_a_leaked_one_ends_at_once_and_every_older_one_with_it(alice: Actor):
    oldest = make_key(alice)
    leaked = rotate(alice, oldest)
    new = rotate(alice, leaked, overlapSeconds=0)
    assert [opens(each) for each in (oldest, leaked, new)] == [False, False, True]
    refused(leaked.get("/client/balance"), 401, "api_key_invalid")


def test_a_revoked_key_ends_with_all_of_its_secrets(alice: Actor):
    old = make_key(alice)
    new = rotate(alice, old)
    assert revoke(alice, new.id).status_code == 204
    for each in (old, new):
        refused(each.get("/client/balance"), 401, "api_key_invalid")
    with nothing_changes():
        refused(ask(alice, new.id), 404, "not_found")


def test_three_secrets_are_enough(alice: Actor):
    key = make_key(alice)
    newest = rotate(alice, rotate(alice, key))
    with nothing_changes():
        refused(ask(alice, key.id), 409, "too_many_secrets")
    assert opens(newest)
    with clock.frozen(clock.now() + overlaps.USUAL):
        rotation.rotate(alice.id, key.id, overlap=timedelta(hours=1))


@pytest.mark.parametrize("overlap", [-1, 604_801, 1.5, "60", True])
def test_a_bad_overlap_is_refused(alice: Actor, overlap: Any):
    key = make_key(alice)
    with nothing_changes():
        refused(ask(alice, key.id, overlapSeconds=overlap), 400, "validation_error")


def test_an_expired_key_and_a_strangers_are_not_rotated(alice: Actor, bob: Actor):
    over = clock.now() + timedelta(hours=1)
    key = make_key(alice, expiresAt=clock.to_text(over))
    with nothing_changes():
        refused(ask(bob, key.id), 404, "not_found")
    with clock.frozen(over), nothing_changes():
        refused(ask(alice, key.id), 409, "state_conflict")


def test_a_secret_outlives_no_key(alice: Actor):
    over = clock.now() + timedelta(hours=1)
    old = make_key(alice, expiresAt=clock.to_text(over))
    new = rotate(alice, old, overlapSeconds=604_800)
    with clock.frozen(over):
        for each in (old, new):
            refused(each.get("/client/balance"), 401, "api_key_expired")


def test_no_secret_is_kept_but_its_hash(alice: Actor):
    old = make_key(alice)
    new = rotate(alice, old)
    kept = "SELECT (SELECT string_agg(r::text, '') FROM api_key_retiring_secrets r)"
    told = db.session.scalar(text(f"{kept} || (SELECT string_agg(k::text, '') FROM api_keys k)"))
    assert [each.raw[12:] in told for each in (old, new)] == [False, False]
    assert [signing.digest_hex(each.raw.encode()) in told for each in (old, new)] == [True, True]


def test_a_member_is_shown_no_key_that_may_more_than_they(house: Flask, alice: Actor):
    developer = member(house, alice, "developer")
    key = make_key(alice, "full")
    with nothing_changes():
        answer = developer.post(f"/client/api-keys/{key.id}/rotate", {})
        refused(answer, 403, "role_insufficient")
    assert opens(key)


def test_whoever_leaves_leaves_with_the_secrets_they_were_shown(house: Flask, alice: Actor):
    developer = member(house, alice, "developer")
    key = make_key(alice, ["webhooks:write"])
    answer = developer.post(f"/client/api-keys/{key.id}/rotate", {})
    theirs = Key(alice.client, key.id, answer.get_json()["key"]["rawKey"])
    newest = rotate(alice, theirs)
    assert [opens(each, "/client/webhooks") for each in (key, theirs, newest)] == [True] * 3
    path = f"/client/team/members/{id_of(alice, developer.person)}"
    assert alice.call("DELETE", path).status_code == 204
    stand = [opens(each, "/client/webhooks") for each in (key, theirs, newest)]
    assert stand == [True, False, True]
