"""An approved identity has a level, which raises a plan's limits at the door and the signer."""

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.kernel.money import Usdc
from protonpay.kyc import service as kyc
from protonpay.operators.service import Role
from protonpay.plans import service as plans
from protonpay.plans.levels import Raised
from protonpay.users import service as users
from tests.actors import Actor
from tests.kyc.test_kyc import submit
from tests.moments import Moments
from tests.operators.desk import WHY, make_clerk
from tests.payouts.conftest import base
from tests.payouts.fake_chain import FakeChain
from tests.payouts.orders import sign, stored, withdraw, withdraw_at
from tests.plans.of_a_kind import on_plan, plan
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

__all__ = ["base"]

MILLION = 1_000_000
LEVELS = {
    "1": {"single_limit_micro": 200 * MILLION, "daily_limit_micro": 300 * MILLION},
    "3": {"daily_limit_micro": 500 * MILLION},
}


def usdc(amount: str) -> Usdc:
    return Usdc.parse(amount)


def laddered(actor: Actor, levels: Any = LEVELS) -> None:
    """Put somebody on a plan of 100 at once and 150 a day, which levels raise."""
    on_plan(
        actor,
        single_limit_micro=100 * MILLION,
        daily_limit_micro=150 * MILLION,
        cooldown_seconds=0,
        level_limits=json.dumps(levels),
    )


def approved(actor: Actor, level: int = 1) -> None:
    submit(actor)
    kyc.approve(actor.id, level)


def run(house: Flask, *words: str) -> Result:
    return house.test_cli_runner().invoke(args=[*words])


def test_a_level_raises_what_it_names_has_what_is_below_it_and_lowers_nothing():
    ladder = plan(
        single_limit=usdc("100"),
        daily_limit=usdc("150"),
        levels={
            1: Raised(usdc("200"), None),
            2: Raised(usdc("120"), usdc("10")),
            3: Raised(None, usdc("500")),
        },
    )
    limits = [
        (ladder.at_level(level).single_limit, ladder.at_level(level).daily_limit)
        for level in range(4)
    ]
    assert limits == [
        (usdc("100"), usdc("150")),
        (usdc("200"), usdc("150")),
        (usdc("200"), usdc("150")),
        (usdc("200"), usdc("500")),
    ]
    assert ladder.at_level(0) is ladder
    fee = ladder.at_level(3).withdrawal_fee("Base", usdc("1"))
    assert fee == ladder.withdrawal_fee("Base", usdc("1"))


def test_the_single_limit_holds_to_the_millionth_before_and_after_an_approval(alice: Actor):
    laddered(alice)
    with nothing_changes():
        refused(withdraw(alice, "100.000001"), 403, "plan_limit_exceeded")
    assert withdraw(alice, "100").status_code == 200
    approved(alice)
    with nothing_changes():
        refused(withdraw(alice, "200.000001"), 403, "plan_limit_exceeded")
    assert withdraw(alice, "200").status_code == 200


def test_the_day_holds_to_the_millionth_and_grows_with_the_level(alice: Actor):
    laddered(alice)
    assert withdraw(alice, "100").status_code == 200
    with nothing_changes():
        refused(withdraw(alice, "50.000001"), 403, "daily_limit_exceeded")
    approved(alice)
    assert withdraw(alice, "200").status_code == 200
    with nothing_changes():
        refused(withdraw(alice, "0.000001"), 403, "daily_limit_exceeded")
    kyc.set_level(alice.id, 2)
    with nothing_changes():
        refused(withdraw(alice, "0.000001"), 403, "daily_limit_exceeded")
    kyc.set_level(alice.id, 3)
    order = {"amount": "200", "network": "Base"}
    told = alice.post("/client/withdraw/quote", order).get_json()["quote"]
    assert (told["dailyLimitLeft"], told["problems"]) == ("200.00", [])
    assert withdraw(alice, "200").status_code == 200
    with nothing_changes():
        refused(withdraw(alice, "0.000001"), 403, "daily_limit_exceeded")


def test_nobody_elses_limits_are_raised(alice: Actor, mallory: Actor):
    laddered(alice)
    laddered(mallory)
    approved(alice, 3)
    with nothing_changes():
        refused(withdraw(mallory, "100.000001"), 403, "plan_limit_exceeded")


@pytest.mark.parametrize(
    ("level", "amount", "state"),
    [(2, "200", "SIGNED"), (1, "200", "SIGNED"), (1, "200.000001", "FAILED")],
)
def test_the_signer_asks_for_the_level_once_more(
    alice: Actor, base: FakeChain, level: int, amount: str, state: str
):
    """Accepted at level 2 up to 250; whoever is at level 1 meanwhile has its limits."""
    laddered(alice, LEVELS | {"2": {"single_limit_micro": 250 * MILLION}})
    approved(alice, 2)
    before = alice.available
    payout_id = withdraw_at(clock.now(), alice, amount)
    kyc.set_level(alice.id, level)

    sign(payout_id)

    payout = stored(payout_id)
    assert payout.state == state
    assert len(base.signed) == (state == "SIGNED")
    if state == "FAILED":
        assert payout.failure_code == "plan_limit_exceeded"
        assert (alice.available, alice.held) == (before, Usdc(0))


def test_everybody_sees_the_limits_of_their_own_level_and_what_others_have(alice: Actor):
    laddered(alice)
    told = alice.get("/client/fees").get_json()
    assert (told["level"], told["fees"]["limits"]["maxSingleWithdrawal"]) == (0, 100)
    ladder = [
        {"level": 1, "maxSingleWithdrawal": 200, "dailyWithdrawalLimit": 300},
        {"level": 3, "maxSingleWithdrawal": 200, "dailyWithdrawalLimit": 500},
    ]
    assert told["levels"] == ladder
    approved(alice)
    told = alice.get("/client/fees").get_json()
    assert told["level"] == 1
    assert told["fees"]["limits"]["maxSingleWithdrawal"] == 200
    assert told["fees"]["limits"]["dailyWithdrawalLimit"] == 300
    assert told["levels"] == ladder
    assert plans.terms_of(alice.id).single_limit == usdc("200")


def test_levels_are_announced_and_come_at_their_moment(
    house: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    moments = Moments(monkeypatch)
    plans.forget()
    approved(alice)
    later = clock.to_text(clock.now() + timedelta(hours=1))
    raised = ("level1.single_limit=20000", "level1.daily_limit=90000", "level3.daily_limit=100000")
    with only_changes("plan_versions", "audit_entries"):
        told = run(
            house, "plans", "announce", "default", *raised, "--from", later, "--reason", "known"
        )
    assert told.exit_code == 0, told.output
    assert "level 1: at most 20000.00 each, 90000.00" in told.output
    body = alice.get("/client/fees").get_json()
    assert (body["levels"], body["fees"]["limits"]["maxSingleWithdrawal"]) == ([], 10000)
    assert body["upcoming"]["fees"]["limits"]["maxSingleWithdrawal"] == 20000
    moments.pass_by(3600)
    plans.forget()
    body = alice.get("/client/fees").get_json()
    assert body["fees"]["limits"]["maxSingleWithdrawal"] == 20000
    assert [each["level"] for each in body["levels"]] == [1, 3]

    later = clock.to_text(clock.now() + timedelta(hours=1))
    less = ("level1.single_limit=none", "level3.daily_limit=none")
    run(house, "plans", "announce", "default", *less, "--from", later, "--reason", "less")
    after = plans.terms_at("default", clock.now() + timedelta(hours=1))
    assert after.levels == {1: Raised(None, usdc("90000"))}


@pytest.mark.parametrize(
    "limits",
    [
        {0: {"single_limit_micro": Usdc(1)}},
        {4: {"single_limit_micro": Usdc(1)}},
        {1: {"cooldown_seconds": Usdc(1)}},
        {1: {"daily_limit_micro": Usdc(-1)}},
    ],
    ids=str,
)
def test_a_level_that_is_none_is_refused(house: Flask, limits: Any):
    with nothing_changes(), pytest.raises(Invalid):
        plans.announce("default", starts_at=clock.now() + timedelta(hours=1), level_limits=limits)


@pytest.mark.parametrize(
    "change", ["level4.single_limit=1", "level1.single_limit=x", "level1.cooldown=1", "level1=2"]
)
def test_an_operators_slip_about_levels_changes_nothing(house: Flask, change: str):
    later = clock.to_text(clock.now() + timedelta(hours=1))
    with nothing_changes():
        told = run(house, "plans", "announce", "default", change, "--from", later, "--reason", "x")
    assert told.exit_code in {1, 2}, told.output


def test_a_case_sets_the_level_and_operators_change_it(house: Flask, alice: Actor, bob: Actor):
    with nothing_changes():
        with pytest.raises(NotFound):
            kyc.set_level(alice.id, 2)
        with pytest.raises(Invalid):
            kyc.approve(alice.id, 4)
    submit(alice)
    with nothing_changes(), pytest.raises(Conflict):
        kyc.set_level(alice.id, 2)
    with only_changes("kyc_cases", "users", "events", "audit_entries"):
        assert run(house, "kyc", "approve", alice.email, "--level", "2").exit_code == 0
    assert users.get(alice.id).identity_level == 2
    assert "APPROVED, level 2" in run(house, "kyc", "show", alice.email).output
    with only_changes("users", "audit_entries"):
        assert run(house, "kyc", "level", alice.email, "3", "--reason", "more").exit_code == 0
    with nothing_changes():
        assert run(house, "kyc", "level", alice.email, "4", "--reason", "more").exit_code == 2
        assert run(house, "kyc", "level", bob.email, "2", "--reason", "more").exit_code == 1
    shown = run(house, "ops", "audit-log").output
    assert "identityLevel: 2 → 3" in shown


def test_compliance_sets_levels(house: Flask, alice: Actor):
    officer, support = make_clerk(house, Role.COMPLIANCE), make_clerk(house, Role.SUPPORT)
    submit(alice)
    for wrong in (0, 4, "2", 1.5, None):
        with nothing_changes():
            body = {**WHY, "level": wrong}
            refused(officer.post(f"/kyc/{alice.id}/approve", body), 400, "validation_error")
    with nothing_changes():
        refused(officer.post(f"/kyc/{alice.id}/level", {**WHY, "level": 2}), 409, "state_conflict")
    done = officer.post(f"/kyc/{alice.id}/approve", {**WHY, "level": 2}).get_json()["account"]
    assert (done["identity"], done["user"]["identityLevel"]) == ("APPROVED", 2)
    with nothing_changes():
        refused(
            support.post(f"/kyc/{alice.id}/level", {**WHY, "level": 3}), 403, "role_insufficient"
        )
        refused(officer.post(f"/kyc/{alice.id}/level", WHY), 400, "validation_error")
    done = officer.post(f"/kyc/{alice.id}/level", {**WHY, "level": 1}).get_json()["account"]
    assert done["user"]["identityLevel"] == 1
