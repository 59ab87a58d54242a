"""Documents of identity checks: what is taken in, who sees it, and when it is gone."""

import base64
import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from protonpay.audit import service as audit
from protonpay.kernel import clock, ids
from protonpay.kyc import documents, service
from protonpay.kyc.blueprint import LONGEST_BODY
from protonpay.kyc.documents import DRAFTS_KEPT, LARGEST_BYTES, MOST_DOCUMENTS
from protonpay.kyc.formats import media_type_of
from protonpay.kyc.models import KycDocument
from protonpay.operators.service import Role
from protonpay.store.db import db
from protonpay.store.secrets import Unreadable
from protonpay.web.body import MAX_BODY_BYTES
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.kyc.papers import JPEG, PDF, PNG, order, upload
from tests.kyc.test_kyc import submit
from tests.moments import Moments
from tests.operators.desk import WHY, make_clerk
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes
from workers.kyc import drop_documents

THERE = "/client/kyc/documents"


@pytest.fixture
def moments(house: Flask, monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


def listed(actor: Actor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = actor.get(THERE).get_json()["documents"]
    return found


def uploaded(actor: Actor, content: bytes = PNG) -> str:
    return str(upload(actor, content).get_json()["document"]["id"])


def run(house: Flask, *arguments: str) -> Result:
    return house.test_cli_runner().invoke(args=["kyc", *arguments])


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (PDF, "application/pdf")],
    ids=["png", "jpeg", "pdf"],
)
def test_a_document_is_known_by_its_content_and_kept_sealed(
    alice: Actor, bob: Actor, content: bytes, media_type: str
):
    moment = clock.now()
    with clock.frozen(moment), only_changes("kyc_documents"):
        answer = upload(alice, content, "SELFIE")

    document = answer.get_json()["document"]
    assert document == {
        "id": document["id"],
        "kind": "SELFIE",
        "mediaType": media_type,
        "sizeBytes": len(content),
        "uploadedAt": clock.to_text(moment),
        "submittedAt": None,
    }
    assert listed(alice) == [document]
    assert listed(bob) == []
    (sealed,) = db.session.scalars(select(KycDocument.content))
    assert content not in sealed
    assert base64.b64encode(content) not in sealed
    assert documents.opened(document["id"]).content == content


def test_a_document_opens_in_its_own_row_alone(alice: Actor):
    first, second = uploaded(alice, PNG), uploaded(alice, PDF)
    other = db.session.scalars(select(KycDocument.content).where(KycDocument.id == second)).one()
    db.session.get_one(KycDocument, first).content = other
    db.session.flush()
    with pytest.raises(Unreadable):
        documents.opened(first)
    db.session.rollback()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>alert(1)</script>",
        b"PK\x03\x04",
        b"MZ\x90",
        b" %PDF-1.7",
        b"%PDF",
        PNG[:15],
        b"\xff\xd8",
        b"RIFF....WEBP",
    ],
    ids=repr,
)
def test_what_is_no_picture_and_no_file_is_refused_whatever_it_is_called(
    alice: Actor, content: bytes
):
    with nothing_changes():
        refused(upload(alice, content), 400, "unsupported_document")


@pytest.mark.parametrize(
    "body",
    [
        order() | {"content": "not base64!"},
        order() | {"content": order()["content"] + "\n"},
        order() | {"content": order()["content"].rstrip("=")},
        order() | {"content": "é"},
        order() | {"content": None},
        order() | {"content": [order()["content"]]},
        order() | {"kind": "PASSPORT"},
        order() | {"kind": None},
        order() | {"name": "passport.png"},
        {"kind": "FRONT"},
        {"content": order()["content"]},
    ],
    ids=lambda body: json.dumps(body)[-60:],
)
def test_what_is_no_upload_is_400(alice: Actor, body: dict[str, Any]):
    with nothing_changes():
        refused(alice.post(THERE, body), 400, "validation_error")


def test_a_form_is_415(alice: Actor):
    with nothing_changes():
        answer = alice.call("POST", THERE, data={"kind": "FRONT", "content": "x"})
        refused(answer, 415, "unsupported_media_type")


def test_the_largest_document_is_taken_and_a_byte_more_is_not(alice: Actor):
    largest = PNG.ljust(LARGEST_BYTES, b"x")
    assert upload(alice, largest).get_json()["document"]["sizeBytes"] == LARGEST_BYTES
    assert documents.opened(listed(alice)[0]["id"]).content == largest
    with nothing_changes():
        refused(upload(alice, largest + b"x"), 400, "document_too_large")


@pytest.mark.checklist(21)
def test_only_this_route_takes_more_than_64_kib_and_not_without_end(alice: Actor):
    def send(path: str, longest: int) -> Any:
        body = json.dumps(order()).encode().ljust(longest)
        return alice.call("POST", path, data=body, content_type="application/json")

    assert send(THERE, LONGEST_BODY).status_code == 200
    with nothing_changes():
        refused(send(THERE, LONGEST_BODY + 1), 413, "body_too_large")
        refused(send("/client/kyc", MAX_BODY_BYTES + 1), 413, "body_too_large")
        refused(send("/client/transfer", MAX_BODY_BYTES + 1), 413, "body_too_large")
    stranger = alice.client.post(f"/api{THERE}", data=b" " * (LONGEST_BODY + 1))
    refused(stranger, 401, "authentication_required")


def test_there_are_so_many_and_no_more(house: Flask, alice: Actor):
    for _ in range(MOST_DOCUMENTS):
        assert upload(alice).status_code == 200
    with nothing_changes():
        refused(upload(alice), 409, "too_many_documents")
    submit(alice)
    with nothing_changes():
        refused(upload(alice), 409, "too_many_documents")
    service.reject(alice.id, "document_unreadable")
    # The next submission has room of its own.
    assert upload(alice).status_code == 200


def test_a_draft_can_be_removed_and_what_is_submitted_stays(alice: Actor, bob: Actor):
    first, second = uploaded(alice), uploaded(alice)
    with nothing_changes():
        refused(bob.call("DELETE", f"{THERE}/{first}"), 404, "not_found")
    with only_changes("kyc_documents"):
        assert alice.call("DELETE", f"{THERE}/{first}").status_code == 204
    submit(alice)
    assert [each["submittedAt"] is None for each in listed(alice)] == [False]
    with nothing_changes():
        refused(alice.call("DELETE", f"{THERE}/{first}"), 404, "not_found")
        refused(alice.call("DELETE", f"{THERE}/{second}"), 409, "state_conflict")


def test_what_comes_while_a_case_waits_is_part_of_it_and_after_its_approval_nothing_comes(
    alice: Actor,
):
    submit(alice)
    assert upload(alice).get_json()["document"]["submittedAt"] is not None
    service.approve(alice.id)
    with nothing_changes():
        refused(upload(alice), 409, "state_conflict")


def test_a_repeated_upload_under_a_key_is_one(alice: Actor):
    def send(content: bytes) -> Any:
        return alice.post(THERE, order(content), headers={"Idempotency-Key": "front"})

    first, again = send(PNG), send(PNG)
    assert first.get_json() == again.get_json()
    assert len(listed(alice)) == 1
    with nothing_changes():
        refused(send(PDF), 409, "idempotency_key_reused")


def test_documents_are_dropped_so_long_after_the_decision(
    house: Flask, alice: Actor, bob: Actor, moments: Moments, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(documents.retention, "kept", timedelta(days=10))
    kept = {actor.id: uploaded(actor) for actor in (alice, bob)}
    submit(alice)
    submit(bob)
    moments.pass_by(86400 * 400)
    with nothing_changes():
        drop_documents()  # both wait
    service.reject(alice.id, "document_unreadable")
    moments.pass_by(86400 * 10 - 1)
    with nothing_changes():
        drop_documents()

    moments.pass_by(1)
    with only_changes("kyc_documents"):
        drop_documents()

    assert listed(alice) == []
    assert [each["id"] for each in listed(bob)] == [kept[bob.id]]
    (left,) = documents.submitted(alice.id)
    assert (left.id, left.dropped_at) == (kept[alice.id], clock.now())
    assert db.session.scalars(
        select(KycDocument.content).where(KycDocument.id == left.id)
    ).all() == [b""]
    with nothing_changes():
        drop_documents()
        told = run(house, "document", left.id, "--to", "nowhere.png", "--reason", "a look")
        assert (told.exit_code, Path("nowhere.png").exists()) == (1, False)
    assert "dropped" in run(house, "show", alice.email).output


def test_a_draft_that_nobody_submits_is_dropped(alice: Actor, moments: Moments):
    uploaded(alice)
    moments.pass_by(DRAFTS_KEPT.total_seconds() - 1)
    drop_documents()
    assert len(listed(alice)) == 1
    moments.pass_by(1)
    drop_documents()
    assert listed(alice) == []


def test_an_operator_looks_at_a_document_and_it_is_written_down(
    house: Flask, alice: Actor, tmp_path: Path
):
    document_id = uploaded(alice, PDF)
    assert run(house, "show", alice.email).exit_code == 1
    submit(alice)
    shown = run(house, "show", alice.email)
    assert shown.exit_code == 0
    assert f"{document_id}  FRONT  application/pdf, {len(PDF)} bytes" in shown.output
    assert f"1 documents: flask kyc show {alice.email}" in run(house, "list").output

    there = tmp_path / "look.pdf"
    with only_changes("audit_entries"):
        told = run(house, "document", document_id, "--to", str(there), "--reason", "a case")
    assert (told.exit_code, there.read_bytes()) == (0, PDF)
    assert there.stat().st_mode & 0o777 == 0o600
    (entry,) = audit.entries(subject=f"user {alice.id}")
    assert (entry.action, entry.reason) == ("kyc.documents.look", "a case")
    assert entry.after == {"document": document_id}
    with nothing_changes():
        again = run(house, "document", document_id, "--to", str(there), "--reason", "a case")
        nobody = run(
            house, "document", ids.new_id(), "--to", str(tmp_path / "x"), "--reason", "a case"
        )
        why = run(house, "document", document_id, "--to", str(tmp_path / "x"), "--reason", " ")
    assert (again.exit_code, nobody.exit_code, why.exit_code) == (1, 1, 1)
    assert not (tmp_path / "x").exists()


def test_compliance_sees_a_case_and_looks_at_its_documents_one_by_one(house: Flask, alice: Actor):
    officer, clerk = make_clerk(house, Role.COMPLIANCE), make_clerk(house, Role.SUPPORT)
    document_id = uploaded(alice, JPEG)
    submit(alice)
    (waiting,) = officer.get("/kyc").get_json()["waiting"]
    identity = officer.get(f"/kyc/{waiting['userId']}").get_json()["identity"]
    assert (identity["email"], identity["status"]) == (alice.email, "PENDING")
    assert identity["person"]["documentNumber"] == "K1234567"
    (line,) = identity["documents"]
    assert (line["id"], line["sizeBytes"], line["droppedAt"]) == (document_id, len(JPEG), None)

    there = f"/kyc/documents/{document_id}/look"
    with nothing_changes():
        refused(clerk.post(there), 403, "role_insufficient")
        refused(officer.post(there, {}), 400, "validation_error")
        refused(officer.post(there, {"reason": " "}), 400, "validation_error")
        refused(officer.post(f"/kyc/documents/{ids.new_id()}/look"), 404, "not_found")
    with only_changes("audit_entries"):
        seen = officer.post(there).get_json()
    assert base64.b64decode(seen["content"]) == JPEG
    assert seen["document"] == line
    (entry,) = audit.entries(subject=f"user {alice.id}")
    assert (entry.actor, entry.action, entry.reason) == (
        *(officer.email, "kyc.documents.look"),
        WHY["reason"],
    )


@pytest.mark.slow
def test_of_many_at_once_no_more_are_kept_than_there_may_be(open_house: OpenHouse):
    anna = make_actor(open_house.app, "Anna")
    each = partial(documents.add, anna.id, documents.Upload("FRONT", PNG))
    ends = open_house.inside_at_once([each] * (MOST_DOCUMENTS + 2))
    kept = [type(end).__name__ for end in ends].count("KycDocument")
    assert kept == MOST_DOCUMENTS
    assert len(listed(anna)) == MOST_DOCUMENTS


def test_a_beginning_tells_the_type():
    assert media_type_of(PNG + PDF) == "image/png"
    assert media_type_of(b"x" + PNG) is None
