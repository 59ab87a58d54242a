"""Rotate a secret, send a test, see deliveries, have them made again (API reference §4)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from protonpay import verify
from protonpay.kernel import clock
from protonpay.store import overlaps
from protonpay.store.db import db
from protonpay.webhooks import delivery, history, rotation, service
from tests.actors import Actor
from tests.raw_server import RawServer, answering, http
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes
from tests.webhooks.test_delivery import happen, sent, subscribe
from tests.wire.posting import listed


@pytest.fixture
def receiver(house: Flask) -> Iterator[RawServer]:
    with answering(http(b"thanks")) as server, listed(server.url):
        yield server


@pytest.fixture
def broken(house: Flask) -> Iterator[RawServer]:
    with answering(http(b"no", status="500 No")) as server, listed(server.url):
        yield server


def rotate(actor: Actor, hook: dict[str, Any], **body: Any) -> str:
    answer = actor.post(f"/client/webhooks/{hook['id']}/rotate-secret", body)
    assert answer.status_code == 200, answer.get_json()
    fresh = answer.get_json()["webhook"]
    assert fresh["id"] == hook["id"]
    secret: str = fresh["secret"]
    return secret


def deliveries(actor: Actor, hook: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answer = actor.get(f"/client/webhooks/{hook['id']}/deliveries{query}")
    found: list[dict[str, Any]] = answer.get_json()["deliveries"]
    return found


def test_an_event_says_to_which_endpoints_it_went(alice: Actor, bob: Actor, receiver: RawServer):
    """As each endpoint's own list says it; one that is removed is not listed."""
    hooks = [subscribe(alice, receiver, path) for path in ("told", "held")]
    gone = subscribe(alice, receiver, "gone")
    happen(alice)
    later = subscribe(alice, receiver, "later")
    happen(alice)
    alice.call("PATCH", f"/client/webhooks/{hooks[1]['id']}", json={"enabled": False})
    delivery.deliver_due()
    assert alice.call("DELETE", f"/client/webhooks/{gone['id']}").status_code == 204
    first, second = alice.get("/client/events").get_json()["events"]
    for event, told in ((first, hooks), (second, [*hooks, later])):
        answer = alice.get(f"/client/events/{event['id']}/deliveries")
        assert answer.get_json() == {
            "deliveries": [
                {**each, "webhookId": hook["id"], "url": hook["url"]}
                for hook in reversed(told)
                for each in deliveries(alice, hook)
                if each["id"] == event["id"]
            ]
        }
        assert len(answer.get_json()["deliveries"]) == len(told)
    states = {each["webhookId"]: each["status"] for each in answer.get_json()["deliveries"]}
    assert states == {
        hooks[0]["id"]: "DELIVERED",
        hooks[1]["id"]: "PENDING",
        later["id"]: "DELIVERED",
    }
    refused(bob.get(f"/client/events/{first['id']}/deliveries"), 404, "not_found")
    nobodys = f"{first['id'][:-6]}zzzzzz"
    refused(alice.get(f"/client/events/{nobodys}/deliveries"), 404, "not_found")


def exhaust() -> None:
    db.session.execute(text("UPDATE webhook_deliveries SET attempts = 9 WHERE state = 'PENDING'"))
    db.session.commit()
    with clock.frozen(clock.now() + timedelta(days=1)):
        delivery.deliver_due()


def verifies(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def in_body(secret: str, body: bytes) -> bool:
    try:
        verify.verify_body(body, secret)
    except verify.Forged:
        return False
    return True


def test_old_and_new_secret_verify_while_they_overlap(alice: Actor, receiver: RawServer):
    hook = subscribe(alice, receiver)
    old, new = hook["secret"], rotate(alice, hook, overlapSeconds=3600)
    assert new.startswith("whsec_")
    assert new != old
    happen(alice)
    delivery.deliver_due()

    ((headers, body),) = sent(receiver)
    assert verifies(old, headers, body)
    assert verifies(new, headers, body)
    assert in_body(old, body)
    assert not in_body(new, body)
    assert verify.verify_body(body, [new, old]) == verify.verify(body, headers, new)

    with clock.frozen(clock.now() + timedelta(seconds=3600)):
        happen(alice)
        delivery.deliver_due()
        headers, body = sent(receiver)[-1]
        assert in_body(new, body)
        assert len(headers["webhook-signature"].split()) == 1


def test_a_leaked_secret_ends_at_once_and_the_older_ones_with_it(alice: Actor, receiver: RawServer):
    hook = subscribe(alice, receiver)
    older, leaked = hook["secret"], rotate(alice, hook)
    new = rotate(alice, hook, overlapSeconds=0)
    happen(alice)
    delivery.deliver_due()

    ((headers, body),) = sent(receiver)
    assert [verifies(each, headers, body) for each in (older, leaked, new)] == [False, False, True]
    assert in_body(new, body)


def test_three_secrets_are_enough(alice: Actor, receiver: RawServer):
    hook = subscribe(alice, receiver)
    rotate(alice, hook)
    rotate(alice, hook)
    with nothing_changes():
        answer = alice.post(f"/client/webhooks/{hook['id']}/rotate-secret", {})
        refused(answer, 409, "too_many_secrets")
    with clock.frozen(clock.now() + overlaps.USUAL):
        service.get(alice.id, hook["id"])
        rotation.rotate(alice.id, hook["id"], overlap=timedelta(hours=1))


@pytest.mark.parametrize("overlap", [-1, 604_801, 1.5, "60", True])
def test_a_bad_overlap_is_refused(alice: Actor, receiver: RawServer, overlap: Any):
    hook = subscribe(alice, receiver)
    with nothing_changes():
        path = f"/client/webhooks/{hook['id']}/rotate-secret"
        refused(alice.post(path, {"overlapSeconds": overlap}), 400, "validation_error")


def test_a_test_reaches_this_endpoint_alone_whatever_it_asks_for(alice: Actor, receiver: RawServer):
    hook = subscribe(alice, receiver)
    subscribe(alice, receiver, "other")
    with only_changes("events"):
        answer = alice.post(f"/client/webhooks/{hook['id']}/test", {"event": "kyc.approved"})
    service.dispatch()
    assert delivery.deliver_due() == 1

    ((headers, body),) = sent(receiver)
    event = verify.verify(body, headers, hook["secret"])
    assert headers["webhook-id"] == answer.get_json()["eventId"]
    assert event["event"] == "kyc.approved"
    assert event["data"]["test"] is True
    assert receiver.requests[0].startswith(b"POST /hook ")


def test_ten_tests_an_hour_are_enough(alice: Actor, receiver: RawServer):
    path = f"/client/webhooks/{subscribe(alice, receiver)['id']}/test"
    for _ in range(history.MOST_TESTS_AN_HOUR):
        assert alice.post(path, {}).status_code == 200
    with nothing_changes():
        refused(alice.post(path, {}), 429, "too_many_tests")
    with nothing_changes():
        refused(alice.post(path, {"event": "no.such"}), 400, "validation_error")


def test_deliveries_are_listed_with_what_was_said(alice: Actor, receiver: RawServer):
    hook = subscribe(alice, receiver)
    happen(alice)
    happen(alice, "payout.failed")
    assert [one["status"] for one in deliveries(alice, hook)] == ["PENDING", "PENDING"]
    delivery.deliver_due()

    newest, older = deliveries(alice, hook)
    assert (newest["event"], newest["status"], newest["attempts"]) == (
        "payout.failed",
        "DELIVERED",
        1,
    )
    assert newest["nextAttemptAt"] is None
    assert newest["endedAt"] >= newest["createdAt"] >= older["createdAt"]
    one = alice.get(f"/client/webhooks/{hook['id']}/deliveries/{newest['id']}").get_json()
    (attempt,) = one["delivery"]["tries"]
    assert (attempt["status"], attempt["outcome"], attempt["response"]) == (
        200,
        "delivered",
        "thanks",
    )
    sent = next(each for each in receiver.requests if newest["id"] in str(each))
    said = {name.lower(): value for name, value in attempt["request"]["headers"].items()}
    assert attempt["request"]["url"] == hook["url"]
    assert all(f"{name}: {value}".lower() in str(sent).lower() for name, value in said.items())
    assert json.loads(one["delivery"]["body"])["event"] == "payout.failed"
    assert deliveries(alice, hook, "?event=payout.failed") == [newest]
    assert deliveries(alice, hook, "?status=PENDING") == []
    first = alice.get(f"/client/webhooks/{hook['id']}/deliveries?limit=1").get_json()
    assert first["hasMore"]
    query = f"?limit=1&cursor={first['nextCursor']}"
    assert first["deliveries"] + deliveries(alice, hook, query) == [newest, older]


def test_what_was_missed_is_recovered(alice: Actor, broken: RawServer):
    hook = subscribe(alice, broken)
    path, since = f"/client/webhooks/{hook['id']}", clock.to_text(clock.now())
    happen(alice)
    exhaust()
    alice.call("PATCH", path, json={"enabled": False})
    happen(alice)
    happen(alice, "deposit.confirmed")
    with nothing_changes():
        refused(alice.post(f"{path}/recover", {"since": since}), 409, "webhook_disabled")
    alice.call("PATCH", path, json={"enabled": True})
    assert len(deliveries(alice, hook)) == 1

    answer = alice.post(f"{path}/recover", {"since": since})

    assert answer.get_json() == {"queued": 2}
    assert [one["status"] for one in deliveries(alice, hook)] == ["PENDING", "PENDING"]
    assert alice.post(f"{path}/recover", {"since": since}).get_json() == {"queued": 0}


@pytest.mark.parametrize(("since", "until"), [(15, None), (2, 3), (1, 1)])
def test_a_span_that_is_none_is_refused(
    alice: Actor, receiver: RawServer, since: int, until: int | None
):
    hook, now = subscribe(alice, receiver), clock.now()
    span = {"since": clock.to_text(now - timedelta(days=since))}
    if until is not None:
        span["until"] = clock.to_text(now - timedelta(days=until))
    with nothing_changes():
        refused(alice.post(f"/client/webhooks/{hook['id']}/recover", span), 400, "invalid_span")


def test_the_log_is_replayed_from_a_number_on(alice: Actor, receiver: RawServer):
    happen(alice)
    hook = subscribe(alice, receiver)
    happen(alice)
    happen(alice)
    delivery.deliver_due()
    assert len(sent(receiver)) == 2

    answer = alice.post(f"/client/webhooks/{hook['id']}/replay", {"after": 0})

    assert answer.get_json() == {"queued": 3, "upTo": 3}
    delivery.deliver_due()
    assert len(sent(receiver)) == 5
    log = alice.get("/client/events?after=0").get_json()["events"]
    told = [headers["webhook-id"] for headers, _ in sent(receiver)]
    assert set(told) == {event["id"] for event in log}
    assert alice.post(f"/client/webhooks/{hook['id']}/replay", {"after": 3}).get_json() == {
        "queued": 0,
        "upTo": 3,
    }


def test_what_was_delivered_takes_no_room_from_what_was_missed(
    alice: Actor, receiver: RawServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history, "MOST_AT_ONCE", 1)
    hook, since = subscribe(alice, receiver), clock.to_text(clock.now())
    path = f"/client/webhooks/{hook['id']}"
    happen(alice)
    delivery.deliver_due()
    alice.call("PATCH", path, json={"enabled": False})
    happen(alice)
    happen(alice)
    alice.call("PATCH", path, json={"enabled": True})

    queued = [alice.post(f"{path}/recover", {"since": since}).get_json() for _ in range(3)]

    assert queued == [{"queued": 1}, {"queued": 1}, {"queued": 0}]
    assert len(deliveries(alice, hook)) == 3


def test_a_replay_goes_on_where_it_came_to(
    alice: Actor, receiver: RawServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history, "MOST_AT_ONCE", 2)
    for _ in range(3):
        happen(alice)
    path = f"/client/webhooks/{subscribe(alice, receiver)['id']}/replay"

    first = alice.post(path, {"after": 0}).get_json()
    rest = alice.post(path, {"after": first["upTo"]}).get_json()

    assert (first, rest) == ({"queued": 2, "upTo": 2}, {"queued": 1, "upTo": 3})


def test_a_removed_endpoint_leaves_no_secret_behind(alice: Actor, receiver: RawServer):
    hook = subscribe(alice, receiver)
    rotate(alice, hook)
    assert alice.call("DELETE", f"/client/webhooks/{hook['id']}").status_code == 204
    assert db.session.scalar(text("SELECT count(*) FROM webhook_retiring_secrets")) == 0


def test_a_strangers_endpoint_is_not_found(alice: Actor, bob: Actor, receiver: RawServer):
    hook = subscribe(alice, receiver)
    happen(alice)
    event = deliveries(alice, hook)[0]["id"]
    path = f"/client/webhooks/{hook['id']}"
    with nothing_changes():
        for answer in (
            bob.post(f"{path}/rotate-secret", {}),
            bob.post(f"{path}/test", {}),
            bob.get(f"{path}/deliveries"),
            bob.get(f"{path}/deliveries/{event}"),
            bob.post(f"{path}/deliveries/{event}/resend"),
            bob.post(f"{path}/recover", {"since": clock.to_text(clock.now() - timedelta(1))}),
            bob.post(f"{path}/replay", {"after": 0}),
        ):
            refused(answer, 404, "not_found")
