"""An adjustment takes two people, moves money once, and always against an account of the house."""

from typing import Any

import pytest
from flask import Flask

from protonpay.admin import adjustments
from protonpay.audit import service as audit
from protonpay.kernel.errors import Conflict, Forbidden, Invalid
from protonpay.kernel.money import Usdc
from protonpay.ledger import audit as books
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.operators import service as operators
from protonpay.operators.service import Role
from protonpay.store.db import transaction
from tests.actors import PASSWORD, Actor, make_actor
from tests.committed import OpenHouse, open_house
from tests.operators.desk import WHY, Clerk, make_clerk
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

__all__ = ["open_house"]

BOOKED = ("journal_entries", "postings", "ledger_pending", "ledger_balances")


@pytest.fixture
def maker(house: Flask) -> Clerk:
    return make_clerk(house, Role.OPERATOR)


@pytest.fixture
def checker(house: Flask) -> Clerk:
    return make_clerk(house, Role.FINANCE)


def order(actor: Actor, **changes: Any) -> dict[str, Any]:
    said = {"reference": "ticket-1", "userId": actor.id, "direction": "CREDIT"}
    return {**said, "amount": "5", "contra": "CAPITAL", **WHY, **changes}


def proposed(maker: Clerk, actor: Actor, **changes: Any) -> str:
    answer = maker.post("/adjustments", order(actor, **changes))
    assert answer.status_code == 200, answer.get_json()
    return str(answer.get_json()["adjustment"]["id"])


def _capital() -> Usdc:
    with transaction():
        ledger.post(entries.capital("of the tests", "Base", Usdc.parse("100")))
    return ledger.balance(chart.CAPITAL)


def test_money_moves_when_another_has_approved(maker: Clerk, checker: Clerk, alice: Actor):
    before, capital = alice.available, _capital()
    with only_changes("adjustments", "audit_entries"):
        made = proposed(maker, alice)
    answer = checker.post(f"/adjustments/{made}/approve").get_json()["adjustment"]
    assert (answer["state"], answer["createdBy"], answer["decidedBy"]) == (
        *("APPROVED", maker.id, checker.id),
    )
    assert alice.available == before + Usdc.parse("5")
    assert ledger.balance(chart.CAPITAL) == capital - Usdc.parse("5")
    assert books.findings() == []
    approval = audit.entries(subject=f"adjustment {made}")[0]
    assert (approval.actor, approval.action) == (
        *(f"{checker.email} (finance)", "adjustments.approve"),
    )
    assert approval.origin.split()[1].startswith("req_")
    assert (approval.before["state"], approval.after["state"]) == ("PROPOSED", "APPROVED")
    assert approval.after["entry"] == answer["entryId"]


def test_a_debit_goes_to_the_house(maker: Clerk, checker: Clerk, alice: Actor):
    made = proposed(maker, alice, direction="DEBIT", contra="FEES", amount="1.000001")
    checker.post(f"/adjustments/{made}/approve")
    assert str(alice.available) == "998.999999"
    assert ledger.balance(chart.FEES) == Usdc.parse("1.000001")


def test_a_refusal_moves_nothing(maker: Clerk, checker: Clerk, alice: Actor):
    made = proposed(maker, alice)
    with only_changes("adjustments", "audit_entries"):
        refusal = checker.post(f"/adjustments/{made}/refuse").get_json()["adjustment"]
    assert (refusal["state"], refusal["entryId"]) == ("REFUSED", None)
    for decide in ("approve", "refuse"):
        with nothing_changes():
            refused(checker.post(f"/adjustments/{made}/{decide}"), 409, "state_conflict")


def test_the_same_under_its_reference_is_one(maker: Clerk, alice: Actor, bob: Actor):
    made = proposed(maker, alice)
    with nothing_changes():
        assert proposed(maker, alice) == made
        for changes in ({"amount": "6"}, {"userId": bob.id}, {"direction": "DEBIT"}):
            refused(maker.post("/adjustments", order(alice, **changes)), 409, "reference_taken")
        refused(maker.post("/adjustments", order(alice, contra="FEES")), 409, "reference_taken")


def test_one_person_with_another_role_is_the_same_person(maker: Clerk, alice: Actor):
    made = proposed(maker, alice)
    operators.set_role(maker.email, Role.FINANCE)
    caller = operators.prove(maker.email, PASSWORD, origin="the tests")
    for decide in (adjustments.approve, adjustments.refuse):
        with nothing_changes(), pytest.raises(Forbidden) as same:
            decide(caller, made, "mine")
        assert same.value.code == "same_person"


def test_nobody_decides_about_their_own_account(house: Flask, maker: Clerk, alice: Actor):
    own = make_clerk(house, Role.FINANCE, email=alice.email.upper())
    made = proposed(maker, alice)
    with nothing_changes():
        refused(own.post(f"/adjustments/{made}/approve"), 403, "own_account")
    own_maker = make_actor(house, "Own")
    as_maker = make_clerk(house, Role.OPERATOR, email=own_maker.email)
    with nothing_changes():
        refused(as_maker.post("/adjustments", order(own_maker)), 403, "own_account")


def test_what_is_not_there_is_not_taken(maker: Clerk, checker: Clerk, bob: Actor):
    for changes in ({"direction": "DEBIT"}, {"contra": "FEES"}):
        made = proposed(maker, bob, reference=str(changes), **changes)
        with nothing_changes():
            refused(checker.post(f"/adjustments/{made}/approve"), 400, "insufficient_balance")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "0"},
        {"amount": "1.0000001"},
        {"direction": "BOTH"},
        {"contra": "custody:Base"},
        {"reason": ""},
        {"reference": ""},
        {"more": 1},
    ],
    ids=str,
)
def test_bad_input_is_refused(maker: Clerk, alice: Actor, changes: dict[str, Any]):
    with nothing_changes():
        refused(maker.post("/adjustments", order(alice, **changes)), 400, "validation_error")


def test_a_service_asks_for_the_role_too(maker: Clerk, checker: Clerk, alice: Actor):
    """A terminal has no door: what stands behind both refuses."""
    made = proposed(maker, alice)
    change = ("CREDIT", Usdc.parse("1"), "CAPITAL")
    with nothing_changes():
        with pytest.raises(Forbidden, match="role_insufficient"):
            adjustments.approve(maker.caller, made, "mine")
        with pytest.raises(Forbidden, match="role_insufficient"):
            adjustments.propose(
                checker.caller, reference="x", user_id=alice.id, change=change, reason="y"
            )
        with pytest.raises(Invalid):
            adjustments.approve(checker.caller, made, " ")


def test_commands_ask_for_the_password_of_who_acts(
    house: Flask, maker: Clerk, checker: Clerk, alice: Actor
):
    def run(clerk: Clerk, *words: str, password: str = PASSWORD) -> Any:
        said = ("--as", clerk.email, "--password", password, "--reason", "as agreed")
        return house.test_cli_runner().invoke(args=["ops", "adjustments", *words, *said])

    words = ("propose", "ticket-2", alice.id, "DEBIT", "2.5", "CAPITAL")
    with nothing_changes():
        assert run(maker, *words, password="wrong").exit_code == 1
        assert run(checker, *words).exit_code == 1
    made = run(maker, *words).output.partition(":")[0]
    assert made in house.test_cli_runner().invoke(args=["ops", "adjustments", "list"]).output
    with nothing_changes():
        assert run(maker, "approve", made).exit_code == 1
    assert run(checker, "approve", made).output == f"{made}: APPROVED\n"
    assert str(alice.available) == "997.50"
    assert audit.entries(subject=f"adjustment {made}")[0].origin == "terminal"


def test_two_approvals_at_once_book_once(open_house: OpenHouse):
    alice = make_actor(open_house.app, "Alice", funded="100")
    maker = make_clerk(open_house.app, Role.OPERATOR)
    checkers = [make_clerk(open_house.app, Role.FINANCE) for _ in range(4)]
    change = ("DEBIT", Usdc.parse("10"), "CAPITAL")
    made = adjustments.propose(
        maker.caller, reference="once", user_id=alice.id, change=change, reason="twice"
    ).id

    def approving(clerk: Clerk) -> Any:
        return lambda: adjustments.approve(clerk.caller, made, "now").state

    ends = open_house.inside_at_once([approving(clerk) for clerk in checkers])
    assert ends.count("APPROVED") == 1
    assert [type(end) for end in ends if end != "APPROVED"] == [Conflict] * 3
    assert str(alice.available) == "90.00"
    assert len(audit.entries(subject=f"adjustment {made}")) == 1
    assert audit.check().broken_at is None
