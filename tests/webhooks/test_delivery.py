"""From an event to an endpoint: what is sent, when again, and when no more."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from standardwebhooks import Webhook

from protonpay.kernel import clock
from protonpay.store.db import db, transaction
from protonpay.store.events import publish
from protonpay.webhooks import delivery, lanes, service
from protonpay.webhooks.lanes import Parcel
from protonpay.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from protonpay.webhooks.recording import Met, record
from tests.actors import Actor
from tests.raw_server import RawServer, answering, http
from tests.unchanged import nothing_changes
from tests.wire.hostile import Names
from tests.wire.posting import listed, wait_for

WAITS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
DATA = {"id": "c1", "amount": "25.00", "note": "Жанна ☕"}


@pytest.fixture
def receiver(house: Flask) -> Iterator[RawServer]:
    with answering(http(b"thanks")) as server, listed(server.url):
        yield server


def subscribe(actor: Actor, server: RawServer, path: str = "hook") -> dict[str, Any]:
    body = {"url": f"{server.url}/{path}", "events": ["transfer.completed", "payout.failed"]}
    answer = actor.post("/client/webhooks", body)
    assert answer.status_code == 200
    hook: dict[str, Any] = answer.get_json()["webhook"]
    return hook


def happen(actor: Actor, name: str = "transfer.completed") -> None:
    with transaction():
        publish(name, actor.id, DATA | {"userId": actor.id})
    service.dispatch()


def taken(most: int = 20) -> list[Parcel]:
    """Take what is due, as a courier does before it posts."""
    claimed = lanes.claim(most, slow=False)
    return lanes.take(dict.fromkeys(claimed, most))


def the_delivery() -> WebhookDelivery:
    return db.session.scalars(
        select(WebhookDelivery).execution_options(populate_existing=True)
    ).one()


def sent(server: RawServer) -> list[tuple[dict[str, str], bytes]]:
    """Headers and body of every request."""
    parts = [request.partition(b"\r\n\r\n") for request in server.requests]
    heads = [head.decode().split("\r\n")[1:] for head, _, _ in parts]
    named = [
        {k.lower(): v for k, _, v in (line.partition(": ") for line in head)} for head in heads
    ]
    return list(zip(named, (body for _, _, body in parts), strict=True))


def test_both_signatures_of_what_is_sent_verify(alice: Actor, receiver: RawServer):
    hook = subscribe(alice, receiver)
    happen(alice)
    assert delivery.deliver_due() == 1

    ((headers, body),) = sent(receiver)
    assert Webhook(hook["secret"]).verify(body, headers) == json.loads(body)
    said = json.loads(body)
    assert list(said) == ["event", "data", "timestamp", "signature"]
    assert (said["event"], said["data"]) == ("transfer.completed", DATA | {"userId": alice.id})
    assert headers["user-agent"] == "ProtonPay-Webhooks/1.0"
    assert headers["content-type"] == "application/json"
    assert not {"authorization", "cookie"} & set(headers)
    assert the_delivery().state == "DELIVERED"


def test_only_who_asked_for_an_event_hears_of_it(alice: Actor, bob: Actor, receiver: RawServer):
    subscribe(alice, receiver, "alice")
    subscribe(bob, receiver, "bob")
    happen(alice, "payout.completed")
    assert delivery.deliver_due() == 0, "nobody asked for this one"
    happen(alice)
    assert delivery.deliver_due() == 1
    assert receiver.requests[0].startswith(b"POST /alice ")


def test_an_event_is_dispatched_once(alice: Actor, receiver: RawServer):
    subscribe(alice, receiver)
    happen(alice)
    assert [service.dispatch(), service.dispatch()] == [0, 0]
    assert [delivery.deliver_due(), delivery.deliver_due()] == [1, 0]
    assert len(receiver.requests) == 1


def test_a_failure_is_tried_again_as_documented_with_the_same_words_and_id(alice: Actor):
    with answering(http(b"later", "500 No")) as server, listed(server.url):
        hook = subscribe(alice, server)
        happen(alice)
        now = clock.now()
        for number, wait in enumerate((*WAITS, None), start=1):
            with clock.frozen(now):
                assert delivery.deliver_due() == 1, f"attempt {number}"
                assert delivery.deliver_due() == 0, "not before its time"
            row = the_delivery()
            assert row.attempts == number
            if wait is None:
                break
            assert row.state == "PENDING"
            assert wait <= (row.due_at - now).total_seconds() <= wait * 1.2
            with clock.frozen(row.due_at - timedelta(milliseconds=1)):
                assert delivery.deliver_due() == 0
            now = row.due_at
        assert (row.state, row.attempts) == ("EXHAUSTED", 10)
        with clock.frozen(now + timedelta(days=30)), nothing_changes():
            assert delivery.deliver_due() == 0
        deliveries = sent(server)
    assert len({body for _, body in deliveries}) == 1
    assert len({headers["webhook-id"] for headers, _ in deliveries}) == 1
    stamps = [int(headers["webhook-timestamp"]) for headers, _ in deliveries]
    assert stamps == sorted(set(stamps)), "each attempt has its own time"
    for headers, body in deliveries:
        made = Webhook(hook["secret"]).sign(
            headers["webhook-id"], _moment(headers["webhook-timestamp"]), body.decode()
        )
        assert headers["webhook-signature"] == made


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=clock.now().tzinfo)


def test_what_each_attempt_met_is_kept(alice: Actor):
    with answering(http(b"the reason" * 500, "503 Busy")) as server, listed(server.url):
        subscribe(alice, server)
        happen(alice)
        delivery.deliver_due()
    attempt = db.session.scalars(select(WebhookAttempt)).one()
    assert (attempt.number, attempt.status, attempt.outcome) == (1, 503, "http_error")
    assert attempt.answer_head == ("the reason" * 500)[:2048]


def test_a_receiver_that_says_it_is_gone_is_asked_no_more(alice: Actor):
    with answering(http(b"", "410 Gone")) as server, listed(server.url):
        hook = subscribe(alice, server)
        happen(alice)
        happen(alice)
        assert delivery.deliver_due(1) == 1
        assert delivery.deliver_due() == 0
        assert len(server.requests) == 1
    states = db.session.scalars(select(WebhookDelivery.state)).all()
    assert set(states) == {"CANCELLED"}
    endpoint = db.session.get_one(WebhookEndpoint, hook["id"], populate_existing=True)
    assert endpoint.disabled_reason == "gone"
    happen(alice)
    assert len(db.session.scalars(select(WebhookDelivery.id)).all()) == 2


def test_a_worker_that_died_with_a_delivery_in_hand_is_followed_by_another(
    alice: Actor, receiver: RawServer
):
    subscribe(alice, receiver)
    happen(alice)
    now = clock.now()
    assert len(taken()) == 1  # and then the worker dies
    with clock.frozen(now + timedelta(seconds=44)):
        assert delivery.deliver_due() == 0, "it may be slow"
    with clock.frozen(now + timedelta(seconds=46)):
        assert delivery.deliver_due() == 1
    assert (the_delivery().state, the_delivery().attempts) == ("DELIVERED", 2)


def test_who_comes_back_too_late_does_not_say_how_it_ended(alice: Actor, receiver: RawServer):
    subscribe(alice, receiver)
    happen(alice)
    now = clock.now()
    (slow,) = taken()
    with clock.frozen(now + timedelta(seconds=46)):
        assert delivery.deliver_due() == 1
    began, outcome, _ = wait_for(delivery.post(slow))
    before = (the_delivery().state, the_delivery().ended_at)
    record([Met(slow, began, outcome)])
    assert (the_delivery().state, the_delivery().ended_at) == before == ("DELIVERED", before[1])
    assert len(db.session.scalars(select(WebhookAttempt.id)).all()) == 2, "both are kept"


@pytest.mark.checklist(102)
@pytest.mark.parametrize(
    "addresses",
    [
        *(["10.0.0.5"], ["93.184.215.14", "10.0.0.5"], ["::ffff:10.0.0.1"], ["64:ff9b::7f00:1"]),
        ["127.0.0.1"],
    ],
    ids=" ".join,
)
def test_a_name_that_leads_inside_is_registered_and_never_called(
    alice: Actor, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
):
    body = {"url": "https://hooks.example.com:8443/", "events": ["transfer.completed"]}
    assert alice.post("/client/webhooks", body).status_code == 200
    names = Names(addresses)
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it was called"))
    happen(alice)

    assert delivery.deliver_due() == 1

    attempt = db.session.scalars(select(WebhookAttempt)).one()
    assert (attempt.status, attempt.outcome) == (None, "blocked_address")
    assert names.asked == ["hooks.example.com."]
    assert the_delivery().state == "PENDING"


def test_what_was_rolled_back_is_told_to_nobody(alice: Actor, receiver: RawServer):
    subscribe(alice, receiver)
    with suppress(LookupError), transaction():
        publish("transfer.completed", alice.id, DATA)
        raise LookupError
    assert service.dispatch() == 0
    assert delivery.deliver_due() == 0


def test_a_receiver_that_fails_takes_nothing_from_another(alice: Actor, receiver: RawServer):
    with answering(http(b"", "500 No")) as broken, listed(broken.url, receiver.url):
        subscribe(alice, broken, "broken")
        subscribe(alice, receiver, "well")
        happen(alice)
        assert delivery.deliver_due() == 2
    states = db.session.execute(
        select(WebhookEndpoint.url, WebhookDelivery.state).join(
            WebhookDelivery, WebhookDelivery.endpoint_id == WebhookEndpoint.id
        )
    )
    found = {url.rpartition("/")[2]: state for url, state in states}
    assert found == {"broken": "PENDING", "well": "DELIVERED"}
