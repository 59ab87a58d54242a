"""Payouts on a real EVM chain with Circle's own contract: up to the signature."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from eth_account import Account

from protonpay.chains import evm_token, evm_usdc
from protonpay.chains.evm import Evm
from protonpay.chains.keyring import PublicAddresses
from protonpay.chains.port import NotReady, PayeeRefused
from protonpay.chains.registry import BASE, POLYGON
from protonpay.kernel import clock
from protonpay.sandbox import evm_outside
from protonpay.wire.http import NoAnswer
from tests.chains.single import terms_of

# DOMAIN_SEPARATOR() of the contracts on Base and Polygon mainnet.
BASE_SEPARATOR = "02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f"
POLYGON_SEPARATOR = "caa2ce1a5703ccbe253a34eb3166df60a705c561b44b192061e28f2a985be2ca"


# Signing


def test_the_domain_is_mainnets():
    assert evm_token.separator_of(BASE).hex() == BASE_SEPARATOR
    assert evm_token.separator_of(POLYGON).hex() == POLYGON_SEPARATOR


def test_the_same_arguments_give_the_same_bytes(evm):
    order = evm.order()
    terms = terms_of(evm.chain, order)
    assert evm.chain.sign([order], terms, 7, None) == evm.chain.sign([order], terms, 7, None)


def test_terms_survive_json(evm):
    order = evm.order()
    terms = terms_of(evm.chain, order)
    send = evm.chain.sign([order], terms, 7, None)
    assert json.loads(json.dumps(terms)) == terms
    assert json.loads(json.dumps(send.terms)) == send.terms == terms


def test_a_send_is_a_type_2_transaction_of_the_gas_wallet_that_calls_usdc(evm):
    order = evm.order()
    send = evm.sign(order)
    signed = evm.fields(send)
    assert send.raw[0] == 2
    assert Account.recover_transaction(send.raw) == evm.chain.sender
    assert (signed["chainId"], signed["value"], signed["gas"]) == (8453, 0, 200_000)
    assert "0x" + bytes(signed["to"]).hex() == BASE.usdc.lower()
    assert signed["nonce"] == send.sequence
    (payment,) = evm_usdc.payments_in(send.raw).values()
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
        before, after = evm.fields(old), evm.fields(new)
        assert after["nonce"] == before["nonce"]
        for fee in ("maxFeePerGas", "maxPriorityFeePerGas"):
            assert before[fee] * 9 <= after[fee] * 8 < before[fee] * 9 + 8


def test_without_keys_nothing_is_signed(evm):
    order = evm.order()
    watcher = Evm(BASE, evm.json_rpc, evm.addresses, None)
    with pytest.raises(RuntimeError):
        watcher.sign(order, terms_of(evm.chain, order), 0, None)


def test_keys_of_other_wallets_are_refused(evm):
    others = PublicAddresses(evm.addresses.gas, evm.addresses.treasury)
    with pytest.raises(ValueError, match="do not belong"):
        Evm(BASE, evm.json_rpc, others, evm.keyring)


# Before signing


def test_a_payment_is_good_for_a_quarter_of_an_hour(evm):
    evm.mine(after_seconds=7200)
    latest = evm.time()
    assert terms_of(evm.chain, evm.order())["valid_before"] == latest + 900


def test_an_idle_chain_does_not_shorten_a_payments_life(evm):
    latest = evm.time()
    with clock.frozen(datetime.fromtimestamp(latest + 5000, UTC)):
        assert terms_of(evm.chain, evm.order())["valid_before"] == latest + 5900


def test_a_blocked_payee_is_refused_before_anything_is_signed(evm):
    order = evm.order()
    evm.outside(evm_outside.freeze, evm.usdc, order.to)
    with pytest.raises(PayeeRefused) as refused:
        terms_of(evm.chain, order)
    assert refused.value.code == "payee_blacklisted"


def test_a_blocked_treasury_waits(evm):
    evm.outside(evm_outside.freeze, evm.usdc, evm.chain.treasury)
    try:
        with pytest.raises(NotReady) as waits:
            terms_of(evm.chain, evm.order())
    finally:
        evm.outside(evm_outside.unfreeze, evm.usdc, evm.chain.treasury)
    assert waits.value.code == "treasury_blacklisted"


def test_a_paused_token_waits(evm):
    with evm.paused(), pytest.raises(NotReady) as waits:
        terms_of(evm.chain, evm.order())
    assert waits.value.code == "usdc_paused"


def test_a_treasury_with_too_little_waits(evm):
    held = evm.held(evm.chain.treasury)
    terms_of(evm.chain, evm.order(held))
    with pytest.raises(NotReady) as waits:
        terms_of(evm.chain, evm.order(held + 1))
    assert waits.value.code == "treasury_short"


def test_a_gas_wallet_with_too_little_waits(evm):
    before = evm.rpc("eth_getBalance", evm.chain.sender, "latest")
    evm.rpc("anvil_setBalance", evm.chain.sender, hex(10**9))
    try:
        orders = [evm.order(), evm.order()]
        prospect = evm.chain.read_terms(orders)
    finally:
        evm.rpc("anvil_setBalance", evm.chain.sender, before)
    # Of each it is said, because the mark of each was looked for: it may be given back.
    assert (prospect.payable, list(prospect.hindered)) == ((), [each.payout_id for each in orders])
    assert {why.code for why in prospect.hindered.values()} == {"gas_short"}


def test_a_node_of_another_chain_is_refused(evm):
    elsewhere = evm.adapter(evm.json_rpc, replace(BASE, chain_id=137))
    with pytest.raises(NotReady) as refused:
        terms_of(elsewhere, evm.order())
    assert refused.value.code == "wrong_chain"


@pytest.mark.parametrize(("option", "value"), [("domain_name", "USDC"), ("domain_version", "1")])
def test_a_token_of_another_domain_is_refused(evm, option, value):
    options = {**BASE.options, option: value}
    with pytest.raises(NotReady) as refused:
        terms_of(evm.adapter(evm.json_rpc, replace(BASE, options=options)), evm.order())
    assert refused.value.code == "wrong_token"


def test_an_address_without_a_token_is_no_answer(evm):
    empty = replace(BASE, usdc="0x4444444444444444444444444444444444444444")
    with pytest.raises(NoAnswer):
        terms_of(evm.adapter(evm.json_rpc, empty), evm.order())


def test_the_tip_is_never_below_the_networks_floor(evm):
    options = {**BASE.options, "tip_floor_wei": 3_000_000_000, "max_fee_wei": 10**13}
    chain = evm.adapter(evm.json_rpc, replace(BASE, options=options))
    terms = terms_of(chain, evm.order())
    base = int(evm.block("latest")["baseFeePerGas"], 16)
    assert (terms["tip_wei"], terms["max_fee_wei"]) == (3_000_000_000, 2 * base + 3_000_000_000)


def test_fees_above_the_ceiling_wait(evm):
    options = {**BASE.options, "max_fee_wei": 1_000_000_000}
    with pytest.raises(NotReady) as waits:
        terms_of(evm.adapter(evm.json_rpc, replace(BASE, options=options)), evm.order())
    assert waits.value.code == "fees_high"


# What is asked at any time


def test_the_next_sequence_counts_final_sends_only(evm):
    before = evm.chain.next_sequence()
    evm.sent(evm.order())
    evm.mine()
    assert evm.chain.next_sequence() == before
    evm.mine(2)
    assert evm.chain.next_sequence() == before + 1


def test_the_head_tells_heights_and_the_final_blocks_time(evm):
    final = evm.block("finalized")
    head = evm.chain.head()
    assert head.small == int(evm.block("safe")["number"], 16)
    assert (head.finalized, head.latest) == (int(final["number"], 16), head.finalized + 2)
    assert head.finalized_at == int(final["timestamp"], 16)
