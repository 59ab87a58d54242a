"""Whoever has to do with deliveries does it at once, and nobody is told that the store is busy."""

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import pytest

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Limited
from protonpay.store import db
from protonpay.store import events as log
from protonpay.store.db import transaction
from protonpay.store.lists import Part
from protonpay.users import service as users
from protonpay.webhooks import delivery, history, service
from tests.actors import make_actor
from tests.committed import OpenHouse
from tests.raw_server import answering, http
from tests.webhooks.test_lanes import subscribe
from tests.wire.posting import listed

pytestmark = pytest.mark.slow
ROUNDS = 25
ENDPOINTS = 4

Hook = tuple[str, str]


@pytest.fixture
def hooks(open_house: OpenHouse) -> Iterator[list[Hook]]:
    """Endpoints of three accounts, one of each failing."""
    with ExitStack() as stack:
        good = stack.enter_context(answering(http()))
        bad = stack.enter_context(answering(http(status="500 Broken")))
        stack.enter_context(listed(good.url, bad.url))
        yield [
            (actor.id, subscribe(actor, f"{bad.url if number == 0 else good.url}/{number}"))
            for actor in (make_actor(open_house.app, name) for name in ("Alice", "Bob", "Carol"))
            for number in range(ENDPOINTS)
        ]


def resend(user_id: str, hook: str) -> None:
    due = history.deliveries(user_id, hook, Part(10))
    if due:
        history.resend(user_id, hook, random.choice(due).id)


def recover(user_id: str, hook: str) -> None:
    history.recover(user_id, hook, since=clock.now() - timedelta(hours=1))


def replay(user_id: str, hook: str) -> None:
    history.replay(user_id, hook, after=max(0, log.last_number(user_id) - 20))


def try_it(user_id: str, hook: str) -> None:
    history.send_test(user_id, hook, event="transfer.completed")


def change(user_id: str, hook: str) -> None:
    service.change(user_id, hook, description=str(random.random()), enabled=True)


def act_for(user_id: str, _hook: str) -> None:
    with transaction():
        users.lock(user_id)
        log.publish("transfer.completed", user_id, {"id": "c1"})


ACTS = (resend, resend, recover, recover, replay, try_it, change, act_for, act_for)


def test_everybody_at_once(open_house: OpenHouse, hooks: list[Hook]):
    over = threading.Event()

    def many(act: Callable[[str, str], None]) -> None:
        for _ in range(ROUNDS):
            try:
                act(*random.choice(hooks))
            except (Conflict, Limited):
                db.db.session.remove()  # as its state or its limit wants it

    def ask() -> None:
        try:
            answers = open_house.inside_at_once([partial(many, act) for act in ACTS])
            assert answers == [None] * len(ACTS)
        finally:
            over.set()

    def work(step: Callable[[], int]) -> int:
        return sum(itertools.takewhile(lambda _: not over.is_set(), iter(step, None)))

    deliver = partial(work, delivery.deliver_due)
    asked, told, *made = open_house.inside_at_once(
        [ask, partial(work, service.dispatch), deliver, deliver]
    )
    assert asked is None
    assert told > 0
    assert sum(made) > 0
