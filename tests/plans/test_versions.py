"""Plans change at a moment that was announced; what was charged before stays charged."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.kernel.money import Usdc
from protonpay.plans import service as plans
from protonpay.store.db import db, transaction
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse, open_house
from tests.moments import Moments
from tests.payouts.conftest import base
from tests.payouts.fake_chain import FakeChain
from tests.payouts.orders import WALLETS, sign
from tests.refusals import refused
from tests.unchanged import nothing_changes

__all__ = ["base", "open_house"]

HOUR = timedelta(hours=1)


@pytest.fixture
def moments(house: Flask, monkeypatch: pytest.MonkeyPatch) -> Moments:
    plans.forget()
    return Moments(monkeypatch)


def pass_by(moments: Moments, seconds: float) -> None:
    """Let time pass, and what processes remember with it: theirs is another clock."""
    moments.pass_by(seconds)
    plans.forget()


def announced(after: timedelta = HOUR, **changes: Any) -> None:
    plans.announce("default", starts_at=clock.now() + after, **changes)


def withdrawn(actor: Actor, amount: int = 50) -> Any:
    order = {"amount": amount, "walletAddress": WALLETS["Base"], "network": "Base"}
    return actor.post("/client/withdraw", order)


def test_what_is_announced_is_shown_and_comes_at_its_moment(alice: Actor, moments: Moments):
    announced(withdrawal_fees={"Base": 70_000}, single_limit_micro=Usdc.parse("100"))

    told = alice.get("/client/fees")
    body = told.get_json()
    assert body["fees"]["withdrawal"]["Base"] == "0.05 USDC"
    assert body["upcoming"]["startsAt"] == clock.to_text(moments.now + HOUR)
    assert body["upcoming"]["fees"]["withdrawal"] == {
        "Solana": "0.01 USDC",
        "Base": "0.07 USDC",
        "Polygon": "0.02 USDC",
    }
    assert body["upcoming"]["fees"]["limits"]["maxSingleWithdrawal"] == 100
    before = withdrawn(alice).get_json()["payout"]
    assert before["fee"] == "0.05"

    pass_by(moments, 3600)

    body = alice.get("/client/fees").get_json()
    assert body["fees"]["withdrawal"]["Base"] == "0.07 USDC"
    assert body["upcoming"] is None
    assert alice.get(f"/client/withdraw/{before['id']}").get_json()["payout"]["fee"] == "0.05"
    assert withdrawn(alice).get_json()["payout"]["fee"] == "0.07"
    refused(withdrawn(alice, 101), 403, "plan_limit_exceeded")


def test_a_payout_that_was_accepted_before_a_change_is_signed_after_it(
    alice: Actor, base: FakeChain, moments: Moments
):
    announced(single_limit_micro=Usdc.parse("10"))
    payout_id = withdrawn(alice, 50).get_json()["payout"]["id"]
    pass_by(moments, 3600)
    refused(withdrawn(alice, 11), 403, "plan_limit_exceeded")
    assert sign(payout_id) is None
    assert len(base.signed) == 1


def test_an_answer_is_kept_no_longer_than_it_is_true(alice: Actor, moments: Moments):
    announced(cooldown_seconds=0)
    pass_by(moments, 3600 - 20)
    assert alice.get("/client/fees").headers["Cache-Control"] == "private, max-age=20"


def test_who_remembers_the_old_ones_forgets_them_in_time(house: Flask, moments: Moments):
    announced(timedelta(minutes=2), cooldown_seconds=7)
    pass_by(moments, 119.5)
    assert plans.terms("default").cooldown_seconds == 60
    (known,) = plans._remembered._known.values()
    assert known.until - plans.time.monotonic() < 0.6


def test_versions_follow_each_other_each_like_the_one_before(house: Flask, moments: Moments):
    announced(cooldown_seconds=5)
    announced(2 * HOUR, withdrawal_fee_bps=100)
    first, second = (plans.terms_at("default", clock.now() + n * HOUR) for n in (1, 2))
    assert (first.cooldown_seconds, first.withdrawal_fee_bps) == (5, 0)
    assert (second.cooldown_seconds, second.withdrawal_fee_bps) == (5, 100)
    now = plans.terms_at("default", clock.now())
    assert (now.cooldown_seconds, now.withdrawal_fee_bps) == (60, 0)


def test_all_terms_of_a_plan_at_once_are_those_of_each_moment(house: Flask, moments: Moments):
    announced(cooldown_seconds=5)
    announced(2 * HOUR, withdrawal_fee_bps=100)
    now, timeline = clock.now(), plans.timeline("default")
    asked = [timedelta(0), HOUR - timedelta(seconds=1), HOUR, 1.5 * HOUR, 2 * HOUR, 3 * HOUR]
    for after in asked:
        assert timeline.at(now + after) == plans.terms_at("default", now + after)
    assert len({timeline.at(now + after).cooldown_seconds for after in asked}) == 2
    with pytest.raises(LookupError):
        plans.timeline("none")


@pytest.mark.parametrize("after", [HOUR, timedelta(minutes=30)])
def test_nothing_is_announced_before_what_is_announced(
    house: Flask, moments: Moments, after: timedelta
):
    announced(cooldown_seconds=5)
    with nothing_changes(), pytest.raises(Conflict):
        announced(after, cooldown_seconds=6)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cooldown_seconds": -1},
        {"withdrawal_fee_bps": 10_001},
        {"deposit_commission_bps": -1},
        {"withdrawal_fees": {"Base": -1}},
        {"single_limit_micro": Usdc(-1)},
        {"name": "x"},
    ],
    ids=str,
)
def test_a_change_that_is_none_is_refused(house: Flask, moments: Moments, changes: dict[str, Any]):
    with nothing_changes(), pytest.raises(Invalid):
        announced(**changes)


def test_a_change_is_announced_in_time(house: Flask, moments: Moments):
    with nothing_changes(), pytest.raises(Invalid):
        announced(timedelta(seconds=119), cooldown_seconds=5)
    with nothing_changes(), pytest.raises(NotFound):
        plans.announce("nothing", starts_at=clock.now() + HOUR, cooldown_seconds=5)


def test_what_was_promised_cannot_be_changed(house: Flask, moments: Moments):
    announced(cooldown_seconds=5)
    with pytest.raises(Exception, match="permission denied"), transaction():
        db.session.execute(text("UPDATE plan_versions SET cooldown_seconds = 9"))


def test_two_at_once_announce_one(open_house: OpenHouse):
    make_actor(open_house.app, "Anna")
    moment = clock.now() + HOUR

    def announce() -> None:
        plans.announce("default", starts_at=moment, cooldown_seconds=5)

    ended = open_house.inside_at_once([announce] * 4)
    assert [one for one in ended if one is None] == [None]
    assert all(isinstance(one, Conflict) for one in ended if one is not None)


def run(house: Flask, *words: str) -> Any:
    return house.test_cli_runner().invoke(args=["plans", *words])


def test_an_operator_makes_changes_and_assigns_plans(house: Flask, alice: Actor, moments: Moments):
    why = ("--reason", "a big customer")
    assert run(house, "create", "big", *why).exit_code == 0
    told = run(
        house,
        *("announce", "big", "single_limit=20000", "withdrawal_fee.Base=none", "needs_kyc=yes"),
        *("withdrawal_fee_bps=10", "--from", clock.to_text(clock.now() + HOUR), *why),
    )
    assert told.exit_code == 0, told.output
    assert "at most 20000.00 each" in told.output
    assert run(house, "assign", alice.email, "big", *why).exit_code == 0
    body = alice.get("/client/fees").get_json()
    assert (body["plan"], body["fees"]["limits"]["maxSingleWithdrawal"]) == ("big", 10000)
    pass_by(moments, 3600)
    body = alice.get("/client/fees").get_json()
    assert body["fees"]["limits"]["maxSingleWithdrawal"] == 20000
    assert body["fees"]["withdrawal"] == {
        "Solana": "0.01 USDC + 0.10%",
        "Polygon": "0.02 USDC + 0.10%",
    }
    refused(withdrawn(alice), 403, "kyc_required")
    assert "big" in run(house, "list").output
    shown = house.test_cli_runner().invoke(args=["ops", "audit-log"]).output
    assert "plan: default → big" in shown


@pytest.mark.parametrize(
    "change",
    ["single_limit", "single_limit=x", "needs_kyc=maybe", "withdrawal_fee.Atlantis=1", "x=1"],
)
def test_an_operators_slip_is_said_and_changes_nothing(house: Flask, change: str):
    later = clock.to_text(clock.now() + HOUR)
    with nothing_changes():
        told = run(house, "announce", "default", change, "--from", later, "--reason", "a slip")
        assert told.exit_code == 2, told.output
        soon = run(
            house, "announce", "default", "needs_kyc=no", "--from", "tomorrow", "--reason", "x"
        )
        assert soon.exit_code == 2
        nobody = run(house, "assign", "nobody@example.com", "default", "--reason", "x")
        assert nobody.exit_code == 1
