"""What YooKassa's simulator tells of, to whom, and for how long it keeps telling."""

import json
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pytest

from tests.patience import until
from tests.sandbox.yookassa_client import (
    DAY,
    HOUR,
    MODULE,
    OPTIONS,
    call,
    created,
    fetched,
    press,
    refund,
)
from tests.simulators import Receiver, Simulator, running


@pytest.fixture(scope="module")
def shop() -> Iterator[Simulator]:
    with running(MODULE, *OPTIONS) as simulator:
        yield simulator


@pytest.fixture
def receiver(shop: Simulator) -> Iterator[Receiver]:
    receiver = Receiver()
    shop.pull("notifications", url=f"{receiver.url}/cb")
    yield receiver
    shop.pull("notifications", url="")
    receiver.close()


def told(receiver: Receiver, payment: dict[str, Any], count: int = 1) -> list[dict[str, Any]]:
    """Return what was notified about a payment, once there is as much."""

    def of_payment() -> list[dict[str, Any]]:
        all_said = [json.loads(callback.body) for callback in receiver.at("/cb")]
        return [
            said
            for said in all_said
            if payment["id"] in (said["object"]["id"], said["object"].get("payment_id"))
        ]

    return until(lambda: said if len(said := of_payment()) >= count else None)  # type: ignore[no-any-return]


@pytest.fixture
def at_once(shop: Simulator) -> Simulator:
    """The shop, whose next payment is told of without delay."""
    shop.pull("script", delay_ms=0)
    return shop


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        ("paid", "payment.succeeded"),
        ("declined", "payment.canceled"),
        ("cancelled", "payment.canceled"),
    ],
)
def test_each_end_is_told_with_the_payment_as_it_is(at_once, receiver, outcome, event):
    payment = created(at_once)
    press(payment, outcome)
    (said,) = told(receiver, payment)
    assert said == {"type": "notification", "event": event, "object": fetched(at_once, payment)}


def test_nothing_signs_a_notification(at_once, receiver):
    press(created(at_once))
    (callback,) = receiver.wait_for(1, "/cb")
    assert callback.headers["content-type"] == "application/json"
    assert not [name for name in callback.headers if "sign" in name or "auth" in name]


def test_a_page_that_nobody_used_for_an_hour_is_told_of(at_once, receiver):
    payment = created(at_once)
    at_once.pull("clock", advance_seconds=HOUR)
    (said,) = told(receiver, payment)
    assert said["event"] == "payment.canceled"
    assert said["object"]["cancellation_details"] == {
        "party": "yoo_money",
        "reason": "expired_on_confirmation",
    }


def test_what_is_held_is_told_of_and_so_is_what_follows(at_once, receiver):
    payment = created(at_once, capture=False)
    press(payment)
    (held,) = told(receiver, payment)
    assert held["event"] == "payment.waiting_for_capture"
    assert held["object"]["status"] == "waiting_for_capture"
    call(at_once, f"payments/{payment['id']}/capture", {})
    said = told(receiver, payment, 2)
    assert [one["event"] for one in said] == ["payment.waiting_for_capture", "payment.succeeded"]


def test_a_hold_that_lapses_is_told_of(at_once, receiver):
    payment = created(at_once, capture=False)
    press(payment)
    told(receiver, payment)
    at_once.pull("clock", advance_seconds=7 * DAY)
    _, lapsed = told(receiver, payment, 2)
    assert (lapsed["event"], lapsed["object"]["cancellation_details"]["reason"]) == (
        *("payment.canceled", "expired_on_capture"),
    )


def test_a_refund_is_told_as_an_object_of_its_own(at_once, receiver):
    payment = created(at_once)
    press(payment)
    told(receiver, payment)
    given = call(at_once, "refunds", refund(payment, "10.00")).json()
    _, said = told(receiver, payment, 2)
    assert said == {"type": "notification", "event": "refund.succeeded", "object": given}


@pytest.mark.parametrize("status", [500, 201, 204, 302, 404])
def test_only_200_is_delivered_and_all_else_comes_again(at_once, receiver, status):
    receiver.refuse("/cb", status)
    payment = created(at_once)
    press(payment)
    told(receiver, payment)
    until(lambda: at_once.look("callbacks", payment=payment["id"])[0]["attempts"])
    at_once.pull("clock", advance_seconds=42)
    first, second = told(receiver, payment, 2)
    assert first == second
    until(lambda: at_once.look("callbacks", payment=payment["id"])[0]["result"] == "SUCCESS")
    at_once.pull("clock", advance_seconds=2 * DAY)
    assert len(told(receiver, payment)) == 2


def test_seven_deliveries_over_a_day_and_then_none(at_once, receiver):
    pauses = (42, 84, 168, 672, 5376, 86016)
    receiver.refuse("/cb", *[500] * 20)
    payment = created(at_once)
    press(payment)

    def delivery() -> Any:
        return at_once.look("callbacks", payment=payment["id"])[0]

    for attempt, pause in enumerate(pauses, 1):
        until(lambda n=attempt: len(delivery()["attempts"]) == n)
        # Not a second too early.
        until(lambda: delivery()["result"] == "PENDING")
        at_once.pull("clock", advance_seconds=pause)
    until(lambda: delivery()["result"] == "ERROR")
    times = [attempt["at_ms"] for attempt in delivery()["attempts"]]
    assert len(times) == 7
    for time, least in zip(times, [0, *accumulate(pauses)], strict=True):
        assert time - times[0] >= least * 1000
    at_once.pull("clock", advance_seconds=9 * DAY)
    assert len(delivery()["attempts"]) == 7


def test_an_older_notification_still_comes_after_a_newer_one(at_once, receiver):
    receiver.refuse("/cb", 500)
    payment = created(at_once, capture=False)
    press(payment)
    told(receiver, payment)
    until(lambda: at_once.look("callbacks", payment=payment["id"])[0]["attempts"])
    call(at_once, f"payments/{payment['id']}/capture", {})
    told(receiver, payment, 2)
    at_once.pull("clock", advance_seconds=42)
    said = [one["event"] for one in told(receiver, payment, 3)]
    assert said == [
        *("payment.waiting_for_capture", "payment.succeeded", "payment.waiting_for_capture"),
    ]


def test_nobody_is_told_unless_the_shops_pages_name_somebody(shop):
    shop.pull("notifications", url="")
    payment = created(shop)
    press(payment)
    assert shop.look("callbacks", payment=payment["id"]) == []
