"""Numbers of the event log: without gaps, whoever writes and whoever numbers at the same time."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from protonpay.kernel import clock
from protonpay.store import db, events
from protonpay.store.db import release, transaction
from protonpay.webhooks import service as webhooks
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse

WRITERS, EACH = 6, 20


def happen(user_id: str, name: str = "transfer.completed") -> None:
    with transaction():
        events.publish(name, user_id, {"id": "c1"})


def numbers(user_id: str) -> list[int | None]:
    return [row.sequence for row in events.between(user_id, limit=10_000)]


def test_an_account_counts_from_one_and_each_for_itself(alice: Actor, bob: Actor):
    for of in (alice, bob, alice):
        happen(of.id)
    assert numbers(alice.id) == []
    assert (webhooks.dispatch(), webhooks.dispatch()) == (3, 0)
    happen(alice.id)
    assert webhooks.dispatch() == 1
    assert (numbers(alice.id), numbers(bob.id)) == ([1, 2, 3], [1])
    assert (events.last_number(alice.id), events.last_number("nobody")) == (3, 0)


def test_the_oldest_comes_first_however_few_are_taken_at_once(alice: Actor):
    noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    for minute in (2, 0, 3, 1):
        with clock.frozen(noon + timedelta(minutes=minute)):
            happen(alice.id)
    assert [webhooks.dispatch(3), webhooks.dispatch(3)] == [3, 1]
    rows = events.between(alice.id, limit=10)
    assert [(row.sequence, row.happened_at.minute) for row in rows] == [
        *((1, 0), (2, 1), (3, 2), (4, 3)),
    ]


def test_what_is_undone_while_it_is_numbered_leaves_no_gap(alice: Actor):
    def stumble() -> None:
        with transaction():
            assert len(events.number(10)) == 1
            raise LookupError

    happen(alice.id)
    with pytest.raises(LookupError):
        stumble()
    happen(alice.id)
    assert webhooks.dispatch() == 2
    assert numbers(alice.id) == [1, 2]


@pytest.mark.slow
def test_many_writers_and_numberers_at_once_leave_no_gap_and_no_reader_sees_one(
    open_house: OpenHouse,
):
    hot = make_actor(open_house.app, "Hot").id
    left = itertools.count(1)
    seen: list[list[int | None]] = []

    def write() -> None:
        for _ in range(EACH):
            happen(hot)
            next(left)

    def give_numbers() -> None:
        while events.last_number(hot) < WRITERS * EACH:
            webhooks.dispatch(7)
            release()

    def read() -> None:
        while not seen or len(seen[-1]) < WRITERS * EACH:
            seen.append(numbers(hot))
            release()

    works: list[Callable[[], None]] = [*[write] * WRITERS, give_numbers, give_numbers, read]
    assert open_house.inside_at_once(works) == [None] * len(works)
    assert all(found == list(range(1, len(found) + 1)) for found in seen)
    assert len(seen[-1]) == WRITERS * EACH


@pytest.mark.slow
def test_a_hot_account_does_not_wait_for_one_that_takes_long(open_house: OpenHouse):
    """What a counter raised in the posting transaction would make of a busy shop."""
    hot = make_actor(open_house.app, "Hot").id
    with transaction():
        events.publish("transfer.completed", hot, {"id": "slow"})
        ended = open_house.inside_at_once([lambda: happen(hot), webhooks.dispatch])
        assert ended[0] is None
    webhooks.dispatch()
    assert numbers(hot) == [1, 2]
    rows = db.execute("SELECT core FROM events ORDER BY sequence", {}).fetchall()
    assert b"slow" in rows[-1][0] or b"slow" in rows[0][0]
