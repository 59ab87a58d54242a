"""``/client/events?wait=``: a read that answers when there is something to tell."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from protonpay.events import waiting
from protonpay.store import events
from protonpay.store.db import transaction
from protonpay.store.queue import door
from protonpay.webhooks import service as webhooks
from tests.actors import PASSWORD, Actor
from tests.api_keys.keys import make_key, revoke
from tests.event_log.test_reading import read
from tests.refusals import refused
from tests.teams.people import id_of, member
from tests.web.conftest import Away, redis_away

__all__ = ["redis_away"]


def happen(actor: Actor, name: str = "transfer.completed") -> None:
    with transaction():
        events.publish(name, actor.id, {"id": "c1"})
    webhooks.dispatch()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Any]]:
    """What happens between two looks at the log; after that no time passes."""
    acts: list[Callable[[], Any]] = []

    def pause() -> None:
        assert acts, "it waits for nothing more"
        acts.pop(0)()

    monkeypatch.setattr(waiting.room, "pause", pause)
    return acts


@pytest.fixture
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting.room, "pause", lambda: pytest.fail("it waits"))


def turns() -> list[bytes]:
    found: list[bytes] = door.client.keys("events:wait:*")
    return found


def test_it_is_answered_as_soon_as_something_happens(
    alice: Actor, bob: Actor, pauses: list[Callable[[], Any]]
):
    seen = []
    pauses += [
        lambda: happen(bob),
        lambda: seen.extend(turns()),
        lambda: happen(alice),
    ]
    body = read(alice, "?wait=15")
    assert [each["sequence"] for each in body["events"]] == [1]
    assert (body["hasMore"], body["lastSequence"], pauses) == (False, 1, [])
    assert (len(seen), turns()) == (1, [])


def test_it_waits_for_what_was_asked_for(alice: Actor, pauses: list[Callable[[], Any]]):
    pauses += [lambda: happen(alice), lambda: happen(alice, "payout.failed")]
    (told,) = read(alice, "?wait=15&event=payout.failed")["events"]
    assert (told["event"], told["sequence"]) == ("payout.failed", 2)


def test_what_is_there_is_told_at_once(alice: Actor, nobody_waits: None):
    happen(alice)
    assert len(read(alice, "?wait=15")["events"]) == 1
    assert read(alice, "?after=1")["events"] == []


def test_it_ends_when_nothing_happens(alice: Actor):
    began = time.monotonic()
    assert read(alice, "?wait=1") == {"events": [], "hasMore": False, "lastSequence": 0}
    assert time.monotonic() - began >= 1
    assert turns() == []


def test_an_account_waits_once_and_its_other_questions_are_answered_at_once(
    alice: Actor, bob: Actor, pauses: list[Callable[[], Any]]
):
    asked = []
    pauses += [
        lambda: asked.append(read(alice, "?wait=15")["events"]),
        lambda: happen(alice),
    ]
    waiting.room.bind(8)
    try:
        assert len(read(alice, "?wait=15")["events"]) == 1
    finally:
        waiting.room.bind(4)
    assert asked == [[]]


def test_few_wait_in_a_process_whoever_they_are(
    alice: Actor, bob: Actor, pauses: list[Callable[[], Any]]
):
    asked = []
    pauses += [lambda: asked.append(read(bob, "?wait=15")["events"]), lambda: happen(alice)]
    waiting.room.bind(4)
    assert len(read(alice, "?wait=15")["events"]) == 1
    assert asked == [[]]
    assert turns() == []


@pytest.mark.parametrize("who", ["key", "person", "member"])
def test_who_may_no_more_is_not_told_what_happens_after_that(
    house: Flask, alice: Actor, pauses: list[Callable[[], Any]], who: str
):
    asks, ends, status, code = {
        "key": lambda: _by_key(alice),
        "person": lambda: _in_a_session(house, alice),
        "member": lambda: _for_another(house, alice),
    }[who]()
    pauses += [ends, lambda: happen(alice)]
    refused(asks("/client/events?wait=15"), status, code)
    assert (pauses, turns()) == ([], [])


Ends = tuple[Callable[[str], TestResponse], Callable[[], Any], int, str]


def _by_key(alice: Actor) -> Ends:
    key = make_key(alice)
    return key.get, lambda: revoke(alice, key.id), 401, "api_key_invalid"


def _in_a_session(house: Flask, alice: Actor) -> Ends:
    login = {"email": alice.email, "password": PASSWORD}
    token = house.test_client().post("/api/auth/login", json=login).get_json()["token"]
    other = replace(alice, token=token)
    return other.get, lambda: alice.call("DELETE", "/client/sessions"), 401, "token_revoked"


def _for_another(house: Flask, alice: Actor) -> Ends:
    clerk = member(house, alice, "developer")
    path = f"/client/team/members/{id_of(alice, clerk.person)}"
    return clerk.get, lambda: alice.call("DELETE", path), 403, "not_a_member"


def test_nobody_waits_without_redis(alice: Actor, redis_away: Away, nobody_waits: None):
    with redis_away():
        assert read(alice, "?wait=15")["events"] == []


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (4, 1), (8, 2), (16, 4)])
def test_one_of_four_threads_may_be_waited_in(threads: int, places: int):
    room = waiting.Room()
    room.bind(threads)
    held = [room._places.acquire(blocking=False) for _ in range(places + 1)]
    assert held == [True] * places + [False]
