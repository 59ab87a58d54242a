"""``/client/events``: the log of an account, read by number."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from protonpay.kernel import clock, ids
from protonpay.kernel.events import core_bytes
from protonpay.store import events
from protonpay.store.db import transaction
from protonpay.store.events import EventRow
from protonpay.webhooks import service as webhooks
from tests.actors import Actor
from tests.refusals import refused

NOON = datetime(2026, 3, 14, 12, 30, 15, tzinfo=UTC)
NAMES = ("transfer.completed", "payout.failed", "transfer.completed", "invoice.paid")
DATA = {"id": "c1", "amount": "25.00", "note": "Жанна ☕", "a": [1, None, True], "confirmations": 3}


@pytest.fixture
def told(alice: Actor, bob: Actor) -> list[EventRow]:
    """Four events of Alice, and one of Bob in between."""
    for number, name in enumerate(NAMES):
        with clock.frozen(NOON), transaction():
            events.publish(name, alice.id, DATA | {"id": f"c{number}"})
            if number == 1:
                events.publish("kyc.approved", bob.id, {"id": "of Bob"})
    webhooks.dispatch()
    return list(events.between(alice.id, limit=10))


def read(actor: Actor, query: str = "") -> dict[str, Any]:
    answer = actor.get(f"/client/events{query}")
    assert answer.status_code == 200, answer.get_json()
    body: dict[str, Any] = answer.get_json()
    return body


def test_an_event_is_told_with_its_number_and_as_its_bytes_say_it(
    alice: Actor, told: list[EventRow]
):
    body = read(alice)
    assert [each["sequence"] for each in body["events"]] == [1, 2, 3, 4]
    assert (body["hasMore"], body["lastSequence"]) == (False, 4)
    by_id = {row.id: row for row in told}
    for each in body["events"]:
        row = by_id[each["id"]]
        assert (each["event"], each["timestamp"]) == (row.name, "2026-03-14T12:30:15Z")
        again = {name: each[name] for name in ("event", "data", "timestamp")}
        printed = json.dumps(again, ensure_ascii=False, separators=(",", ":"))
        assert printed.encode() == row.core == core_bytes(row.name, each["data"], NOON)
        assert alice.get(f"/client/events/{row.id}").get_json() == {"event": each}


def test_the_log_goes_on_after_a_number(alice: Actor, told: list[EventRow]):
    first = read(alice, "?limit=3")
    assert ([each["sequence"] for each in first["events"]], first["hasMore"]) == ([1, 2, 3], True)
    rest = read(alice, "?after=3&limit=3")
    assert ([each["sequence"] for each in rest["events"]], rest["hasMore"]) == ([4], False)
    for beyond in ("4", "999999999999999999"):
        assert read(alice, f"?after={beyond}") == {
            "events": [],
            "hasMore": False,
            "lastSequence": 4,
        }


def test_the_log_is_read_back_from_its_newest(alice: Actor, told: list[EventRow]):
    first = read(alice, "?order=desc&limit=3")
    assert [each["sequence"] for each in first["events"]] == [4, 3, 2]
    assert (first["hasMore"], first["lastSequence"]) == (True, 4)
    rest = read(alice, "?order=desc&before=2&limit=3")
    assert ([each["sequence"] for each in rest["events"]], rest["hasMore"]) == ([1], False)
    kind = read(alice, "?order=desc&event=transfer.completed")["events"]
    assert kind == read(alice, "?event=transfer.completed")["events"][::-1]
    assert read(alice, "?order=desc&before=1")["events"] == []


def test_a_part_is_the_same_from_either_end(alice: Actor, told: list[EventRow]):
    for order, all_of_it, first in (("asc", [2, 3], [2]), ("desc", [3, 2], [3])):
        part = f"?order={order}&after=1&before=4"
        assert [each["sequence"] for each in read(alice, part)["events"]] == all_of_it
        begun = read(alice, f"{part}&limit=1")
        assert ([each["sequence"] for each in begun["events"]], begun["hasMore"]) == (first, True)
        assert read(alice, f"?order={order}&after=2&before=3")["events"] == []


def test_one_kind_of_event_can_be_asked_for(alice: Actor, told: list[EventRow]):
    first, second = [row.sequence for row in told if row.name == "transfer.completed"]
    body = read(alice, "?event=transfer.completed&limit=1")
    assert ([each["sequence"] for each in body["events"]], body["hasMore"]) == ([first], True)
    rest = read(alice, f"?event=transfer.completed&after={first}")
    assert ([each["sequence"] for each in rest["events"]], rest["hasMore"]) == ([second], False)


def test_the_events_of_one_thing_can_be_asked_for(
    alice: Actor, bob: Actor, mallory: Actor, told: list[EventRow]
):
    with transaction():
        events.publish("invoice.paid", alice.id, DATA | {"id": "c1"})
    webhooks.dispatch()
    [first] = [each["sequence"] for each in read(alice)["events"] if each["data"]["id"] == "c1"][:1]
    of_one = [each["sequence"] for each in read(alice, "?object=c1")["events"]]
    assert of_one == [first, 5]
    back = read(alice, "?object=c1&order=desc&before=5&limit=1")
    assert ([each["sequence"] for each in back["events"]], back["hasMore"]) == ([first], False)
    named = read(alice, "?object=c1&event=invoice.paid")["events"]
    assert [each["sequence"] for each in named] == [5]
    for nobodys in ("of%20Bob", "c9", "%25"):
        assert read(alice, f"?object={nobodys}")["events"] == []
    assert read(mallory, "?object=c1")["events"] == []
    for wrong in ("", "c" * 65):
        refused(alice.get(f"/client/events?object={wrong}"), 400, "validation_error")


def test_what_has_no_number_yet_is_not_in_the_log(alice: Actor):
    with transaction():
        events.publish("kyc.approved", alice.id, {"id": "c1"})
    assert read(alice) == {"events": [], "hasMore": False, "lastSequence": 0}


def test_a_log_is_its_owners(alice: Actor, mallory: Actor, told: list[EventRow]):
    assert read(mallory)["events"] == []
    refused(mallory.get(f"/client/events/{told[0].id}"), 404, "not_found")
    refused(alice.get(f"/client/events/{ids.new_event_id()}"), 404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        *("after=-1", "after=1.0", "after=", "after=1e3", "after=٣", "after=1234567890123456789"),
        *("wait=0", "wait=16", "wait=1.5", "wait=", "wait=x"),
        *("limit=0", "limit=101", "event=nothing", "event=", "after=1&after=2", "cursor=x"),
        *("order=up", "order=", "before=", "before=-1", "before=1.0", "order=desc&wait=16"),
    ],
)
def test_a_query_that_means_nothing_is_400(alice: Actor, query: str):
    refused(alice.get(f"/client/events?{query}"), 400, "validation_error")
