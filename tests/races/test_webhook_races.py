"""Who asks for a delivery while a worker takes it waits for the worker, and neither is refused."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from protonpay.kernel.errors import Conflict
from protonpay.store import db
from protonpay.store.db import transaction
from protonpay.store.lists import Part
from protonpay.webhooks import history, lanes
from tests.actors import make_actor
from tests.committed import OpenHouse
from tests.races.test_contention import until_others_wait
from tests.webhooks.test_lanes import happen, subscribe

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


def test_who_gives_a_delivery_back_has_its_lane_first(open_house: OpenHouse):
    """As everybody does; a lane that is locked meanwhile is waited for with no delivery in hand."""
    alice = make_actor(open_house.app, "Alice")
    hook = subscribe(alice, "https://hooks.example.com/")
    happen(alice)
    (parcel,) = lanes.take(dict.fromkeys(lanes.claim(1, slow=False), 1))
    free = "SELECT id FROM webhook_deliveries WHERE endpoint_id = %(of)s FOR UPDATE NOWAIT"
    in_hand = threading.Event()

    def hold() -> int:
        with transaction():
            lanes.lock([hook])
            in_hand.set()
            until_others_wait(open_house, 1)
            return len(db.execute(free, {"of": hook}).fetchall())

    def give() -> None:
        assert in_hand.wait(30)
        lanes.give_back([parcel])

    assert open_house.inside_at_once([hold, give]) == [1, None]
    (back,) = history.deliveries(alice.id, hook, Part(10))
    assert (back.status, back.attempts) == ("PENDING", 0)
