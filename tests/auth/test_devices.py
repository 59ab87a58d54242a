"""A new device is told of, and the letter can stop the account."""

from dataclasses import replace

from flask import Flask
from werkzeug.test import TestResponse

from tests.actors import PASSWORD, Actor, make_actor
from tests.mail import letters
from tests.payouts.conftest import base
from tests.payouts.fake_chain import FakeChain
from tests.payouts.orders import accepted, sign, withdraw
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

__all__ = ["base"]


def login(actor: Actor, agent: str, address: str = "127.0.0.1") -> TestResponse:
    who = {"email": actor.email, "password": PASSWORD}
    answer = actor.client.post(
        "/api/auth/login",
        json=who,
        headers={"User-Agent": agent},
        environ_overrides={"REMOTE_ADDR": address},
    )
    assert answer.status_code == 200
    return answer


def warnings(actor: Actor) -> list[str]:
    found = letters.waiting(actor.email)
    return [each.text for each in found if each.subject.endswith("has signed in")]


def freeze(actor: Actor) -> TestResponse:
    login(actor, "Thief/1.0", "203.0.113.66")
    token = letters.token_of(letters.waiting(actor.email)[-1])
    return actor.client.post("/api/auth/freeze", json={"token": token})


def test_a_device_is_new_once(alice: Actor):
    agent = alice.client.get("/").request.headers["User-Agent"]
    login(alice, agent)
    assert warnings(alice) == []

    login(alice, "Firefox/140.0")
    login(alice, "Firefox/140.0", "203.0.113.9")
    login(alice, "Firefox/140.0")

    first, second = warnings(alice)
    assert "Firefox/140.0" in first
    assert "127.0.0.1" in first
    assert "203.0.113.9" in second


def test_the_link_stops_what_leaves_and_signs_everybody_out(house: Flask, alice: Actor, bob: Actor):
    assert freeze(alice).status_code == 204

    refused(alice.get("/client/balance"), 401, "token_revoked")
    alice = replace(alice, token=login(alice, "Firefox/140.0").get_json()["token"])
    transfer = {"toIdentifier": bob.email, "amount": 5}
    quote = alice.post("/client/withdraw/quote", {"amount": 50, "network": "Base"}).get_json()[
        "quote"
    ]
    assert quote["problems"][0] == "withdrawals_frozen"
    with nothing_changes():
        refused(withdraw(alice), 403, "withdrawals_frozen")
        refused(alice.post("/client/transfer", transfer), 403, "withdrawals_frozen")
    carol = make_actor(house, "Carol", funded="5")
    comes = {"toIdentifier": alice.email, "amount": 5}
    assert carol.post("/client/transfer", comes).status_code == 200
    shown = house.test_cli_runner().invoke(args=["users", "show", alice.email]).output
    assert "withdrawals frozen since" in shown


def test_what_waits_to_be_sent_waits_on_until_the_account_is_thawed(
    house: Flask, alice: Actor, base: FakeChain
):
    payout_id = accepted(alice)
    freeze(alice)

    with only_changes("payouts"):  # what it waits for, in its owner's words
        waits = sign(payout_id)
    assert (waits.seconds, waits.reason) == (5, "withdrawals_frozen")
    assert base.signed == []

    thawed = house.test_cli_runner().invoke(
        args=["users", "thaw", alice.email, "--reason", "it was me"]
    )
    assert thawed.output == f"{alice.email}: withdrawals allowed\n"
    assert sign(payout_id) is None
    assert len(base.signed) == 1


def test_an_operator_freezes_too(house: Flask, alice: Actor):
    said = (
        house.test_cli_runner()
        .invoke(args=["users", "freeze", alice.email, "--reason", "asked"])
        .output
    )
    assert said == f"{alice.email}: withdrawals frozen\n"
    with nothing_changes():
        refused(withdraw(alice), 403, "withdrawals_frozen")
    assert alice.get("/client/balance").status_code == 200


def test_a_letter_stops_an_account_once_and_a_repeat_is_told_so(alice: Actor):
    freeze(alice)
    token = letters.token_of(letters.waiting(alice.email)[-2])
    with nothing_changes():
        refused(alice.client.post("/api/auth/freeze", json={"token": token}), 400, "invalid_link")
