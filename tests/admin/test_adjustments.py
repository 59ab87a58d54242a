"""Adjustments over the operators' API: by two people of two roles, once, of nobody's own."""

from typing import Any

import pytest
from flask import Flask

from protonpay.admin import service
from protonpay.audit import service as audit
from protonpay.kernel.errors import Conflict, Forbidden
from protonpay.kernel.money import Usdc
from protonpay.ledger import audit as books
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.operators import service as operators
from protonpay.operators.service import Role
from tests.actors import PASSWORD, Actor, make_actor
from tests.committed import OpenHouse, open_house
from tests.operators.desk import WHY, Clerk, make_clerk
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

__all__ = ["open_house"]


@pytest.fixture
def maker(house: Flask) -> Clerk:
    return make_clerk(house, Role.OPERATOR)


@pytest.fixture
def checker(house: Flask) -> Clerk:
    return make_clerk(house, Role.FINANCE)


def order(actor: Actor, **changes: Any) -> dict[str, Any]:
    ends = {"source": chart.available(actor.id), "destination": chart.FEES}
    return {"reference": "ticket-1", **ends, "amount": "5", **WHY, **changes}


def proposed(maker: Clerk, actor: Actor, **changes: Any) -> str:
    answer = maker.post("/adjustments", order(actor, **changes))
    assert answer.status_code == 200, answer.get_json()
    return str(answer.get_json()["adjustment"]["id"])


def test_money_moves_when_another_has_approved(maker: Clerk, checker: Clerk, alice: Actor):
    with only_changes("adjustments", "audit_entries"):
        made = proposed(maker, alice)
    (waiting,) = checker.get("/adjustments").get_json()["adjustments"]
    assert (waiting["id"], waiting["state"], waiting["amount"]) == (made, "PROPOSED", "5.00")
    answer = checker.post(f"/adjustments/{made}/approve").get_json()["adjustment"]
    assert (answer["state"], answer["proposedBy"], answer["decidedBy"]) == (
        *("POSTED", maker.email, checker.email),
    )
    assert (str(alice.available), str(ledger.balance(chart.FEES))) == ("995.00", "5.00")
    assert books.findings() == []
    approval = audit.entries(subject=f"adjustment {made}")[0]
    assert (approval.actor, approval.action) == (checker.email, "adjustments.approve")
    assert approval.origin.endswith(" as finance")
    with nothing_changes():
        refused(checker.post(f"/adjustments/{made}/approve"), 409, "state_conflict")


def test_a_refusal_moves_nothing(maker: Clerk, checker: Clerk, alice: Actor):
    made = proposed(maker, alice)
    with only_changes("adjustments", "audit_entries"):
        refusal = checker.post(f"/adjustments/{made}/refuse").get_json()["adjustment"]
    assert (refusal["state"], refusal["decision"]) == ("REFUSED", WHY["reason"])
    with nothing_changes():
        refused(checker.post(f"/adjustments/{made}/approve"), 409, "state_conflict")


def test_the_same_under_its_reference_is_one(maker: Clerk, alice: Actor):
    made = proposed(maker, alice)
    with nothing_changes():
        assert proposed(maker, alice) == made
        for changes in ({"amount": "6"}, {"destination": chart.CAPITAL}):
            refused(maker.post("/adjustments", order(alice, **changes)), 409, "reference_taken")


def test_one_person_with_another_role_is_the_same_person(maker: Clerk, alice: Actor):
    made = proposed(maker, alice)
    operators.set_role(maker.email, Role.FINANCE)
    caller = operators.prove(maker.email, PASSWORD, origin="the tests")
    with nothing_changes(), pytest.raises(Forbidden) as same:
        service.approve_adjustment(caller, made, "mine")
    assert same.value.code == "second_person"


def test_nobody_adjusts_their_own_account(house: Flask, maker: Clerk, alice: Actor):
    own = make_clerk(house, Role.FINANCE, email=alice.email.upper())
    made = proposed(maker, alice)
    with nothing_changes():
        refused(own.post(f"/adjustments/{made}/approve"), 403, "own_account")
        refused(own.post(f"/adjustments/{made}/refuse"), 403, "own_account")
    bert = make_actor(house, "Bert")
    as_maker = make_clerk(house, Role.OPERATOR, email=bert.email)
    with nothing_changes():
        refused(as_maker.post("/adjustments", order(bert)), 403, "own_account")


def test_what_is_not_there_is_not_taken(maker: Clerk, checker: Clerk, bob: Actor):
    made = proposed(maker, bob)
    with nothing_changes():
        refused(checker.post(f"/adjustments/{made}/approve"), 400, "insufficient_balance")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "0"},
        {"amount": "1.0000001"},
        {"source": "user:nobody:held"},
        {"destination": "transit:inside"},
        {"reason": ""},
        {"reference": ""},
        {"more": 1},
    ],
    ids=str,
)
def test_bad_input_is_refused(maker: Clerk, alice: Actor, changes: dict[str, Any]):
    with nothing_changes():
        answer = maker.post("/adjustments", order(alice, **changes))
        assert answer.status_code in {400, 404}, answer.get_json()


def test_a_service_asks_for_the_role_too(maker: Clerk, checker: Clerk, alice: Actor):
    made, ends = proposed(maker, alice), (chart.available(alice.id), chart.FEES)
    with nothing_changes():
        for decide in (service.approve_adjustment, service.refuse_adjustment):
            with pytest.raises(Forbidden, match="role_insufficient"):
                decide(maker.caller, made, "mine")
        with pytest.raises(Forbidden, match="role_insufficient"):
            service.propose_adjustment(
                checker.caller, reference="x", ends=ends, amount=Usdc.parse("1"), reason="y"
            )


def test_two_approvals_at_once_post_once(open_house: OpenHouse):
    alice = make_actor(open_house.app, "Alice", funded="100")
    maker = make_clerk(open_house.app, Role.OPERATOR)
    checkers = [make_clerk(open_house.app, Role.FINANCE) for _ in range(4)]
    made = proposed(maker, alice)

    def approving(clerk: Clerk) -> Any:
        return lambda: service.approve_adjustment(clerk.caller, made, "now").state

    ends = open_house.inside_at_once([approving(clerk) for clerk in checkers])
    assert ends.count("POSTED") == 1
    assert [type(end) for end in ends if end != "POSTED"] == [Conflict] * 3
    assert str(alice.available) == "95.00"
    acts = [entry.action for entry in audit.entries(subject=f"adjustment {made}")]
    assert acts == ["adjustments.approve", "adjustments.propose"]
    assert audit.check().broken_at is None
