"""What every network's adapters must do, over the registry: a new one passes this or is not ready.

What only one family knows (fees, nonces, block hashes, nodes that lie) is in ``tests/chains``.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from protonpay.chains.inspection import Standing
from protonpay.chains.keyring import Keyring, public_addresses
from protonpay.chains.networks import BUILT_IN, NETWORKS
from protonpay.chains.port import AlreadySent, NotReady, PayeeRefused, SendOutcome, SendState
from protonpay.chains.sweep import Holding, KeyDiffers
from protonpay.kernel.money import Usdc
from protonpay.wire.http import NoAnswer
from tests.conftest import PASSPHRASE
from tests.contract.chain import QUESTIONS, Stage, staged

pytestmark = pytest.mark.slow

ADDED_BY_SETTINGS = "Sepolia"


@pytest.fixture(scope="module", params=[*BUILT_IN, ADDED_BY_SETTINGS])
def running_stage(request: pytest.FixtureRequest, keyring_path: Path) -> Iterator[Stage]:
    keys = Keyring.open(keyring_path, PASSPHRASE)
    with staged(request.param, public_addresses(keyring_path), keys) as stage:
        yield stage


@pytest.fixture
def stage(running_stage: Stage) -> Stage:
    """The network at rest: nothing waits, everything is final."""
    running_stage.world.forget()
    running_stage.world.finalise()
    return running_stage


def test_the_registry_makes_its_adapters(stage: Stage):
    assert stage.chain.network is NETWORKS[stage.name]
    assert stage.chain.most_in_one >= 1
    assert stage.chain.sender != stage.chain.treasury
    assert stage.ports.get(stage.name) is stage.chain


# Before signing


def test_terms_are_read_for_what_can_be_paid_and_survive_json(stage: Stage):
    orders = [stage.order() for _ in range(min(3, stage.chain.most_in_one))]

    prospect = stage.chain.read_terms(orders)

    assert (list(prospect.payable), dict(prospect.hindered)) == (orders, {})
    assert json.loads(json.dumps(dict(prospect.terms))) == prospect.terms


def test_a_refused_payee_is_named_before_anything_is_signed_and_holds_up_nobody(stage: Stage):
    blocked, free = stage.order(), stage.order()
    stage.world.pay(blocked.to, 1)
    stage.world.freeze(blocked.to)
    stage.world.finalise()

    prospect = stage.chain.read_terms([blocked, free])

    assert list(prospect.payable) == [free]
    (why,) = prospect.hindered.values()
    assert list(prospect.hindered) == [blocked.payout_id]
    assert isinstance(why, PayeeRefused)
    assert why.code


def test_a_short_treasury_waits_and_pays_what_it_can(stage: Stage):
    has = stage.world.usdc(stage.chain.treasury)
    large, small = stage.order(has + 1), stage.order()

    alone = stage.chain.read_terms([large])
    both = stage.chain.read_terms([large, small])

    assert (list(alone.payable), dict(alone.terms)) == ([], {})
    for prospect in (alone, both):
        why = prospect.hindered[large.payout_id]
        assert isinstance(why, NotReady)
        assert why.code == "treasury_short"
    assert list(both.payable) == [small]


# Signing


def test_signing_is_pure(stage: Stage):
    """The same arguments give the same bytes, and no node is asked."""
    order, sequence = stage.order(), stage.chain.next_sequence()
    prospect = stage.chain.read_terms([order])

    first, again = (
        chain.sign(prospect.payable, prospect.terms, sequence, None)
        for chain in (stage.chain, stage.without_node())
    )

    assert first == again
    assert first.payout_ids == (order.payout_id,)
    assert (first.sequence is None) == (sequence is None)
    assert json.loads(json.dumps(dict(first.terms))) == first.terms


def test_without_keys_nothing_is_signed(stage: Stage):
    order = stage.order()
    prospect = stage.chain.read_terms([order])

    with pytest.raises(RuntimeError):
        stage.without_keys().sign([order], prospect.terms, stage.chain.next_sequence(), None)


# What becomes of a send


def test_what_was_never_broadcast_waits_unseen(stage: Stage):
    send = stage.sign(stage.order())

    assert stage.outcome(send) == SendOutcome(SendState.WAITING, seen=False)


def test_the_same_bytes_twice_pay_once_and_land_when_final(stage: Stage):
    order, had = stage.order(12_345_678), stage.world.usdc(stage.chain.treasury)
    send = stage.sent(order)
    stage.chain.broadcast(send)

    assert stage.outcome(send).state is SendState.WAITING
    assert stage.chain.balance(order.to) == Usdc(0)
    stage.world.finalise()
    stage.chain.broadcast(send)
    stage.world.finalise()

    outcome = stage.outcome(send)
    assert (outcome.state, outcome.tx_hash) == (SendState.LANDED, None)
    assert (outcome.fee or 0) > 0
    assert stage.chain.balance(order.to) == Usdc(12_345_678)
    assert stage.world.usdc(stage.chain.treasury) == had - 12_345_678


def test_one_transaction_pays_several_each_with_an_end_of_its_own(stage: Stage):
    orders = [stage.order(micro) for micro in (1, 2_000_000, 3_000_000)]
    orders = orders[: stage.chain.most_in_one]

    outcomes = stage.chain.outcomes(stage.landed(*orders))

    assert set(outcomes) == {order.payout_id for order in orders}
    assert {outcome.state for outcome in outcomes.values()} == {SendState.LANDED}
    assert [stage.held(order) for order in orders] == [order.amount.micro for order in orders]


def test_several_sends_are_asked_about_together(stage: Stage):
    """One that is final, one that is not yet, and one that the node was never given."""
    first, second, third = (stage.order(micro) for micro in (1, 2, 3))
    final, never = stage.landed(first), stage.sign(third)
    on_the_way = stage.sent(second)

    told = stage.chain.outcomes(never, final, on_the_way)

    assert {payout_id: outcome.state for payout_id, outcome in told.items()} == {
        first.payout_id: SendState.LANDED,
        second.payout_id: SendState.WAITING,
        third.payout_id: SendState.WAITING,
    }
    assert (told[second.payout_id].seen, told[third.payout_id].seen) == (True, False)


def test_two_sends_of_one_payout_pay_once_and_the_second_names_the_first(stage: Stage):
    order, sequence = stage.order(), stage.chain.next_sequence()
    first = stage.sign(order)
    stage.world.finalise()
    prospect = stage.chain.read_terms([order])
    after = None if sequence is None else sequence + 1
    second = stage.chain.sign(prospect.payable, prospect.terms, after, None)
    assert second.raw != first.raw

    stage.chain.broadcast(first)
    stage.chain.broadcast(second)
    stage.world.finalise()

    assert stage.held(order) == order.amount.micro
    assert stage.outcome(first).state is SendState.LANDED
    told = stage.outcome(second)
    assert (told.state, told.tx_hash) == (SendState.LANDED, first.tx_hash)


def test_what_is_sent_already_is_not_signed_again(stage: Stage):
    order, other = stage.order(), stage.order()
    send = stage.landed(order)

    prospect = stage.chain.read_terms([order, other])

    why = prospect.hindered[order.payout_id]
    assert isinstance(why, AlreadySent)
    assert why.tx_hash == send.tx_hash
    assert list(prospect.payable) == [other]


def test_what_can_never_land_is_lost_and_may_be_signed_anew(stage: Stage):
    order = stage.order()
    lost = stage.sign(order)
    stage.world.expire()

    outcome = stage.outcome(lost)
    assert outcome.state is SendState.LOST
    assert outcome.sequence_used is (lost.sequence is None)
    anew = stage.sign(order, replaces=lost)
    stage.chain.broadcast(anew)
    stage.chain.broadcast(lost)
    stage.world.finalise()

    assert anew.sequence == lost.sequence
    assert stage.outcome(anew).state is SendState.LANDED
    assert stage.held(order) == order.amount.micro


# What is asked at any time


def test_the_head_says_how_far_the_node_is(stage: Stage):
    before = stage.chain.head()
    stage.world.finalise()
    head = stage.chain.head()

    assert before.finalized < head.finalized <= head.latest
    assert head.finalized_at >= before.finalized_at > 0


def test_a_balance_is_that_of_the_final_block(stage: Stage):
    wallet = stage.wallet()
    assert stage.chain.balance(wallet) == Usdc(0)
    stage.world.pay(wallet, 7)
    stage.world.finalise()

    assert stage.chain.balance(wallet) == Usdc(7)


@pytest.mark.parametrize("asked", QUESTIONS)
def test_a_silent_node_is_unknown_never_no(stage: Stage, asked: str):
    with pytest.raises(NoAnswer):
        QUESTIONS[asked](stage)


# What comes in


def test_the_watch_finds_an_arrival_once(stage: Stage):
    wallet, since = stage.wallet(), stage.final_height() + 1
    tx_hash = stage.landed_from_outside(wallet, 2_500_000)

    found = stage.arrivals(wallet, tx_hash, since)

    assert [(one.address, one.amount, one.tx_hash) for one in found] == [
        (wallet, Usdc(2_500_000), tx_hash)
    ]
    assert since <= found[0].block <= stage.final_height()
    assert stage.arrivals(wallet, tx_hash, since) == found


# What we hold


def test_a_snapshot_says_what_is_held_and_which_payouts_have_left_at_one_final_block(stage: Stage):
    wallet, paid, unpaid = stage.wallet(), stage.order(), stage.order()
    stage.landed(paid)
    stage.landed_from_outside(wallet, 7)
    snapshot = stage.ports.snapshot(stage.name)
    at = snapshot.block(None)
    stage.sign(unpaid)

    told = snapshot.treasury(at, [paid.payout_id, unpaid.payout_id])
    held = snapshot.balances(at, [wallet, unpaid.to])

    assert (told.height, held.height) == (at.height, at.height)
    assert told.balance == stage.chain.balance(stage.chain.treasury)
    assert told.paid == {paid.payout_id}
    assert held.micro == {wallet: 7, unpaid.to: 0}


# Sweeps


def test_one_transaction_empties_several_addresses_that_hold_no_native_coin(stage: Stage):
    sweeper, items = stage.ports.sweeper(stage.name), stage.deposits(700_000, 800_000)
    before = stage.world.usdc(sweeper.treasury)
    signed = stage.sign_sweeps(items)
    assert sweeper.outcome(signed, items).state is SendState.WAITING

    sweeper.broadcast(signed)
    sweeper.broadcast(signed)
    stage.world.finalise()

    outcome = sweeper.outcome(signed, items)
    assert outcome.state is SendState.LANDED
    assert {one: moved.tx_hash for one, moved in outcome.moved.items()} == {
        item.address: signed.tx_hash for item in items
    }
    assert outcome.fee is not None
    assert outcome.fee > 0
    assert stage.world.usdc(sweeper.treasury) == before + 1_500_000
    assert [stage.world.usdc(item.address) for item in items] == [0, 0]
    assert [stage.world.native(item.address) for item in items] == [0, 0]


def test_signing_sweeps_is_pure_and_needs_the_right_keys(stage: Stage):
    sweeper, items = stage.ports.sweeper(stage.name), stage.deposits(700_000)
    terms, sequence = sweeper.read_terms(1), sweeper.next_sequence()
    assert json.loads(json.dumps(dict(terms))) == terms

    assert sweeper.sign(items, terms, sequence, None) == sweeper.sign(items, terms, sequence, None)
    others = [replace(items[0], number=items[0].number + 1)]
    with pytest.raises(KeyDiffers):
        sweeper.sign(others, terms, sequence, None)
    assert stage.world.usdc(items[0].address) == 700_000


def test_the_same_bytes_again_take_nothing_that_came_later(stage: Stage):
    sweeper, items = stage.ports.sweeper(stage.name), stage.deposits(700_000)
    before = stage.world.usdc(sweeper.treasury)
    signed = stage.sign_sweeps(items)
    sweeper.broadcast(signed)
    stage.world.finalise()
    stage.landed_from_outside(items[0].address, 700_000)

    sweeper.broadcast(signed)
    stage.world.finalise()

    moved = sweeper.outcome(signed, items).moved
    assert [one.tx_hash for one in moved.values()] == [signed.tx_hash]
    assert stage.world.usdc(sweeper.treasury) == before + 700_000
    assert stage.world.usdc(items[0].address) == 700_000


def test_sweeps_that_can_never_land_are_lost_and_signed_anew(stage: Stage):
    sweeper, items = stage.ports.sweeper(stage.name), stage.deposits(700_000)
    first = stage.sign_sweeps(items)
    if first.sequence is None:
        stage.world.expire()
        assert sweeper.outcome(first, items).state is SendState.LOST
    second = stage.sign_sweeps(items, replaces=first)
    sweeper.broadcast(second)
    stage.world.finalise()
    sweeper.broadcast(first)
    stage.world.finalise()

    assert sweeper.outcome(second, items).state is SendState.LANDED
    assert stage.world.usdc(items[0].address) == 0


def test_what_an_address_has_is_final_and_says_when_nothing_may_leave(stage: Stage):
    free, blocked = stage.deposits(5, 6)
    stage.world.freeze(blocked.address)
    stage.world.finalise()
    told = stage.ports.sweeper(stage.name).holdings([free.address, blocked.address])
    assert told == {
        free.address: Holding(final=Usdc(5), blocked=False),
        blocked.address: Holding(final=Usdc(6), blocked=True),
    }


# One transaction, by name


def test_a_transaction_is_inspected_by_its_name(stage: Stage):
    wallet, inspector = stage.wallet(), stage.ports.inspector(stage.name)
    tx_hash = stage.landed_from_outside(wallet, 2_500_000)
    told = inspector.inspect(inspector.canonical(tx_hash) or "")
    assert told.standing is Standing.FINAL
    assert [(one.asset, one.amount) for one in told.touches if one.address == wallet] == [
        ("USDC", 2_500_000)
    ]
    assert inspector.canonical("no name") is None


def test_a_program_is_told_from_a_wallet(stage: Stage):
    inspector = stage.ports.inspector(stage.name)
    assert inspector.is_contract(stage.wallet()) is False
    used = stage.wallet()
    stage.landed_from_outside(used, 1)
    assert inspector.is_contract(used) is False
    assert inspector.is_contract(stage.world.network.usdc) is True
