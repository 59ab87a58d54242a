"""What a chain or a stranger may do to a sweep, and what it then ends as."""

import base64
from dataclasses import replace

import pytest
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from sqlalchemy import text

from protonpay.chains.registry import chains
from protonpay.chains.sweep import KeyDiffers, SweepItem
from protonpay.kernel.money import Usdc
from protonpay.sandbox.evm.rpc import Rpc
from protonpay.store.db import db, release
from protonpay.store.jobs import Later
from protonpay.treasury import planning, service, sweeping
from protonpay.treasury.models import SweepBatch
from tests.treasury.worlds import House

pytestmark = pytest.mark.slow


def _signed(ours: House) -> SweepBatch:
    sweeping.sign(ours.name)
    batch = ours.open_batch()
    assert batch is not None
    return batch


def _fields(batch: SweepBatch) -> dict:
    return TypedTransaction.from_bytes(HexBytes(batch.raw)).as_dict()


def _hand_in(base: House, batch: SweepBatch) -> str:
    """Let a stranger hand in what he saw in our transaction, in one of his own."""
    fields, rpc = _fields(batch), Rpc(base.world.url)
    order = {
        "from": rpc("eth_accounts")[7],
        "to": "0x" + bytes(fields["to"]).hex(),
        "gas": hex(2_000_000),
        "data": "0x" + bytes(fields["data"]).hex(),
    }
    return rpc("eth_sendTransaction", order)


def _age_holds() -> None:
    db.session.execute(text("UPDATE sweeps SET looked_at = looked_at - interval '2 hours'"))


def test_one_blocked_after_signing_does_not_keep_the_others(base: House):
    given = base.paid(3)
    batch = _signed(base)
    base.world.freeze(given[1])
    sweeping.broadcast(batch.id)
    base.world.finalise()

    assert isinstance(sweeping.confirm(batch.id), Later), "its signature is good for a while"
    assert base.states(*given) == ["SWEPT", "SIGNED", "SWEPT"]
    base.world.expire()
    assert sweeping.confirm(batch.id) is None
    assert base.states(*given) == ["SWEPT", "PLANNED", "SWEPT"]

    base.go()
    assert base.states(given[1]) == ["HELD"]
    base.world.act("unfreeze", base.world.network.usdc, given[1])
    base.world.finalise()
    base.go()
    assert base.states(given[1]) == ["HELD"], "asked again after an hour, not at once"
    _age_holds()
    base.go()
    assert base.states(given[1]) == ["SWEPT"]
    assert [row.turn for row in base.sweeps(given[1])] == [1]


def test_one_frozen_after_signing_fails_its_transaction_and_then_alone(solana: House):
    given = solana.paid(3)
    batch = _signed(solana)
    solana.node.sends = ["drop"]
    sweeping.broadcast(batch.id)
    solana.world.freeze(given[1])
    rpc = chains.sweeper("Solana")._rpc
    raw = base64.b64encode(batch.raw).decode()
    rpc.call("sendTransaction", raw, {"encoding": "base64", "skipPreflight": True})
    solana.world.finalise()
    assert sweeping.confirm(batch.id) is None
    assert [one.state for one in solana.batches()] == ["FAILED"]
    assert solana.states(*given) == ["PLANNED"] * 3
    solana.world.act("unfreeze", solana.world.network.usdc, given[1])
    solana.world.finalise()

    for _ in given:
        solana.go()

    assert solana.states(*given) == ["SWEPT"] * 3
    assert len(solana.batches()) == 4, "each went alone after the refusal"


def test_a_stranger_who_hands_them_in_first_does_our_work(base: House):
    given = base.paid(2)
    batch = _signed(base)
    base.node.sends = ["drop"] * 3
    sweeping.broadcast(batch.id)
    theirs = _hand_in(base, batch)
    base.world.finalise()
    assert sweeping.confirm(batch.id) is None
    assert [one.state for one in base.batches()] == ["LANDED"]
    assert {row.tx_hash for row in base.sweeps(*given)} == {theirs}

    base.node.sends = []
    (more,) = base.paid(1)
    base.go()
    first, second = base.batches()
    assert first.sequence == second.sequence, "the nonce they left free is taken"
    for fee in ("max_fee_wei", "tip_wei"):
        assert second.terms[fee] * 8 >= first.terms[fee] * 9, "and outbids what may still wait"
    assert base.states(more) == ["SWEPT"]


def test_ours_after_a_stranger_costs_gas_and_moves_nothing_twice(base: House):
    given = base.paid(2)
    had = base.world.usdc(base.treasury)
    batch = _signed(base)
    _hand_in(base, batch)
    base.world.finalise()
    sweeping.broadcast(batch.id)
    base.world.finalise()
    assert sweeping.confirm(batch.id) is None
    assert base.states(*given) == ["SWEPT"] * 2
    assert base.world.usdc(base.treasury) - had == 40_000_001


def test_less_on_chain_than_in_our_rows_is_held_and_not_swept(ours: House):
    (at,) = ours.paid(1)
    db.session.execute(text("UPDATE incoming SET amount_micro = amount_micro + 1"))
    ours.go()
    (held,) = service.held()
    assert (held.address, held.reason) == (at, "balance_differs")
    assert ours.batches() == []


def test_more_on_chain_than_in_our_rows_stays_until_it_is_found(ours: House):
    (at,) = ours.paid(1)
    ours.world.pay(at, 1_000_000)
    ours.world.finalise()
    ours.go()
    assert ours.states(at) == ["SWEPT"]
    assert ours.world.usdc(at) == 1_000_000


def test_an_address_whose_key_is_another_is_never_signed_for(ours: House):
    first, other = ours.paid(2)
    planning.plan(ours.name, everything=False)
    one, two = ours.sweeps(first)[0], ours.sweeps(other)[0]
    swapped = SweepItem(two.number, first, Usdc(1), 1)
    release()
    sweeper = chains.sweeper(ours.name)
    holding, terms = sweeper.holdings([first])[first], sweeper.read_terms(1)
    with pytest.raises(KeyDiffers):
        sweeper.sign([swapped], terms, 0, None)
    assert planning._objection(one, holding) is None
    one.number = two.number
    assert planning._objection(one, holding) == "address_not_ours"
    db.session.rollback()


def test_a_sweeper_without_native_coin_waits(base: House):
    given = base.paid(1)
    rpc = Rpc(base.world.url)
    before = rpc("eth_getBalance", base.sweeper, "latest")
    rpc("anvil_setBalance", base.sweeper, hex(10**9))
    try:
        base.go()
    finally:
        rpc("anvil_setBalance", base.sweeper, before)
    assert base.states(*given) == ["PLANNED"]
    base.go()
    assert base.states(*given) == ["SWEPT"]


def test_a_paused_token_waits(base: House):
    given = base.paid(1)
    base.world.act("pause", base.world.network.usdc)
    try:
        base.go()
    finally:
        base.world.act("unpause", base.world.network.usdc)
    assert base.states(*given) == ["PLANNED"]


def test_what_is_refused_twice_is_held_and_asked_again(base: House):
    (at,) = base.paid(1)
    for _ in range(2):
        batch = _signed(base)
        base.world.freeze(at)
        sweeping.broadcast(batch.id)
        base.world.finalise()
        base.world.expire()
        assert sweeping.confirm(batch.id) is None
        base.world.act("unfreeze", base.world.network.usdc, at)
        base.world.finalise()
    (held,) = service.held()
    assert (held.reason, held.refusals) == ("refused_on_chain", 2)


def test_a_sweep_that_a_reorg_takes_out_is_sent_again(ours: House):
    given = ours.paid(2)
    batch = _signed(ours)
    sweeping.broadcast(batch.id)
    ours.world.reorganise()
    assert isinstance(sweeping.confirm(batch.id), Later)
    ours.world.finalise()
    assert sweeping.confirm(batch.id) is None
    assert [one.tx_hash for one in ours.batches()] == [batch.tx_hash]
    assert ours.states(*given) == ["SWEPT"] * 2


def test_another_treasury_than_the_keyrings_is_refused(ours: House):
    bound = chains._bound()
    family = ours.world.network.family
    swapped = replace(bound.addresses, treasury={**bound.addresses.treasury, family: ours.sweeper})
    chains.bind(replace(bound, addresses=swapped))
    with pytest.raises(ValueError, match="keyring"):
        chains.sweeper(ours.name)
