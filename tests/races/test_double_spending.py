"""One balance, many hands: what is there can be spent once."""

from collections import Counter
from functools import partial

import pytest
from werkzeug.test import TestResponse

from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit, chart
from protonpay.ledger import service as ledger
from protonpay.payouts.models import Payout
from protonpay.plans import service as plans
from protonpay.store.db import db
from protonpay.store.outbox import OutboxRow
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse

pytestmark = pytest.mark.slow

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"  # EIP-55's own example


def _withdraw(actor: Actor, amount: str) -> TestResponse:
    order = {"amount": amount, "walletAddress": WALLET, "network": "Base"}
    return actor.post("/client/withdraw", order)


def _transfer(actor: Actor, to: Actor, amount: str) -> TestResponse:
    return actor.post("/client/transfer", {"toIdentifier": to.public_id, "amount": amount})


def _endings(answers: list[TestResponse]) -> Counter[tuple[int, str]]:
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    return Counter((one.status_code, one.get_json().get("code", "")) for one in answers)


def _no_cooldown(house: OpenHouse) -> None:
    with house.superuser() as connection:
        connection.execute("UPDATE plans SET cooldown_seconds = 0")
    plans.forget()


def _payouts() -> tuple[int, int]:
    """Return how many there are, and how many shall be sent."""
    ordered = db.session.query(OutboxRow).filter_by(job="payouts.sign")
    return db.session.query(Payout).count(), ordered.count()


@pytest.fixture
def saver(open_house: OpenHouse) -> Actor:
    return make_actor(open_house.app, "Saver", funded="1000")


@pytest.mark.checklist(72)
def test_of_fifty_withdrawals_of_the_whole_balance_one_is_accepted(
    open_house: OpenHouse, saver: Actor
):
    answers = open_house.at_once([partial(_withdraw, saver, "999.95")] * 50)

    assert _endings(answers) == {(200, ""): 1, (409, "withdrawal_cooldown"): 49}
    assert (saver.available, saver.held) == (ZERO, Usdc.parse("1000"))
    assert _payouts() == (1, 1)
    assert audit.findings() == []


@pytest.mark.checklist(72)
def test_without_a_cooldown_the_balance_itself_lets_one_through(
    open_house: OpenHouse, saver: Actor
):
    _no_cooldown(open_house)

    answers = open_house.at_once([partial(_withdraw, saver, "999.95")] * 50)

    assert _endings(answers) == {(200, ""): 1, (400, "insufficient_balance"): 49}
    assert (saver.available, saver.held) == (ZERO, Usdc.parse("1000"))
    assert _payouts() == (1, 1)
    assert audit.findings() == []


def test_of_many_small_withdrawals_as_many_as_fit_are_accepted(open_house: OpenHouse, saver: Actor):
    _no_cooldown(open_house)

    answers = open_house.at_once([partial(_withdraw, saver, "99.95")] * 24)

    assert _endings(answers) == {(200, ""): 10, (400, "insufficient_balance"): 14}
    assert (saver.available, saver.held) == (ZERO, Usdc.parse("1000"))
    assert audit.findings() == []


@pytest.mark.checklist(87)
def test_of_a_hundred_transfers_of_the_whole_balance_one_is_accepted(
    open_house: OpenHouse, saver: Actor
):
    friend = make_actor(open_house.app, "Friend")

    answers = open_house.at_once([partial(_transfer, saver, friend, "1000")] * 100)

    assert _endings(answers) == {(200, ""): 1, (400, "insufficient_balance"): 99}
    assert (saver.available, friend.available) == (ZERO, Usdc.parse("1000"))
    assert audit.findings() == []


def test_a_withdrawal_and_transfers_of_one_balance_let_one_through(open_house: OpenHouse):
    spenders = [make_actor(open_house.app, "Spender", funded="100") for _ in range(8)]
    friend = make_actor(open_house.app, "Friend")
    works = [
        work
        for spender in spenders
        for work in (
            partial(_withdraw, spender, "99.95"),
            partial(_transfer, spender, friend, "100"),
            partial(_transfer, spender, friend, "100"),
        )
    ]

    answers = open_house.at_once(works)

    assert _endings(answers) == {(200, ""): 8, (400, "insufficient_balance"): 16}
    held = [spender.held.micro for spender in spenders]
    assert set(held) <= {0, 100_000_000}
    assert sum(held) + friend.available.micro == 800_000_000
    assert all(spender.available == ZERO for spender in spenders)
    assert ledger.balance(chart.FEES) == ZERO
    assert audit.findings() == []


@pytest.mark.checklist(38)
def test_of_twenty_registrations_of_one_address_one_is_accepted(open_house: OpenHouse):
    body = {"name": "Twin", "email": "Twin@example.com", "password": "correct horse battery staple"}
    client = open_house.app.test_client

    answers = open_house.at_once([lambda: client().post("/api/auth/register", json=body)] * 20)

    assert _endings(answers) == {(200, ""): 1, (409, "email_taken"): 19}
