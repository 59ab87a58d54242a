"""Nonces of a wallet: each used once, none left out, a free one filled first."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from protonpay.payouts.models import SendLane
from protonpay.store.db import db
from tests.actors import Actor
from tests.payouts.fake_chain import FAILED, LANDED, LOST, LOST_AND_FREE, FakeChain
from tests.payouts.orders import accepted, attempts, confirm, sent, sign
from tests.plans.of_a_kind import on_plan


@pytest.fixture
def hasty(alice: Actor) -> Actor:
    """Alice, who need not wait between withdrawals."""
    on_plan(alice, cooldown_seconds=0)
    return alice


def _sequences(network: str = "Base") -> list[int | None]:
    return [attempt.sequence for attempt in attempts() if attempt.network == network]


def _lanes() -> dict[tuple[str, str], int]:
    lanes = db.session.scalars(select(SendLane).execution_options(populate_existing=True))
    return {(lane.network, lane.sender): lane.next_sequence for lane in lanes}


def _ends(chain: FakeChain, payout_id: str, outcome: object) -> None:
    chain.plan("outcome", outcome)
    confirm(payout_id)


def test_payouts_get_one_nonce_after_the_other(hasty: Actor, base: FakeChain):
    for _ in range(4):
        sign(accepted(hasty, 1))

    assert _sequences() == [7, 8, 9, 10]
    assert _lanes() == {("Base", base.sender): 11}


def test_each_network_counts_for_itself(
    hasty: Actor, base: FakeChain, polygon: FakeChain, solana: FakeChain
):
    for network in ("Base", "Polygon", "Solana") * 2:
        sign(accepted(hasty, 1, network))

    assert [_sequences(network) for network in ("Base", "Polygon", "Solana")] == [
        *([7, 8], [0, 1], [None, None]),
    ]
    assert _lanes() == {("Base", base.sender): 9, ("Polygon", polygon.sender): 2}


def test_each_wallet_counts_for_itself(hasty: Actor, base: FakeChain):
    sign(accepted(hasty, 1))
    base.sender = "a new wallet"
    base.first_sequence = 0
    sign(accepted(hasty, 1))

    assert _sequences() == [7, 0]


def test_a_chain_that_lags_behind_gives_no_nonce_twice(hasty: Actor, base: FakeChain):
    sign(accepted(hasty, 1))
    base.first_sequence = 3

    sign(accepted(hasty, 1))

    assert _sequences() == [7, 8]


def test_a_nonce_somebody_else_used_is_passed_over(hasty: Actor, base: FakeChain):
    sign(accepted(hasty, 1))
    base.first_sequence = 12

    sign(accepted(hasty, 1))
    sign(accepted(hasty, 1))

    assert _sequences() == [7, 12, 13]


def test_a_lost_send_whose_nonce_is_used_gets_the_next_one(hasty: Actor, base: FakeChain):
    payout_id = accepted(hasty, 1)
    sent(payout_id)
    _ends(base, payout_id, LOST)
    base.first_sequence = 8

    assert sent(payout_id).sequence == 8
    assert base.signed[-1][2] is None


def test_a_lost_send_whose_nonce_is_free_is_replaced_at_it(hasty: Actor, base: FakeChain):
    payout_id = accepted(hasty, 1)
    old = sent(payout_id)
    _ends(base, payout_id, LOST_AND_FREE)
    assert attempts(payout_id)[0].sequence_used is False

    new = sent(payout_id)

    assert new.sequence == old.sequence == 7
    replaced = base.signed[-1][2]
    assert replaced is not None
    assert (replaced.tx_hash, replaced.raw, replaced.terms) == (old.tx_hash, old.raw, old.terms)
    assert attempts(payout_id)[0].sequence_used is True
    assert _lanes() == {("Base", base.sender): 8}


def test_whoever_signs_next_fills_the_free_nonce(hasty: Actor, base: FakeChain):
    """Otherwise every later send would wait behind the hole for ever."""
    first, second = accepted(hasty, 1), accepted(hasty, 1)
    sent(first)
    sent(second)
    _ends(base, first, LOST_AND_FREE)
    third = accepted(hasty, 1)

    assert sent(third).sequence == 7
    assert sent(first).sequence == 9
    assert _sequences() == [7, 8, 7, 9]


@pytest.mark.parametrize(
    "outcome",
    [
        LOST_AND_FREE,
        replace(LANDED, sequence_used=False, tx_hash="0xelsewhere"),
        replace(FAILED, sequence_used=False),
    ],
    ids=lambda outcome: outcome.state.value,
)
def test_a_nonce_left_free_by_any_end_is_filled(hasty: Actor, base: FakeChain, outcome: object):
    first = accepted(hasty, 1)
    sent(first)
    _ends(base, first, outcome)

    assert sent(accepted(hasty, 1)).sequence == 7


def test_of_several_free_nonces_the_lowest_is_filled_first(hasty: Actor, base: FakeChain):
    payouts = [accepted(hasty, 1) for _ in range(3)]
    for payout_id in payouts:
        sent(payout_id)
    for payout_id in (payouts[2], payouts[0]):
        _ends(base, payout_id, LOST_AND_FREE)

    assert [sent(payout_id).sequence for payout_id in (payouts[2], payouts[0])] == [7, 9]
    assert sent(accepted(hasty, 1)).sequence == 10


def test_a_free_nonce_of_another_wallet_or_network_is_none_of_ours(
    hasty: Actor, base: FakeChain, polygon: FakeChain
):
    first = accepted(hasty, 1)
    sent(first)
    _ends(base, first, LOST_AND_FREE)

    assert sent(accepted(hasty, 1, "Polygon")).sequence == 0
    base.sender, base.first_sequence = "a new wallet", 100
    assert sent(accepted(hasty, 1)).sequence == 100


def test_a_free_nonce_is_filled_once(hasty: Actor, base: FakeChain):
    first = accepted(hasty, 1)
    sent(first)
    _ends(base, first, LOST_AND_FREE)

    assert [sent(accepted(hasty, 1)).sequence for _ in range(3)] == [7, 8, 9]


def test_a_replacement_that_is_lost_as_well_is_replaced_in_turn(hasty: Actor, base: FakeChain):
    payout_id = accepted(hasty, 1)
    for _ in range(3):
        assert sent(payout_id).sequence == 7
        _ends(base, payout_id, LOST_AND_FREE)
    newest = base.signed[-1][0]

    sign(payout_id)

    replaced = base.signed[-1][2]
    assert replaced is not None
    assert replaced.tx_hash == newest.tx_hash
    assert _sequences() == [7, 7, 7, 7]
