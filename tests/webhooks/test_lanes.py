"""Lanes: who is in front of whom, and what a slow receiver takes from others."""

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.store import events
from protonpay.store.db import db, transaction
from protonpay.webhooks import delivery, lanes, service
from protonpay.webhooks.delivery import Courier
from protonpay.webhooks.models import WebhookDelivery, WebhookLane
from tests.actors import Actor, make_actor
from tests.moments import Moments
from tests.raw_server import RawServer, answering, http, silence
from tests.wire.hostile import for_ever
from tests.wire.posting import CHUNKED, HEAD, listed


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def subscribe(actor: Actor, url: str) -> str:
    order = {"url": url, "events": ["transfer.completed"]}
    made: str = actor.post("/client/webhooks", order).get_json()["webhook"]["id"]
    return made


def happen(actor: Actor, times: int = 1) -> None:
    with transaction():
        for _ in range(times):
            events.publish("transfer.completed", actor.id, {"id": "c1"})
    service.dispatch()


def lane(endpoint_id: str) -> WebhookLane:
    return db.session.get_one(WebhookLane, endpoint_id, populate_existing=True)


def states(endpoint_id: str) -> list[str]:
    of = select(WebhookDelivery.state).where(WebhookDelivery.endpoint_id == endpoint_id)
    return list(db.session.scalars(of.order_by(WebhookDelivery.id)))


def gather(courier: Courier, server: RawServer, count: int) -> None:
    """Let a courier work until a server was asked so often."""
    until = time.monotonic() + 10
    while len(server.requests) < count:
        courier.step(0.05)
        assert time.monotonic() < until, f"{len(server.requests)} of {count}"


def test_many_deliveries_to_one_widen_its_lane_and_all_arrive_in_order(
    alice: Actor, stack: ExitStack
):
    server = stack.enter_context(answering(http()))
    stack.enter_context(listed(server.url))
    hook = subscribe(alice, f"{server.url}/hook")
    happen(alice, 30)
    assert delivery.deliver_due(100) == 30
    assert states(hook) == ["DELIVERED"] * 30
    assert (lane(hook).width, lane(hook).due_at, lane(hook).leased_until) == (5, None, None)
    assert len(server.requests) == 30


def test_ten_that_hang_take_one_thread_each_and_others_go_on(
    house: object, alice: Actor, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
):
    hanging = [stack.enter_context(answering(silence)) for _ in range(10)]
    well = stack.enter_context(answering(http()))
    stack.enter_context(listed(well.url, *(server.url for server in hanging)))
    hooks = [subscribe(alice, server.url) for server in hanging]
    other = make_actor(house, "Other")  # type: ignore[arg-type]
    healthy = subscribe(other, well.url)
    happen(alice, 3)
    courier = Courier()
    courier.step(0.05)
    for number in range(1, 6):
        happen(other)
        courier.ring()
        gather(courier, well, number)
    assert sum(len(server.requests) for server in hanging) == 10, "one at a time of each"
    assert states(healthy)[:4] == ["DELIVERED"] * 4
    for server in hanging:
        server._over.set()
    courier.close()
    assert all(lane(hook).leased_until is None for hook in hooks)
    assert all(state == "PENDING" for hook in hooks for state in states(hook))


def test_an_account_has_twenty_threads_at_most(alice: Actor, stack: ExitStack):
    server = stack.enter_context(answering(silence))
    stack.enter_context(listed(server.url))
    for number in range(20):
        subscribe(alice, f"{server.url}/{number}")
    happen(alice, 4)
    with transaction() as session:
        session.execute(WebhookLane.__table__.update().values(width=5))
    courier = Courier()
    courier.step(0.05)
    assert courier.begun == 20
    server._over.set()
    courier.close()


def test_slow_ones_get_half_of_the_threads(alice: Actor, stack: ExitStack):
    server = stack.enter_context(answering(silence))
    stack.enter_context(listed(server.url))
    for number in range(6):
        subscribe(alice, f"{server.url}/{number}")
    happen(alice)
    with transaction() as session:
        session.execute(WebhookLane.__table__.update().values(slow=True))
    courier = Courier(slots=4)
    courier.step(0.05)
    courier.step(0.05)
    assert courier.begun == 2
    server._over.set()
    courier.close()


@pytest.mark.checklist(104)
def test_a_courier_among_hostile_receivers_stays_small(alice: Actor, stack: ExitStack):
    acts = (
        for_ever(HEAD + b"\r\n" + b"x" * 65_536),
        HEAD + b"X: 1\r\n" * 10_000 + b"\r\n",
        for_ever(b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000),
        for_ever(CHUNKED + b"1\r\nx\r\n" * 10_000),
    )
    servers = [stack.enter_context(answering(act)) for act in acts]
    stack.enter_context(listed(*(server.url for server in servers)))
    hooks = [subscribe(alice, server.url) for server in servers]
    happen(alice, 5)
    delivery.deliver_due(4)  # what is made once is no growth
    tracemalloc.start()
    try:
        # However long it takes, nothing is due again.
        with clock.frozen(clock.now()):
            assert delivery.deliver_due(100) == 16
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000
    assert all(state == "PENDING" for hook in hooks for state in states(hook))


def test_whoever_makes_a_delivery_due_makes_its_lane_due(alice: Actor):
    hook = subscribe(alice, "https://hooks.example.com/")
    happen(alice)
    row = db.session.scalars(select(WebhookDelivery)).one()
    soon = clock.now() + timedelta(hours=1)
    for state, due, expected in (
        ("DELIVERED", row.due_at, None),
        ("PENDING", soon, soon),
        ("PENDING", soon - timedelta(minutes=1), soon - timedelta(minutes=1)),
    ):
        with transaction() as session:
            session.execute(WebhookLane.__table__.update().values(due_at=None))
            session.execute(WebhookDelivery.__table__.update().values(state=state, due_at=due))
        assert lane(hook).due_at == expected


def test_a_lane_let_go_is_due_with_its_first_delivery(alice: Actor):
    hook = subscribe(alice, "https://hooks.example.com/")
    happen(alice, 2)
    (claimed,) = lanes.claim(5, slow=False)
    assert lanes.claim(5, slow=False) == []
    first, second = lanes.take({claimed: 2})
    lanes.give_back([second])
    lanes.let_go([claimed])
    row = db.session.get_one(WebhookDelivery, second.delivery_id, populate_existing=True)
    assert (row.attempts, row.leased_until) == (0, None)
    assert lane(hook).due_at == row.due_at
    (again,) = lanes.claim(5, slow=False)
    assert again.fence == claimed.fence + 1
    assert lanes.take({claimed: 5}) == [], "it is not ours any more"
    assert [parcel.delivery_id for parcel in lanes.take({again: 5})] == [second.delivery_id]
    lanes.let_go([again])
    due = lane(hook).due_at
    assert due is not None
    assert due > clock.now() + timedelta(seconds=40), "two are in somebody's hands"
    assert first.delivery_id != second.delivery_id


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


def throttled(actor: Actor, url: str, most: int | None) -> str:
    hook = subscribe(actor, url)
    path = f"/client/webhooks/{hook}"
    assert actor.call("PATCH", path, json={"throttlePerSecond": most}).status_code == 200
    return hook


def test_a_throttled_endpoint_is_told_so_many_a_second_whoever_serves_it(
    alice: Actor, stack: ExitStack, moments: Moments
):
    server = stack.enter_context(answering(http()))
    stack.enter_context(listed(server.url))
    hook = throttled(alice, server.url, 3)
    happen(alice, 8)

    assert delivery.deliver_due(100) == 3
    assert delivery.deliver_due(100) == 0
    assert lane(hook).due_at == moments.now + timedelta(seconds=1)
    moments.pass_by(0.9)
    assert delivery.deliver_due(100) == 0
    moments.pass_by(0.1)
    assert delivery.deliver_due(100) == 3
    moments.pass_by(1)
    assert delivery.deliver_due(100) == 2
    assert states(hook) == ["DELIVERED"] * 8
    assert lane(hook).due_at is None
    attempts = db.session.scalars(select(WebhookDelivery.attempts))
    assert set(attempts) == {1}, "waiting is no attempt"


def test_a_throttle_holds_up_nobody_else_and_ends_with_it(
    alice: Actor, stack: ExitStack, moments: Moments
):
    servers = [stack.enter_context(answering(http())) for _ in range(2)]
    stack.enter_context(listed(*(server.url for server in servers)))
    slow = throttled(alice, servers[0].url, 1)
    subscribe(alice, servers[1].url)
    happen(alice, 5)

    assert delivery.deliver_due(100) == 6
    assert [len(server.requests) for server in servers] == [1, 5]
    path = f"/client/webhooks/{slow}"
    assert alice.call("PATCH", path, json={"throttlePerSecond": None}).status_code == 200
    moments.pass_by(1)
    assert delivery.deliver_due(100) == 4
    assert [len(server.requests) for server in servers] == [5, 5]


def test_who_waits_for_a_throttle_looks_again_as_soon_as_it_lets_one_through(
    alice: Actor, stack: ExitStack
):
    server = stack.enter_context(answering(http()))
    stack.enter_context(listed(server.url))
    throttled(alice, server.url, 20)
    happen(alice, 12)
    courier, looks = Courier(), 0
    began = time.monotonic()
    while len(server.requests) < 12:
        while courier.step(0.05):
            pass
        courier.wait(30)
        looks += 1
    took = time.monotonic() - began
    courier.close()
    assert 2 <= looks < 12
    assert 0.3 < took < 20, "neither faster than it may be nor after the next look by itself"
