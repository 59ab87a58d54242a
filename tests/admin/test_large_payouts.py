"""A payout above the threshold is signed when a second person has approved it, and not before."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from protonpay.admin import service
from protonpay.audit import service as audit
from protonpay.holds import service as holds
from protonpay.kernel.errors import Conflict
from protonpay.kernel.money import ZERO, Usdc
from protonpay.operators.service import Role
from protonpay.payouts.approval import threshold
from tests.actors import PASSWORD, Actor, make_actor
from tests.committed import OpenHouse, open_house
from tests.holds.conftest import listing
from tests.operators.desk import Clerk, make_clerk
from tests.operators.test_sessions import run
from tests.payouts.orders import WALLETS, accepted, jobs, stored
from tests.refusals import refused
from tests.unchanged import nothing_changes

__all__ = ["listing", "open_house"]

SIGN = "payouts.sign"


@pytest.fixture(autouse=True)
def _above_100() -> Iterator[None]:
    threshold.bind(Usdc.parse("100"))
    yield
    threshold.bind(None)


@pytest.fixture
def checker(house: Flask) -> Clerk:
    return make_clerk(house, Role.FINANCE)


def asked() -> list[str]:
    return [args["payout_id"] for job, args in jobs() if job == SIGN]


def test_what_is_not_above_the_threshold_goes_by_itself(alice: Actor):
    one = accepted(alice, "100")
    assert (stored(one).state, stored(one).approval, asked()) == ("PENDING", None, [one])


def test_a_large_one_goes_on_when_it_is_approved(checker: Clerk, alice: Actor):
    one = accepted(alice, "100.000001")
    shown = alice.get(f"/client/withdraw/{one}").get_json()["payout"]
    assert (shown["status"], shown["waitingFor"]) == ("ON_HOLD", "review")
    assert (asked(), holds.listed()) == ([], [])
    (waiting,) = checker.get("/payouts").get_json()["payouts"]
    assert (waiting["id"], waiting["approval"]) == (one, "WAITING")
    answer = checker.post(f"/payouts/{one}/approve").get_json()["payout"]
    assert (answer["state"], answer["approval"], asked()) == ("PENDING", "GIVEN", [one])
    act = audit.entries(subject=f"payout {one}")[0]
    assert (act.before["state"], act.after["state"]) == ("ON_HOLD", "PENDING")
    for decide in ("approve", "refuse"):
        with nothing_changes():
            refused(checker.post(f"/payouts/{one}/{decide}"), 409, "state_conflict")


def test_a_refused_one_gives_its_money_back(checker: Clerk, alice: Actor):
    before = alice.available
    one = accepted(alice, "200")
    assert checker.post(f"/payouts/{one}/refuse").status_code == 200
    assert (stored(one).state, stored(one).failure_code) == ("FAILED", "refused_on_review")
    assert (alice.available, alice.held, asked()) == (before, ZERO, [])


@pytest.mark.parametrize("first", ["list", "size"])
def test_a_listed_and_large_one_waits_for_both(
    house: Flask, checker: Clerk, alice: Actor, listing: Callable[[str], None], first: str
):
    listing(WALLETS["Base"])
    officer = make_clerk(house, Role.COMPLIANCE)
    one = accepted(alice, "200")
    steps = [(officer, f"/holds/{one}/release"), (checker, f"/payouts/{one}/approve")]
    for number, (clerk, path) in enumerate(steps if first == "list" else steps[::-1]):
        assert (stored(one).state, asked()) == ("ON_HOLD", []), number
        assert clerk.post(path).status_code == 200
    assert (stored(one).state, asked()) == ("PENDING", [one])


def test_nobody_approves_a_payout_of_their_own(house: Flask, alice: Actor):
    own = make_clerk(house, Role.FINANCE, email=alice.email)
    one = accepted(alice, "200")
    with nothing_changes():
        refused(own.post(f"/payouts/{one}/approve"), 403, "own_account")


def test_nobody_decides_about_a_hold_of_their_own(
    house: Flask, alice: Actor, listing: Callable[[str], None]
):
    listing(WALLETS["Base"])
    own = make_clerk(house, Role.COMPLIANCE, email=alice.email)
    one = accepted(alice, "20")
    with nothing_changes():
        refused(own.post(f"/holds/{one}/release"), 403, "own_account")
        refused(own.post(f"/holds/{one}/refund"), 403, "own_account")


def test_the_command_asks_for_an_operators_password(house: Flask, checker: Clerk, alice: Actor):
    one = accepted(alice, "200")
    assert one in run(house, "ops", "payouts", "large").output
    words = ("ops", "payouts", "decide", one, "--as", checker.email, "--reason", "seen")
    with nothing_changes():
        assert run(house, *words, "--password", "wrong").exit_code == 1
    assert run(house, *words, "--password", PASSWORD).output == f"{one}: PENDING\n"


def test_two_approvals_at_once_let_it_go_once(open_house: OpenHouse):
    alice = make_actor(open_house.app, "Alice", funded="1000")
    checkers = [make_clerk(open_house.app, Role.FINANCE) for _ in range(3)]
    one = accepted(alice, "200")

    def approving(clerk: Clerk) -> Any:
        return lambda: service.approve_payout(clerk.caller, one, "now").state

    ends = open_house.inside_at_once([approving(clerk) for clerk in checkers])
    assert ends.count("PENDING") == 1
    assert [type(end) for end in ends if end != "PENDING"] == [Conflict] * 2
    assert asked() == [one]
