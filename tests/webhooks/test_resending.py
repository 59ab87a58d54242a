"""One try more of a delivery, asked for by its owner (API reference §2.1, §4)."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from protonpay.kernel import clock
from protonpay.webhooks import delivery, failing
from tests.actors import Actor
from tests.raw_server import RawServer, answering, http
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.webhooks.test_delivery import happen, sent, subscribe
from tests.webhooks.test_managing import deliveries, exhaust
from tests.wire.posting import listed


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def receiver(house: Flask, stack: ExitStack) -> RawServer:
    server = stack.enter_context(answering(http(b"thanks")))
    stack.enter_context(listed(server.url))
    return server


@pytest.fixture
def broken(house: Flask, stack: ExitStack) -> RawServer:
    server = stack.enter_context(answering(http(b"no", status="500 No")))
    stack.enter_context(listed(server.url))
    return server


def resend(actor: Actor, hook: dict[str, Any], event_id: str) -> Any:
    return actor.post(f"/client/webhooks/{hook['id']}/deliveries/{event_id}/resend")


def opened(actor: Actor, hook: dict[str, Any], event_id: str) -> dict[str, Any]:
    answer = actor.get(f"/client/webhooks/{hook['id']}/deliveries/{event_id}")
    found: dict[str, Any] = answer.get_json()["delivery"]
    return found


def test_what_was_delivered_is_delivered_once_more_in_the_same_words(
    alice: Actor, receiver: RawServer
):
    hook = subscribe(alice, receiver)
    happen(alice)
    delivery.deliver_due()
    (done,) = deliveries(alice, hook)

    answer = resend(alice, hook, done["id"])
    assert (answer.status_code, answer.get_json()["delivery"]["status"]) == (202, "PENDING")
    assert delivery.deliver_due() == 1

    (_, first), (_, second) = sent(receiver)
    assert first == second
    tries = opened(alice, hook, done["id"])["tries"]
    assert [each["trigger"] for each in tries] == ["auto", "manual"]


def test_a_try_that_fails_is_not_repeated_and_what_was_given_up_stays_so(
    alice: Actor, broken: RawServer
):
    hook = subscribe(alice, broken)
    happen(alice)
    exhaust()
    (given_up,) = deliveries(alice, hook)
    assert given_up["status"] == "EXHAUSTED"

    assert resend(alice, hook, given_up["id"]).status_code == 202
    with nothing_changes():
        refused(resend(alice, hook, given_up["id"]), 409, "state_conflict")
    assert delivery.deliver_due() == 1
    assert deliveries(alice, hook) == [{**given_up, "attempts": 11}]
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert delivery.deliver_due() == 0


def test_what_waits_for_its_next_attempt_is_tried_now_and_then_all_the_same(
    alice: Actor, broken: RawServer
):
    hook = subscribe(alice, broken)
    happen(alice)
    delivery.deliver_due()
    (waiting,) = deliveries(alice, hook)

    assert resend(alice, hook, waiting["id"]).status_code == 202
    assert delivery.deliver_due() == 1
    assert deliveries(alice, hook) == [{**waiting, "attempts": 2}]

    with clock.frozen(clock.now() + timedelta(seconds=7)):
        assert delivery.deliver_due() == 1
        (later,) = deliveries(alice, hook)
        pause = clock.from_text(later["nextAttemptAt"]) - clock.now()
    assert timedelta(seconds=290) < pause < timedelta(seconds=370), "the schedule's second"


def test_what_was_delivered_stays_so_when_its_endpoint_goes_before_it_is_tried_again(
    alice: Actor, receiver: RawServer
):
    hook = subscribe(alice, receiver)
    happen(alice)
    delivery.deliver_due()
    (done,) = deliveries(alice, hook)
    resend(alice, hook, done["id"])
    alice.call("PATCH", f"/client/webhooks/{hook['id']}", json={"enabled": False})
    with clock.frozen(clock.now() + timedelta(days=15)):
        assert failing.give_up() == 1
    assert deliveries(alice, hook) == [done]


def test_what_was_delivered_stays_so_when_one_try_more_fails_or_nobody_is_there_any_more(
    alice: Actor, stack: ExitStack
):
    statuses = iter(["200 OK", "500 No", "410 Gone"])
    server = stack.enter_context(
        answering(lambda connection, _: connection.sendall(http(status=next(statuses))))
    )
    stack.enter_context(listed(server.url))
    hook = subscribe(alice, server)
    happen(alice)
    delivery.deliver_due()
    (done,) = deliveries(alice, hook)
    for attempts in (2, 3):
        assert resend(alice, hook, done["id"]).status_code == 202
        assert delivery.deliver_due() == 1
        assert deliveries(alice, hook) == [{**done, "attempts": attempts}]
    assert not alice.get(f"/client/webhooks/{hook['id']}").get_json()["webhook"]["enabled"]
    with nothing_changes():
        refused(resend(alice, hook, done["id"]), 409, "webhook_disabled")
