"""GET /client/fees, and what a plan's numbers come to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from protonpay.kernel.errors import Invalid, NotFound
from protonpay.kernel.money import Usdc
from protonpay.plans import service as plans
from protonpay.plans.schemas import as_fees
from protonpay.plans.service import Terms
from protonpay.store.db import db
from tests.actors import Actor
from tests.plans.of_a_kind import on_plan, plan
from tests.refusals import refused


def usdc(amount: str) -> Usdc:
    return Usdc.parse(amount)


def test_the_answer_is_the_documents_example(alice: Actor):
    answer = alice.get("/client/fees")

    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.get_json() == {
        "fees": {
            "deposit": {"commission": "0%"},
            "withdrawal": {
                "Solana": "0.01 USDC",
                "Base": "0.05 USDC",
                "Polygon": "0.02 USDC",
            },
            "transfer": {"fee": "0 USDC"},
            "limits": {
                "maxSingleWithdrawal": 10000,
                "dailyWithdrawalLimit": 50000,
                "withdrawalCooldownSec": 60,
            },
        },
        "plan": "default",
        "level": 0,
        "levels": [],
        "upcoming": None,
    }


def test_members_and_networks_stand_in_the_documents_order(alice: Actor):
    """JSONB keeps no order."""
    fees = alice.get("/client/fees").get_json()["fees"]

    assert list(fees) == ["deposit", "withdrawal", "transfer", "limits"]
    assert list(fees["withdrawal"]) == ["Solana", "Base", "Polygon"]


def test_nobody_sees_fees_without_an_account(alice: Actor):
    refused(alice.client.get("/api/client/fees"), 401, "authentication_required")


def test_each_user_sees_the_plan_they_are_on(alice: Actor, bob: Actor):
    on_plan(alice, withdrawal_fee_bps=100, transfer_fee_micro=1_500_000, cooldown_seconds=5)

    fees = alice.get("/client/fees").get_json()["fees"]
    assert fees["withdrawal"]["Solana"] == "0.01 USDC + 1%"
    assert fees["transfer"] == {"fee": "1.50 USDC"}
    assert fees["limits"]["withdrawalCooldownSec"] == 5
    assert bob.get("/client/fees").get_json()["fees"]["transfer"] == {"fee": "0 USDC"}


@pytest.mark.parametrize(
    ("basis_points", "said"),
    [(0, "0%"), (1, "0.01%"), (50, "0.50%"), (100, "1%"), (250, "2.50%"), (10_000, "100%")],
)
def test_a_share_is_said_in_percent(basis_points: int, said: str):
    assert as_fees(plan(deposit_commission_bps=basis_points))["deposit"] == {"commission": said}


def test_limits_are_whole_numbers(house: object):
    limits: Any = as_fees(plan(single_limit=usdc("12.999999")))["limits"]

    assert limits["max_single_withdrawal"] == 12
    assert all(type(limit) is int for limit in limits.values())


def test_the_contracts_example_of_a_withdrawal_is_a_plan_with_one_percent():
    """50 USDC on Solana cost 0.50 there: 1 % and nothing flat."""
    example = plan(withdrawal_fees={"Solana": usdc("0")}, withdrawal_fee_bps=100)

    assert str(example.withdrawal_fee("Solana", usdc("50"))) == "0.50"


@pytest.mark.parametrize(
    ("network", "fee"), [("Solana", "0.01"), ("Base", "0.05"), ("Polygon", "0.02")]
)
def test_the_default_plans_fee_is_flat(house: object, network: str, fee: str):
    terms = plans.terms(plans.DEFAULT)

    for amount in ("0.000001", "50", "10000"):
        assert terms.withdrawal_fee(network, usdc(amount)) == usdc(fee)


def test_flat_fee_and_share_add_up(house: object):
    terms = plan(withdrawal_fees={"Base": usdc("0.05")}, withdrawal_fee_bps=25)

    assert terms.withdrawal_fee("Base", usdc("1000")) == usdc("2.55")


def test_a_share_is_rounded_up_to_the_next_millionth(house: object):
    terms = plan(withdrawal_fees={"Base": usdc("0")}, withdrawal_fee_bps=1)

    assert terms.withdrawal_fee("Base", usdc("0.000001")) == Usdc(1)
    assert terms.withdrawal_fee("Base", usdc("0.01")) == Usdc(1)
    assert terms.withdrawal_fee("Base", usdc("0.010001")) == Usdc(2)


@given(st.integers(1, 10**13), st.integers(0, 10_000))
def test_a_commission_is_never_more_than_the_deposit(micro: int, basis_points: int):
    commission = plan(deposit_commission_bps=basis_points).deposit_commission(Usdc(micro))

    assert Usdc(0) <= commission <= Usdc(micro)
    assert (commission.micro - 1) * 10_000 < micro * basis_points or commission == Usdc(0)
    assert commission.micro * 10_000 >= micro * basis_points


@pytest.mark.parametrize("network", ["Ethereum", "solana", "", "Base\0"])
def test_a_network_without_a_fee_is_not_supported(network: str):
    with pytest.raises(Invalid, match="unsupported_network"):
        plan().withdrawal_fee(network, usdc("1"))


def test_a_plan_may_leave_a_network_out(alice: Actor):
    on_plan(alice, withdrawal_fees='{"Base": 1}')

    fees = alice.get("/client/fees").get_json()["fees"]
    assert fees["withdrawal"] == {"Base": "0.000001 USDC"}


def test_a_plan_is_remembered_for_a_while_and_then_read_again(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    def cooldown() -> int:
        return plans.terms(plans.DEFAULT).cooldown_seconds

    now = plans.time.monotonic()
    monkeypatch.setattr(plans.time, "monotonic", lambda: now)
    assert cooldown() == 60
    db.session.execute(text("UPDATE plans SET cooldown_seconds = 5"))
    assert cooldown() == 60
    monkeypatch.setattr(plans.time, "monotonic", lambda: now + 31)
    assert cooldown() == 5


def test_what_is_remembered_can_be_forgotten(alice: Actor):
    plans.terms(plans.DEFAULT)
    db.session.execute(text("UPDATE plans SET cooldown_seconds = 5"))

    plans.forget()

    assert plans.terms(plans.DEFAULT).cooldown_seconds == 5


def test_a_plan_that_is_not_there_is_a_bug(house: object):
    with pytest.raises(LookupError, match="no plan nothing"):
        plans.terms("nothing")


def test_terms_of_nobody_are_not_found(house: object):
    with pytest.raises(NotFound):
        plans.terms_of("cmnobody0000")


def test_terms_are_values(house: object):
    assert plans.terms(plans.DEFAULT) == Terms(
        withdrawal_fees={
            "Solana": usdc("0.01"),
            "Base": usdc("0.05"),
            "Polygon": usdc("0.02"),
        },
        withdrawal_fee_bps=0,
        transfer_fee=usdc("0"),
        deposit_commission_bps=0,
        single_limit=usdc("10000"),
        daily_limit=usdc("50000"),
        cooldown_seconds=60,
        needs_verified_email=False,
        needs_kyc=False,
    )
