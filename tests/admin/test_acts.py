"""What operators do to accounts, holds, identities, switches: with a reason, written down."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from protonpay.audit import service as audit
from protonpay.chains.registry import NETWORKS
from protonpay.holds import service as holds
from protonpay.operators.service import Role
from protonpay.rails import service as rails
from tests.actors import PASSWORD, Actor
from tests.holds.conftest import base, fill, listing
from tests.kyc.test_kyc import CASE
from tests.operators.desk import WHY, Clerk, make_clerk
from tests.operators.test_sessions import run
from tests.payouts.orders import WALLETS, accepted, jobs, stored, withdraw
from tests.refusals import refused
from tests.unchanged import nothing_changes

__all__ = ["base", "fill", "listing"]


@pytest.fixture
def officer(house: Flask) -> Clerk:
    return make_clerk(house, Role.COMPLIANCE)


def test_an_account_is_found_frozen_and_thawed(officer: Clerk, alice: Actor, bob: Actor):
    for words in (alice.id, alice.public_id, alice.email, alice.email[:5].upper()):
        found = officer.get("/users", search=words).get_json()["users"]
        assert alice.id in [each["id"] for each in found], words
        assert bob.id not in [each["id"] for each in found]
    assert officer.get("/users", search="%").get_json()["users"] == []
    account = officer.get(f"/users/{alice.id}").get_json()["account"]
    assert (account["available"], account["held"], account["identity"]) == (
        *("1000.00", "0.00", "NONE"),
    )
    frozen = officer.post(f"/users/{alice.id}/freeze").get_json()["account"]["user"]
    assert frozen["withdrawalsFrozenAt"] is not None
    refused(withdraw(alice), 403, "withdrawals_frozen")
    with nothing_changes():
        assert officer.post(f"/users/{alice.id}/freeze").status_code == 200
    officer.post(f"/users/{alice.id}/thaw")
    assert withdraw(alice).status_code == 200
    shown = officer.get("/audit", subject=f"user {alice.id}").get_json()["entries"]
    assert [entry["action"] for entry in shown] == ["users.thaw", "users.freeze"]
    assert {entry["actor"] for entry in shown} == {officer.email}
    assert all(entry["origin"].endswith(" as compliance") for entry in shown)
    assert all(" req_" in entry["origin"] for entry in shown)
    assert {entry["reason"] for entry in shown} == {WHY["reason"]}
    assert audit.check().broken_at is None


def test_a_plan_is_assigned(house: Flask, alice: Actor):
    clerk = make_clerk(house, Role.OPERATOR)
    run(house, "plans", "create", "gold", "--reason", "new")
    order = {**WHY, "plan": "gold"}
    answer = clerk.post(f"/users/{alice.id}/plan", order).get_json()
    assert answer["account"]["user"]["plan"] == "gold"
    with nothing_changes():
        refused(clerk.post(f"/users/{alice.id}/plan", {**WHY, "plan": "x"}), 404, "not_found")


@pytest.mark.parametrize("reason", [None, "", " ", "x" * 501, "a\0b"])
def test_nothing_is_done_without_a_reason(officer: Clerk, alice: Actor, reason: str | None):
    body = {} if reason is None else {"reason": reason}
    with nothing_changes():
        refused(officer.post(f"/users/{alice.id}/freeze", body), 400, "validation_error")


def test_an_identity_is_decided_once(officer: Clerk, alice: Actor):
    alice.post("/client/kyc", CASE)
    (waiting,) = officer.get("/kyc").get_json()["waiting"]
    assert (waiting["email"], waiting["person"]["fullName"]) == (alice.email, CASE["fullName"])
    answer = officer.post(f"/kyc/{alice.id}/approve").get_json()
    assert answer["account"]["identity"] == "APPROVED"
    with nothing_changes():
        refused(officer.post(f"/kyc/{alice.id}/approve"), 409, "state_conflict")
        refused(
            officer.post(f"/kyc/{alice.id}/reject", {**WHY, "code": "x"}), 400, "validation_error"
        )


def test_a_hold_is_decided(
    officer: Clerk, alice: Actor, mallory: Actor, listing: Callable[[str], None]
):
    listing(WALLETS["Base"])
    first, second = accepted(alice, 5), accepted(mallory, 2)
    assert {hold["id"] for hold in officer.get("/holds").get_json()["holds"]} == {first, second}
    assert officer.post(f"/holds/{first}/release").get_json()["hold"]["kind"] == "payout"
    assert (stored(first).state, jobs()[-1][0]) == ("PENDING", "payouts.sign")
    officer.post(f"/holds/{second}/refund")
    assert (stored(second).state, holds.listed()) == ("FAILED", [])
    outcomes = [entry.after["outcome"] for entry in audit.entries(subject=f"hold {first}")]
    assert outcomes == ["done", "begun"]


def _moved(clerk: Clerk, way: str, name: str) -> Any:
    answer = clerk.post(f"/switches/{way}", {**WHY, "name": name})
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()["switches"]


def test_switches_are_in_force_when_they_answer(house: Flask, alice: Actor):
    admin = make_clerk(house, Role.ADMIN)
    person = {"name": "Zoe", "email": "zoe@example.com", "password": PASSWORD}
    _moved(admin, "pause", "sign-ups")
    refused(alice.client.post("/api/auth/register", json=person), 503, "sign_ups_paused")
    _moved(admin, "pause", "writes")
    with nothing_changes():
        refused(withdraw(alice), 503, "read_only")
    assert alice.get("/client/balance").status_code == 200
    _moved(admin, "resume", "writes")
    assert withdraw(alice).status_code == 200
    _moved(admin, "pause", "tap")
    card = {"amount": 50, "currency": "USD", "provider": "tap"}
    refused(alice.post("/client/deposit/card", card), 503, "provider_unavailable")
    closed = _moved(admin, "pause", "payouts")
    assert {each["name"] for each in closed} == set(NETWORKS)
    assert all(each["paused"] and each["changedBy"] == admin.email for each in closed)
    assert all(map(rails.paused, NETWORKS))
    with nothing_changes():
        _moved(admin, "pause", "payouts")
        unknown = admin.post("/switches/pause", {**WHY, "name": "Tron"})
        refused(unknown, 404, "not_found")
    standing = {
        each["name"]: each["paused"] for each in admin.get("/switches").get_json()["switches"]
    }
    assert (standing["sign-ups"], standing["writes"], standing["tap"]) == (True, False, True)


def test_mismatches_are_seen(officer: Clerk):
    assert officer.get("/cases").get_json() == {"cases": []}
