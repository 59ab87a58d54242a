"""Who owns an account reads which sign-ins to it have failed, and strangers fill no table."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from protonpay.auth import failures
from protonpay.auth import service as auth
from protonpay.auth.devices import Device
from protonpay.kernel import clock
from protonpay.store.db import db
from tests.actors import PASSWORD, Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def login(actor: Actor, address: str, password: str = "wrong horse") -> TestResponse:
    return actor.client.post(
        "/api/auth/login",
        json={"email": actor.email, "password": password},
        headers={"User-Agent": AGENT},
        environ_overrides={"REMOTE_ADDR": address},
    )


def told(actor: Actor) -> list[dict]:
    found: list[dict] = actor.get("/client/sessions/failed").json["failed"]
    return found


@pytest.fixture
def now() -> datetime:
    """A moment that begins ten minutes."""
    return clock.from_text("2030-01-01T12:00:00Z")


def test_an_owner_reads_what_failed_and_from_where(alice: Actor, bob: Actor):
    refused(login(alice, "203.0.113.7"), 401, "invalid_credentials")
    (one,) = told(alice)
    assert (one["reason"], one["address"], one["count"]) == ("wrong_password", "203.0.113.7", 1)
    assert (one["agent"], one["program"], one["system"]) == (AGENT, "Firefox", "Linux")
    assert told(bob) == []


def test_what_succeeds_and_what_is_nobodys_leaves_nothing(alice: Actor):
    assert login(alice, "203.0.113.7", PASSWORD).status_code == 200
    body = {"email": "nobody@example.com", "password": "wrong horse"}
    with nothing_changes():
        refused(alice.client.post("/api/auth/login", json=body), 401, "invalid_credentials")
    assert told(alice) == []


def test_a_suspended_account_notes_why(alice: Actor):
    auth.suspend(alice.id)
    refused(login(alice, "203.0.113.7", PASSWORD), 403, "account_suspended")
    assert db.session.scalar(text("SELECT reason FROM failed_sign_ins")) == "suspended"


def test_ten_minutes_of_one_address_are_one_row(alice: Actor, now: datetime):
    device = Device("203.0.113.7", AGENT)
    for minutes in (0, 3, 9):
        with clock.frozen(now + timedelta(minutes=minutes)):
            failures.note(alice.id, failures.PASSWORD, device)
    with clock.frozen(now + timedelta(minutes=9)):
        failures.note(alice.id, failures.CODE, device)
        failures.note(alice.id, failures.PASSWORD, Device("203.0.113.8", AGENT))
    with clock.frozen(now + timedelta(minutes=10)):
        failures.note(alice.id, failures.PASSWORD, device)
    rows = {
        (one["createdAt"][11:16], one["address"][-1], one["reason"]): one for one in told(alice)
    }
    assert {key: one["count"] for key, one in rows.items()} == {
        ("12:00", "7", "wrong_password"): 3,
        ("12:09", "7", "wrong_code"): 1,
        ("12:09", "8", "wrong_password"): 1,
        ("12:10", "7", "wrong_password"): 1,
    }
    assert rows["12:00", "7", "wrong_password"]["lastAt"] == "2030-01-01T12:09:00Z"


def test_a_thousand_addresses_fill_no_table(alice: Actor, now: datetime):
    with clock.frozen(now):
        for number in range(1000):
            address = f"2001:db8::{number:x}"
            failures.note(alice.id, failures.PASSWORD, Device(address, AGENT))
        failures.note(alice.id, failures.PASSWORD, Device("2001:db8::1", AGENT))
    rows = {one["address"]: one["count"] for one in told(alice)}
    assert len(rows) == failures.MOST_ROWS + 1
    assert rows[None] == 1000 - failures.MOST_ROWS
    assert rows["2001:db8::1"] == 2


def test_after_ninety_days_it_is_forgotten(alice: Actor, bob: Actor, now: datetime):
    with clock.frozen(now):
        failures.note(alice.id, failures.PASSWORD, Device("203.0.113.7", AGENT))
    with clock.frozen(now + failures.KEPT + timedelta(seconds=1)):
        failures.note(bob.id, failures.PASSWORD, Device("203.0.113.8", AGENT))
    assert [told(alice), len(told(bob))] == [[], 1]
