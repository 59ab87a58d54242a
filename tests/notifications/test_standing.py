"""What is wrong in an account is told for as long as it is, with where it is mended."""

from datetime import timedelta

import pytest

from protonpay.kernel import clock
from protonpay.notifications.standing import WARNED_BEFORE, standing
from protonpay.store import db
from tests.actors import Actor
from tests.api_keys.keys import make_key, revoke
from tests.moments import Moments
from tests.notifications.happenings import (
    disable,
    fail,
    happen,
    hold,
    hook,
    read,
    recover,
    seen,
    unread,
)


def test_an_endpoint_that_fails_is_told_of_until_it_recovers(alice: Actor):
    endpoint = hook(alice)
    assert seen(alice) == []
    fail(endpoint)
    (told,) = seen(alice)
    assert (told["kind"], told["id"], told["standing"]) == ("webhook.failing", endpoint, True)
    assert told["data"]["url"] == "https://example.com/hook"
    assert told["sequence"] is None
    assert read(alice, ids=[endpoint]) == 0
    recover(endpoint)
    assert seen(alice) == []


def test_what_fails_anew_is_unread_anew(alice: Actor, moments: Moments):
    endpoint = hook(alice)
    fail(endpoint)
    assert read(alice) == 0
    moments.pass_by(60)
    assert unread(alice) == 0
    recover(endpoint)
    fail(endpoint)
    assert unread(alice) == 1


@pytest.mark.parametrize("reason", ["failing", "gone", "blocked_address"])
def test_a_disabled_endpoint_is_told_of_once_as_what_stands(alice: Actor, reason: str):
    endpoint = hook(alice)
    disable(endpoint, reason)
    happen(alice, "webhook.disabled")
    (told,) = seen(alice)
    assert (told["kind"], told["id"]) == ("webhook.disabled", endpoint)
    assert told["data"]["disabledReason"] == reason
    assert unread(alice) == 1
    alice.call("PATCH", f"/client/webhooks/{endpoint}", json={"enabled": True})
    assert seen(alice) == []


def test_what_its_owner_has_disabled_or_removed_is_no_trouble(alice: Actor):
    endpoint, other = hook(alice), hook(alice, url="https://example.com/other")
    fail(endpoint)
    fail(other)
    alice.call("PATCH", f"/client/webhooks/{endpoint}", json={"enabled": False})
    alice.call("DELETE", f"/client/webhooks/{other}")
    assert seen(alice) == []


def test_a_key_is_told_of_a_week_before_it_expires(alice: Actor, moments: Moments):
    ends = moments.now + timedelta(days=30)
    key = make_key(alice, ["balance:read"], name="Shop", expiresAt=clock.to_text(ends))
    make_key(alice, ["balance:read"])
    assert standing(alice.id, builds=True) == []
    moments.pass_by((timedelta(days=30) - WARNED_BEFORE).total_seconds())
    (told,) = standing(alice.id, builds=True)
    assert (told.id, told.kind) == (key.id, "api_key.expiring")
    assert told.data == {"id": key.id, "name": "Shop", "expiresAt": clock.to_text(ends)}
    assert told.created_at == ends.replace(microsecond=0) - WARNED_BEFORE
    assert standing(alice.id, builds=False) == []
    moments.pass_by(WARNED_BEFORE.total_seconds())
    assert standing(alice.id, builds=True) == [], "it has expired"


def test_a_key_that_lives_for_days_only_is_told_of_at_once_until_it_is_revoked(alice: Actor):
    ends = clock.to_text(clock.now() + timedelta(days=2))
    key = make_key(alice, ["balance:read"], expiresAt=ends)
    (told,) = seen(alice)
    assert told["createdAt"] <= clock.to_text(clock.now())
    revoke(alice, key.id)
    assert seen(alice) == []


def test_a_deposit_on_hold_is_told_of_without_its_reason(alice: Actor):
    held = hold(alice)
    (told,) = seen(alice)
    assert (told["kind"], told["id"]) == ("deposit.on_hold", held)
    assert told["data"] == {"id": held, "amount": "1.00", "network": None, "invoiceId": None}
    with db.transaction():
        db.execute("UPDATE deposits SET state = 'CONFIRMED' WHERE id = %(id)s", {"id": held})
    assert seen(alice) == []
