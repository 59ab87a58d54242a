"""Limits and cooldown of a plan, to the millionth and to the second."""

from datetime import timedelta

import pytest

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Forbidden
from protonpay.payouts import cooldown
from protonpay.plans import service as plans
from protonpay.store.db import transaction
from tests.actors import Actor
from tests.payouts.orders import put, usdc, withdraw, withdraw_at
from tests.plans.of_a_kind import on_plan, plan
from tests.refusals import refused
from tests.unchanged import nothing_changes

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def rich(alice: Actor) -> Actor:
    """Alice on a plan of 100 at once and 250 a day, without a cooldown."""
    on_plan(
        alice,
        single_limit_micro=usdc("100").micro,
        daily_limit_micro=usdc("250").micro,
        cooldown_seconds=0,
    )
    return alice


@pytest.mark.checklist(70)
def test_the_largest_withdrawal_is_allowed_and_a_millionth_more_is_not(rich: Actor):
    with nothing_changes():
        body = refused(withdraw(rich, "100.000001"), 403, "plan_limit_exceeded")
    assert body["detail"] == "At most 100.00 USDC in one withdrawal."

    assert withdraw(rich, "100").status_code == 200


def test_the_default_plans_limit_is_the_documents(alice: Actor):
    refused(withdraw(alice, "10000.000001"), 403, "plan_limit_exceeded")
    refused(withdraw(alice, "10000"), 400, "insufficient_balance")


@pytest.mark.checklist(70)
def test_a_day_is_full_to_the_millionth_and_no_further(rich: Actor):
    now = clock.now()
    for second in range(2):
        withdraw_at(now + second * SECOND, rich, 100)

    with clock.frozen(now + 2 * SECOND):
        with nothing_changes():
            body = refused(withdraw(rich, "50.000001"), 403, "daily_limit_exceeded")
        assert body["detail"] == "At most 250.00 USDC in 24 hours."
        assert withdraw(rich, "50").status_code == 200
        with nothing_changes():
            refused(withdraw(rich, "0.000001"), 403, "daily_limit_exceeded")


def test_the_fee_does_not_count_against_a_limit(rich: Actor):
    now = clock.now()
    for second in range(2):
        withdraw_at(now + second * SECOND, rich, 100)
    assert withdraw_at(now + 2 * SECOND, rich, 50)


def test_the_day_is_the_last_24_hours_and_not_the_calendars(rich: Actor):
    first = clock.now()
    withdraw_at(first, rich, 100)
    withdraw_at(first + timedelta(hours=12), rich, 100)

    def wants(amount: int) -> int:
        return withdraw(rich, amount).status_code

    with clock.frozen(first + DAY - MICROSECOND):
        assert wants(51) == 403
    with clock.frozen(first + DAY):
        assert wants(100) == 200
        assert wants(51) == 403
        assert wants(50) == 200


@pytest.mark.checklist(70)
@pytest.mark.parametrize("state", ["PENDING", "SIGNED", "SENT", "COMPLETED"])
def test_whatever_has_not_failed_counts_against_the_day(rich: Actor, state: str):
    now = clock.now()
    for second in range(2):
        put(withdraw_at(now + second * SECOND, rich, 100), state)

    with clock.frozen(now + 2 * SECOND), nothing_changes():
        refused(withdraw(rich, 51), 403, "daily_limit_exceeded")


def test_what_has_failed_gives_the_day_its_part_back(rich: Actor):
    now = clock.now()
    withdraw_at(now, rich, 100)
    put(withdraw_at(now + SECOND, rich, 100), "FAILED")

    with clock.frozen(now + 2 * SECOND):
        assert withdraw(rich, 100).status_code == 200
        refused(withdraw(rich, 51), 403, "daily_limit_exceeded")


def test_a_limit_is_each_users_own(rich: Actor, mallory: Actor):
    now = clock.now()
    for second in range(2):
        withdraw_at(now + second * SECOND, rich, 100)

    assert withdraw_at(now + 2 * SECOND, mallory, 1)


@pytest.mark.checklist(71)
def test_a_minute_lies_between_two_withdrawals(alice: Actor):
    first = clock.now()
    withdraw_at(first, alice, 10)

    for after, wait in (
        (timedelta(0), 60),
        (SECOND, 59),
        (59 * SECOND, 1),
        (timedelta(seconds=18, microseconds=1), 42),
        (timedelta(seconds=60) - MICROSECOND, 1),
    ):
        with clock.frozen(first + after):
            with nothing_changes():
                answer = withdraw(alice, 10)
            body = refused(answer, 409, "withdrawal_cooldown")
            assert answer.headers["Retry-After"] == str(wait)
            assert body["detail"] == f"Next withdrawal is possible in {wait} seconds."
    with clock.frozen(first + timedelta(seconds=60)):
        assert withdraw(alice, 10).status_code == 200


def test_the_cooldown_is_over_all_networks(alice: Actor):
    first = clock.now()
    withdraw_at(first, alice, 10, "Base")

    with clock.frozen(first + SECOND):
        refused(withdraw(alice, 10, "Solana"), 409, "withdrawal_cooldown")


def test_the_cooldown_counts_from_the_last_one(alice: Actor):
    first = clock.now()
    withdraw_at(first, alice, 10)
    withdraw_at(first + 60 * SECOND, alice, 10)

    with clock.frozen(first + 100 * SECOND):
        assert withdraw(alice, 10).headers["Retry-After"] == "20"


@pytest.mark.parametrize(
    ("cooldown_seconds", "amount", "status", "code"),
    [(60, 1, 409, "withdrawal_cooldown"), (0, 51, 403, "daily_limit_exceeded")],
)
def test_what_another_process_ordered_counts_though_its_clock_is_ahead(
    alice: Actor, cooldown_seconds: int, amount: int, status: int, code: str
):
    on_plan(alice, daily_limit_micro=usdc("150").micro, cooldown_seconds=cooldown_seconds)
    now = clock.now()
    withdraw_at(now + 2 * SECOND, alice, 100)

    with clock.frozen(now), nothing_changes():
        refused(withdraw(alice, amount), status, code)


@pytest.mark.checklist(71)
def test_a_refused_order_starts_no_cooldown(alice: Actor):
    now = clock.now()
    with clock.frozen(now):
        refused(withdraw(alice, 5000), 400, "insufficient_balance")
        refused(withdraw(alice, 10, walletAddress="0x"), 400, "invalid_address")
        assert withdraw(alice, 10).status_code == 200


@pytest.mark.checklist(71)
def test_a_withdrawal_that_failed_starts_no_cooldown(alice: Actor):
    now = clock.now()
    put(withdraw_at(now, alice, 10), "FAILED")

    assert withdraw_at(now + SECOND, alice, 10)


def test_the_cooldown_is_each_users_own(alice: Actor, mallory: Actor):
    now = clock.now()
    withdraw_at(now, alice, 1)

    assert withdraw_at(now, mallory, 1)


def test_a_transfer_knows_no_cooldown(alice: Actor, bob: Actor):
    withdraw(alice, 10)

    answer = alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": 1})
    assert answer.status_code == 200


def test_a_plan_may_have_no_cooldown(rich: Actor):
    now = clock.now()

    assert len({withdraw_at(now, rich, 10) for _ in range(3)}) == 3


def test_before_a_signature_the_order_itself_does_not_count(alice: Actor):
    now = clock.now()
    payout_id = withdraw_at(now, alice, 10)
    terms = plans.terms(plans.DEFAULT)

    with transaction():
        cooldown.check_cooldown(terms, cooldown.before_each([payout_id])[payout_id])
        with pytest.raises(Conflict, match="withdrawal_cooldown"):
            cooldown.check_cooldown(terms, cooldown.before(alice.id, now))


def test_before_a_signature_only_what_came_before_counts(rich: Actor):
    """A later order must not make an earlier one, already accepted, too much."""
    now = clock.now()
    orders = [withdraw_at(now + n * SECOND, rich, 100) for n in range(2)]
    terms = plan(daily_limit=usdc("150"), single_limit=usdc("100"))

    with transaction():
        first, second = map(cooldown.before_each(orders).__getitem__, orders)
        cooldown.check_day(terms, first, usdc("100"))
        cooldown.check_cooldown(terms, first)
        with pytest.raises(Forbidden, match="daily_limit_exceeded"):
            cooldown.check_day(terms, second, usdc("100"))
        with pytest.raises(Conflict, match="withdrawal_cooldown"):
            cooldown.check_cooldown(terms, second)
