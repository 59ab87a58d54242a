"""What is looked at before a payment is signed, and what is signed then."""

import json

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.instructions import AuthorityType, set_authority
from spl.token.models import SetAuthorityParams

from protonpay.chains.port import NotReady, PayeeRefused
from protonpay.chains.solana_payment import compute_of, read_sent, usdc_account, wallet_term
from protonpay.wire.http import NoAnswer
from tests.chains.single import outcome_of, terms_of
from tests.chains.solana.custody import LANDED, TREASURY_MICRO, adapter, addresses, keyring
from tests.chains.solana.local_node import USDC, pays

TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
MINT = Pubkey.from_string(USDC)


def refusal(custody, to) -> str:
    with pytest.raises(PayeeRefused) as refused:
        terms_of(custody.chain, custody.order(to))
    return refused.value.code


def waits(custody, order) -> str:
    with pytest.raises(NotReady) as waiting:
        terms_of(custody.chain, order)
    return waiting.value.code


def test_terms_carry_what_the_signature_is_bound_to(custody, payee):
    custody.node.call("sandbox_setPriorityFee", 25_000)
    latest = custody.node.value("getLatestBlockhash", {"commitment": "confirmed"})
    order = custody.order(payee)
    terms = terms_of(custody.chain, order)
    _, bump = Pubkey.find_program_address(
        [bytes(payee), bytes(Pubkey.from_string(TOKEN_PROGRAM)), bytes(MINT)],
        Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"),
    )
    assert terms == {
        "blockhash": latest["blockhash"],
        "last_valid_block_height": latest["lastValidBlockHeight"],
        wallet_term(order.payout_id): 1,
        "cu_price_micro_lamports": 25_000,
        "marker_lamports": 650_240,
    }
    assert json.loads(json.dumps(terms)) == terms
    assert compute_of([order], terms, MINT) == 40_000 + 1500 * (255 - bump)


def test_the_priority_price_is_capped(custody, payee):
    custody.node.call("sandbox_setPriorityFee", 10**15)
    terms = terms_of(custody.chain, custody.order(payee))
    assert terms["cu_price_micro_lamports"] == 1_000_000


def test_signing_is_pure(custody, payee):
    order = custody.order(payee)
    terms = terms_of(custody.chain, order)
    once = custody.chain.sign([order], terms, None, None)
    custody.node.finalize()
    stored = json.loads(json.dumps(terms))
    assert custody.chain.sign([order], stored, None, None) == once
    sent = read_sent(once.raw)
    (payment,) = sent.payments
    assert sent.signature == once.tx_hash
    assert (payment.payee, payment.micro) == (usdc_account(payee, MINT), 12_345_678)
    assert once.sequence is None
    assert custody.chain.next_sequence() is None


def test_only_the_process_with_the_keyring_signs(custody, payee):
    order = custody.order(payee)
    terms = terms_of(custody.chain, order)
    reader = adapter(custody.node, custody.gas, custody.treasury, signs=False)
    with pytest.raises(RuntimeError, match="keyring"):
        reader.sign([order], terms, None, None)


def test_keys_that_are_not_those_of_the_addresses_are_refused(custody):
    with pytest.raises(ValueError, match="not those of the configured addresses"):
        type(custody.chain)(
            custody.chain.network,
            custody.chain._rpc,
            addresses(Keypair(), custody.treasury),
            keyring(custody.gas, custody.treasury),
        )


def test_a_usdc_account_is_paid_directly(custody):
    owner = custody.node.funded(micro=1).pubkey()
    account = usdc_account(owner, MINT)
    order = custody.order(account)
    terms = terms_of(custody.chain, order)
    assert terms[wallet_term(order.payout_id)] == 0
    assert compute_of([order], terms, MINT) == 10_000
    send = custody.send(order)
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == LANDED
    assert custody.usdc(owner) == 12_345_679


def test_a_frozen_payee_is_refused(custody):
    payee = custody.node.funded(micro=1).pubkey()
    custody.node.call("sandbox_freeze", str(payee))
    custody.node.finalize()
    assert refusal(custody, payee) == "payee_frozen"
    assert refusal(custody, usdc_account(payee, MINT)) == "payee_frozen"
    custody.node.call("sandbox_unfreeze", str(payee))
    custody.node.finalize()
    terms_of(custody.chain, custody.order(payee))


@pytest.mark.parametrize(
    "address",
    [
        USDC,
        TOKEN_PROGRAM,
        "11111111111111111111111111111111",
        "SysvarC1ock11111111111111111111111111111111",
    ],
)
def test_a_mint_a_program_and_a_sysvar_are_not_wallets(custody, address):
    assert refusal(custody, address) == "payee_not_a_wallet"


def test_an_address_without_key_and_account_is_not_a_wallet(custody, payee):
    """A USDC account that nobody has made yet: an account made for it would be lost."""
    assert refusal(custody, usdc_account(payee, MINT)) == "payee_not_a_wallet"


def test_an_address_without_key_that_holds_lamports_is_a_vault(custody):
    vault, _ = Pubkey.find_program_address([b"vault"], Keypair().pubkey())
    custody.node.call("sandbox_sendSol", str(vault), 10**9)
    custody.node.finalize()
    send = custody.send(custody.order(vault))
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == LANDED
    assert custody.usdc(vault) == 12_345_678


def test_our_own_wallets_are_not_paid(custody):
    purse = usdc_account(custody.treasury.pubkey(), MINT)
    for ours in (custody.chain.sender, custody.chain.treasury, purse):
        assert refusal(custody, ours) == "payee_is_ours"


def test_a_usdc_account_given_to_somebody_else_is_refused(custody):
    owner = custody.node.funded(micro=1)
    params = SetAuthorityParams(
        program_id=Pubkey.from_string(TOKEN_PROGRAM),
        account=usdc_account(owner.pubkey(), MINT),
        authority=AuthorityType.ACCOUNT_OWNER,
        current_authority=owner.pubkey(),
        new_authority=Keypair().pubkey(),
    )
    custody.node.run(owner, set_authority(params))
    custody.node.finalize()
    assert refusal(custody, owner.pubkey()) == "payee_account_given_away"


def test_a_payment_above_the_treasury_waits(custody, payee):
    assert waits(custody, custody.order(payee, TREASURY_MICRO + 1)) == "treasury_short"
    terms_of(custody.chain, custody.order(payee, TREASURY_MICRO))


def test_a_frozen_treasury_waits(custody, payee):
    custody.node.call("sandbox_freeze", custody.chain.treasury)
    custody.node.finalize()
    assert waits(custody, custody.order(payee)) == "treasury_frozen"


def test_a_gas_wallet_that_cannot_pay_the_rents_waits(custody, payee):
    needed = 10_000 + 650_240 + 1_488_440 + 650_240
    balance = custody.node.value("getBalance", custody.chain.sender)
    rest = balance - needed - 5000 + 1
    custody.node.run(custody.gas, pays(custody.gas, Keypair().pubkey(), rest))
    custody.node.finalize()
    assert waits(custody, custody.order(payee)) == "gas_short"
    custody.node.call("sandbox_sendSol", custody.chain.sender, 1)
    custody.node.finalize()
    terms_of(custody.chain, custody.order(payee))


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("getLatestBlockhash", {"result": {"value": {"blockhash": "x"}}}),
        ("getLatestBlockhash", {"error": {"code": -32005, "message": "Node is behind"}}),
        ("getMultipleAccounts", {"result": {"value": [None]}}),
        ("getMultipleAccounts", {"result": {"value": [None, 1, None, None, None]}}),
        ("getMinimumBalanceForRentExemption", {"result": None}),
        ("getRecentPrioritizationFees", {"status": 429}),
    ],
)
def test_terms_are_unknown_when_the_node_errs(custody, payee, method, fault):
    custody.node.fault(method, **fault)
    with pytest.raises(NoAnswer):
        terms_of(custody.chain, custody.order(payee))


def test_the_balance_is_the_finalized_one(custody, payee):
    custody.node.call("sandbox_sendUsdc", str(payee), 5)
    assert custody.chain.balance(str(payee)).micro == 0
    custody.node.finalize()
    assert custody.chain.balance(str(payee)).micro == 5
    custody.node.fault("getAccountInfo", result={"value": {"data": "?"}})
    with pytest.raises(NoAnswer):
        custody.chain.balance(str(payee))


def test_the_head_tells_slots_and_the_final_blocks_time(custody):
    """As a transfer's place is told: a height is less by every slot that was skipped."""
    custody.node.warp(5)
    final = custody.node.call("getSlot", {"commitment": "finalized"})
    head = custody.chain.head()
    assert (head.finalized, head.small) == (final, final)
    assert head.latest == custody.node.call("getSlot", {"commitment": "confirmed"})
    assert head.latest - head.finalized in (30, 31)
    assert head.finalized_at == custody.node.call("getBlockTime", final)
    custody.node.fault("getBlockTime", error={"code": -32004, "message": "not available"})
    with pytest.raises(NoAnswer):
        custody.chain.head()
