"""Payouts on a real EVM chain with Circle's own contract: what becomes of a send."""

from dataclasses import replace

import pytest

from protonpay.chains import evm_fees
from protonpay.chains.evm_outcome import Inquiry
from protonpay.chains.port import AlreadySent, SendOutcome, SendState
from protonpay.kernel.money import Usdc
from protonpay.sandbox import evm_outside
from protonpay.wire.http import NoAnswer
from tests.chains.single import outcome_of, terms_of

WAITING = SendOutcome(SendState.WAITING)
LOST_FREE = SendOutcome(SendState.LOST, reason="expired", sequence_used=False)


def test_a_payout_waits_in_the_pool_and_in_a_block_and_lands_when_final(evm):
    order = evm.order(12_345_678)
    treasury = evm.held(evm.chain.treasury)
    send = evm.sent(order)
    assert outcome_of(evm.chain, send) == WAITING
    for _ in range(2):
        evm.mine()
        assert outcome_of(evm.chain, send) == WAITING
        assert evm.chain.balance(order.to) == Usdc(0)
    evm.mine()
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.LANDED, fee=evm.fee_of(send.tx_hash)
    )
    assert evm.chain.balance(order.to) == Usdc(12_345_678)
    assert evm.held(evm.chain.treasury) == treasury - 12_345_678
    assert evm.rpc("eth_getBalance", evm.chain.treasury, "latest") == "0x0"


def test_a_send_that_was_never_broadcast_is_not_seen(evm):
    send = evm.sign(evm.order())
    assert outcome_of(evm.chain, send) == SendOutcome(SendState.WAITING, seen=False)


def test_the_same_bytes_again_move_nothing_more(evm):
    order = evm.order()
    send = evm.sent(order)
    evm.chain.broadcast(send)
    evm.mine(3)
    evm.chain.broadcast(send)
    evm.mine(3)
    assert evm.held(order.to) == order.amount.micro
    assert outcome_of(evm.chain, send).state is SendState.LANDED


def test_a_second_send_of_one_payout_moves_nothing_and_names_the_first(evm):
    order = evm.order()
    terms = terms_of(evm.chain, order)
    sequence = evm.chain.next_sequence()
    first, second = (evm.chain.sign([order], terms, sequence + n, None) for n in (0, 1))
    evm.chain.broadcast(first)
    evm.chain.broadcast(second)
    evm.mine(3)
    assert evm.held(order.to) == order.amount.micro
    assert evm.reverted(second)
    assert outcome_of(evm.chain, first) == SendOutcome(
        SendState.LANDED, fee=evm.fee_of(first.tx_hash)
    )
    assert outcome_of(evm.chain, second) == SendOutcome(
        SendState.LANDED, fee=evm.fee_of(second.tx_hash), tx_hash=first.tx_hash
    )


def test_a_payout_that_is_paid_is_never_signed_again(evm):
    order = evm.order()
    send = evm.sent(order)
    evm.mine()
    with pytest.raises(AlreadySent) as sent:
        terms_of(evm.chain, order)
    assert sent.value.tx_hash is None
    evm.mine(2)
    with pytest.raises(AlreadySent) as sent:
        terms_of(evm.chain, order)
    assert sent.value.tx_hash == send.tx_hash


def test_a_paid_payout_is_already_sent_even_if_its_payee_is_blocked_now(evm):
    order = evm.order()
    evm.sent(order)
    evm.mine(3)
    evm.outside(evm_outside.freeze, evm.usdc, order.to)
    with pytest.raises(AlreadySent):
        terms_of(evm.chain, order)


def test_a_payment_that_somebody_else_hands_in_has_landed(evm):
    order = evm.order()
    send = evm.sign(order)
    theirs = evm.hand_in(send)
    evm.mine(3)
    assert evm.held(order.to) == order.amount.micro
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.LANDED, tx_hash=theirs, sequence_used=False
    )


def test_a_dropped_send_is_broadcast_again_and_lands(evm):
    order = evm.order()
    send = evm.sent(order)
    evm.rpc("anvil_dropTransaction", send.tx_hash)
    assert outcome_of(evm.chain, send) == SendOutcome(SendState.WAITING, seen=False)
    evm.chain.broadcast(send)
    assert outcome_of(evm.chain, send) == WAITING
    evm.mine(3)
    assert outcome_of(evm.chain, send).state is SendState.LANDED
    assert evm.held(order.to) == order.amount.micro


def test_a_send_that_a_reorg_takes_back_lands_once(evm):
    order = evm.order()
    send = evm.sent(order)
    evm.mine(2)
    assert evm.held(order.to) == order.amount.micro
    evm.rpc("anvil_reorg", 2, [])
    assert evm.held(order.to) == 0
    assert outcome_of(evm.chain, send) == SendOutcome(SendState.WAITING, seen=False)
    evm.chain.broadcast(send)
    evm.mine(3)
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.LANDED, fee=evm.fee_of(send.tx_hash)
    )
    assert evm.held(order.to) == order.amount.micro


def test_a_payee_blocked_meanwhile_waits_until_the_payment_expires_and_then_fails(evm):
    order = evm.order()
    send = evm.sign(order)
    evm.outside(evm_outside.freeze, evm.usdc, order.to)
    evm.chain.broadcast(send)
    evm.mine(3)
    assert evm.reverted(send)
    assert outcome_of(evm.chain, send) == SendOutcome(SendState.WAITING, reason="payee_blacklisted")
    evm.expire(send)
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.FAILED, reason="payee_blacklisted", fee=evm.fee_of(send.tx_hash)
    )
    assert evm.held(order.to) == 0


def test_a_refused_payment_may_still_be_handed_in_until_it_expires(evm):
    order = evm.order()
    send = evm.sign(order)
    evm.outside(evm_outside.freeze, evm.usdc, order.to)
    evm.chain.broadcast(send)
    evm.mine(3)
    evm.outside(evm_outside.unfreeze, evm.usdc, order.to)
    theirs = evm.hand_in(send)
    evm.mine(3)
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.LANDED, fee=evm.fee_of(send.tx_hash), tx_hash=theirs
    )
    assert evm.held(order.to) == order.amount.micro


def test_a_pause_meanwhile_is_no_fault_of_the_payee(evm):
    order = evm.order()
    send = evm.sign(order)
    with evm.paused():
        evm.chain.broadcast(send)
        evm.mine(3)
        assert outcome_of(evm.chain, send) == SendOutcome(SendState.WAITING, reason="reverted")
        evm.expire(send)
        assert outcome_of(evm.chain, send) == SendOutcome(
            SendState.LOST, reason="expired", fee=evm.fee_of(send.tx_hash)
        )
    again = evm.sent(order)
    evm.mine(3)
    assert outcome_of(evm.chain, again).state is SendState.LANDED
    assert evm.held(order.to) == order.amount.micro


def test_a_treasury_emptied_meanwhile_is_no_fault_of_the_payee(evm):
    held = evm.held(evm.chain.treasury)
    orders = evm.order(held), evm.order(held)
    terms = [terms_of(evm.chain, order) for order in orders]
    sequence = evm.chain.next_sequence()
    first, second = (
        evm.chain.sign([order], of_it, sequence + n, None)
        for n, (order, of_it) in enumerate(zip(orders, terms, strict=True))
    )
    evm.chain.broadcast(first)
    evm.chain.broadcast(second)
    evm.mine(3)
    evm.expire(second)
    evm.outside(evm_outside.send_usdc, evm.usdc, evm.chain.treasury, held - 1)
    assert outcome_of(evm.chain, first).state is SendState.LANDED
    assert outcome_of(evm.chain, second) == SendOutcome(
        SendState.LOST, reason="expired", fee=evm.fee_of(second.tx_hash)
    )
    assert [evm.held(order.to) for order in orders] == [held, 0]
    evm.outside(evm_outside.send_usdc, evm.usdc, evm.chain.treasury, 1)


@pytest.mark.parametrize("hindrance", ["paused", "emptied", "frozen"])
def test_what_hindered_us_and_is_over_is_no_fault_of_the_payee_either(evm, hindrance):
    held, treasury = evm.held(evm.chain.treasury), evm.chain.treasury
    order = evm.order(held)
    terms = terms_of(evm.chain, order)
    with evm.hindered(hindrance):
        send = evm.chain.sign([order], terms, evm.chain.next_sequence(), None)
        evm.chain.broadcast(send)
        evm.mine(1)
    assert evm.reverted(send)
    evm.expire(send)
    assert evm.held(treasury) >= held
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.LOST, reason="expired", fee=evm.fee_of(send.tx_hash)
    )


def test_a_treasury_that_is_still_blocked_is_no_fault_of_the_payee(evm):
    send = evm.sign(evm.order())
    with evm.hindered("frozen"):
        evm.chain.broadcast(send)
        evm.mine(1)
        evm.expire(send)
        assert outcome_of(evm.chain, send).state is SendState.LOST


def test_a_node_that_has_forgotten_what_hindered_it_makes_nobody_lose(evm, monkeypatch):
    send = evm.sign(evm.order())
    with evm.paused():
        evm.chain.broadcast(send)
        evm.mine(1)
    evm.expire(send)
    reads = Inquiry._read_hindrances

    def forgetful(inquiry, payment, at):
        if at != evm.chain._node.block("finalized").state:
            raise NoAnswer("missing trie node")
        return reads(inquiry, payment, at)

    monkeypatch.setattr(Inquiry, "_read_hindrances", forgetful)
    assert outcome_of(evm.chain, send).state is SendState.LOST


def test_a_refusal_that_nothing_explains_fails_when_it_is_final(evm, monkeypatch):
    order = evm.order()
    monkeypatch.setattr(evm_fees, "gas_limit", lambda _: 50_000)
    send = evm.sign(order)
    evm.chain.broadcast(send)
    evm.mine(1)
    assert evm.reverted(send)
    evm.expire(send)
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.FAILED, reason="reverted", fee=evm.fee_of(send.tx_hash)
    )
    assert evm.held(order.to) == 0


def test_a_send_that_never_landed_is_lost_with_its_nonce_free_and_a_new_one_takes_it(evm):
    order = evm.order()
    lost = evm.sent(order)
    evm.rpc("anvil_dropTransaction", lost.tx_hash)
    evm.expire(lost)
    assert outcome_of(evm.chain, lost) == LOST_FREE
    new = evm.sign(order, replaces=lost)
    assert new.sequence == lost.sequence
    evm.chain.broadcast(new)
    evm.mine(3)
    assert outcome_of(evm.chain, new) == SendOutcome(SendState.LANDED, fee=evm.fee_of(new.tx_hash))
    assert evm.held(order.to) == order.amount.micro


def test_a_payment_is_lost_from_its_last_moment_on_and_not_before(evm):
    send = evm.sign(evm.order())
    for moment, state in ((-1, SendState.WAITING), (0, SendState.LOST)):
        evm.rpc("evm_setNextBlockTimestamp", send.terms["valid_before"] + moment)
        evm.rpc("evm_mine")
        evm.rpc("anvil_mine", "0x2", "0x0")
        assert evm.chain.head().finalized_at == send.terms["valid_before"] + moment
        assert outcome_of(evm.chain, send).state is state
    evm.chain.broadcast(send)
    evm.mine(3)
    assert evm.reverted(send)


def test_of_a_lost_send_and_its_replacement_only_one_pays_whichever_comes_first(evm):
    order = evm.order()
    lost = evm.sign(order)
    evm.expire(lost)
    new = evm.sign(order, replaces=lost)
    evm.chain.broadcast(lost)
    evm.chain.broadcast(new)
    evm.mine(3)
    assert outcome_of(evm.chain, new).state is SendState.LANDED
    assert evm.held(order.to) == order.amount.micro


def test_a_send_mined_too_late_is_lost_and_its_nonce_used(evm):
    order = evm.order()
    send = evm.sign(order)
    evm.expire(send)
    evm.chain.broadcast(send)
    evm.mine()
    # Whether the nonce is used is not final yet, so nothing is.
    assert outcome_of(evm.chain, send) == SendOutcome(SendState.WAITING, reason="expired")
    evm.mine(2)
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.LOST, reason="expired", fee=evm.fee_of(send.tx_hash)
    )
    assert evm.held(order.to) == 0


def test_a_send_whose_nonce_another_used_is_lost_when_it_expires(evm):
    order = evm.order()
    send = evm.sign(order)
    other = evm.sent(evm.order())
    assert other.sequence == send.sequence
    evm.mine(3)
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.WAITING, seen=False, reason="sequence_taken"
    )
    evm.expire(send)
    assert outcome_of(evm.chain, send) == SendOutcome(SendState.LOST, reason="expired")
    assert evm.held(order.to) == 0


def test_a_mark_used_for_another_amount_waits_for_a_person(evm):
    order = evm.order()
    send = evm.sign(order)
    other = evm.sign(replace(order, amount=Usdc(order.amount.micro + 1)))
    evm.chain.broadcast(other)
    evm.mine(3)
    assert outcome_of(evm.chain, other).state is SendState.LANDED
    assert outcome_of(evm.chain, send) == SendOutcome(
        SendState.WAITING, reason="mark_used_otherwise"
    )


@pytest.mark.parametrize("mined", ["old", "new"])
def test_of_a_send_and_the_one_that_outbids_it_either_lands_once(evm, mined):
    order = evm.order()
    old = evm.sign(order)
    new = evm.chain.outbid(old)
    assert (new.sequence, new.earlier) == (old.sequence, (old.tx_hash,))
    assert evm.fields(new)["data"] == evm.fields(old)["data"]
    for fee in ("maxFeePerGas", "maxPriorityFeePerGas"):
        assert evm.fields(new)[fee] * 10 >= evm.fields(old)[fee] * 11
    if mined == "new":
        evm.chain.broadcast(old)
    evm.chain.broadcast(new if mined == "new" else old)
    evm.mine()
    assert evm.chain.outbid(new) is None
    evm.chain.broadcast(old)
    evm.chain.broadcast(new)
    evm.mine(3)
    landed = {"old": old, "new": new}[mined]
    other = old.tx_hash if mined == "old" else None
    fee = evm.fee_of(landed.tx_hash)
    assert outcome_of(evm.chain, new) == SendOutcome(SendState.LANDED, fee=fee, tx_hash=other)
    assert evm.held(order.to) == order.amount.micro
