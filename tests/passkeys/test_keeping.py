"""Passkeys are added, listed, renamed and removed by their owner alone."""

import cbor2
import pytest

from protonpay.passkeys.service import MOST_PASSKEYS
from tests.actors import PASSWORD, Actor
from tests.mail.letters import letters
from tests.moments import Moments
from tests.passkeys.devices import Device, added, asked, at_the_door, encoded, enter, send
from tests.refusals import refused
from tests.two_factor.apps import App
from tests.unchanged import nothing_changes
from tests.web.test_every_door import NAUGHTY


def listed(actor: Actor):
    return actor.get("/client/passkeys").get_json()["passkeys"]


def test_a_passkey_is_added_listed_renamed_and_removed(alice: Actor):
    device = added(alice)
    (shown,) = listed(alice)
    assert (shown["name"], shown["usedAt"], shown["suspendedAt"]) == ("Phone", None, None)
    assert set(shown) == {"id", "name", "createdAt", "usedAt", "suspendedAt"}
    path = f"/client/passkeys/{shown['id']}"
    renamed = alice.call("PATCH", path, json={"name": "Old phone"})
    assert renamed.get_json()["passkey"]["name"] == "Old phone"
    assert alice.call("DELETE", path).status_code == 204
    assert listed(alice) == []
    assert [one for one in letters(alice.email) if one.startswith("passkey")] == [
        "passkey_added",
        "passkey_removed",
    ]
    options = at_the_door(alice)
    with nothing_changes():
        answer = enter(alice, options, device.sign(options["publicKey"]))
        refused(answer, 401, "passkey_invalid")


def test_a_name_of_any_kind_is_kept_as_it_is_or_refused(alice: Actor):
    """Both ways a name comes in; the sweep over all routes has no device that signs."""
    added(alice)
    (shown,) = listed(alice)
    path, kept = f"/client/passkeys/{shown['id']}", 0
    for said in NAUGHTY:
        answer = alice.call("PATCH", path, json={"name": said})
        if answer.status_code == 200:
            kept += 1
            assert answer.get_json()["passkey"]["name"] == said
            assert listed(alice)[0]["name"] == said
        else:
            refused(answer, 400, "validation_error")
    assert kept > len(NAUGHTY) * 0.95


def test_the_options_say_what_is_needed(alice: Actor):
    device = added(alice)
    told = asked(alice)["publicKey"]
    assert told["rp"] == {"id": "localhost", "name": "ProtonPay"}
    assert told["user"]["name"] == alice.email
    assert told["authenticatorSelection"]["residentKey"] == "required"
    assert told["authenticatorSelection"]["userVerification"] == "required"
    assert [one["id"] for one in told["excludeCredentials"]] == [encoded(device.id)]


def test_who_does_not_know_the_password_adds_none(alice: Actor):
    with nothing_changes():
        answer = alice.post("/client/passkeys/options", {"password": "not the password"})
        refused(answer, 401, "invalid_credentials")


def test_a_code_is_asked_before_a_passkey_is_added_or_removed(
    alice: Actor, app_of_alice: App, moments: Moments
):
    with nothing_changes():
        body = {"password": PASSWORD}
        refused(alice.post("/client/passkeys/options", body), 401, "two_factor_required")
    added(alice, headers=app_of_alice.headers())
    moments.pass_by(30)
    path = f"/client/passkeys/{listed(alice)[0]['id']}"
    with nothing_changes():
        refused(alice.call("DELETE", path), 401, "two_factor_required")
    assert alice.call("DELETE", path, headers=app_of_alice.headers()).status_code == 204


@pytest.mark.parametrize(
    "device",
    [
        Device(origin="http://localhost:8001"),
        Device(origin="https://localhost:8000"),
        Device(origin="http://localhost.evil.example:8000"),
        Device(domain="evil.example"),
        Device(looks=False),
    ],
    ids=["port", "scheme", "host", "domain", "nobody looked"],
)
def test_a_key_that_was_made_elsewhere_is_refused(alice: Actor, device: Device):
    options = asked(alice)
    with nothing_changes():
        refused(send(alice, options, device), 400, "passkey_invalid")
    assert send(alice, options, Device()).status_code == 200, "a refusal leaves the challenge"


def test_a_challenge_adds_one_passkey_of_one_session_within_five_minutes(
    alice: Actor, bob: Actor, moments: Moments
):
    options = asked(alice)
    with nothing_changes():
        refused(send(bob, options, Device()), 400, "passkey_invalid")
        mixed = {**options, "challengeId": "nothing"}
        refused(send(alice, mixed, Device()), 400, "passkey_invalid")
    assert send(alice, options, Device()).status_code == 200
    with nothing_changes():
        refused(send(alice, options, Device()), 400, "passkey_invalid")
    late = asked(alice)
    moments.pass_by(301)
    with nothing_changes():
        refused(send(alice, late, Device()), 400, "passkey_invalid")


def test_a_challenge_for_signing_in_adds_nothing(alice: Actor):
    door, options = at_the_door(alice), asked(alice)
    mixed = {**options, "challengeId": door["challengeId"]}
    mixed["publicKey"] = {**options["publicKey"], "challenge": door["publicKey"]["challenge"]}
    with nothing_changes():
        refused(send(alice, mixed, Device()), 400, "passkey_invalid")


def test_a_key_belongs_to_one_account(alice: Actor, bob: Actor):
    device = added(alice)
    options = asked(bob)
    with nothing_changes():
        refused(send(bob, options, device), 409, "duplicate")


def test_an_account_has_so_many_and_no_more(alice: Actor):
    late = asked(alice)
    for _ in range(MOST_PASSKEYS):
        added(alice)
    with nothing_changes():
        body = {"password": PASSWORD}
        refused(alice.post("/client/passkeys/options", body), 409, "too_many_passkeys")
        refused(send(alice, late, Device()), 409, "too_many_passkeys")


@pytest.mark.parametrize(
    "part",
    [
        "",
        "!",
        "A",
        encoded(b"\x00" * 40),
        encoded(b"[" * 5000),
        encoded(b"\x81" * 5000),
        encoded(b"null"),
        encoded(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b"\xff" * 55})),
        encoded(cbor2.dumps({"fmt": "none", "attStmt": [], "authData": 7})),
        encoded(cbor2.dumps({"fmt": "packed", "attStmt": {"x5c": [b"\x30"]}, "authData": b"a"})),
        encoded(cbor2.dumps([1, 2])),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("member", ["clientDataJSON", "attestationObject"])
def test_what_no_device_says_is_refused(alice: Actor, member: str, part: str):
    options = asked(alice)
    credential = Device().make(options["publicKey"])
    credential["response"][member] = part
    body = {"challengeId": options["challengeId"], "name": "Phone", "credential": credential}
    with nothing_changes():
        answer = alice.post("/client/passkeys", body)
        refused(answer, 400, "validation_error" if part == "" else "passkey_invalid")


def test_somebody_elses_passkey_is_not_there(alice: Actor, bob: Actor):
    added(alice)
    path = f"/client/passkeys/{listed(alice)[0]['id']}"
    with nothing_changes():
        refused(bob.call("PATCH", path, json={"name": "Mine"}), 404, "not_found")
        refused(bob.call("DELETE", path), 404, "not_found")
