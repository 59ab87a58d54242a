"""Corrections of the book: proposed by one, posted once by another, or not at all."""

from typing import Any

import pytest
from flask import Flask

from protonpay.adjustments import service
from protonpay.audit.service import Operator
from protonpay.audit.service import check as audit_check
from protonpay.audit.service import entries as acts
from protonpay.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from protonpay.kernel.money import Usdc
from protonpay.ledger import audit, chart
from protonpay.ledger import service as ledger
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse, open_house
from tests.payouts.orders import accepted
from tests.unchanged import nothing_changes, only_changes

__all__ = ["open_house"]

CLEARING = chart.clearing("tap")
"""It may be below zero."""
OLGA, IVAN = Operator("olga", "terminal"), Operator("ivan", "terminal")


def proposed(actor: Actor, amount: str = "5", by: Operator = OLGA) -> str:
    row = service.propose(
        by,
        source=CLEARING,
        destination=chart.available(actor.id),
        amount=Usdc.parse(amount),
        reason="a mistake of ours",
    )
    return row.id


def test_nothing_moves_until_a_second_person_approves(alice: Actor):
    with only_changes("adjustments", "audit_entries"):
        one = proposed(alice)
    assert alice.available == Usdc.parse("1000")
    assert [row.id for row in service.waiting()] == [one]

    row = service.approve(IVAN, one, reason="I saw it")

    assert (row.state, row.decided_by) == ("POSTED", "ivan")
    assert alice.available == Usdc.parse("1005")
    assert service.waiting() == []
    assert audit.findings(whole_chain=True) == []
    act = acts(subject=f"adjustment {one}")[0]
    address = chart.available(alice.id)
    assert (act.before[address], act.after[address]) == ("1000.00", "1005.00")


def test_nobody_approves_what_they_proposed(alice: Actor):
    one = proposed(alice)
    with nothing_changes(), pytest.raises(Forbidden) as refusal:
        service.approve(OLGA, one, reason="me again")
    assert refusal.value.code == "second_person"


def test_it_is_decided_once(alice: Actor):
    one = proposed(alice)
    service.approve(IVAN, one, reason="yes")
    for decide in (service.approve, service.refuse):
        with nothing_changes(), pytest.raises(Conflict):
            decide(Operator("anna", "terminal"), one, reason="again")
    with nothing_changes(), pytest.raises(NotFound):
        service.approve(IVAN, "cmnothing", reason="x")


@pytest.mark.parametrize("by", [OLGA, IVAN])
def test_a_refused_one_moves_nothing(alice: Actor, by: Operator):
    one = proposed(alice)
    with only_changes("adjustments", "audit_entries"):
        assert service.refuse(by, one, reason="no").state == "REFUSED"
    with nothing_changes(), pytest.raises(Conflict):
        service.approve(IVAN, one, reason="after all")


def test_nobody_gets_below_zero(alice: Actor):
    row = service.propose(
        OLGA,
        source=chart.available(alice.id),
        destination=chart.FEES,
        amount=Usdc.parse("1000.000001"),
        reason="too much",
    )
    with nothing_changes(), pytest.raises(Invalid) as refusal:
        service.approve(IVAN, row.id, reason="let us see")
    assert refusal.value.code == "insufficient_balance"


def test_what_is_promised_to_a_payout_is_not_there_to_take(alice: Actor):
    accepted(alice)
    for source in (chart.held(alice.id), chart.INSIDE, "user:nobody:available", "x", ""):
        with nothing_changes(), pytest.raises(Invalid):
            service.propose(
                OLGA, source=source, destination=chart.FEES, amount=Usdc(1), reason="why"
            )


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_a_reason_is_given(alice: Actor, reason: str):
    with nothing_changes(), pytest.raises(Invalid):
        service.propose(
            OLGA,
            source=CLEARING,
            destination=chart.available(alice.id),
            amount=Usdc(1),
            reason=reason,
        )


def test_an_amount_is_above_zero_and_between_two(alice: Actor):
    mine = chart.available(alice.id)
    for source, amount in ((CLEARING, 0), (mine, 1)):
        with nothing_changes(), pytest.raises(Invalid):
            service.propose(OLGA, source=source, destination=mine, amount=Usdc(amount), reason="x")


def test_of_many_approvals_at_once_one_posts(open_house: OpenHouse):
    anna = make_actor(open_house.app, "Anna", funded="10")
    one = proposed(anna, "5")
    people = [Operator(f"person {number}", "terminal") for number in range(6)]

    def approve(who: Operator) -> Any:
        return lambda: service.approve(who, one, reason="yes").state

    ended = open_house.inside_at_once([approve(who) for who in people])

    assert ended.count("POSTED") == 1
    assert all(isinstance(each, Refusal) for each in ended if each != "POSTED")
    assert ledger.balance(chart.available(anna.id)) == Usdc.parse("15")
    assert audit_check().broken_at is None


def run(house: Flask, *words: str) -> Any:
    return house.test_cli_runner().invoke(args=["ops", "adjust", *words])


def test_two_people_at_a_terminal(house: Flask, alice: Actor):
    mine, why = chart.available(alice.id), ("--reason", "by phone")
    told = run(house, "propose", "clearing:tap", mine, "2.5", *why, "--by", "olga")
    assert told.exit_code == 0, told.output
    one = told.output.partition(":")[0]
    named = ("propose", "clearing:tap", mine, "1", *why, "--by", "olga", "--reference", "call 17")
    first = run(house, *named)
    with nothing_changes():
        assert run(house, *named).output == first.output, "the same once more is the same"
    assert f"clearing:tap → {mine}" in run(house, "list").output
    with nothing_changes():
        own = run(house, "approve", one, *why, "--by", "olga")
        assert (own.exit_code, "Somebody else" in own.output) == (1, True)
        assert run(house, "propose", "clearing:tap", mine, "1e3", *why).exit_code == 2
        assert run(house, "approve", one, "--by", "ivan").exit_code == 2
    assert "POSTED, 2.50 USDC" in run(house, "approve", one, *why, "--by", "ivan").output
    assert alice.available == Usdc.parse("1002.5")
