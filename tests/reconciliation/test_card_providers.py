"""What a provider says of our payments and what we have, over every provider of the registry."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from protonpay.cards.registry import PROVIDERS, card_providers
from protonpay.chains.registry import NETWORKS
from protonpay.deposits import review
from protonpay.kernel import clock, ids
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.rails import service as rails
from protonpay.reconciliation import service as reconciliation
from protonpay.reconciliation.service import Line
from protonpay.store.db import db, transaction
from tests.actors import Actor
from tests.contract.card_simulators import PLAYED
from tests.deposits.till import Till, stored
from tests.unchanged import only_changes

pytestmark = pytest.mark.slow

# A look writes about itself, and what it has asked about anew.
LOOKS = ("reconciliation_passes", "reconciliation_cases")
SOON = timedelta(seconds=15)


def look(till: Till, times: int = 1) -> Line:
    """Compare the provider so many times, a while apart."""
    line = None
    for count in range(times):
        with clock.frozen(clock.now() + count * SOON):
            line = reconciliation.reconcile(till.name)
    assert line is not None
    return line


def standing() -> list[tuple[str, str, str]]:
    return [(case.state, case.kind, case.subject) for case in reconciliation.open_cases()]


def paused() -> list[str]:
    return [rail for rail in (*NETWORKS, *PROVIDERS) if rails.paused(rail)]


def _write(deposit_id: str, values: str) -> None:
    db.session.execute(text(f"UPDATE deposits SET {values} WHERE id = :id"), {"id": deposit_id})
    db.session.commit()


def _lost(till: Till, bob: Actor) -> str:
    deposit = till.credited(bob)
    # What it knows of no more it answers like what it never knew of.
    _write(deposit.id, f"provider_ref = '{PLAYED[till.name].unknown_ref}'")
    return deposit.id


def _added(till: Till, bob: Actor) -> str:
    deposit = till.opened(bob)
    _write(deposit.id, "state = 'EXPIRED', ended_at = now()")
    till.press(deposit, "paid")
    return deposit.id


def _refunded(till: Till, bob: Actor) -> str:
    deposit = till.credited(bob)
    till.pull(deposit, "refund", amount="20.50")
    return deposit.id


def _taken_back(till: Till, bob: Actor) -> str:
    deposit = till.credited(bob)
    _write(deposit.id, "refunded_minor = 1")
    return deposit.id


def _other_amount(till: Till, bob: Actor) -> str:
    deposit = till.credited(bob)
    till.pull(deposit, "alter", amount="120.25")
    return deposit.id


def _not_booked(till: Till, bob: Actor) -> str:
    deposit = till.paid(bob)
    _write(deposit.id, "state = 'CONFIRMED', ended_at = now()")
    return deposit.id


def _forged(till: Till, bob: Actor) -> str:
    with transaction():
        amount = stored(till.credited(bob).id).amount_micro
        entry = entries.card_credit("cforged", till.name, bob.id, amount, amount - amount)
        ledger.post(entry)
    return "deposit:cforged:credit"


@pytest.mark.parametrize(
    ("happens", "kind"),
    [
        (_lost, "payment_lost"),
        (_added, "payment_not_credited"),
        (_refunded, "refund_not_booked"),
        (_taken_back, "refund_taken_back"),
        (_other_amount, "payment_differs"),
        (_not_booked, "credit_differs"),
        (_forged, "credit_without_transfer"),
    ],
)
def test_each_mismatch_is_one_case_of_its_rail(
    till: Till, bob: Actor, happens: Callable[[Till, Actor], str], kind: str
):
    till.credited(bob)
    subject = happens(till, bob)

    assert look(till).state == "seen"
    assert (standing(), paused()) == ([("SEEN", kind, subject)], []), "once it may be a race"
    assert look(till, 2).state == "DIFFERS"
    look(till, 3)
    assert (standing(), paused()) == ([("OPEN", kind, subject)], [till.name])
    (change,) = rails.changes()
    assert (change.changed_by, kind in change.reason) == ("reconciliation", True)


def test_a_sound_provider_is_equal_to_the_millionth(till: Till, bob: Actor):
    till.credited(bob, "33.25")
    partly = till.credited(bob, "120.50")
    till.pull(partly, "refund", amount="20.50")
    till.ask(partly)
    till.opened(bob)
    with only_changes("reconciliation_passes"):
        line = look(till)
    credited = -ledger.balance(chart.clearing(till.name)).micro
    assert (line.state, line.compared, line.theirs) == ("ok", 3, line.ours)
    assert line.ours is not None
    assert abs(line.ours.micro - credited) <= 1, "each refund is rounded by itself"


def test_what_the_usual_way_mends_is_asked_for_and_never_a_case(till: Till, bob: Actor):
    deposit = till.paid(bob)
    with only_changes(*LOOKS, "outbox"):
        assert look(till).state == "seen"
    asked = db.session.scalars(
        text("SELECT args ->> 'provider_ref' FROM outbox WHERE job = 'deposits.card_callback'")
    ).all()
    assert asked == [deposit.provider_ref]
    till.ask(deposit)

    assert look(till, 2).state == "ok"
    assert (standing(), paused(), stored(deposit.id).state) == ([], [], "CONFIRMED")


def test_a_case_that_vanishes_is_closed_and_its_rail_waits_for_a_person(till: Till, bob: Actor):
    deposit_id = _refunded(till, bob)
    look(till, 3)
    assert standing() == [("OPEN", "refund_not_booked", deposit_id)]
    till.ask(stored(deposit_id))

    assert look(till).state == "ok"
    (closed,) = reconciliation.newest()
    assert (closed.state, closed.note) == ("RESOLVED", "not there any more")
    assert paused() == [till.name]


def test_no_answer_is_neither_a_mismatch_nor_its_end(till: Till, bob: Actor):
    subject = _lost(till, bob)
    till.simulator.pull("faults", fault="status", status=500, times=100)
    line = look(till, 3)
    assert (line.state, line.compared, standing(), paused()) == ("unknown", 0, [], [])

    till.simulator.forget_faults()
    look(till, 3)
    till.simulator.pull("faults", fault="status", status=500, times=100)
    assert look(till, 3).state == "DIFFERS"
    assert standing() == [("OPEN", "payment_lost", subject)]


def test_a_payment_under_review_is_a_persons_matter_already(till: Till, bob: Actor):
    deposit = till.paid(bob)
    deposit_id = deposit.id
    till.pull(deposit, "alter", amount="60.25")
    till.ask(deposit)
    assert look(till, 3).state == "ok"
    review.close(deposit_id, "given back with the provider")
    assert look(till, 3).state == "DIFFERS", "until it was given back"
    till.pull(stored(deposit_id), "alter", amount="120.50")
    till.pull(stored(deposit_id), "refund")
    assert look(till, 1).state == "ok"


def test_a_payment_that_no_deposit_has_is_a_case_until_it_has(till: Till, bob: Actor):
    deposit = till.credited(bob)
    other = ids.new_id()
    till.pull(deposit, "alter", reference=other)
    listed = card_providers.get(till.name).paid_since(clock.now() - timedelta(hours=1), None)
    if listed is None:
        assert till.name == "freedompay"
        return
    assert [seen.reference for seen in listed.payments] == [other]

    look(till, 2)

    (case,) = [one for one in reconciliation.open_cases() if one.kind == "payment_without_deposit"]
    assert (case.state, case.subject) == ("OPEN", deposit.provider_ref)
    assert case.evidence == {"reference": other, "theirs": "120.50 " + deposit.currency}
    assert paused() == [till.name]

    till.simulator.pull("faults", fault="status", status=500, call="list", times=9)
    assert look(till).state == "DIFFERS", "a list that is not told ends no case"
    till.simulator.forget_faults()
    till.pull(deposit, "alter", reference=deposit.id)
    assert look(till).state == "ok"


def test_a_payment_of_another_shop_by_the_same_account_is_nothing_to_us(till: Till, bob: Actor):
    deposit = till.credited(bob)
    till.pull(deposit, "alter", reference="ORDER-2026/17")
    look(till, 2)
    assert "payment_without_deposit" not in {one.kind for one in reconciliation.open_cases()}
