"""Refunds and chargebacks seen later, over every provider of the registry."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protonpay.deposits import settling
from protonpay.deposits.models import Deposit
from protonpay.kernel import clock, events
from protonpay.kernel.errors import Invalid
from protonpay.kernel.fiat import FiatAmount, Rate
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit, chart, entries
from protonpay.ledger import service as ledger
from protonpay.store.db import db, transaction
from tests.actors import Actor
from tests.deposits.till import Till, stored
from tests.events import events_of
from tests.plans.of_a_kind import on_plan
from tests.unchanged import nothing_changes

pytestmark = pytest.mark.slow


def refunds_told(actor: Actor) -> list[dict[str, object]]:
    return [data for name, data in events_of(actor.id) if name == events.DEPOSIT_CARD_REFUNDED]


def test_each_step_is_booked_once_and_all_of_them_are_all(till: Till, bob: Actor):
    on_plan(bob, deposit_commission_bps=333)
    deposit = till.credited(bob)
    assert deposit.commission_micro > ZERO
    assert bob.available == deposit.credited
    for lever, amount, state in (
        ("refund", "20.25", "PARTIALLY_REFUNDED"),
        ("refund", "0.01", "PARTIALLY_REFUNDED"),
        ("chargeback", "100.24", "REFUNDED"),
    ):
        till.pull(deposit, lever, amount=amount)
        till.ask(deposit)
        assert stored(deposit.id).state == state
        with nothing_changes():
            till.ask(deposit)
            till.ask(deposit)
    deposit = stored(deposit.id)
    assert (deposit.refunded, deposit.refunded_micro) == (deposit.fiat, deposit.credited)
    assert (bob.available, ledger.owed(bob.id)) == (ZERO, ZERO)
    assert ledger.balance(chart.FEES) == ZERO
    assert ledger.balance(chart.clearing(till.name)) == ZERO
    assert [data["paidRefunded"] for data in refunds_told(bob)] == ["20.25", "20.26", "120.50"]
    assert audit.findings() == []


def test_the_client_sees_it(till: Till, bob: Actor):
    deposit = till.credited(bob)
    till.pull(deposit, "refund", amount="20.50")
    till.ask(deposit)
    taken, left = stored(deposit.id).refunded_micro, bob.available
    view = bob.get(f"/client/deposit/{deposit.id}").get_json()["deposit"]
    assert (view["status"], view["paidRefunded"]) == ("PARTIALLY_REFUNDED", "20.50")
    assert view["refundedAmount"] == str(taken)
    (line,) = bob.get("/client/activity").get_json()["activity"]
    assert (line["status"], line["refundedAmount"]) == ("PARTIALLY_REFUNDED", str(taken))
    assert bob.get("/client/dashboard").get_json()["totalDeposited"] == str(left)
    assert bob.get("/client/balance").get_json()["debtUsdc"] == "0.00"


def test_what_was_spent_becomes_a_debt_that_the_next_money_repays(
    till: Till, bob: Actor, alice: Actor
):
    deposit = till.credited(bob)
    spent = {"toIdentifier": alice.email, "amount": str(deposit.credited)}
    assert bob.post("/client/transfer", spent).status_code == 200
    till.pull(deposit, "chargeback")
    till.ask(deposit)
    assert bob.get("/client/balance").get_json() | {"walletAddress": None} == {
        "balanceUsdc": "0.00",
        "walletAddress": None,
        "walletNetwork": None,
        "debtUsdc": str(deposit.credited),
        "heldUsdc": "0.00",
        "pendingUsdc": "0.00",
        "onHoldUsdc": "0.00",
    }
    again = till.credited(bob, "200.50")
    assert ledger.owed(bob.id) == ZERO
    assert bob.available == again.credited - deposit.credited
    assert audit.findings() == []


def test_paid_and_given_back_before_we_heard_is_both(till: Till, bob: Actor):
    deposit = till.paid(bob)
    till.pull(deposit, "refund")
    till.ask(deposit)
    assert stored(deposit.id).state == "REFUNDED"
    assert bob.available == ZERO
    assert [name for name, _ in events_of(bob.id)] == [
        events.DEPOSIT_CARD_SUCCESS,
        events.DEPOSIT_CARD_REFUNDED,
    ]


def test_more_given_back_than_was_paid_takes_back_what_was_credited(till: Till, bob: Actor):
    deposit = till.credited(bob)
    till.pull(deposit, "refund")
    till.pull(deposit, "chargeback")
    till.ask(deposit)
    assert (bob.available, ledger.owed(bob.id)) == (ZERO, ZERO)
    assert stored(deposit.id).refunded_minor == deposit.fiat_minor


@pytest.mark.parametrize("played", ["tap"], indirect=True)
def test_a_refund_waits_for_fees_that_were_taken_out_and_is_booked_whole(till: Till, bob: Actor):
    on_plan(bob, deposit_commission_bps=333)
    deposit = till.credited(bob)
    ours = deposit.commission_micro
    with transaction():
        ledger.post(entries.adjustment("out", chart.FEES, chart.CAPITAL, ours))
    till.pull(deposit, "chargeback")
    with nothing_changes(), pytest.raises(Invalid):
        till.ask(deposit)
    with transaction():
        ledger.post(entries.adjustment("back", chart.CAPITAL, chart.FEES, ours))
    till.ask(deposit)
    assert (stored(deposit.id).state, bob.available) == ("REFUNDED", ZERO)
    assert audit.findings() == []


def test_a_chargeback_that_nobody_tells_of_is_found_by_looking(till: Till, bob: Actor):
    deposit = till.credited(bob)
    till.pull(deposit, "chargeback")
    with clock.frozen(clock.now() + timedelta(days=30)):
        assert settling.check(deposit.id) is None
    db.session.expire_all()
    assert stored(deposit.id).state == "REFUNDED"


@given(
    minor=st.integers(1, 10**7),
    rate=st.integers(30_000_000, 6_000_000_000_000),
    bps=st.integers(0, 10_000),
    cuts=st.lists(st.integers(0, 10**7), max_size=8),
)
def test_no_step_is_negative_and_none_loses_a_millionth(minor, rate, bps, cuts):
    amount = Rate(rate).to_usdc(FiatAmount(minor, "KZT"))
    deposit = Deposit(
        currency="KZT",
        fiat_minor=minor,
        rate_scaled=rate,
        amount_micro=amount,
        commission_micro=amount.share_ceil(bps),
    )
    if not amount:
        return
    before = (ZERO, ZERO)
    steps: list[tuple[Usdc, Usdc]] = []
    for total in [*sorted(cut for cut in cuts if cut < minor), minor]:
        now = deposit.shares(FiatAmount(total, "KZT"))
        steps.append((now[0] - before[0], now[1] - before[1]))
        before = now
    assert all(part >= ZERO for step in steps for part in step)
    assert before == (deposit.credited, deposit.commission_micro)
