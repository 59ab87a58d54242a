"""Who asks for a delivery while a worker takes it waits for the worker, and neither is refused."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict
from protonpay.store import db
from protonpay.store import events as log
from protonpay.store.db import transaction
from protonpay.store.lists import Part
from protonpay.users import service as users
from protonpay.webhooks import failing, history, lanes, service
from protonpay.webhooks.delivery import Courier
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.races.test_contention import until_others_wait
from tests.webhooks.test_lanes import happen, states, subscribe

pytestmark = pytest.mark.slow


def test_who_asks_for_a_delivery_holds_none_while_its_lane_is_in_hand(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
):
    alice = make_actor(open_house.app, "Alice")
    hook = subscribe(alice, "https://hooks.example.com/")
    happen(alice)
    (due,) = history.deliveries(alice.id, hook, Part(10))
    execute, in_hand = db.execute, threading.Event()

    def late(statement: str, parameters: Mapping[str, Any]) -> Any:
        if statement == lanes._TAKE:
            in_hand.set()
            until_others_wait(open_house, 1)
        return execute(statement, parameters)

    def take() -> list[str]:
        taken = lanes.take(dict.fromkeys(lanes.claim(1, slow=False), 1))
        return [parcel.event_id for parcel in taken]

    def ask() -> None:
        assert in_hand.wait(30)
        history.resend(alice.id, hook, due.id)

    monkeypatch.setattr(db, "execute", late)
    taken, answer = open_house.inside_at_once([take, ask])

    assert taken == [due.id]
    assert isinstance(answer, Conflict)
    assert answer.code == "state_conflict"


def free_while_one_waits(
    house: OpenHouse, row: str, act: Callable[[], Any], other: str, **of: object
) -> list[Any]:
    """Hold one row while somebody acts who waits for it; say how many of others are free then.

    Args:
        house: where both are.
        row: what is held, as a query that locks it.
        act: what waits for it.
        other: what must be free meanwhile, as a query that does not wait.
        of: what the queries ask for.

    Returns:
        How many rows were free, or the refusal; and what the act returned.
    """
    in_hand = threading.Event()

    def hold() -> int:
        with transaction():
            db.execute(row, of)
            in_hand.set()
            until_others_wait(house, 1)
            return len(db.execute(other, of).fetchall())

    def wait() -> Any:
        assert in_hand.wait(30)
        return act()

    return house.inside_at_once([hold, wait])


LANE = "SELECT FROM webhook_lanes WHERE endpoint_id = %(of)s FOR NO KEY UPDATE"
ENDPOINT = "SELECT FROM webhook_endpoints WHERE id = %(of)s FOR NO KEY UPDATE"
FREE_DELIVERIES = """
    SELECT id FROM webhook_deliveries WHERE endpoint_id = %(of)s FOR NO KEY UPDATE NOWAIT
"""


def test_who_gives_a_delivery_back_has_its_lane_first(open_house: OpenHouse):
    """As everybody does; a lane that is locked meanwhile is waited for with no delivery in hand."""
    alice = make_actor(open_house.app, "Alice")
    hook = subscribe(alice, "https://hooks.example.com/")
    happen(alice)
    (parcel,) = lanes.take(dict.fromkeys(lanes.claim(1, slow=False), 1))

    def give() -> None:
        lanes.give_back([parcel])

    assert free_while_one_waits(open_house, LANE, give, FREE_DELIVERIES, of=hook) == [1, None]
    (back,) = history.deliveries(alice.id, hook, Part(10))
    assert (back.status, back.attempts) == ("PENDING", 0)


def test_who_removes_an_endpoint_cancels_with_its_lane_in_hand(open_house: OpenHouse):
    alice = make_actor(open_house.app, "Alice")
    hook = subscribe(alice, "https://hooks.example.com/")
    happen(alice)

    def remove() -> None:
        service.remove(alice.id, hook)

    assert free_while_one_waits(open_house, LANE, remove, FREE_DELIVERIES, of=hook) == [1, None]
    assert states(hook) == ["CANCELLED"]


def test_who_lets_go_of_one_lane_and_keeps_another_locks_them_in_the_order_everybody_does(
    open_house: OpenHouse,
):
    alice = make_actor(open_house.app, "Alice")
    first, last = _two(alice)
    happen(alice)
    courier = Courier()
    courier._stock_up(5, time.monotonic())
    for lane in courier._lanes.values():
        lane.stock.clear()
        lane.empty = lane.claimed.endpoint_id == last
    free = "SELECT endpoint_id FROM webhook_lanes WHERE endpoint_id = %(last)s FOR UPDATE NOWAIT"

    def stock_up() -> list[str]:
        courier._stock_up(5, time.monotonic())
        return [*courier._lanes]

    asked = free_while_one_waits(open_house, LANE, stock_up, free, of=first, last=last)
    assert asked == [1, [first]]
    courier.close()


def test_endpoints_are_told_in_the_order_everybody_takes_them(open_house: OpenHouse):
    """Whichever event is told first: one waits for the first of them with the last one free."""
    alice = make_actor(open_house.app, "Alice")
    first, last = _two(alice)
    with transaction():
        for audience in (last, first):
            log.publish("transfer.completed", alice.id, {"id": "c1"}, audience=audience)
    free = "SELECT id FROM webhook_endpoints WHERE id = %(last)s FOR UPDATE NOWAIT"

    def tell() -> int:
        return service.dispatch()

    assert free_while_one_waits(open_house, ENDPOINT, tell, free, of=first, last=last) == [1, 2]
    assert (states(first), states(last)) == (["PENDING"], ["PENDING"])


def test_endpoints_that_are_gone_are_disabled_in_the_order_everybody_takes_them(
    open_house: OpenHouse,
):
    alice = make_actor(open_house.app, "Alice")
    first, last = _two(alice)
    free = "SELECT id FROM webhook_endpoints WHERE id = %(last)s FOR UPDATE NOWAIT"

    def disable() -> None:
        with transaction():
            # A plan of many endpoints, which come as they stand on the disk.
            db.execute("SET LOCAL enable_indexscan = off", {})
            db.execute("SET LOCAL enable_bitmapscan = off", {})
            failing.cancel_gone([last, first], clock.now())

    asked = free_while_one_waits(open_house, ENDPOINT, disable, free, of=first, last=last)
    assert asked == [1, None]


def test_who_tries_an_endpoint_does_not_wait_for_who_has_the_account_in_hand(
    open_house: OpenHouse,
):
    """It writes an event of the account with the endpoint in hand: one who waits is waited for."""
    alice = make_actor(open_house.app, "Alice")
    hook = subscribe(alice, "https://hooks.example.com/")
    told = threading.Event()

    def change() -> None:
        with transaction():
            users.lock(alice.id)
            assert told.wait(30)
            service.change(alice.id, hook, description="mine")

    def send() -> None:
        history.send_test(alice.id, hook, event="transfer.completed")
        told.set()

    assert open_house.inside_at_once([change, send]) == [None, None]


def _two(actor: Actor) -> list[str]:
    """Two endpoints, in the order of the database; the first of them was written last."""
    for number in (1, 2):
        subscribe(actor, f"https://hooks.example.com/{number}")
    rows = db.execute("SELECT id FROM webhook_endpoints ORDER BY id", {})
    two = [endpoint_id for (endpoint_id,) in rows]
    service.change(actor.id, two[0], description="written anew")
    return two
