"""An endpoint that fails: who is told of it, and when nothing more is sent."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from protonpay.kernel import clock
from protonpay.mail import writing
from protonpay.mail.models import LetterRow
from protonpay.store import events
from protonpay.store.db import db, transaction
from protonpay.store.secrets import safe
from protonpay.webhooks import delivery, failing, lanes, service
from protonpay.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookLane
from protonpay.webhooks.recording import Met, record
from protonpay.wire.outbound import Outcome
from tests.actors import Actor

START = datetime(2026, 3, 14, 12, tzinfo=UTC)
OK = Outcome(delivered=True, status=200, code="delivered", head="", milliseconds=1)
NO = Outcome(delivered=False, status=500, code="http_error", head="", milliseconds=1)
BLOCKED = Outcome(delivered=False, status=None, code="blocked_address", head="", milliseconds=1)


@pytest.fixture
def hook(alice: Actor) -> str:
    order = {"url": "https://hooks.example.com/", "events": ["transfer.completed"]}
    made: str = alice.post("/client/webhooks", order).get_json()["webhook"]["id"]
    return made


def happen(actor: Actor, at: datetime) -> None:
    with clock.frozen(at):
        with transaction():
            events.publish("transfer.completed", actor.id, {"id": "c1"})
        service.dispatch()


def attempt(at: datetime, outcome: Outcome, number: int = 1) -> None:
    """Let the one delivery that is due end so, as if for the n-th time."""
    with clock.frozen(at):
        taken = lanes.take(dict.fromkeys(lanes.claim(1, slow=False), 1))
        (parcel,) = taken
        row = db.session.get_one(WebhookDelivery, parcel.delivery_id)
        with transaction() as session:
            session.execute(
                text("UPDATE webhook_deliveries SET attempts = :number WHERE id = :id"),
                {"number": number, "id": row.id},
            )
        seen = lanes.Parcel(
            **{
                **{name: getattr(parcel, name) for name in parcel.__slots__},
                "number": number,
            }
        )
        failing.judge(record([Met(seen, at, outcome)]), clock.now())
        with transaction():
            db.session.execute(text("UPDATE webhook_lanes SET leased_until = NULL"))
            db.session.execute(
                text("UPDATE webhook_deliveries SET due_at = :at WHERE state = 'PENDING'"),
                {"at": at},
            )


def letters() -> list[tuple[str, dict[str, Any]]]:
    of_webhooks = select(LetterRow).where(LetterRow.template.startswith("webhook_"))
    rows = db.session.scalars(of_webhooks.order_by(LetterRow.created_at)).all()
    return [(row.template, json.loads(safe.open(row.content, "letter"))["values"]) for row in rows]


def endpoint(endpoint_id: str) -> WebhookEndpoint:
    return db.session.get_one(WebhookEndpoint, endpoint_id, populate_existing=True)


def lane(endpoint_id: str) -> WebhookLane:
    return db.session.get_one(WebhookLane, endpoint_id, populate_existing=True)


def test_the_fourth_failure_warns_once_until_something_succeeds(alice: Actor, hook: str):
    happen(alice, START)
    attempt(START, NO)
    assert (letters(), lane(hook).failing_since) == ([], START)
    for minutes, number in ((1, 4), (2, 4)):
        attempt(START + timedelta(minutes=minutes), NO, number)
    expected = {
        "name": "Alice",
        "url": "https://hooks.example.com/",
        "since": "2026-03-14T12:00:00Z",
    }
    assert letters() == [("webhook_failing", expected)]
    attempt(START + timedelta(minutes=3), OK, 5)
    assert (lane(hook).failing_since, lane(hook).warned_at) == (None, None)


@pytest.mark.parametrize(
    ("age", "number", "reason"),
    [
        (timedelta(hours=72), 10, "failing"),
        (timedelta(hours=72) - timedelta(seconds=1), 10, None),
        (timedelta(days=9), 9, None),
    ],
)
def test_nothing_but_failures_for_three_days_and_one_given_up_disables(
    alice: Actor, hook: str, age: timedelta, number: int, reason: str | None
):
    happen(alice, START)
    attempt(START, NO)
    attempt(START + age, NO, number)
    assert endpoint(hook).disabled_reason == reason
    assert [template for template, _ in letters()] == (
        ["webhook_disabled_failing"] if reason else []
    )


def test_a_success_in_between_forgives(alice: Actor, hook: str):
    happen(alice, START)
    happen(alice, START)
    attempt(START, NO)
    attempt(START + timedelta(hours=1), OK)
    attempt(START + timedelta(hours=80), NO, 10)
    assert endpoint(hook).enabled


@pytest.mark.parametrize(("hours", "reason"), [(23, None), (24, "blocked_address")])
def test_an_address_that_is_blocked_for_a_day_disables(
    alice: Actor, hook: str, hours: int, reason: str | None
):
    happen(alice, START)
    attempt(START, BLOCKED)
    attempt(START + timedelta(hours=hours), BLOCKED, 2)
    assert endpoint(hook).disabled_reason == reason


def test_being_blocked_now_and_then_is_only_a_failure(alice: Actor, hook: str):
    happen(alice, START)
    attempt(START, BLOCKED)
    attempt(START + timedelta(hours=1), NO, 2)
    attempt(START + timedelta(hours=24), BLOCKED, 3)
    assert endpoint(hook).enabled


def test_it_is_an_event_of_the_account_and_what_waited_goes_on_once_it_is_enabled(
    alice: Actor, hook: str
):
    happen(alice, START)
    happen(alice, START)
    attempt(START, NO)
    end = START + timedelta(hours=76)
    attempt(end, NO, 10)
    with clock.frozen(end):
        service.dispatch()
        told = alice.get("/client/events?event=webhook.disabled").get_json()["events"]
    assert [each["data"] for each in told] == [
        {
            "id": hook,
            "userId": alice.id,
            "url": "https://hooks.example.com/",
            "disabledReason": "failing",
            "disabledAt": "2026-03-17T16:00:00Z",
        }
    ]
    states = select(WebhookDelivery.state).order_by(WebhookDelivery.state)
    assert db.session.scalars(states).all() == ["EXHAUSTED", "PENDING"]
    with clock.frozen(end + timedelta(days=13)):
        assert (delivery.deliver_due(), failing.give_up()) == (0, 0)
    alice.call("PATCH", f"/client/webhooks/{hook}", json={"enabled": True})
    assert lane(hook).failing_since is None
    assert len(lanes.claim(5, slow=False)) == 1


def test_after_two_weeks_what_waits_for_a_disabled_one_is_given_up(alice: Actor, hook: str):
    happen(alice, START)
    with clock.frozen(START):
        alice.call("PATCH", f"/client/webhooks/{hook}", json={"enabled": False})
    found = []
    for days in (14, 15):
        with clock.frozen(START + timedelta(days=days)):
            found.append(failing.give_up())
    assert found == [0, 1]
    assert db.session.scalars(select(WebhookDelivery.state)).all() == ["CANCELLED"]


def test_the_lane_of_a_removed_one_is_not_looked_at_for_ever(alice: Actor, hook: str):
    happen(alice, START)
    assert failing.close_lanes() == 0
    alice.call("DELETE", f"/client/webhooks/{hook}")
    assert lane(hook).due_at is not None
    assert [failing.close_lanes(), failing.close_lanes()] == [1, 0]
    assert lane(hook).due_at is None


@pytest.mark.parametrize("reason", ["gone", "failing", "blocked_address"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_letter_says_why(language: str, reason: str):
    values = {"name": "A", "url": "https://x.example.com/"}
    name = f"webhook_disabled_{reason}"
    letter = writing.write("cm1", name, "a@b.c", language, values, test=False)
    said = {"gone": "410", "blocked_address": "24", "failing": r"three days|Три дня"}[reason]
    assert re.search(said, letter.text)
