"""A debt: the one way below zero, and repaid first by whatever comes in."""

import pytest

from protonpay.kernel import ids
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit, chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Entry, Refund
from protonpay.ledger.service import UnknownAccount
from protonpay.store import db
from tests.committed import OpenHouse
from tests.ledger import book
from tests.ledger.book import available, held, new_user, post, usdc


def refunded(deposit: str, user: str, amount: str, until: int = 1) -> None:
    """Take back as the deposits' room does: what is there, and the rest as a debt."""
    with db.transaction():
        there = ledger.claim(chart.available(user))
        ledger.open_accounts(chart.of_debtor(user))
        refund = Refund(usdc(amount), ZERO, until)
        ledger.post(entries.card_refund(deposit, "tap", user, refund, there=there))


def owing(amount: str) -> str:
    """Somebody who was credited, spent it all, and had it charged back."""
    user = new_user(amount)
    post(entries.transfer(ids.new_id(), user, new_user(), usdc(amount), ZERO))
    refunded(user, user, amount)
    assert (available(user), ledger.owed(user)) == (ZERO, usdc(amount))
    return user


def in_by_card(user: str, amount: Usdc) -> Entry:
    return entries.card_credit(ids.new_id(), "tap", user, amount, Usdc(5))


def in_by_transfer(user: str, amount: Usdc) -> Entry:
    return entries.transfer(ids.new_id(), new_user("1000"), user, amount, ZERO)


def in_by_gift(user: str, amount: Usdc) -> Entry:
    post(entries.capital(ids.new_id(), "Base", amount))
    return entries.gift(ids.new_id(), user, amount)


WAYS_IN = [in_by_card, in_by_transfer, in_by_gift]


@pytest.mark.usefixtures("house")
def test_who_never_owed_owes_nothing():
    assert ledger.owed(new_user()) == ZERO
    with pytest.raises(UnknownAccount):
        ledger.purse("nobody")


@pytest.mark.usefixtures("house")
def test_what_is_there_is_taken_and_only_the_rest_is_owed():
    user = new_user("10")
    post(entries.transfer(ids.new_id(), user, new_user(), usdc("4"), ZERO))
    refunded(user, user, "10")
    assert (available(user), ledger.owed(user)) == (ZERO, usdc("4"))
    assert audit.findings() == []


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.parametrize(
    ("amount", "left", "owed"), [("3", "0", "7"), ("10", "0", "0"), ("12", "2", "0")]
)
def test_whatever_comes_in_repays_first(way, amount: str, left: str, owed: str):
    user = owing("10")
    entry = way(user, usdc(amount))
    post(entry)
    assert (available(user), ledger.owed(user)) == (usdc(left), usdc(owed))
    part = min(usdc(amount), usdc("10"))
    assert book.entry_rows(f"{entry.reference}:repays:{user}") == [
        ("debt_repayment", 1, chart.available(user), chart.debt(user), part.micro)
    ]
    assert audit.findings() == []


@pytest.mark.usefixtures("house")
def test_a_payout_that_comes_back_repays_first():
    user = new_user("10")
    post(entries.payout_hold("p", user, usdc("10")))
    refunded(user, user, "10")
    assert (held(user), ledger.owed(user)) == (usdc("10"), usdc("10"))
    post(entries.payout_release("p", user, usdc("10")))
    assert (available(user), held(user), ledger.owed(user)) == (ZERO, ZERO, ZERO)
    assert audit.findings() == []


@pytest.mark.usefixtures("house")
def test_a_credit_told_twice_repays_once():
    user = owing("10")
    entry = in_by_card(user, usdc("4"))
    assert [post(entry).replayed for _ in range(3)] == [False, True, True]
    assert ledger.owed(user) == usdc("6")


@pytest.mark.usefixtures("house")
def test_after_a_debt_is_repaid_credits_are_as_ever():
    user = owing("10")
    post(in_by_card(user, usdc("10")))
    entry = in_by_card(user, usdc("1"))
    post(entry)
    assert available(user) == usdc("1")
    assert book.entry_rows(f"{entry.reference}:repays:{user}") == []


@pytest.mark.usefixtures("house")
def test_an_account_that_was_never_opened_cannot_be_claimed():
    with pytest.raises(UnknownAccount), db.transaction():
        ledger.claim(chart.available("nobody"))


def test_credits_and_refunds_at_once_leave_nobody_who_owes_and_has(open_house: OpenHouse):
    user = new_user("50")
    post(entries.transfer(ids.new_id(), user, new_user(), usdc("50"), ZERO))
    entered = [in_by_card(user, usdc("1")) for _ in range(20)]
    paid = [lambda entry=entry: post(entry) for entry in entered]
    refunds = [lambda n=n: refunded(user, user, "5", until=n) for n in range(1, 11)]
    mixed = [work for pair in zip(paid[:10], refunds, strict=True) for work in pair]
    ends = open_house.inside_at_once([*mixed, *paid[10:]])
    assert [end for end in ends if isinstance(end, Exception)] == []
    assert (available(user), ledger.owed(user)) == (ZERO, usdc("30"))
    assert audit.findings() == []


def test_two_debtors_who_pay_each_other_at_once_do_not_wait_in_a_circle(open_house: OpenHouse):
    first, second = owing("5"), owing("5")
    for user in (first, second):
        post(in_by_card(user, usdc("55")))
        refunded(ids.new_id(), user, "0.000001")
    works = [
        lambda a=a, b=b: post(entries.transfer(ids.new_id(), a, b, usdc("1"), ZERO))
        for a, b in [(first, second), (second, first)] * 12
    ]
    ends = open_house.inside_at_once(works)
    assert [end for end in ends if isinstance(end, Exception)] == []
    assert ledger.owed(first) == ledger.owed(second) == ZERO
