"""Sign-ups stopped, and a read-only API: refused in one sentence, and everything else goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from protonpay.rails import service as rails
from tests.actors import PASSWORD, Actor, make_actor
from tests.payouts.conftest import base
from tests.payouts.fake_chain import LANDED, FakeChain
from tests.payouts.orders import accepted, confirm, sent
from tests.refusals import refused
from tests.unchanged import nothing_changes

__all__ = ["base"]

PERSON = {"name": "New", "email": "new@example.com", "password": PASSWORD}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    rails._lately.forget()


def switch(house: Flask, *words: str) -> None:
    told = house.test_cli_runner().invoke(args=["ops", "switches", *words, "--reason", "a test"])
    assert told.exit_code == 0, told.output


def test_no_new_accounts_while_old_ones_go_on(house: Flask, alice: Actor):
    switch(house, "pause", "sign-ups")
    with nothing_changes():
        answer = alice.client.post("/api/auth/register", json=PERSON)
        refused(answer, 503, "sign_ups_paused")
    assert answer.headers["Retry-After"] == "3600"
    login = {"email": alice.email, "password": PASSWORD}
    assert alice.client.post("/api/auth/login", json=login).status_code == 200
    switch(house, "resume", "sign-ups")
    assert make_actor(house, "Later").id


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/client/transfer", {"toIdentifier": "x@example.com", "amount": 1}),
        ("POST", "/client/webhooks", {"url": "https://example.com", "events": ["kyc.approved"]}),
        ("DELETE", "/client/sessions", None),
        ("PATCH", "/client/addresses/policy", {"onlyListed": True}),
    ],
)
def test_nothing_is_changed_and_everything_is_read(
    house: Flask, alice: Actor, method: str, path: str, body: Any
):
    switch(house, "pause", "writes")
    with nothing_changes():
        refused(alice.call(method, path, json=body), 503, "read_only")
        refused(alice.client.post("/api/auth/register", json=PERSON), 503, "sign_ups_paused")
        assert alice.get("/client/balance").status_code == 200
        assert alice.get("/client/activity").status_code == 200
    switch(house, "resume", "writes")
    assert alice.call(method, path, json=body).status_code != 503


def test_who_is_nobody_is_told_so_first(house: Flask, alice: Actor):
    switch(house, "pause", "writes")
    refused(alice.client.post("/api/client/transfer"), 401, "authentication_required")


def test_what_was_asked_for_before_goes_on(house: Flask, alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    switch(house, "pause", "writes")
    sent(payout_id)
    base.plan("outcome", LANDED)
    confirm(payout_id)
    assert alice.get(f"/client/withdraw/{payout_id}").get_json()["payout"]["status"] == "COMPLETED"


def test_the_switches_are_shown(house: Flask):
    switch(house, "pause", "writes")
    shown = house.test_cli_runner().invoke(args=["ops", "switches", "status"]).output
    assert "writes      PAUSED" in shown
    assert "sign-ups    open" in shown
