"""Several payments in one Solana transaction: all land or none, and each at most once."""

from dataclasses import replace

import pytest
from solders.keypair import Keypair
from solders.transaction import VersionedTransaction

from protonpay.chains.port import AlreadySent, NotReady, PayeeRefused, SendOutcome, SendState
from protonpay.kernel.money import Usdc
from tests.chains.solana.custody import LOST, UNSEEN, WAITING, expire, force

MICRO = 1_000_000


def _orders(custody, count: int, *, known: bool = False):
    payees = [custody.node.funded(micro=1) if known else Keypair() for _ in range(count)]
    custody.node.finalize()
    return [custody.order(payee.pubkey(), MICRO + at) for at, payee in enumerate(payees)]


def _signed(custody, orders):
    prospect = custody.chain.read_terms(orders)
    assert (list(prospect.payable), prospect.hindered) == (orders, {})
    return custody.chain.sign(orders, prospect.terms, None, None)


def _paid(custody, orders) -> list[int]:
    return [custody.usdc(order.to) for order in orders]


def test_several_are_paid_by_one_transaction_of_the_newest_version(custody):
    orders = _orders(custody, 5)
    send = _signed(custody, orders)
    assert VersionedTransaction.from_bytes(send.raw).version() == 1

    custody.chain.broadcast(send)
    assert set(custody.chain.outcomes(send).values()) == {WAITING}
    custody.node.finalize()

    landed = SendOutcome(SendState.LANDED, fee=10_000)
    assert custody.chain.outcomes(send) == {order.payout_id: landed for order in orders}
    assert _paid(custody, orders) == [order.amount.micro for order in orders]


@pytest.mark.parametrize(("known", "least"), [(False, 8), (True, 14)])
def test_as_many_as_the_networks_limits_take_and_no_more(custody, known, least):
    orders = _orders(custody, custody.chain.most_in_one, known=known)
    prospect = custody.chain.read_terms(orders)

    payable = list(prospect.payable)
    assert least <= len(payable) < len(orders)
    assert payable == orders[: len(payable)]
    assert prospect.hindered == {}
    send = custody.chain.sign(payable, prospect.terms, None, None)
    assert len(send.raw) <= 4096
    custody.chain.broadcast(send)
    custody.node.finalize()
    told = custody.chain.outcomes(send)
    assert {each.state for each in told.values()} == {SendState.LANDED}


@pytest.mark.parametrize("known", [False, True])
def test_what_finds_no_room_leaves_by_further_transactions_after_the_same_look(custody, known):
    orders = _orders(custody, 25, known=known)
    prospect = custody.chain.read_terms(orders)

    parts = [prospect, *prospect.further]
    assert len(parts) >= 2
    assert [order for each in parts for order in each.payable] == orders
    sends = [custody.chain.sign(each.payable, each.terms, None, None) for each in parts]
    for send in sends:
        custody.chain.broadcast(send)
    custody.node.finalize()
    told = custody.chain.outcomes(*sends)
    assert {order.payout_id for order in orders} == set(told)
    assert {each.state for each in told.values()} == {SendState.LANDED}
    before = int(known)
    assert _paid(custody, orders) == [order.amount.micro + before for order in orders]


def test_every_transaction_of_a_look_is_paid_out_of_the_same_purse(custody):
    had = custody.usdc(custody.chain.treasury)
    orders = [replace(each, amount=Usdc(had // 12)) for each in _orders(custody, 13)]

    prospect = custody.chain.read_terms(orders)

    assert len(prospect.further) == 1
    assert prospect.further[0].payable == orders[len(prospect.payable) : 12]
    (why,) = prospect.hindered.values()
    assert (list(prospect.hindered), why.code) == ([orders[12].payout_id], "treasury_short")
    assert prospect.further[0].hindered == {}


def test_a_second_payment_to_a_payee_leaves_by_a_further_transaction(custody, payee):
    first, second = custody.order(payee), custody.order(payee)
    (further,) = custody.chain.read_terms([first, second]).further
    assert list(further.payable) == [second]


def test_bundled_anew_with_others_nobody_is_paid_twice(custody):
    first, second, third = _orders(custody, 3)
    send = _signed(custody, [first, second])
    other = _signed(custody, [second, third])

    custody.chain.broadcast(send)
    force(custody.node, other)
    custody.node.finalize()

    assert _paid(custody, [first, second]) == [MICRO, MICRO + 1]
    told = custody.chain.outcomes(other)
    assert told[second.payout_id] == SendOutcome(SendState.LANDED, fee=10_000, tx_hash=send.tx_hash)
    assert told[third.payout_id].state is SendState.LOST
    assert custody.usdc(third.to) == 0


def test_a_payee_frozen_meanwhile_fails_and_the_others_are_signed_anew(custody):
    orders = _orders(custody, 3, known=True)
    send = _signed(custody, orders)
    custody.node.call("sandbox_freeze", orders[1].to)
    custody.node.finalize()
    force(custody.node, send)
    custody.node.finalize()

    told = custody.chain.outcomes(send)
    assert [told[order.payout_id].state for order in orders] == ["LOST", "FAILED", "LOST"]
    assert told[orders[1].payout_id].reason == "account_frozen"
    left = [orders[0], orders[2]]
    custody.chain.broadcast(_signed(custody, left))
    custody.node.finalize()
    assert _paid(custody, orders) == [MICRO + 1, 1, MICRO + 3]


def test_a_bundle_that_expired_unseen_is_lost_as_a_whole(custody):
    orders = _orders(custody, 2)
    send = _signed(custody, orders)
    assert set(custody.chain.outcomes(send).values()) == {UNSEEN}
    expire(custody.node)

    assert custody.chain.outcomes(send) == {order.payout_id: LOST for order in orders}


def test_a_payee_is_paid_once_in_a_transaction(custody, payee):
    first, second = custody.order(payee), custody.order(payee)
    prospect = custody.chain.read_terms([first, second])

    assert (list(prospect.payable), prospect.hindered) == ([first], {})


def test_what_hinders_one_order_is_told_of_it_alone(custody):
    paid, frozen, huge, good = _orders(custody, 4, known=True)
    custody.chain.broadcast(_signed(custody, [paid]))
    custody.node.call("sandbox_freeze", frozen.to)
    custody.node.finalize()
    huge = replace(huge, amount=Usdc(10**15))

    prospect = custody.chain.read_terms([paid, frozen, huge, good])

    assert list(prospect.payable) == [good]
    told = {payout_id: (type(why), why.code) for payout_id, why in prospect.hindered.items()}
    assert told == {
        paid.payout_id: (AlreadySent, "already_sent"),
        frozen.payout_id: (PayeeRefused, "payee_frozen"),
        huge.payout_id: (NotReady, "treasury_short"),
    }
