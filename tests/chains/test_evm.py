"""Payouts on a real EVM chain with Circle's own contract."""

import itertools
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from protonpay.chains import evm_usdc
from protonpay.chains.evm import Evm
from protonpay.chains.keyring import PublicAddresses
from protonpay.chains.port import AlreadySent, NotReady, PayeeRefused, SendOutcome, SendState
from protonpay.chains.registry import BASE, POLYGON
from protonpay.kernel.money import Usdc
from protonpay.sandbox import evm_outside
from protonpay.wire.http import NoAnswer, Wire
from protonpay.wire.jsonrpc import JsonRpc, RpcError

# DOMAIN_SEPARATOR() of the contracts on Base and Polygon mainnet.
BASE_SEPARATOR = "02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f"
POLYGON_SEPARATOR = "caa2ce1a5703ccbe253a34eb3166df60a705c561b44b192061e28f2a985be2ca"

HASHES_ONLY = False
WAITING = SendOutcome(SendState.WAITING)
LOST_FREE = SendOutcome(SendState.LOST, reason="expired", sequence_used=False)


def fee_of(evm, tx_hash):
    receipt = evm.rpc("eth_getTransactionReceipt", tx_hash)
    return int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)


def fields(send):
    return TypedTransaction.from_bytes(HexBytes(send.raw)).as_dict()


# Signing


def test_the_domain_is_mainnets():
    assert evm_usdc.separator_of(BASE).hex() == BASE_SEPARATOR
    assert evm_usdc.separator_of(POLYGON).hex() == POLYGON_SEPARATOR


def test_the_same_arguments_give_the_same_bytes(evm):
    order = evm.order()
    terms = evm.chain.read_terms(order)
    assert evm.chain.sign(order, terms, 7, None) == evm.chain.sign(order, terms, 7, None)


def test_a_send_is_a_type_2_transaction_of_the_gas_wallet_that_calls_usdc(evm):
    order = evm.order()
    send = evm.sign(order)
    signed = fields(send)
    assert send.raw[0] == 2
    assert Account.recover_transaction(send.raw) == evm.chain.sender
    assert (signed["chainId"], signed["value"], signed["gas"]) == (8453, 0, 200_000)
    assert "0x" + bytes(signed["to"]).hex() == BASE.usdc.lower()
    assert signed["nonce"] == send.sequence
    payment = evm_usdc.payment_in(send.raw)
    assert payment == evm_usdc.Payment(
        evm.chain.treasury,
        order.to,
        order.amount.micro,
        send.terms["valid_before"],
        evm_usdc.mark_of(order.payout_id),
    )


def test_a_replacement_pays_an_eighth_more_on_both_fees(evm):
    first = evm.sign(evm.order())
    second = evm.sign(evm.order(), replaces=first)
    third = evm.sign(evm.order(), replaces=second)
    for old, new in ((first, second), (second, third)):
        before, after = fields(old), fields(new)
        assert after["nonce"] == before["nonce"]
        for fee in ("maxFeePerGas", "maxPriorityFeePerGas"):
            assert before[fee] * 9 <= after[fee] * 8 < before[fee] * 9 + 8


def test_without_keys_nothing_is_signed(evm):
    order = evm.order()
    watcher = Evm(BASE, evm.json_rpc, evm.addresses, None)
    with pytest.raises(RuntimeError):
        watcher.sign(order, evm.chain.read_terms(order), 0, None)


def test_keys_of_other_wallets_are_refused(evm):
    others = PublicAddresses(evm.addresses.gas, evm.addresses.treasury)
    with pytest.raises(ValueError, match="do not belong"):
        Evm(BASE, evm.json_rpc, others, evm.keyring)


# Before signing


def test_a_payment_is_good_for_a_quarter_of_an_hour(evm):
    evm.mine(after_seconds=7200)
    latest = int(evm.rpc("eth_getBlockByNumber", "latest", HASHES_ONLY)["timestamp"], 16)
    assert evm.chain.read_terms(evm.order())["valid_before"] == latest + 900


def test_a_blocked_payee_is_refused_before_anything_is_signed(evm):
    order = evm.order()
    evm.outside(evm_outside.freeze, evm.usdc, order.to)
    with pytest.raises(PayeeRefused) as refused:
        evm.chain.read_terms(order)
    assert refused.value.code == "payee_blacklisted"


def test_a_blocked_treasury_waits(evm):
    evm.outside(evm_outside.freeze, evm.usdc, evm.chain.treasury)
    try:
        with pytest.raises(NotReady) as waits:
            evm.chain.read_terms(evm.order())
    finally:
        evm.outside(evm_outside.unfreeze, evm.usdc, evm.chain.treasury)
    assert waits.value.code == "treasury_blacklisted"


def test_a_paused_token_waits(evm):
    with evm.paused(), pytest.raises(NotReady) as waits:
        evm.chain.read_terms(evm.order())
    assert waits.value.code == "usdc_paused"


def test_a_treasury_with_too_little_waits(evm):
    held = evm.held(evm.chain.treasury)
    evm.chain.read_terms(evm.order(held))
    with pytest.raises(NotReady) as waits:
        evm.chain.read_terms(evm.order(held + 1))
    assert waits.value.code == "treasury_short"


def test_a_gas_wallet_with_too_little_waits(evm):
    before = evm.rpc("eth_getBalance", evm.chain.sender, "latest")
    evm.rpc("anvil_setBalance", evm.chain.sender, hex(10**9))
    try:
        with pytest.raises(NotReady) as waits:
            evm.chain.read_terms(evm.order())
    finally:
        evm.rpc("anvil_setBalance", evm.chain.sender, before)
    assert waits.value.code == "gas_short"


def test_a_node_of_another_chain_is_refused(evm):
    elsewhere = evm.adapter(evm.json_rpc, replace(BASE, chain_id=137))
    with pytest.raises(NotReady) as refused:
        elsewhere.read_terms(evm.order())
    assert refused.value.code == "wrong_chain"


@pytest.mark.parametrize(("option", "value"), [("domain_name", "USDC"), ("domain_version", "1")])
def test_a_token_of_another_domain_is_refused(evm, option, value):
    options = {**BASE.options, option: value}
    with pytest.raises(NotReady) as refused:
        evm.adapter(evm.json_rpc, replace(BASE, options=options)).read_terms(evm.order())
    assert refused.value.code == "wrong_token"


def test_an_address_without_a_token_is_no_answer(evm):
    empty = replace(BASE, usdc="0x4444444444444444444444444444444444444444")
    with pytest.raises(NoAnswer):
        evm.adapter(evm.json_rpc, empty).read_terms(evm.order())


def test_the_tip_is_never_below_the_networks_floor(evm):
    options = {**BASE.options, "tip_floor_wei": 3_000_000_000, "max_fee_wei": 10**13}
    chain = evm.adapter(evm.json_rpc, replace(BASE, options=options))
    terms = chain.read_terms(evm.order())
    base = int(evm.rpc("eth_getBlockByNumber", "latest", HASHES_ONLY)["baseFeePerGas"], 16)
    assert (terms["tip_wei"], terms["max_fee_wei"]) == (3_000_000_000, 2 * base + 3_000_000_000)


def test_fees_above_the_ceiling_wait(evm):
    options = {**BASE.options, "max_fee_wei": 1_000_000_000}
    with pytest.raises(NotReady) as waits:
        evm.adapter(evm.json_rpc, replace(BASE, options=options)).read_terms(evm.order())
    assert waits.value.code == "fees_high"


# What becomes of a send


def test_a_payout_waits_in_the_pool_and_in_a_block_and_lands_when_final(evm):
    order = evm.order(12_345_678)
    treasury = evm.held(evm.chain.treasury)
    send = evm.sent(order)
    assert evm.chain.outcome(send) == WAITING
    for _ in range(2):
        evm.mine()
        assert evm.chain.outcome(send) == WAITING
        assert evm.chain.balance(order.to) == Usdc(0)
    evm.mine()
    assert evm.chain.outcome(send) == SendOutcome(SendState.LANDED, fee=fee_of(evm, send.tx_hash))
    assert evm.chain.balance(order.to) == Usdc(12_345_678)
    assert evm.held(evm.chain.treasury) == treasury - 12_345_678
    assert evm.rpc("eth_getBalance", evm.chain.treasury, "latest") == "0x0"


def test_a_send_that_was_never_broadcast_is_not_seen(evm):
    send = evm.sign(evm.order())
    assert evm.chain.outcome(send) == SendOutcome(SendState.WAITING, seen=False)


def test_the_same_bytes_again_move_nothing_more(evm):
    order = evm.order()
    send = evm.sent(order)
    evm.chain.broadcast(send)
    evm.mine(3)
    evm.chain.broadcast(send)
    evm.mine(3)
    assert evm.held(order.to) == order.amount.micro
    assert evm.chain.outcome(send).state is SendState.LANDED


def test_a_second_send_of_one_payout_moves_nothing_and_names_the_first(evm):
    order = evm.order()
    terms = evm.chain.read_terms(order)
    sequence = evm.chain.next_sequence()
    first, second = (evm.chain.sign(order, terms, sequence + n, None) for n in (0, 1))
    evm.chain.broadcast(first)
    evm.chain.broadcast(second)
    evm.mine(3)
    assert evm.held(order.to) == order.amount.micro
    evm.refused_on_chain(second)
    assert evm.chain.outcome(first) == SendOutcome(SendState.LANDED, fee=fee_of(evm, first.tx_hash))
    assert evm.chain.outcome(second) == SendOutcome(
        SendState.LANDED, fee=fee_of(evm, second.tx_hash), tx_hash=first.tx_hash
    )


def test_a_payout_that_is_paid_is_never_signed_again(evm):
    order = evm.order()
    send = evm.sent(order)
    evm.mine()
    with pytest.raises(AlreadySent) as sent:
        evm.chain.read_terms(order)
    assert sent.value.tx_hash is None
    evm.mine(2)
    with pytest.raises(AlreadySent) as sent:
        evm.chain.read_terms(order)
    assert sent.value.tx_hash == send.tx_hash


def test_a_paid_payout_is_already_sent_even_if_its_payee_is_blocked_now(evm):
    order = evm.order()
    evm.sent(order)
    evm.mine(3)
    evm.outside(evm_outside.freeze, evm.usdc, order.to)
    with pytest.raises(AlreadySent):
        evm.chain.read_terms(order)


def test_a_payment_that_somebody_else_hands_in_has_landed(evm):
    order = evm.order()
    send = evm.sign(order)
    stranger = evm.rpc("eth_accounts")[7]
    call = {"from": stranger, "to": evm.usdc, "data": "0x" + bytes(fields(send)["data"]).hex()}
    theirs = evm.rpc("eth_sendTransaction", {**call, "gas": hex(200_000)})
    evm.mine(3)
    assert evm.held(order.to) == order.amount.micro
    assert evm.chain.outcome(send) == SendOutcome(
        SendState.LANDED, tx_hash=theirs, sequence_used=False
    )


def test_a_dropped_send_is_broadcast_again_and_lands(evm):
    order = evm.order()
    send = evm.sent(order)
    evm.rpc("anvil_dropTransaction", send.tx_hash)
    assert evm.chain.outcome(send) == SendOutcome(SendState.WAITING, seen=False)
    evm.chain.broadcast(send)
    assert evm.chain.outcome(send) == WAITING
    evm.mine(3)
    assert evm.chain.outcome(send).state is SendState.LANDED
    assert evm.held(order.to) == order.amount.micro


def test_a_send_that_a_reorg_takes_back_lands_once(evm):
    order = evm.order()
    send = evm.sent(order)
    evm.mine(2)
    assert evm.held(order.to) == order.amount.micro
    evm.rpc("anvil_reorg", 2, [])
    assert evm.held(order.to) == 0
    assert evm.chain.outcome(send) == SendOutcome(SendState.WAITING, seen=False)
    evm.chain.broadcast(send)
    evm.mine(3)
    assert evm.chain.outcome(send) == SendOutcome(SendState.LANDED, fee=fee_of(evm, send.tx_hash))
    assert evm.held(order.to) == order.amount.micro


def test_a_payee_blocked_meanwhile_waits_until_the_payment_expires_and_then_fails(evm):
    order = evm.order()
    send = evm.sign(order)
    evm.outside(evm_outside.freeze, evm.usdc, order.to)
    evm.chain.broadcast(send)
    evm.mine(3)
    evm.refused_on_chain(send)
    assert evm.chain.outcome(send) == SendOutcome(SendState.WAITING, reason="payee_blacklisted")
    evm.expire(send)
    assert evm.chain.outcome(send) == SendOutcome(
        SendState.FAILED, reason="payee_blacklisted", fee=fee_of(evm, send.tx_hash)
    )
    assert evm.held(order.to) == 0


def test_a_refused_payment_may_still_be_handed_in_until_it_expires(evm):
    order = evm.order()
    send = evm.sign(order)
    evm.outside(evm_outside.freeze, evm.usdc, order.to)
    evm.chain.broadcast(send)
    evm.mine(3)
    evm.outside(evm_outside.unfreeze, evm.usdc, order.to)
    stranger = evm.rpc("eth_accounts")[7]
    call = {"from": stranger, "to": evm.usdc, "data": "0x" + bytes(fields(send)["data"]).hex()}
    theirs = evm.rpc("eth_sendTransaction", {**call, "gas": hex(200_000)})
    evm.mine(3)
    assert evm.chain.outcome(send) == SendOutcome(
        SendState.LANDED, fee=fee_of(evm, send.tx_hash), tx_hash=theirs
    )
    assert evm.held(order.to) == order.amount.micro


def test_a_pause_meanwhile_is_no_fault_of_the_payee(evm):
    order = evm.order()
    send = evm.sign(order)
    with evm.paused():
        evm.chain.broadcast(send)
        evm.mine(3)
        assert evm.chain.outcome(send) == SendOutcome(SendState.WAITING, reason="reverted")
        evm.expire(send)
        assert evm.chain.outcome(send) == SendOutcome(
            SendState.LOST, reason="expired", fee=fee_of(evm, send.tx_hash)
        )
    again = evm.sent(order)
    evm.mine(3)
    assert evm.chain.outcome(again).state is SendState.LANDED
    assert evm.held(order.to) == order.amount.micro


def test_a_refusal_that_nothing_explains_fails_when_it_is_final(evm):
    order = evm.order()
    send = evm.sign(order)
    with evm.paused():
        evm.chain.broadcast(send)
        evm.mine(1)
    evm.refused_on_chain(send)
    evm.expire(send)
    assert evm.chain.outcome(send) == SendOutcome(
        SendState.FAILED, reason="reverted", fee=fee_of(evm, send.tx_hash)
    )
    assert evm.held(order.to) == 0


def test_a_send_that_never_landed_is_lost_with_its_nonce_free_and_a_new_one_takes_it(evm):
    order = evm.order()
    lost = evm.sent(order)
    evm.rpc("anvil_dropTransaction", lost.tx_hash)
    evm.expire(lost)
    assert evm.chain.outcome(lost) == LOST_FREE
    new = evm.sign(order, replaces=lost)
    assert new.sequence == lost.sequence
    evm.chain.broadcast(new)
    evm.mine(3)
    assert evm.chain.outcome(new) == SendOutcome(SendState.LANDED, fee=fee_of(evm, new.tx_hash))
    assert evm.held(order.to) == order.amount.micro


def test_of_a_lost_send_and_its_replacement_only_one_pays_whichever_comes_first(evm):
    order = evm.order()
    lost = evm.sign(order)
    evm.expire(lost)
    new = evm.sign(order, replaces=lost)
    evm.chain.broadcast(lost)
    evm.chain.broadcast(new)
    evm.mine(3)
    assert evm.chain.outcome(new).state is SendState.LANDED
    assert evm.held(order.to) == order.amount.micro


def test_a_send_mined_too_late_is_lost_and_its_nonce_used(evm):
    order = evm.order()
    send = evm.sign(order)
    evm.expire(send)
    evm.chain.broadcast(send)
    evm.mine()
    # Whether the nonce is used is not final yet, so nothing is.
    assert evm.chain.outcome(send) == SendOutcome(SendState.WAITING, reason="expired")
    evm.mine(2)
    assert evm.chain.outcome(send) == SendOutcome(
        SendState.LOST, reason="expired", fee=fee_of(evm, send.tx_hash)
    )
    assert evm.held(order.to) == 0


def test_a_send_whose_nonce_another_used_is_lost_when_it_expires(evm):
    order = evm.order()
    send = evm.sign(order)
    other = evm.sent(evm.order())
    assert other.sequence == send.sequence
    evm.mine(3)
    assert evm.chain.outcome(send) == SendOutcome(
        SendState.WAITING, seen=False, reason="sequence_taken"
    )
    evm.expire(send)
    assert evm.chain.outcome(send) == SendOutcome(SendState.LOST, reason="expired")
    assert evm.held(order.to) == 0


def test_the_next_sequence_counts_final_sends_only(evm):
    before = evm.chain.next_sequence()
    evm.sent(evm.order())
    evm.mine()
    assert evm.chain.next_sequence() == before
    evm.mine(2)
    assert evm.chain.next_sequence() == before + 1


def test_the_head_tells_heights_and_the_final_blocks_time(evm):
    final = evm.rpc("eth_getBlockByNumber", "finalized", HASHES_ONLY)
    head = evm.chain.head()
    assert (head.finalized, head.latest) == (int(final["number"], 16), head.finalized + 2)
    assert head.finalized_at == int(final["timestamp"], 16)


# A node that says nothing, too little or nonsense


class Faulty(JsonRpc):
    """The real node behind something that spoils one method's answers."""

    def __init__(self, wire, method, spoil):
        super().__init__(wire)
        self.method, self.spoil = method, spoil

    def call(self, method, *params):
        return self.batch([(method, params)])[0]

    def batch(self, calls):
        answers = super().batch(calls)
        return [
            self.spoil(answer) if method == self.method else answer
            for (method, _), answer in zip(calls, answers, strict=True)
        ]


def refuse(_answer):
    raise RpcError(-32000, "header not found")


READS = ["eth_getBlockByNumber", "eth_call", "eth_getTransactionCount"]


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("spoil", [refuse, lambda _: None, lambda _: "0x", lambda _: {}])
def test_no_fault_of_the_node_ends_a_send(evm, method, spoil):
    send = evm.sign(evm.order())
    evm.expire(send)
    assert evm.chain.outcome(send) == LOST_FREE
    with pytest.raises(NoAnswer):
        evm.adapter(Faulty(Wire(evm.url), method, spoil)).outcome(send)


def test_a_node_that_lists_a_send_but_not_its_receipt_is_no_answer(evm):
    send = evm.sent(evm.order())
    evm.mine(3)
    lagging = evm.adapter(Faulty(Wire(evm.url), "eth_getTransactionReceipt", lambda _: None))
    with pytest.raises(NoAnswer):
        lagging.outcome(send)


def test_a_node_that_forgot_a_send_still_finds_it_by_its_mark(evm):
    send = evm.sent(evm.order())
    evm.mine(3)
    times = itertools.count()
    # Asked once for the send's own receipt, and once more for the one its mark leads to.
    forgetful = evm.adapter(
        Faulty(
            Wire(evm.url),
            "eth_getTransactionReceipt",
            lambda answer: answer if next(times) else None,
        )
    )
    assert forgetful.outcome(send) == SendOutcome(SendState.LANDED)


def test_a_mark_used_without_a_trace_waits_for_a_person(evm):
    send = evm.sent(evm.order())
    evm.mine(3)
    # As if the treasury's key had cancelled the payment: used, and no transfer to show for it.
    traceless = evm.adapter(
        Faulty(
            Wire(evm.url),
            "eth_getTransactionReceipt",
            lambda answer: {**answer, "logs": []},
        )
    )
    assert traceless.outcome(send) == SendOutcome(SendState.WAITING, reason="mark_used_otherwise")


def test_a_node_without_an_opinion_on_tips_is_enough(evm):
    silent = evm.adapter(Faulty(Wire(evm.url), "eth_maxPriorityFeePerGas", refuse))
    assert silent.read_terms(evm.order())["tip_wei"] == BASE.options["tip_floor_wei"]


def test_a_node_that_does_not_answer_is_no_answer(evm):
    send = evm.sign(evm.order())
    gone = evm.adapter(JsonRpc(Wire("http://127.0.0.1:9", connect_seconds=1)))
    for ask in (
        lambda: gone.read_terms(evm.order()),
        lambda: gone.outcome(send),
        lambda: gone.broadcast(send),
        lambda: gone.balance(gone.treasury),
        gone.next_sequence,
        gone.head,
    ):
        with pytest.raises(NoAnswer):
            ask()
