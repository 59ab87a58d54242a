"""/client/kyc and the operator's decision: the events kyc.approved and kyc.rejected."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from marshmallow import ValidationError
from sqlalchemy import select
from werkzeug.test import TestResponse

from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.kyc import service
from protonpay.kyc.models import KycCase
from protonpay.kyc.schemas import CaseOrder
from protonpay.kyc.states import REASONS
from protonpay.store.db import db
from protonpay.store.secrets import Unreadable
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.events import events_of
from tests.payouts.orders import withdraw
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

CASE = {
    "fullName": "Алиса Doe",
    "dateOfBirth": "1990-01-31",
    "country": "AE",
    "documentKind": "PASSPORT",
    "documentNumber": "K1234567",
}
NONE = {"status": "NONE", "reason": None, "submittedAt": None, "decidedAt": None}


def submit(actor: Actor, **changes: Any) -> TestResponse:
    return actor.post("/client/kyc", CASE | changes)


def status(actor: Actor) -> dict[str, Any]:
    kyc: dict[str, Any] = actor.get("/client/kyc").get_json()["kyc"]
    return kyc


def run(house: Flask, *arguments: str) -> Result:
    return house.test_cli_runner().invoke(args=["users", "kyc", *arguments])


def test_before_the_first_submission_there_is_none(alice: Actor):
    with nothing_changes():
        assert status(alice) == NONE
    assert alice.get("/client/dashboard").get_json()["setupSteps"]["kycCompleted"] is False


def test_a_case_is_submitted_and_waits(alice: Actor, bob: Actor):
    moment = clock.now()
    with clock.frozen(moment), only_changes("kyc_cases"):
        answer = submit(alice)

    waits = NONE | {"status": "PENDING", "submittedAt": clock.to_text(moment)}
    assert answer.get_json() == {"kyc": waits}
    assert status(alice) == waits
    assert status(bob) == NONE
    assert events_of(alice.id) == []


def test_nothing_of_the_person_stands_in_clear_and_it_opens_for_its_user_alone(
    alice: Actor, bob: Actor
):
    submit(alice)
    submit(bob, documentNumber="OTHER")
    cases = {case.user_id: case for case in db.session.scalars(select(KycCase))}

    sealed = cases[alice.id].person
    for text in CASE.values():
        assert text.encode() not in sealed
    assert service._opened(cases[alice.id]) == service.Person(
        "Алиса Doe", date(1990, 1, 31), "AE", "PASSPORT", "K1234567"
    )
    cases[bob.id].person = sealed
    with pytest.raises(Unreadable):
        service._opened(cases[bob.id])
    db.session.rollback()


def test_nobody_is_shown_what_they_submitted(alice: Actor):
    shown = submit(alice).get_data(as_text=True) + alice.get("/client/kyc").get_data(as_text=True)

    assert "K1234567" not in shown
    assert "1990" not in shown


def test_an_operator_approves(house: Flask, alice: Actor):
    on_plan(alice, needs_kyc=True)
    submit(alice)
    refused(withdraw(alice), 403, "kyc_required")

    with only_changes("kyc_cases", "users", "events", "audit_entries"):
        done = run(house, "approve", alice.email)

    assert (done.exit_code, done.output) == (0, f"{alice.email}: approved\n")
    assert status(alice)["status"] == "APPROVED"
    assert status(alice)["decidedAt"]
    case_id = db.session.scalars(select(KycCase.id)).one()
    told = {"id": case_id, "userId": alice.id, "status": "APPROVED"}
    assert events_of(alice.id) == [("kyc.approved", told)]
    assert alice.get("/client/dashboard").get_json()["setupSteps"]["kycCompleted"] is True
    assert withdraw(alice).status_code == 200


@pytest.mark.parametrize("reason", REASONS)
def test_an_operator_rejects_and_the_user_tries_again(house: Flask, alice: Actor, reason: str):
    on_plan(alice, needs_kyc=True)
    submit(alice)
    case_id = db.session.scalars(select(KycCase.id)).one()

    with only_changes("kyc_cases", "events", "audit_entries"):
        done = run(house, "reject", alice.email, "--reason", reason)

    assert done.exit_code == 0
    assert (status(alice)["status"], status(alice)["reason"]) == ("REJECTED", reason)
    told = {"id": case_id, "userId": alice.id, "status": "REJECTED", "reason": reason}
    assert events_of(alice.id) == [("kyc.rejected", told)]
    refused(withdraw(alice), 403, "kyc_required")
    again = submit(alice, documentNumber="NEW").get_json()["kyc"]
    assert (again["status"], again["reason"], again["decidedAt"]) == ("PENDING", None, None)
    assert run(house, "approve", alice.email).exit_code == 0
    assert [name for name, _ in events_of(alice.id)] == ["kyc.rejected", "kyc.approved"]


def test_a_case_is_decided_once(house: Flask, alice: Actor, bob: Actor):
    submit(alice)
    run(house, "approve", alice.email)

    with nothing_changes():
        for decide in (("approve",), ("reject", "--reason", "other")):
            assert run(house, decide[0], alice.email, *decide[1:]).exit_code == 1
            assert run(house, decide[0], bob.email, *decide[1:]).exit_code == 1
        with pytest.raises(Conflict, match="state_conflict"):
            service.reject(alice.id, "other")
        with pytest.raises(NotFound):
            service.approve(bob.id)
        with pytest.raises(ValueError, match="reason"):
            service.reject(alice.id, "because")
        assert run(house, "reject", alice.email, "--reason", "because").exit_code == 2


def test_a_case_that_waits_or_is_approved_is_not_submitted_again(house: Flask, alice: Actor):
    submit(alice)
    with nothing_changes():
        refused(submit(alice), 409, "state_conflict")
    run(house, "approve", alice.email)
    with nothing_changes():
        refused(submit(alice), 409, "state_conflict")


def test_who_waits_is_listed_with_what_they_submitted(house: Flask, alice: Actor, bob: Actor):
    with clock.frozen(datetime(2026, 3, 14, 12, 0, tzinfo=UTC)):
        submit(bob)
    submit(alice)

    lines = run(house, "list").output.splitlines()
    assert lines[:3] == [
        f"{bob.email}  submitted 2026-03-14 12:00 UTC",
        "    Алиса Doe, born 1990-01-31, AE",
        "    PASSPORT K1234567",
    ]
    assert re.match(re.escape(alice.email), lines[3])
    run(house, "approve", alice.email)
    run(house, "approve", bob.email)
    assert run(house, "list").output == ""


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("fullName", ""),
        ("fullName", "x" * 201),
        ("fullName", "a\0b"),
        ("dateOfBirth", "31.01.1990"),
        ("dateOfBirth", "1990-02-30"),
        ("dateOfBirth", "19900131"),
        ("dateOfBirth", "1899-12-31"),
        ("dateOfBirth", "2990-01-01"),
        ("dateOfBirth", 19900131),
        ("dateOfBirth", None),
        ("country", "ae"),
        ("country", "ZZ"),
        ("country", "ARE"),
        ("documentKind", "passport"),
        ("documentKind", ["PASSPORT"]),
        ("documentNumber", ""),
        ("documentNumber", "1" * 65),
        ("status", "APPROVED"),
        ("userId", "cmbbbbbbbb"),
    ],
)
def test_what_is_no_identity_is_400(alice: Actor, member: str, value: Any):
    with nothing_changes():
        body = refused(submit(alice, **{member: value}), 400, "validation_error")

    assert list(body["errors"]["json"]) == [member]


def test_only_adults_are_checked():
    with clock.frozen(datetime(2026, 3, 14, 12, 0, tzinfo=UTC)):
        loaded = CaseOrder().load(CASE | {"dateOfBirth": "2008-03-14"})
        assert loaded.date_of_birth == date(2008, 3, 14)
        with pytest.raises(ValidationError, match="adults"):
            CaseOrder().load(CASE | {"dateOfBirth": "2008-03-15"})


def test_nobody_is_checked_without_an_account(alice: Actor):
    refused(alice.client.get("/api/client/kyc"), 401, "authentication_required")
    refused(alice.client.post("/api/client/kyc", json=CASE), 401, "authentication_required")


@pytest.mark.slow
def test_of_two_decisions_at_once_one_counts(open_house: OpenHouse):
    alice = make_actor(open_house.app, "Alice")
    submit(alice)

    ends = open_house.inside_at_once(
        [lambda: service.approve(alice.id), lambda: service.reject(alice.id, "other")] * 3
    )

    assert sorted(type(end).__name__ for end in ends) == ["Conflict"] * 5 + ["NoneType"]
    assert len(events_of(alice.id)) == 1


def test_an_id_of_nobody_has_no_case(house: Flask):
    with pytest.raises(NotFound):
        service.approve(ids.new_id())
