"""What happened in an account is there to be read, once by each person."""

from datetime import timedelta

import pytest
from flask import Flask

from protonpay.kernel import ids
from protonpay.notifications import service
from protonpay.notifications.service import Reader
from tests.actors import Actor
from tests.moments import Moments
from tests.notifications.happenings import disable, fail, happen, hold, hook, read, seen, unread
from tests.overview.test_lists import everything
from tests.refusals import refused
from tests.teams.people import member
from tests.unchanged import nothing_changes

THREE = ("deposit.confirmed", "payout.failed", "invoice.paid")


def test_what_happened_is_there_newest_first_and_unread(alice: Actor):
    first, *_ = happen(alice, *THREE)

    newest, between, oldest = seen(alice)

    assert [one["kind"] for one in (newest, between, oldest)] == list(reversed(THREE))
    assert (oldest["id"], oldest["sequence"]) == (first, 1)
    assert (oldest["standing"], oldest["read"]) == (False, False)
    event = alice.get(f"/client/events/{first}").get_json()["event"]
    assert (oldest["data"], oldest["createdAt"]) == (event["data"], event["timestamp"])
    assert unread(alice) == 3


def test_one_is_read_and_the_others_are_not(alice: Actor):
    first, second, _ = happen(alice, *THREE)
    assert read(alice, ids=[second]) == 2
    assert read(alice, ids=[second]) == 2, "a repeat changes nothing"
    assert {one["id"]: one["read"] for one in seen(alice)}[second] is True
    assert second not in {one["id"] for one in seen(alice, show="unread")}
    assert first in {one["id"] for one in seen(alice, show="unread")}
    assert unread(alice) == 2


def test_all_are_read_and_what_comes_later_is_not(alice: Actor):
    happen(alice, *THREE)
    hold(alice)
    assert read(alice) == 0
    assert seen(alice, show="unread") == []
    assert all(one["read"] for one in seen(alice))
    (later,) = happen(alice, "payout.completed")
    assert [one["id"] for one in seen(alice, show="unread")] == [later]
    assert unread(alice) == 1


def test_what_came_after_the_page_was_made_stays_unread(alice: Actor):
    happen(alice, *THREE[:2])
    held = hold(alice)
    (later,) = happen(alice, THREE[2])
    assert read(alice, upTo=2) == 2
    assert {one["id"] for one in seen(alice, show="unread")} == {held, later}
    assert read(alice, upTo=1) == 2, "nobody unreads"
    assert read(alice, upTo=10**11, ids=[held]) == 0
    happen(alice, "payout.completed")
    assert unread(alice) == 1, "what had not happened yet was not read"


def test_each_person_has_read_what_they_have_read(house: Flask, alice: Actor):
    happen(alice, *THREE)
    acting = member(house, alice, "viewer")
    assert unread(acting) == unread(alice) == 3
    assert read(acting, upTo=2) == 1
    assert (unread(alice), unread(acting.person)) == (3, 0)
    assert read(alice) == 0
    assert unread(acting) == 1


def test_what_a_member_reads_is_no_act_of_theirs(house: Flask, alice: Actor):
    acting = member(house, alice, "admin")
    happen(alice, *THREE)
    read(acting)
    assert acting.get("/client/team/acts").get_json()["acts"] == []


def test_who_may_not_open_keys_and_endpoints_is_not_told_of_them(house: Flask, alice: Actor):
    fail(hook(alice))
    disable(hook(alice, url="https://example.com/other"), "failing")
    held = hold(alice)
    viewer, developer = member(house, alice, "viewer"), member(house, alice, "developer", "Dora")
    assert [one["id"] for one in seen(viewer)] == [held]
    assert (len(seen(developer)), unread(developer), unread(viewer)) == (3, 3, 1)


def test_strangers_see_nothing_and_read_nothing(alice: Actor, mallory: Actor):
    told = happen(alice, *THREE)
    held = hold(alice)
    with nothing_changes():
        assert seen(mallory) == []
        assert read(mallory, ids=[*told, held, ids.new_event_id()]) == 0
    assert unread(alice) == 4


def test_pages_hold_each_once(alice: Actor):
    told = happen(alice, *THREE, "payout.completed")
    fail(hook(alice))
    held = [hold(alice) for _ in range(3)]
    whole = [one["id"] for one in seen(alice)]
    assert set(whole[:4]) >= set(held)
    assert whole[4:] == list(reversed(told))
    for limit in (1, 2, 3, 100):
        assert everything(alice, "notifications", limit=limit) == whole
    read(alice, ids=[whole[1], whole[5]])
    left = [one for one in whole if one not in {whole[1], whole[5]}]
    assert everything(alice, "notifications", limit=2, show="unread") == left
    assert everything(alice, "notifications", limit=2, show="standing") == whole[:4]


def test_a_test_of_an_endpoint_is_nothing_to_be_seen(alice: Actor):
    happen(alice, "deposit.confirmed", audience=hook(alice))
    assert (seen(alice), unread(alice)) == ([], 0)


def test_after_ninety_days_it_is_history(alice: Actor, moments: Moments):
    happen(alice, *THREE)
    moments.pass_by((service.KEPT - timedelta(seconds=1)).total_seconds())
    reader = Reader(alice.id, alice.id)
    assert (len(service.listed(reader, service.Part(9))), service.unread(reader)) == (3, 3)
    moments.pass_by(2)
    assert (service.listed(reader, service.Part(9)), service.unread(reader)) == ([], 0)


def test_the_count_ends_at_a_hundred(alice: Actor):
    happen(alice, *["deposit.confirmed"] * 101)
    hold(alice)
    assert unread(alice) == 100
    assert read(alice, upTo=1) == 100
    assert read(alice, upTo=3) == 99


@pytest.mark.parametrize("query", ["show=read", "show=", "limit=0", "cursor=x", "from=2026-01-01"])
def test_a_query_that_means_nothing_is_refused(alice: Actor, query: str):
    assert alice.get(f"/client/notifications?{query}").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        *({"ids": []}, {"ids": ["x"]}, {"ids": "evt_c12345678"}, {"ids": ["c12345678"] * 101}),
        *({"upTo": -1}, {"upTo": 1.5}, {"upTo": "2"}, {"upTo": 10**12}, {"all": True}),
    ],
)
def test_what_cannot_have_been_read_is_refused(alice: Actor, body: object):
    happen(alice, *THREE)
    with nothing_changes():
        refused(alice.post("/client/notifications/read", body), 400, "validation_error")
