"""When a deposit is looked at, and what an operator decides about those under review."""

from datetime import timedelta

import pytest
from flask import Flask

from protonpay.deposits import review, settling
from protonpay.deposits.schedule import DAY, HOUR, LOOKS, MINUTE, Looks
from protonpay.deposits.states import DEPOSIT
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.kernel.money import ZERO
from protonpay.ledger import audit
from protonpay.store.db import db
from protonpay.store.jobs import Later
from tests.actors import Actor
from tests.deposits.till import Till, stored
from tests.unchanged import nothing_changes, only_changes

LATER = pytest.mark.slow


def test_every_state_that_is_no_end_is_looked_at():
    # No provider can be asked about these: the watch sees one come again, a person decides one.
    of_chains = {"VANISHED", "ON_HOLD"}
    assert set(LOOKS) == set(DEPOSIT.states) - DEPOSIT.terminal - of_chains


@pytest.mark.parametrize("looks", LOOKS.values())
def test_looks_ascend_and_become_rarer(looks: Looks):
    assert list(looks.at) == sorted(set(looks.at))
    waits = [after - before for before, after in zip(looks.at, looks.at[1:], strict=False)]
    assert all(wait >= MINUTE for wait in waits)


@pytest.mark.parametrize(
    ("state", "age", "wait"),
    [
        ("PENDING", timedelta(0), 2 * MINUTE),
        ("PENDING", 2 * MINUTE, 3 * MINUTE),
        ("PENDING", 65 * MINUTE, HOUR),
        ("EXPIRED", 2 * DAY, DAY),
        ("FAILED", MINUTE, 59 * MINUTE),
        ("EXPIRED", 14 * DAY, None),
        ("CONFIRMED", timedelta(0), DAY),
        ("CONFIRMED", 90 * DAY, 30 * DAY),
        ("CONFIRMED", 180 * DAY, None),
        ("REVIEW", 400 * DAY, DAY),
    ],
)
def test_the_next_look(state: str, age: timedelta, wait: timedelta | None):
    assert LOOKS[state].next(age) == wait


def look(deposit_id: str, after: timedelta) -> Later | None:
    with clock.frozen(clock.now() + after):
        later = settling.check(deposit_id)
    db.session.expire_all()
    return later


@LATER
def test_a_payment_nobody_told_of_is_found(till: Till, bob: Actor):
    deposit = till.paid(bob)
    later = look(deposit.id, 2 * MINUTE)
    assert stored(deposit.id).state == "CONFIRMED"
    assert bob.available == deposit.credited
    assert later is not None
    assert later.seconds == int(DAY.total_seconds())


@LATER
def test_two_days_of_silence_end_it_and_late_money_is_credited_once(till: Till, bob: Actor):
    deposit = till.opened(bob)
    later = look(deposit.id, 2 * DAY + MINUTE)
    assert stored(deposit.id).state == "EXPIRED"
    assert later is not None
    till.press(deposit, "paid")
    assert look(deposit.id, 3 * DAY) is not None
    assert (stored(deposit.id).state, bob.available) == ("CONFIRMED", deposit.credited)
    with nothing_changes():
        look(deposit.id, 7 * DAY)


@LATER
def test_silence_for_two_weeks_is_the_end(till: Till, bob: Actor):
    deposit = till.opened(bob)
    look(deposit.id, 3 * DAY)
    assert look(deposit.id, 15 * DAY) is None


@LATER
def test_what_the_provider_itself_does_not_know_is_not_called_unpaid(till: Till, bob: Actor):
    deposit = till.opened(bob)
    till.pull(deposit, "alter", status="SOMETHING_NEW")
    assert look(deposit.id, DAY) is not None
    assert stored(deposit.id).state == "PENDING"
    assert look(deposit.id, 2 * DAY + MINUTE) is not None
    assert stored(deposit.id).state == "REVIEW"


@LATER
def test_a_provider_that_is_silent_leaves_it_as_it_is(till: Till, bob: Actor):
    deposit = till.opened(bob)
    till.simulator.pull("faults", fault="status", status=500)
    with nothing_changes():
        assert look(deposit.id, 3 * DAY) is not None
    assert stored(deposit.id).state == "PENDING"


# Under review


@pytest.fixture
def differing(till: Till, bob: Actor) -> str:
    """A deposit of which less was paid than ordered."""
    deposit = till.paid(bob)
    till.pull(deposit, "alter", amount="60.25")
    till.ask(deposit)
    assert stored(deposit.id).state == "REVIEW"
    return deposit.id


def run(house: Flask, *arguments: str) -> tuple[int, str]:
    done = house.test_cli_runner().invoke(args=["ops", *arguments])
    return done.exit_code, done.output


@LATER
def test_what_differs_is_shown(till: Till, differing: str, house: Flask):
    (deposit,) = review.waiting()
    assert deposit.id == differing
    status, said = run(house, "deposits")
    assert status == 0
    assert differing in said
    ordered = f"{deposit.fiat} {deposit.currency}"
    assert f"amount: ordered {ordered}, the provider says 60.25" in said


@LATER
def test_what_was_really_paid_can_be_credited_once(
    till: Till, differing: str, house: Flask, bob: Actor
):
    whole = stored(differing).credited
    status, said = run(house, "credit-deposit", differing, "--reason", "paid less, by agreement")
    assert (status, "credited" in said) == (0, True), said
    deposit = stored(differing)
    assert (deposit.state, deposit.reason) == (
        "CONFIRMED",
        "let through: paid less, by agreement",
    )
    assert ZERO < bob.available == deposit.credited < whole
    with only_changes("audit_entries"):
        assert run(house, "credit-deposit", differing, "--reason", "again")[0] == 1
        assert run(house, "close-deposit", differing, "--reason", "again")[0] == 1
    till.pull(deposit, "refund", amount="60.25")
    till.ask(deposit)
    assert (stored(differing).state, bob.available) == ("REFUNDED", ZERO)
    assert audit.findings() == []


@LATER
def test_a_closed_deposit_stays_closed_whatever_is_told(
    till: Till, differing: str, house: Flask, bob: Actor
):
    assert run(house, "close-deposit", differing, "--reason", "given back by hand")[0] == 0
    deposit = stored(differing)
    assert (deposit.state, deposit.reason) == ("CLOSED", "closed: given back by hand")
    view = bob.get(f"/client/deposit/{differing}").get_json()["deposit"]
    assert view["status"] == "FAILED"
    with nothing_changes():
        till.ask(deposit)
        till.pull(deposit, "alter", amount="120.50")
        till.ask(deposit)
        with pytest.raises(Conflict):
            review.let_through(differing, "changed my mind")
        assert settling.check(differing) is None
    assert bob.available == ZERO


@LATER
def test_a_payment_of_the_other_mode_is_never_credited(till: Till, bob: Actor):
    deposit = till.paid(bob)
    till.pull(deposit, "alter", live=True)
    till.ask(deposit)
    with nothing_changes(), pytest.raises(Invalid):
        review.let_through(deposit.id, "please")


@pytest.mark.usefixtures("house")
def test_nobody_decides_about_what_is_not_there():
    for decide in (review.let_through, review.close):
        with pytest.raises(NotFound):
            decide("cmnobody00000000000000000", "no reason")
