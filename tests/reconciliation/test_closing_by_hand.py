"""An operator closes a case; a difference that still stands is a case again at once."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from protonpay.audit import service as audit
from protonpay.kernel import clock
from protonpay.operators.service import Role
from protonpay.rails import service as rails
from protonpay.reconciliation import cases, payments
from protonpay.reconciliation import service as reconciliation
from protonpay.reconciliation.cases import KINDS, Finding
from protonpay.reconciliation.models import ReconciliationCase
from protonpay.store.db import db, transaction
from tests.actors import Actor
from tests.deposits.till import Till
from tests.operators.desk import WHY, Clerk, make_clerk
from tests.operators.test_sessions import run
from tests.refusals import refused
from tests.unchanged import nothing_changes

BY_HAND = {
    "payment_lost",
    "payment_without_deposit",
    "payment_differs",
    "payment_not_credited",
    "refund_taken_back",
}
LOST = Finding("payment_lost", "a deposit", {"micro": 1})


@pytest.fixture
def clerk(house: Flask) -> Clerk:
    return make_clerk(house, Role.FINANCE)


def found(number: int, finding: Finding = LOST) -> None:
    """Let a pass find a difference, a quarter of a minute after the one before."""
    with clock.frozen(clock.now() + number * timedelta(seconds=15)), transaction():
        cases.note("tap", number, [finding], ["tap"])


def opened(finding: Finding = LOST) -> ReconciliationCase:
    """Let two passes find it."""
    found(1, finding)
    found(2, finding)
    (case,) = reconciliation.open_cases()
    assert case.state == "OPEN"
    return case


def test_a_case_is_closed_with_a_reason_that_is_kept(clerk: Clerk):
    case = opened()

    answer = clerk.post(f"/cases/{case.id}/close").get_json()["case"]

    assert (answer["state"], answer["closedBy"]) == ("RESOLVED", clerk.email)
    assert reconciliation.open_cases() == []
    (closed,) = reconciliation.newest()
    assert (closed.note, closed.closed_by) == (WHY["reason"], clerk.email)
    entry = audit.entries(subject=f"case {case.id}")[0]
    assert (entry.action, entry.actor, entry.reason) == (
        *("cases.close", clerk.email, WHY["reason"]),
    )
    assert (entry.before["state"], entry.after["state"]) == ("OPEN", "RESOLVED")
    assert rails.paused("tap"), "a person opens the rail again, by an act of its own"


def test_a_difference_that_still_stands_is_open_again_at_the_next_pass(clerk: Clerk):
    case = opened()
    clerk.post(f"/cases/{case.id}/close")
    rails.resume("tap", reason="settled", by="olga")

    found(3)

    (again,) = reconciliation.open_cases()
    assert (again.state, again.id != case.id, rails.paused("tap")) == ("OPEN", True, True)
    refused(clerk.post(f"/cases/{case.id}/close"), 409, "case_not_open")


def test_what_a_pass_closed_begins_anew_as_seen(house: Flask):
    opened()
    with transaction():
        cases.end("tap", 3)
    found(4)
    (again,) = reconciliation.open_cases()
    assert again.state == "SEEN"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_only_what_a_provider_is_asked_about_is_closed_by_hand(clerk: Clerk, kind: str):
    case = opened(Finding(kind, "it", {"chain": 2, "rows": 1}))
    if kind in BY_HAND:
        assert clerk.post(f"/cases/{case.id}/close").status_code == 200
        return
    with nothing_changes():
        refused(clerk.post(f"/cases/{case.id}/close"), 409, "case_not_by_hand")


def test_what_was_seen_once_or_never_is_not_closed(clerk: Clerk):
    found(1)
    (case,) = reconciliation.open_cases()
    with nothing_changes():
        refused(clerk.post(f"/cases/{case.id}/close"), 409, "case_not_open")
        refused(clerk.post(f"/cases/{case.id + 1}/close"), 404, "not_found")
        refused(clerk.post(f"/cases/{case.id}/close", {}), 400, "validation_error")


def test_the_command_does_the_same(house: Flask):
    case = opened()
    words = ("ops", "close-case", str(case.id), "--reason", "given back by Tap", "--by", "olga")
    told = run(house, *words)
    assert (told.exit_code, told.output) == (0, f"Case {case.id} is closed.\n")
    listed = run(house, "ops", "cases", "--all").output
    assert "by olga: given back by Tap" in listed
    again = run(house, *words)
    assert (again.exit_code, "not open" in again.output) == (1, True)


def _look(till: Till, later: timedelta = timedelta(0)) -> list[tuple[str, str]]:
    with clock.frozen(clock.now() + later):
        reconciliation.reconcile(till.name)
    return [(case.state, case.subject) for case in reconciliation.open_cases()]


def _age(deposit_id: str) -> None:
    old = text(
        "UPDATE deposits SET created_at = now() - interval '9 days', ended_at = NULL WHERE id = :id"
    )
    db.session.execute(old, {"id": deposit_id})
    db.session.commit()


@pytest.mark.slow
def test_a_case_does_not_end_because_its_payment_is_old(till: Till, bob: Actor, clerk: Clerk):
    deposit = till.credited(bob)
    changed = text("UPDATE deposits SET refunded_minor = 1 WHERE id = :id")
    db.session.execute(changed, {"id": deposit.id})
    db.session.commit()
    _look(till)
    open_case = [("OPEN", deposit.id)]
    assert _look(till, timedelta(seconds=15)) == open_case
    _age(deposit.id)

    assert _look(till) == open_case
    (case,) = reconciliation.open_cases()
    clerk.post(f"/cases/{case.id}/close")
    assert _look(till) == open_case, "nobody closes what still stands"


def test_a_payment_that_fell_out_of_the_list_is_not_settled_by_that(
    house: Flask, monkeypatch: pytest.MonkeyPatch
):
    opened(Finding("payment_without_deposit", "chg_1", {"reference": "c1"}))

    class Silent:
        def paid_since(self, *_: Any) -> Any:
            return type("Listed", (), {"payments": [], "after": None})

    monkeypatch.setattr(payments.card_providers, "get", lambda _name: Silent())
    assert payments.go_on("tap", 3, {}, "list:").unknown == []
    with clock.frozen(clock.now() + timedelta(days=4)):
        assert payments.go_on("tap", 3, {}, "list:").unknown == ["chg_1"]
