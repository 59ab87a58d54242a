"""Sweeps on three real chains with real USDC: what moves, what does not, and how often."""

import pytest

from protonpay.chains.registry import chains
from protonpay.kernel.money import Usdc
from protonpay.store.jobs import Later
from protonpay.treasury import service, sweeping
from tests.treasury.worlds import House

pytestmark = pytest.mark.slow


def test_many_addresses_are_emptied_by_one_transaction_and_never_hold_native_coin(ours: House):
    count = chains.sweeper(ours.name).most if ours.name == "Solana" else 25
    given = ours.paid(count)
    had = ours.world.usdc(ours.treasury)
    before = [ours.world.native(at) for at in given]

    ours.go()

    (batch,) = ours.batches()
    assert batch.state == "LANDED"
    assert int(batch.fee or 0) > 0
    assert ours.states(*given) == ["SWEPT"] * count
    assert {row.tx_hash for row in ours.sweeps(*given)} == {batch.tx_hash}
    assert [ours.world.usdc(at) for at in given] == [0] * count
    assert ours.world.usdc(ours.treasury) - had == sum(20_000_000 + n for n in range(count))
    assert before == [ours.world.native(at) for at in given] == [0] * count


def test_more_than_fit_go_in_the_next_transactions(ours: House):
    given = ours.paid(5)
    chains.sweeper(ours.name).most = 2
    for _ in range(3):
        ours.go()
    assert [one.state for one in ours.batches()] == ["LANDED"] * 3
    assert ours.states(*given) == ["SWEPT"] * 5
    nonces = [one.sequence for one in ours.batches()]
    assert nonces == [None] * 3 or nonces == list(range(nonces[0], nonces[0] + 3))


def test_running_everything_again_moves_nothing(ours: House):
    given = ours.paid(2)
    ours.go()
    (batch,) = ours.batches()
    there = ours.on_chain(given)
    for _ in range(2):
        sweeping.sign(ours.name)
        sweeping.broadcast(batch.id)
        assert sweeping.confirm(batch.id) is None
        ours.world.finalise()
    assert len(ours.batches()) == 1
    assert ours.states() == ["SWEPT"] * 2
    assert ours.on_chain(given) == there


def test_a_watch_does_not_take_a_sweep_for_a_deposit(ours: House):
    ours.paid(3)
    recorded = ours.recorded()
    ours.go()
    ours.watch()
    ours.watch()
    assert ours.recorded() == recorded == 3


def test_what_arrives_meanwhile_waits_for_the_next_sweep(ours: House):
    (at,) = ours.paid(1)
    sweeping.sign(ours.name)
    batch = ours.open_batch()
    assert batch is not None
    ours.deposit((at, 7_000_000))
    sweeping.sign(ours.name)
    assert ours.states(at) == ["SIGNED"], "one open sweep per address"
    ours.finish(batch.id)
    assert ours.world.usdc(at) == 7_000_000

    ours.go()

    assert [(row.turn, row.amount_micro) for row in ours.sweeps(at)] == [
        (1, Usdc(20_000_000)),
        (2, Usdc(7_000_000)),
    ]
    assert ours.world.usdc(at) == 0


def test_a_blocked_address_stays_alone_and_goes_when_it_is_let(ours: House):
    given = ours.paid(3)
    ours.world.freeze(given[1])
    ours.world.finalise()

    ours.go()

    assert ours.states(*given) == ["SWEPT", "HELD", "SWEPT"]
    (held,) = service.held()
    assert (held.address, held.reason) == (given[1], "address_blocked")
    assert service.standing()[ours.name].held == held.amount_micro
    assert ours.world.usdc(given[1]) == 20_000_001


def test_too_little_waits_for_more_for_age_or_for_an_operator(ours: House):
    (at,) = ours.paid(1, micro=400_000)
    service.look()
    ours.go()
    assert ours.states(at) == []
    assert service.standing()[ours.name].lying == Usdc(400_000)
    ours.go(everything=1)
    assert ours.states(at) == ["SWEPT"]
    assert service.standing()[ours.name].lying == Usdc(0)


# A process that dies, a node that lies


def test_bytes_that_nobody_sent_are_sent_by_the_next_run(ours: House):
    given = ours.paid(2)
    sweeping.sign(ours.name)
    (batch,) = ours.batches()
    assert batch.state == "SIGNED"
    sweeping.sign(ours.name)
    assert [one.id for one in ours.batches()] == [batch.id], "one transaction in flight"
    ours.finish(batch.id)
    assert ours.states(*given) == ["SWEPT"] * 2


def test_a_node_that_takes_them_and_says_nothing(ours: House):
    given = ours.paid(2)
    sweeping.sign(ours.name)
    (batch,) = ours.batches()
    ours.node.sends = ["lie"]
    ours.finish(batch.id)
    assert [one.state for one in ours.batches()] == ["LANDED"]
    assert ours.states(*given) == ["SWEPT"] * 2


@pytest.mark.parametrize("fault", ["drop", "deaf"])
def test_a_node_that_loses_them_gets_the_same_bytes_again(ours: House, fault: str):
    given = ours.paid(2)
    sweeping.sign(ours.name)
    (batch,) = ours.batches()
    ours.node.sends = [fault]
    sweeping.broadcast(batch.id)
    ours.world.finalise()
    assert isinstance(sweeping.confirm(batch.id), Later)
    ours.world.finalise()
    assert sweeping.confirm(batch.id) is None
    assert [one.tx_hash for one in ours.batches()] == [batch.tx_hash]
    assert ours.states(*given) == ["SWEPT"] * 2


def test_a_node_that_does_not_answer_changes_nothing(ours: House):
    given = ours.paid(1)
    ours.node.dumb = True
    sweeping.sign(ours.name)
    assert ours.states(*given) == ["PLANNED"]
    assert ours.batches() == []
    ours.node.dumb = False
    sweeping.sign(ours.name)
    (batch,) = ours.batches()
    sweeping.broadcast(batch.id)
    ours.world.finalise()
    ours.node.dumb = True
    assert isinstance(sweeping.confirm(batch.id), Later)
    ours.node.dumb = False
    assert sweeping.confirm(batch.id) is None
    assert ours.states(*given) == ["SWEPT"]


def test_bytes_that_can_never_land_are_signed_anew_and_move_money_once(ours: House):
    given = ours.paid(2)
    had = ours.world.usdc(ours.treasury)
    sweeping.sign(ours.name)
    (lost,) = ours.batches()
    ours.node.sends = ["drop", "drop", "drop"]
    sweeping.broadcast(lost.id)
    assert isinstance(sweeping.confirm(lost.id), Later)
    ours.world.expire()
    assert sweeping.confirm(lost.id) is None
    assert ours.states(*given) == ["PLANNED"] * 2

    ours.node.sends = []
    ours.go()

    first, second = ours.batches()
    assert (first.state, second.state) == ("LOST", "LANDED")
    assert first.sequence == second.sequence, "a nonce that stayed free is taken again"
    assert ours.states(*given) == ["SWEPT"] * 2
    assert ours.world.usdc(ours.treasury) - had == 40_000_001
