"""In a sandbox somebody decides their own identity check, as an operator would: written down."""

from typing import Any

import pytest

from protonpay.audit import service as audit
from tests.actors import Actor
from tests.events import events_of
from tests.kyc.test_kyc import status, submit
from tests.refusals import refused
from tests.unchanged import nothing_changes

PATH = "/client/test/kyc"


def acts(actor: Actor) -> list[tuple[str, str, Any]]:
    found = audit.entries(subject=f"user {actor.id}")
    return [(entry.actor, entry.action, entry.after["identity"]) for entry in found]


def test_it_is_approved_and_the_sandbox_has_done_it(alice: Actor):
    submit(alice)
    decided = alice.post(PATH, {"outcome": "APPROVED"}).get_json()["kyc"]
    assert decided["status"] == "APPROVED"
    assert decided == status(alice)
    assert acts(alice) == [("sandbox", "users.kyc.approve", "APPROVED")]
    assert audit.check().broken_at is None
    assert [name for name, _ in events_of(alice.id)] == ["kyc.approved"]


def test_it_is_rejected_for_a_reason_and_may_be_tried_again(alice: Actor):
    submit(alice)
    order = {"outcome": "REJECTED", "reason": "document_expired"}
    decided = alice.post(PATH, order).get_json()["kyc"]
    assert (decided["status"], decided["reason"]) == ("REJECTED", "document_expired")
    assert acts(alice) == [("sandbox", "users.kyc.reject", "REJECTED")]
    assert submit(alice).status_code == 200
    assert alice.post(PATH, {"outcome": "APPROVED"}).status_code == 200


@pytest.mark.parametrize(
    "order", [{}, {"outcome": "MAYBE"}, {"outcome": "REJECTED", "reason": "his nose"}]
)
def test_what_is_not_a_decision_decides_nothing(alice: Actor, order: dict[str, Any]):
    submit(alice)
    with nothing_changes():
        refused(alice.post(PATH, order), 400, "validation_error")


def test_only_what_waits_is_decided(alice: Actor):
    order = {"outcome": "APPROVED"}
    with nothing_changes():
        refused(alice.post(PATH, order), 404, "not_found")
    submit(alice)
    assert alice.post(PATH, order).status_code == 200
    with nothing_changes():
        refused(alice.post(PATH, {"outcome": "REJECTED"}), 409, "state_conflict")
