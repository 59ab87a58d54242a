"""A case goes to its provider once, and is decided by nothing but its verdict or a person."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from sqlalchemy import select

from protonpay.identity.port import Application, Outcome, Verdict
from protonpay.identity.registry import MANUAL, PROVIDERS, identity_providers
from protonpay.kyc import checking, service
from protonpay.kyc.models import KycCase
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.wire.http import NoAnswer
from tests.actors import Actor
from tests.events import events_of
from tests.kyc.papers import PDF, PNG, upload
from tests.kyc.test_kyc import status, submit
from tests.payouts.orders import jobs
from tests.unchanged import nothing_changes, only_changes
from workers.kyc import check

UNKNOWN = Verdict(Outcome.UNKNOWN)


@dataclass
class Oracle:
    """A provider that says what it is told to; an exception is raised."""

    name: str = "oracle"
    ask_again_seconds: int | None = 60
    says: Verdict | Exception = UNKNOWN
    takes: Exception | None = None
    taken: list[Application] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def hand_in(self, application: Application) -> str:
        self.taken.append(application)
        if self.takes is not None:
            raise self.takes
        return f"ref-{application.id}"

    def verdict(self, reference: str) -> Verdict:
        self.asked.append(reference)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
def oracle(house: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Oracle]:
    oracle = Oracle()
    monkeypatch.setitem(PROVIDERS, "oracle", f"{__name__}:Oracle")  # type: ignore[arg-type]
    identity_providers.bind("oracle", {"oracle": {}})
    identity_providers._made["oracle"] = oracle
    yield oracle
    identity_providers.bind(MANUAL, {})


def case() -> KycCase:
    return db.session.scalars(select(KycCase), execution_options={"populate_existing": True}).one()


def ask(submission: int = 1) -> Later | None:
    return checking.check(case().id, submission)


def test_people_are_asked_nothing(alice: Actor):
    with only_changes("kyc_cases"):
        submit(alice)
    assert (case().provider, case().submission) == ("manual", 1)
    with only_changes("kyc_cases"):
        assert ask() is None
    assert status(alice)["status"] == "PENDING"


def test_a_case_is_handed_in_with_its_documents_and_asked_about_until_there_is_a_verdict(
    alice: Actor, bob: Actor, oracle: Oracle
):
    upload(alice, PNG, "FRONT")
    upload(bob, PDF)
    with only_changes("kyc_cases", "kyc_documents", "outbox"):
        submit(alice)
    assert jobs()[-1] == ("kyc.check", {"case_id": case().id, "submission": 1})
    with only_changes("kyc_cases"):
        assert ask() == Later(60, "the provider does not know yet")
    with nothing_changes():
        assert ask() == Later(60, "the provider does not know yet")
    (application,) = oracle.taken
    assert application.id == f"{case().id}-1"
    assert (application.full_name, application.document_number) == ("Алиса Doe", "K1234567")
    assert [(paper.kind, paper.content) for paper in application.papers] == [("FRONT", PNG)]
    assert oracle.asked == [f"ref-{application.id}"] * 2

    oracle.says = Verdict(Outcome.YES)
    with only_changes("kyc_cases", "users", "events"):
        assert ask() is None
    assert status(alice)["status"] == "APPROVED"
    assert [name for name, _ in events_of(alice.id)] == ["kyc.approved"]
    with nothing_changes():
        assert ask() is None
    assert len(oracle.asked) == 3


def test_a_no_is_told_with_its_reason_and_the_next_submission_is_another_application(
    alice: Actor, oracle: Oracle
):
    upload(alice, PNG)
    submit(alice)
    oracle.says = Verdict(Outcome.NO, "document_expired")
    with only_changes("kyc_cases", "events"):
        assert ask() is None
    assert (status(alice)["status"], status(alice)["reason"]) == ("REJECTED", "document_expired")
    upload(alice, PDF)
    submit(alice)
    with nothing_changes():
        assert ask(1) is None, "what is left of the first one asks nothing"
    oracle.says = UNKNOWN
    ask(2)
    first, second = oracle.taken
    assert (first.id, second.id) == (f"{case().id}-1", f"{case().id}-2")
    assert [paper.content for paper in second.papers] == [PDF]


@pytest.mark.parametrize("where", ["takes", "says"])
def test_no_answer_decides_nothing_and_is_asked_again(alice: Actor, oracle: Oracle, where: str):
    submit(alice)
    setattr(oracle, where, NoAnswer("silence"))
    for _ in range(3):
        later = ask()
        assert later is not None
        assert "silence" in later.reason
    assert status(alice)["status"] == "PENDING"
    assert {application.id for application in oracle.taken} == {f"{case().id}-1"}
    assert len(oracle.taken) == (3 if where == "takes" else 1)
    oracle.takes, oracle.says = None, Verdict(Outcome.YES)
    assert ask() is None
    assert status(alice)["status"] == "APPROVED"


def test_a_person_decides_what_the_provider_has_not(alice: Actor, oracle: Oracle):
    submit(alice)
    ask()
    service.reject(alice.id, "other")
    oracle.says = Verdict(Outcome.YES)
    with nothing_changes():
        assert ask() is None
        assert not service.decide(alice.id, 1, approved=True, reason=None)
    assert status(alice)["status"] == "REJECTED"


def test_a_verdict_of_a_submission_before_is_not_heard(alice: Actor, oracle: Oracle):
    submit(alice)
    service.reject(alice.id, "other")
    submit(alice)
    with nothing_changes():
        assert not service.decide(alice.id, 1, approved=True, reason=None)
    assert service.decide(alice.id, 2, approved=True, reason=None)


def test_a_provider_that_is_not_set_up_any_more_is_waited_for(alice: Actor, oracle: Oracle):
    submit(alice)
    identity_providers.bind(MANUAL, {})
    with nothing_changes():
        assert ask() == Later(300, "provider_not_configured")
    assert check.__name__ == "check"
