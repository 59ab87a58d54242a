"""An endpoint that is broken gets one try at a time, whatever waits for it."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.store.db import db, transaction
from protonpay.webhooks import delivery, lanes
from protonpay.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from tests.actors import Actor
from tests.raw_server import RawServer, answering, http
from tests.webhooks.test_failing import letters
from tests.webhooks.test_lanes import Moments, happen, lane, states, subscribe
from tests.wire.posting import listed

__all__ = ["moments"]


class Receiver:
    """Answers as it is told to."""

    def __init__(self, stack: ExitStack) -> None:
        self.status = "500 No"
        self.server: RawServer = stack.enter_context(
            answering(lambda connection, _: connection.sendall(http(status=self.status)))
        )
        stack.enter_context(listed(self.server.url))

    @property
    def count(self) -> int:
        return len(self.server.requests)


@pytest.fixture
def receiver(house: object) -> Iterator[Receiver]:
    with ExitStack() as stack:
        yield Receiver(stack)


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


def broken(actor: Actor, receiver: Receiver, waiting: int) -> str:
    hook = subscribe(actor, receiver.server.url)
    happen(actor, waiting)
    assert delivery.deliver_due(1000) == lanes.BROKEN_AFTER
    return hook


def test_a_backlog_is_not_spent_on_a_dead_endpoint_and_flows_when_it_is_back(
    alice: Actor, receiver: Receiver, moments: Moments
):
    hook = broken(alice, receiver, 40)
    assert lane(hook).probe_at == moments.now + timedelta(seconds=5)
    assert delivery.deliver_due(1000) == 0
    listed_now = alice.get(f"/client/webhooks/{hook}/deliveries?limit=50").get_json()["deliveries"]
    # Events of one moment are told in the order of their numbers, and listed in that of their ids.
    untold = [each for each in listed_now if each["attempts"] == 0]
    assert len(untold) == 40 - lanes.BROKEN_AFTER
    shown = untold[0]
    path = f"/client/webhooks/{hook}/deliveries/{shown['id']}"
    opened = alice.get(path).get_json()["delivery"]
    probe_at = clock.to_text(moments.now + timedelta(seconds=5))
    assert (shown["nextAttemptAt"], opened["nextAttemptAt"]) == (probe_at, probe_at)
    happen(alice)
    moments.pass_by(4.9)
    assert delivery.deliver_due(1000) == 0, "nor by what comes new"
    moments.pass_by(0.1)
    assert delivery.deliver_due(1000) == 1

    receiver.status = "200 OK"
    moments.pass_by(6)
    assert delivery.deliver_due(1000) == 41
    assert (lane(hook).failures, lane(hook).probe_at) == (0, None)
    assert states(hook) == ["DELIVERED"] * 41


def test_the_pause_grows_with_the_outage_to_five_minutes(
    alice: Actor, receiver: Receiver, moments: Moments
):
    hook = broken(alice, receiver, 40)
    pauses = []
    for seconds in (5, 55, 540, 3600):
        moments.pass_by(seconds)
        assert delivery.deliver_due(1000) == 1
        probe_at = lane(hook).probe_at
        assert probe_at is not None
        pauses.append((probe_at - moments.now).total_seconds())
    assert pauses == [5, 15, 150, 300]
    assert [template for template, _ in letters()] == ["webhook_failing"]


def test_three_days_of_single_tries_disable_it_although_no_delivery_is_used_up(
    alice: Actor, receiver: Receiver, moments: Moments
):
    hook = broken(alice, receiver, 400)
    moments.pass_by(72 * 3600)
    assert delivery.deliver_due(1000) == 1
    endpoint = db.session.get_one(WebhookEndpoint, hook, populate_existing=True)
    assert endpoint.disabled_reason == "failing"
    assert set(states(hook)) == {"PENDING"}

    receiver.status = "200 OK"
    alice.call("PATCH", f"/client/webhooks/{hook}", json={"enabled": True})
    assert delivery.deliver_due(1000) == 399, "the last try comes again later"


@pytest.mark.parametrize("asked", ["resend", "test"])
def test_what_its_owner_waits_for_is_tried_at_once_and_before_all_that_waits(
    alice: Actor, receiver: Receiver, moments: Moments, asked: str
):
    hook = broken(alice, receiver, 40)
    path = f"/client/webhooks/{hook}"
    if asked == "test":
        wanted = alice.post(f"{path}/test", {}).get_json()["eventId"]
        happen(alice, 1)
    else:
        newest = select(WebhookDelivery.event_id).order_by(WebhookDelivery.id.desc()).limit(1)
        wanted = db.session.scalars(newest).one()
        assert alice.post(f"{path}/deliveries/{wanted}/resend").status_code == 202
    before = receiver.count

    assert delivery.deliver_due(1000) == 1
    assert f"webhook-id: {wanted}".encode() in receiver.server.requests[before]
    assert delivery.deliver_due(1000) == 0, "one that fails changes nothing about the pause"


def test_ten_failures_in_a_row_and_not_one_less(alice: Actor, receiver: Receiver):
    hook = subscribe(alice, receiver.server.url)
    happen(alice, 9)
    assert delivery.deliver_due(1000) == 9
    assert (lane(hook).failures, lane(hook).probe_at) == (9, None)
    receiver.status = "200 OK"
    happen(alice)
    assert delivery.deliver_due(1000) == 1
    assert lane(hook).failures == 0
    assert db.session.scalars(select(WebhookAttempt.manual)).all() == [False] * 10


def test_another_hand_counts_on(alice: Actor, receiver: Receiver):
    """What is counted stands in the row, so it holds in every process."""
    hook = subscribe(alice, receiver.server.url)
    happen(alice, 30)
    with transaction() as session:
        session.execute(WebhookLane.__table__.update().values(failures=8))
    assert delivery.deliver_due(1) == 1
    assert delivery.deliver_due(1000) == 1
    assert lane(hook).failures == 10
    with clock.frozen(clock.now() + timedelta(seconds=5)):
        assert delivery.deliver_due(1000) == 1
    assert lane(hook).failures == 11
