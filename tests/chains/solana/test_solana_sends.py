"""What becomes of a send, whatever the chain does to it."""

import pytest
from solders.keypair import Keypair

from protonpay.chains.port import AlreadySent, NotReady, SendOutcome, SendState
from protonpay.chains.solana_payment import marker_address
from protonpay.kernel.money import Usdc
from tests.chains.single import outcome_of, terms_of
from tests.chains.solana.custody import (
    LANDED,
    LOST,
    TREASURY_MICRO,
    UNSEEN,
    WAITING,
    Custody,
    adapter,
    expire,
    force,
)


def test_a_new_wallet_is_paid_once_and_told_only_when_final(custody, payee):
    order = custody.order(payee)
    send = custody.send(order)
    assert outcome_of(custody.chain, send) == WAITING
    assert custody.chain.balance(str(payee)) == Usdc(0)
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == LANDED
    assert custody.chain.balance(str(payee)) == order.amount
    assert custody.chain.balance(custody.chain.treasury) == Usdc(TREASURY_MICRO - 12_345_678)


def test_a_wallet_with_an_account_is_paid_into_it(custody):
    payee = custody.node.funded(micro=5_000_000).pubkey()
    before = custody.node.value("getBalance", custody.chain.sender)
    send = custody.send(custody.order(payee, 1))
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == LANDED
    assert custody.usdc(payee) == 5_000_001
    paid = before - custody.node.value("getBalance", custody.chain.sender)
    assert paid == 10_000 + 650_240, "the fee and the marker, no rent for an account"


def test_broadcasting_the_same_bytes_again_moves_nothing(custody, payee):
    send = custody.send(custody.order(payee))
    for _ in range(3):
        custody.chain.broadcast(send)
        custody.node.finalize()
    assert outcome_of(custody.chain, send) == LANDED
    assert custody.spent() == custody.usdc(payee) == 12_345_678


def test_a_second_send_of_the_same_payout_moves_nothing(custody, payee):
    order = custody.order(payee)
    first = custody.sign(order)
    custody.node.warp(3)
    second = custody.sign(order)
    assert first.tx_hash != second.tx_hash
    custody.chain.broadcast(first)
    force(custody.node, second)
    custody.node.finalize()
    assert outcome_of(custody.chain, first) == LANDED
    # These bytes failed on chain, but the payout was paid: never a reason to give money back.
    assert outcome_of(custody.chain, second) == SendOutcome(
        SendState.LANDED, fee=10_000, tx_hash=first.tx_hash
    )
    assert custody.spent() == custody.usdc(payee) == 12_345_678


def test_an_expired_send_of_a_payout_that_another_send_paid_is_landed_not_lost(custody, payee):
    order = custody.order(payee)
    lost = custody.sign(order)
    custody.node.warp(3)
    paid = custody.send(order)
    expire(custody.node)
    assert outcome_of(custody.chain, lost) == SendOutcome(
        SendState.LANDED, fee=10_000, tx_hash=paid.tx_hash
    )


def test_terms_for_a_payout_that_was_paid_name_its_send(custody, payee):
    order = custody.order(payee)
    send = custody.send(order)
    custody.node.warp(2)
    with pytest.raises(AlreadySent) as early:
        terms_of(custody.chain, order)
    assert (early.value.code, early.value.tx_hash) == ("already_sent", None)
    custody.node.finalize()
    # Even when the payee could not be paid any more.
    custody.node.call("sandbox_freeze", str(payee))
    with pytest.raises(AlreadySent) as final:
        terms_of(custody.chain, order)
    assert final.value.tx_hash == send.tx_hash


def test_dropped_bytes_are_unseen_and_land_when_sent_again(custody, payee):
    custody.node.call("sandbox_dropNext")
    send = custody.send(custody.order(payee))
    custody.node.warp(60)
    assert outcome_of(custody.chain, send) == UNSEEN
    custody.chain.broadcast(send)
    assert outcome_of(custody.chain, send) == WAITING
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == LANDED


def test_lost_is_said_only_after_the_last_possible_block_is_final(custody, payee):
    order = custody.order(payee)
    send = custody.sign(order)
    last = int(send.terms["last_valid_block_height"])
    height = lambda level: custody.node.call("getBlockHeight", {"commitment": level})  # noqa: E731
    custody.node.warp(150)
    while height("processed") <= last:
        custody.node.warp(1)
    assert outcome_of(custody.chain, send) == UNSEEN, "expired, but not final"
    custody.node.warp(25)
    while height("finalized") < last:
        custody.node.warp(1)
    assert outcome_of(custody.chain, send) == UNSEEN, "the last block is final, none after it"
    custody.node.warp(2)
    assert height("finalized") > last
    assert outcome_of(custody.chain, send) == LOST
    custody.chain.broadcast(send)
    assert outcome_of(custody.chain, send) == LOST
    assert custody.spent() == 0


def test_after_lost_the_same_payout_is_signed_again_and_paid_once(custody, payee):
    order = custody.order(payee)
    lost = custody.sign(order)
    expire(custody.node)
    assert outcome_of(custody.chain, lost) == LOST
    send = custody.send(order)
    force(custody.node, lost)
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == LANDED
    assert custody.spent() == custody.usdc(payee) == 12_345_678


def test_a_fork_takes_a_landed_send_back_until_it_is_broadcast_again(custody, payee):
    terms_order = custody.order(payee)
    send = custody.sign(terms_order)
    custody.node.warp(5)
    custody.chain.broadcast(send)
    custody.node.warp(3)
    assert outcome_of(custody.chain, send) == WAITING
    # Five: one of the slots may have no block. The terms' own block hash is older still.
    assert custody.node.call("sandbox_rollback", 5) == [send.tx_hash]
    assert outcome_of(custody.chain, send) == UNSEEN
    assert custody.spent() == 0
    custody.chain.broadcast(send)
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == LANDED
    assert custody.spent() == custody.usdc(payee) == 12_345_678


def test_a_send_stays_waiting_while_nothing_becomes_final(custody, payee):
    custody.node.call("sandbox_stallFinality")
    send = custody.send(custody.order(payee))
    custody.node.warp(1000)
    assert outcome_of(custody.chain, send) == WAITING
    dropped = custody.sign(custody.order(payee))
    custody.node.warp(1000)
    assert outcome_of(custody.chain, dropped) == UNSEEN, "expired, but the proof is not final"
    custody.node.call("sandbox_reset")
    assert outcome_of(custody.chain, send) == LANDED
    assert outcome_of(custody.chain, dropped) == LOST


def test_a_payee_frozen_after_signing_fails_the_send(custody):
    payee = custody.node.funded(micro=1).pubkey()
    send = custody.sign(custody.order(payee))
    custody.node.call("sandbox_freeze", str(payee))
    custody.node.warp(2)
    custody.chain.broadcast(send)
    assert outcome_of(custody.chain, send) == UNSEEN, "the trial run refuses it and costs nothing"
    force(custody.node, send)
    provisional = outcome_of(custody.chain, send)
    assert provisional == SendOutcome(SendState.WAITING, reason="account_frozen")
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == SendOutcome(
        SendState.FAILED, reason="account_frozen", fee=10_000
    )
    assert custody.spent() == 0


def test_a_treasury_frozen_after_signing_is_named_and_not_the_payee(custody):
    payee = custody.node.funded(micro=1).pubkey()
    send = custody.sign(custody.order(payee))
    custody.node.call("sandbox_freeze", custody.chain.treasury)
    custody.node.finalize()
    force(custody.node, send)
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == SendOutcome(
        SendState.FAILED, reason="treasury_frozen", fee=10_000
    )


def test_a_treasury_emptied_meanwhile_fails_the_send(custody, payee):
    first = custody.sign(custody.order(payee, TREASURY_MICRO))
    second = custody.sign(custody.order(payee, 1))
    force(custody.node, first)
    force(custody.node, second)
    custody.node.finalize()
    assert outcome_of(custody.chain, first) == LANDED
    assert outcome_of(custody.chain, second) == SendOutcome(
        SendState.FAILED, reason="treasury_short", fee=10_000
    )


def test_a_gas_wallet_emptied_meanwhile_fails_the_send(node, payee):
    gas, treasury = Keypair(), Keypair()
    node.call("sandbox_sendSol", str(gas.pubkey()), 2 * 650_240 + 1_488_440 + 10_000 + 310_000)
    node.call("sandbox_sendUsdc", str(treasury.pubkey()), TREASURY_MICRO)
    node.finalize()
    custody = Custody(node, adapter(node, gas, treasury), gas, treasury)
    first, second = custody.sign(custody.order(payee)), custody.sign(custody.order(payee))
    force(node, first)
    force(node, second)
    node.finalize()
    assert outcome_of(custody.chain, first) == LANDED
    assert outcome_of(custody.chain, second) == SendOutcome(
        SendState.FAILED, reason="gas_short", fee=10_000
    )


def test_a_stranger_on_the_marker_fails_the_send_and_stops_the_next(custody, payee):
    order = custody.order(payee)
    send, expired = custody.sign(order), custody.sign(custody.order(payee))
    marker = marker_address(custody.gas.pubkey(), order.payout_id)
    custody.node.call("sandbox_sendSol", str(marker), 1_000_000)
    force(custody.node, send)
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == SendOutcome(SendState.FAILED, reason="marker_taken")
    with pytest.raises(NotReady) as waits:
        terms_of(custody.chain, order)
    assert waits.value.code == "marker_taken"
    assert outcome_of(custody.chain, expired) == UNSEEN
    assert custody.spent() == 0
