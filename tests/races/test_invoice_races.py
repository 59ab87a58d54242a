"""An invoice in many hands at once: it is paid once, and no money is without an owner."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from protonpay.cards.port import CardPayment, CardStatus
from protonpay.deposits import ordering, settling
from protonpay.fx.port import Quote
from protonpay.invoices import receiving
from protonpay.kernel import clock
from protonpay.kernel.fiat import FiatAmount, Rate
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit
from protonpay.ledger import service as ledger
from protonpay.users import service as users
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.events import events_of
from tests.invoices.asking import Asked, arrive, ask, change, entries_of_invoices

pytestmark = pytest.mark.slow

DAY = timedelta(days=1, seconds=1)
"""An invoice's day, and the second of its end."""


@pytest.fixture
def owner(open_house: OpenHouse) -> Actor:
    return make_actor(open_house.app, "Owner")


@pytest.fixture
def payer(open_house: OpenHouse) -> Actor:
    return make_actor(open_house.app, "Payer", funded="1000")


def _endings(answers: list[Any]) -> Counter[int]:
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    return Counter(answer.status_code for answer in answers)


def _at_once(house: OpenHouse, works: list[Callable[[], Any]]) -> list[Any]:
    """Services and requests alike, each in a context of its own."""
    done = house.inside_at_once(works)
    assert [one for one in done if isinstance(one, Exception)] == []
    return done


def _sound() -> None:
    assert audit.findings() == []
    references = entries_of_invoices()
    assert len(references) == len(set(references))


@pytest.mark.checklist(111)
def test_of_twenty_payments_at_once_one_stands(open_house: OpenHouse, owner: Actor, payer: Actor):
    """Of twenty payments in parallel one stands."""
    made = ask(owner)

    answers = open_house.at_once([partial(made.paid_by, payer)] * 20)

    assert _endings(answers) == {200: 1, 409: 19}
    assert (payer.available, owner.available) == (Usdc.parse("950"), Usdc.parse("50"))
    assert len(entries_of_invoices()) == 1
    assert [name for name, _ in events_of(owner.id)] == ["invoice.paid"]
    _sound()


def test_twenty_payers(open_house: OpenHouse, owner: Actor):
    payers = [make_actor(open_house.app, "Payer", funded="60") for _ in range(20)]
    made = ask(owner)

    answers = open_house.at_once([partial(made.paid_by, one) for one in payers])

    assert _endings(answers) == {200: 1, 409: 19}
    assert sorted(str(one.available) for one in payers) == ["10.00"] + ["60.00"] * 19
    _sound()


def test_one_balance_many_invoices(open_house: OpenHouse, owner: Actor):
    payer = make_actor(open_house.app, "Payer", funded="150")
    made = [ask(owner) for _ in range(12)]

    answers = open_house.at_once([partial(one.paid_by, payer) for one in made])

    assert _endings(answers) == {200: 3, 400: 9}
    assert (payer.available, owner.available) == (ZERO, Usdc.parse("150"))
    _sound()


@pytest.mark.checklist(73)
def test_withdraw_and_transfer_and_pay_on_one_balance(open_house: OpenHouse, owner: Actor):
    """What is spent in all ways together is never more than there was."""
    spender = make_actor(open_house.app, "Spender", funded="100")
    withdrawal = {
        "amount": "39.95",
        "walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7",
        "network": "Base",
    }
    gift = {"toIdentifier": owner.public_id, "amount": "40"}
    works = [partial(ask(owner, "40").paid_by, spender) for _ in range(5)]
    works += [partial(spender.post, "/client/transfer", gift)] * 5
    works += [partial(spender.post, "/client/withdraw", withdrawal)] * 5

    answers = open_house.at_once(works)

    assert _endings(answers)[200] == 2
    spent = owner.available + spender.held
    assert (spent, spender.available) == (Usdc.parse("80"), Usdc.parse("20"))
    _sound()


def test_paying_who_owes_what_also_came_on_chain_waits_in_no_circle(
    open_house: OpenHouse, owner: Actor, payer: Actor
):
    """Each credit repays their debt: by the invoices' two ways, and by transfers of one payer."""
    _owes(open_house, owner, payer)
    made = [ask(owner, "5") for _ in range(12)]
    for one in made:
        arrive(one.id, "2", state="FINAL")
    gift = {"toIdentifier": owner.public_id, "amount": "1"}
    works = [partial(one.paid_by, payer) for one in made]

    answers = open_house.at_once([*works, *[partial(payer.post, "/client/transfer", gift)] * 12])

    assert _endings(answers) == {200: 24}
    assert ledger.owed(owner.id) == Usdc.parse("928"), "of 1000, 60 and 12 are repaid"
    _sound()


def _owes(house: OpenHouse, debtor: Actor, friend: Actor) -> None:
    """Let somebody give away what a card has paid, and its bank take that back."""
    with house.app.app_context():
        paid = FiatAmount(100_000, "USD")
        quoted = Quote(Rate.parse("1"), "peg", clock.now())
        deposit = ordering.write_down(users.get(debtor.id), paid, "tap", quoted)
        nothing = FiatAmount(0, "USD")
        payment = CardPayment("chg_1", deposit.id, CardStatus.CAPTURED, paid, False, nothing)  # noqa: FBT003 - not live
        settling.apply("tap", payment)
    gift = {"toIdentifier": friend.public_id, "amount": "1000"}
    assert debtor.post("/client/transfer", gift).status_code == 200
    with house.app.app_context():
        settling.apply("tap", replace(payment, refunded=paid))


def test_pay_and_cancel(open_house: OpenHouse, owner: Actor, payer: Actor):
    made = [ask(owner, "1") for _ in range(12)]
    works = [work for one in made for work in (partial(one.paid_by, payer), one.cancel)]

    answers = open_house.at_once(works)

    assert _endings(answers) == {200: 12, 409: 12}
    for one, paid, cancelled in zip(made, answers[::2], answers[1::2], strict=True):
        assert {paid.status_code, cancelled.status_code} == {200, 409}
        assert one.status == ("PAID" if paid.status_code == 200 else "CANCELLED")
    _sound()


def test_pay_and_cancel_and_expire(open_house: OpenHouse, owner: Actor, payer: Actor):
    made = [ask(owner, "1", expiresInSeconds=60) for _ in range(10)]
    _overdue(open_house, made[::2])
    works = [
        work
        for one in made
        for work in (
            lambda one=one: one.paid_by(payer).status_code,
            lambda one=one: one.cancel().status_code,
            lambda one=one: receiving.expire(one.id),
        )
    ]

    _at_once(open_house, works)

    states = [one.status for one in made]
    assert set(states[::2]) == {"EXPIRED"}
    assert set(states[1::2]) <= {"PAID", "CANCELLED"}
    assert owner.available == Usdc(1_000_000 * states.count("PAID"))
    assert len(events_of(owner.id)) == len(made)
    _sound()


def _overdue(house: OpenHouse, made: list[Asked]) -> None:
    with house.superuser() as connection:
        for one in made:
            connection.execute(
                "UPDATE invoices SET expires_at = created_at - interval '1 s' WHERE id = %s",
                (one.id,),
            )


def test_late_on_chain_while_it_expires(open_house: OpenHouse, owner: Actor):
    made = [ask(owner, "1", acceptLate=number % 2 == 0) for number in range(8)]
    _overdue(open_house, made)
    arrived = [arrive(one.id, "1", state="FINAL", at=clock.now() + DAY) for one in made]
    works = [
        work
        for one, incoming_id in zip(made, arrived, strict=True)
        for work in (
            partial(receiving.follow, incoming_id),
            partial(receiving.follow, incoming_id),
            partial(receiving.expire, one.id),
        )
    ]

    _at_once(open_house, works)

    assert [one.status for one in made] == ["PAID", "EXPIRED"] * 4
    assert all(one.shown["late"] for one in made)
    assert owner.available == Usdc.parse("8")
    assert sorted(entries_of_invoices()) == sorted(f"incoming:{one}:credit" for one in arrived)
    _sound()


def test_on_chain_and_from_a_balance_at_once(open_house: OpenHouse, owner: Actor, payer: Actor):
    made = [ask(owner, "1") for _ in range(8)]
    arrived = [arrive(one.id, "1", state="FINAL") for one in made]
    works = [
        work
        for one, incoming_id in zip(made, arrived, strict=True)
        for work in (
            partial(receiving.follow, incoming_id),
            lambda one=one: one.paid_by(payer).status_code,
        )
    ]

    _at_once(open_house, works)

    assert {one.status for one in made} == {"PAID"}
    # What was seen first pays: whoever comes to pay from a balance finds it, too.
    assert (owner.available, payer.available) == (Usdc.parse("8"), Usdc.parse("1000"))
    _sound()


def test_refunds_at_once(open_house: OpenHouse, owner: Actor, payer: Actor):
    made = ask(owner)
    made.paid_by(payer)

    answers = open_house.at_once([partial(made.refund, amount="20")] * 10)

    assert _endings(answers) == {200: 2, 400: 8}
    assert (payer.available, owner.available) == (Usdc.parse("990"), Usdc.parse("10"))
    assert made.status == "PARTIALLY_REFUNDED"
    _sound()


def test_final_and_vanished_and_read(open_house: OpenHouse, owner: Actor):
    made = ask(owner)
    incoming_id = arrive(made.id, "50")
    works: list[Callable[[], Any]] = [partial(receiving.follow, incoming_id)] * 6
    works += [partial(change, incoming_id, "FINAL"), lambda: made.status]

    _at_once(open_house, works)
    receiving.follow(incoming_id)

    assert (made.status, owner.available) == ("PAID", Usdc.parse("50"))
    assert len(entries_of_invoices()) == 1
    _sound()
