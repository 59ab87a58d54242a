"""Guessing one account's password from many addresses (API reference §7, ``login-account``)."""

import itertools
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from protonpay.auth import service as auth
from protonpay.auth.passwords import passwords
from protonpay.kernel import clock
from protonpay.store.queue import door
from tests.actors import PASSWORD, Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes

MINUTE = 60 * 1_000_000  # of Redis' clock
_ADDRESSES = itertools.count(1)


@pytest.fixture(autouse=True)
def documented(rates: Callable[..., None]) -> None:
    rates(login="10 per 15 minutes")


def try_from(actor: Actor, address: str, password: str = "wrong horse", email: str = ""):
    return actor.client.post(
        "/api/auth/login",
        json={"email": email or actor.email, "password": password},
        environ_overrides={"REMOTE_ADDR": address},
    )


def guess(actor: Actor, password: str = "wrong horse", email: str = "") -> TestResponse:
    """Try from an address that nobody has used."""
    number = next(_ADDRESSES)
    address = f"198.18.{number // 250}.{number % 250 + 1}"
    return try_from(actor, address, password, email)


def window(actor: Actor) -> str:
    return f"limit:auth-account:{auth.failures_of(actor.email, 'anywhere')}"


@pytest.mark.checklist(48)
def test_the_eleventh_failure_from_many_addresses_is_one_too_many(alice: Actor):
    for _ in range(10):
        refused(guess(alice), 401, "invalid_credentials")

    with nothing_changes():
        answer = guess(alice)
        body = refused(answer, 429, "rate_limited")
        refused(guess(alice, PASSWORD), 429, "rate_limited")
        refused(guess(alice, email=alice.email.upper()), 429, "rate_limited")
    assert 890 < int(answer.headers["Retry-After"]) <= 900
    assert answer.headers["RateLimit"].startswith('"auth-account";r=0;t=')
    assert body["detail"] == "Too many failed sign-ins to this account. Try again later."


@pytest.mark.checklist(48)
def test_its_owner_is_not_locked_out(alice: Actor, bob: Actor):
    """Neither where they have signed in before, nor elsewhere for longer than a quarter."""
    for _ in range(12):
        guess(alice)

    assert try_from(alice, "127.0.0.1", PASSWORD).status_code == 200
    assert guess(bob, PASSWORD).status_code == 200
    oldest = door.client.zrange(window(alice), 0, 0)[0]
    door.client.zincrby(window(alice), -15 * MINUTE, oldest)
    assert guess(alice, PASSWORD).status_code == 200


def test_at_home_guesses_are_counted_too(alice: Actor):
    for _ in range(10):
        refused(try_from(alice, "127.0.0.1"), 401, "invalid_credentials")

    refused(try_from(alice, "127.0.0.1", PASSWORD), 429, "rate_limited")
    assert guess(alice, PASSWORD).status_code == 200


def test_a_home_is_one_for_as_long_as_a_session_may_last(alice: Actor):
    here = auth.failures_of(alice.email, "127.0.0.1")
    away = auth.failures_of(alice.email, "198.51.100.1")

    assert here != away
    alice.post("/auth/logout")
    assert auth.failures_of(alice.email, "127.0.0.1") == here
    with clock.frozen(clock.now() + auth.SESSION_LIFE):
        assert auth.failures_of(alice.email, "127.0.0.1") == away


def test_who_does_not_exist_is_counted_alike(alice: Actor):
    answers = [guess(alice, email="nobody@example.com") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


def test_a_good_password_forgets_the_bad_ones(alice: Actor):
    for _ in range(9):
        guess(alice)
    assert guess(alice, PASSWORD).status_code == 200

    assert door.client.exists(window(alice)) == 0
    assert [guess(alice).status_code for _ in range(11)] == [401] * 10 + [429]


def test_what_was_not_a_wrong_password_does_not_count(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    guess(alice)
    with monkeypatch.context() as broken:
        broken.setattr(passwords, "matches", lambda *_: 1 // 0)
        for _ in range(12):
            refused(guess(alice), 500, "internal_error")
    auth.suspend(alice.id)
    for _ in range(12):
        refused(guess(alice, PASSWORD), 403, "account_suspended")

    assert door.client.zcard(window(alice)) == 1


def test_no_password_is_looked_at_beyond_it(alice: Actor, monkeypatch: pytest.MonkeyPatch):
    for _ in range(10):
        guess(alice)
    monkeypatch.setattr(passwords, "matches", lambda *_: 1 // 0)

    refused(guess(alice, PASSWORD), 429, "rate_limited")


def test_nobody_reads_an_address_in_the_window(alice: Actor):
    guess(alice)

    assert not [key for key in door.client.keys("limit:*") if alice.email.encode() in key]
