"""POST /client/withdraw/quote: what it would cost, and why it would fail."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.plans import service as plans
from protonpay.store.db import db
from tests.actors import Actor
from tests.payouts.orders import WALLETS, usdc, withdraw, withdraw_at
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.unchanged import nothing_changes


def ask(actor: Actor, amount: Any = 50, network: str = "Base", **more: Any) -> TestResponse:
    return actor.post("/client/withdraw/quote", {"amount": amount, "network": network, **more})


def quoted(actor: Actor, *args: Any, **more: Any) -> dict[str, Any]:
    with nothing_changes():
        answer = ask(actor, *args, **more)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    quote: dict[str, Any] = answer.get_json()["quote"]
    return quote


def test_a_quote_says_what_it_would_cost_and_holds_nothing(alice: Actor):
    assert quoted(alice, 50, "Base", walletAddress=WALLETS["Base"]) == {
        "amount": "50.00",
        "network": "Base",
        "fee": "0.05",
        "total": "50.05",
        "balance": "1000.00",
        "balanceAfter": "949.95",
        "maxSingleWithdrawal": "10000.00",
        "dailyLimitLeft": "50000.00",
        "cooldownSecondsLeft": 0,
        "maxAmount": "999.95",
        "internal": False,
        "problems": [],
    }
    assert (alice.available, alice.held) == (usdc("1000"), usdc("0"))


def test_what_is_quoted_is_what_is_charged(alice: Actor):
    on_plan(alice, withdrawal_fee_bps=33)
    quote = quoted(alice, "7.000003", "Solana")

    payout = withdraw(alice, "7.000003", "Solana").get_json()["payout"]

    assert (payout["fee"], payout["total"]) == (quote["fee"], quote["total"])
    assert str(alice.available) == quote["balanceAfter"]


def test_limits_and_cooldown_run_down(alice: Actor):
    now = clock.now()
    withdraw_at(now, alice, 50)

    with clock.frozen(now + timedelta(seconds=12, microseconds=1)):
        quote = quoted(alice)
        assert quote["dailyLimitLeft"] == "49950.00"
        assert quote["cooldownSecondsLeft"] == 48
        assert quote["problems"] == ["withdrawal_cooldown"]
    with clock.frozen(now + timedelta(seconds=60)):
        assert quoted(alice)["problems"] == []


def test_a_limit_cut_below_what_was_withdrawn_leaves_nothing(alice: Actor):
    withdraw(alice, 50)
    on_plan(alice, daily_limit_micro=1, cooldown_seconds=0)

    quote = quoted(alice, 1)

    assert (quote["dailyLimitLeft"], quote["problems"]) == ("0.00", ["daily_limit_exceeded"])


@pytest.mark.parametrize(
    ("of_the_plan", "most"),
    [
        ({}, "999.95"),
        # 33 basis points of it, rounded up, are 3.288982; a millionth more is not covered.
        ({"withdrawal_fee_bps": 33}, "996.661018"),
        ({"single_limit_micro": 7_000_000}, "7.00"),
        ({"daily_limit_micro": 6_000_000}, "6.00"),
        ({"withdrawal_fees": '{"Base": 1000000001}'}, "0.00"),
    ],
)
def test_the_most_is_what_balance_fee_and_limits_have_room_for(
    alice: Actor, of_the_plan: dict[str, Any], most: str
):
    on_plan(alice, **of_the_plan)
    assert quoted(alice)["maxAmount"] == most
    assert usdc(most).micro == 0 or quoted(alice, most)["problems"] == []
    more = str(Usdc(usdc(most).micro + 1))
    assert quoted(alice, more)["problems"] != []


def test_too_much_leaves_no_balance(alice: Actor):
    quote = quoted(alice, 1000)

    assert (quote["balanceAfter"], quote["problems"]) == (None, ["insufficient_balance"])
    assert quoted(alice, "999.95")["balanceAfter"] == "0.00"


def test_every_problem_is_told_in_the_order_a_withdrawal_meets_them(alice: Actor):
    """Mend the first one each time: a withdrawal's refusal is the first of the rest."""
    withdraw(alice, 50)
    on_plan(
        alice,
        needs_verified_email=True,
        needs_kyc=True,
        single_limit_micro=usdc("100").micro,
        daily_limit_micro=usdc("120").micro,
        cooldown_seconds=60,
    )
    order = {"amount": 5000, "network": "Base", "walletAddress": "0x00"}
    problems = quoted(alice, **order)["problems"]
    assert problems == [
        "invalid_address",
        "email_unverified",
        "kyc_required",
        "plan_limit_exceeded",
        "daily_limit_exceeded",
        "withdrawal_cooldown",
        "insufficient_balance",
    ]

    mend = {
        "invalid_address": lambda: order.update(walletAddress=WALLETS["Base"]),
        "email_unverified": lambda: on_plan_again(alice, "needs_verified_email", "false"),
        "kyc_required": lambda: on_plan_again(alice, "needs_kyc", "false"),
        "plan_limit_exceeded": lambda: on_plan_again(alice, "single_limit_micro", "10000000000"),
        "daily_limit_exceeded": lambda: on_plan_again(alice, "daily_limit_micro", "10000000000"),
        "withdrawal_cooldown": lambda: on_plan_again(alice, "cooldown_seconds", "0"),
        "insufficient_balance": lambda: order.update(amount=5),
    }
    for position, code in enumerate(problems):
        assert quoted(alice, **order)["problems"] == problems[position:]
        with nothing_changes():
            answer = alice.post("/client/withdraw", order)
        assert answer.get_json()["code"] == code
        mend[code]()
    assert quoted(alice, **order)["problems"] == []
    assert alice.post("/client/withdraw", order).status_code == 200


def on_plan_again(actor: Actor, column: str, value: str) -> None:
    """Change the plan that is the actor's own already."""
    db.session.execute(
        text(f"UPDATE plans SET {column} = {value} WHERE name = :name"),
        {"name": f"plan of {actor.id}"},
    )
    db.session.commit()
    plans.forget()


def test_without_a_wallet_the_wallet_is_no_problem(alice: Actor):
    assert quoted(alice, walletAddress="0x00")["problems"] == ["invalid_address"]
    assert quoted(alice)["problems"] == []


@pytest.mark.parametrize("network", ["solana", "Ethereum", "Base\u200b"])
def test_nothing_can_be_quoted_for_another_network(alice: Actor, network: str):
    refused(ask(alice, 50, network), 400, "unsupported_network")


def test_nor_for_one_the_plan_has_no_fee_for(alice: Actor):
    on_plan(alice, withdrawal_fees='{"Base": 1}')

    refused(ask(alice, 50, "Solana"), 400, "unsupported_network")


@pytest.mark.parametrize("amount", [0, -1, "1e2", "0.0000001", True, None, [], "NaN"])
def test_a_bad_amount_is_no_question(alice: Actor, amount: Any):
    refused(ask(alice, amount), 400, "validation_error")


def test_nobody_is_quoted_without_an_account(alice: Actor):
    answer = alice.client.post("/api/client/withdraw/quote", json={"amount": 1, "network": "Base"})

    refused(answer, 401, "authentication_required")
