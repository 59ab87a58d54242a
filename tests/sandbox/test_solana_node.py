"""The sandbox's Solana node answers as a real one does: sending, expiry, forks, commitments."""

import base64

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from protonpay.sandbox.solana import outside
from protonpay.sandbox.solana.tokens import ata
from tests.chains.solana.local_node import (
    ANY_VERSION,
    CONFIRMED,
    FINAL,
    PROCESSED,
    SOL,
    USDC,
    NodeError,
    pays,
    running,
)
from tests.patience import until

MINT = Pubkey.from_string(USDC)
HISTORY = {"searchTransactionHistory": True}


@pytest.fixture(scope="module")
def process():
    with running() as node:
        yield node


@pytest.fixture
def node(process):
    yield process
    process.call("sandbox_reset")


@pytest.fixture
def payer(node):
    return node.funded()


@pytest.fixture
def payee():
    return Keypair().pubkey()


def refused(node, transaction, **options) -> tuple[int, object]:
    with pytest.raises(NodeError) as error:
        node.send(transaction, **options)
    data = error.value.data
    return error.value.code, data["err"] if data else None


def status(node, signature: str):
    (found,) = node.value("getSignatureStatuses", [signature], HISTORY)
    return found


def lamports(node, key: Pubkey, level=PROCESSED) -> int:
    return node.value("getBalance", str(key), level)


def test_a_transfer_is_processed_then_confirmed_then_finalized(node, payer, payee):
    signature = node.run(payer, pays(payer, payee, SOL))
    found = status(node, signature)
    assert (found["confirmationStatus"], found["confirmations"], found["err"]) == (
        "processed",
        0,
        None,
    )
    assert [lamports(node, payee, level) for level in (PROCESSED, CONFIRMED, FINAL)] == [SOL, 0, 0]
    node.warp(2)
    assert status(node, signature)["confirmationStatus"] == "confirmed"
    assert [lamports(node, payee, level) for level in (PROCESSED, CONFIRMED, FINAL)] == [
        SOL,
        SOL,
        0,
    ]
    node.finalize()
    found = status(node, signature)
    assert (found["confirmationStatus"], found["confirmations"]) == ("finalized", None)
    assert lamports(node, payee, FINAL) == SOL


def test_the_same_bytes_land_once(node, payer, payee):
    transaction = node.transaction(payer, pays(payer, payee, SOL))
    signature = node.send(transaction)
    assert refused(node, transaction) == (-32002, "AlreadyProcessed")
    assert node.send(transaction, skipPreflight=True) == signature
    node.finalize()
    assert refused(node, transaction) == (-32002, "AlreadyProcessed")
    assert lamports(node, payee, FINAL) == SOL


def test_a_block_hash_dies_after_150_blocks(node, payer, payee):
    latest = node.value("getLatestBlockhash", CONFIRMED)
    transaction = node.transaction(payer, pays(payer, payee, SOL))
    node.warp(150)
    while node.call("getBlockHeight", PROCESSED) < latest["lastValidBlockHeight"]:
        node.warp(1)
    assert node.value("isBlockhashValid", latest["blockhash"], PROCESSED) is True
    node.warp(2)
    assert node.value("isBlockhashValid", latest["blockhash"], PROCESSED) is False
    assert node.value("isBlockhashValid", latest["blockhash"], FINAL) is True, "seen from long ago"
    assert refused(node, transaction) == (-32002, "BlockhashNotFound")
    signature = node.send(transaction, skipPreflight=True)
    node.finalize()
    assert status(node, signature) is None
    assert lamports(node, payee) == 0


def test_a_fresh_block_hash_is_unknown_at_finalized(node, payer, payee):
    transaction = node.transaction(payer, pays(payer, payee, SOL))
    blockhash = str(transaction.message.recent_blockhash)
    assert node.value("isBlockhashValid", blockhash, CONFIRMED) is True
    assert node.value("isBlockhashValid", blockhash, FINAL) is False
    answer = refused(node, transaction, preflightCommitment="finalized")
    assert answer == (-32002, "BlockhashNotFound")


def test_a_failed_transaction_is_in_a_block_and_charged(node, payer, payee):
    before = lamports(node, payer.pubkey())
    transaction = node.transaction(payer, pays(payer, payee, 100 * SOL))
    custom = {"InstructionError": [0, {"Custom": 1}]}
    assert refused(node, transaction) == (-32002, custom)
    assert lamports(node, payer.pubkey()) == before
    signature = node.send(transaction, skipPreflight=True)
    node.finalize()
    found = status(node, signature)
    assert (found["err"], found["status"]) == (custom, {"Err": custom})
    assert lamports(node, payer.pubkey(), FINAL) == before - 5000
    meta = node.call("getTransaction", signature, ANY_VERSION)["meta"]
    assert (meta["err"], meta["fee"]) == (custom, 5000)
    assert meta["preBalances"][0] - meta["postBalances"][0] == 5000


def test_a_payer_without_money_is_in_no_block(node, payee):
    pauper = Keypair()
    transaction = node.transaction(pauper, pays(pauper, payee, 1))
    assert refused(node, transaction) == (-32002, "AccountNotFound")
    signature = node.send(transaction, skipPreflight=True)
    assert status(node, signature) is None


def test_a_wrong_signature_is_refused_and_never_lands(node, payer, payee):
    good = node.transaction(payer, pays(payer, payee, SOL))
    forged = VersionedTransaction.populate(good.message, [Keypair().sign_message(b"other")])
    assert refused(node, forged) == (-32003, None)
    signature = node.send(forged, skipPreflight=True)
    assert signature == str(forged.signatures[0])
    assert status(node, signature) is None
    assert lamports(node, payee) == 0


def test_a_dropped_transaction_lands_when_sent_again(node, payer, payee):
    transaction = node.transaction(payer, pays(payer, payee, SOL))
    node.call("sandbox_dropNext")
    signature = node.send(transaction)
    assert status(node, signature) is None
    assert node.send(transaction) == signature
    assert status(node, signature)["err"] is None


def test_leaving_a_fork_takes_back_accounts_history_and_block_hashes(node, payer, payee):
    kept = node.run(payer, pays(payer, payee, 1 * SOL))
    slot = node.warp(4)
    late = node.value("getLatestBlockhash", PROCESSED)["blockhash"]
    transaction = node.transaction(payer, pays(payer, payee, 2 * SOL))
    lost = node.send(transaction)
    other = node.run(payer, pays(payer, Keypair().pubkey(), SOL))
    assert node.call("sandbox_rollback", 2) == [lost, other]
    assert (status(node, lost), status(node, kept)["err"]) == (None, None)
    assert node.call("getTransaction", lost, {**CONFIRMED, **ANY_VERSION}) is None
    assert lamports(node, payee) == 1 * SOL
    assert lamports(node, payer.pubkey()) == 9 * SOL - 5000
    assert node.value("isBlockhashValid", late, PROCESSED) is False
    assert node.call("getSlot", PROCESSED) == slot, "time goes on, the blocks are others"
    named = node.call("getSignaturesForAddress", str(payee), CONFIRMED)
    assert [entry["signature"] for entry in named] == [kept]


def test_the_fork_that_won_may_have_had_other_transactions(node, payer, payee):
    transaction = node.transaction(payer, pays(payer, payee, SOL))
    node.call("sandbox_dropNext")
    signature = node.send(transaction)
    expired = node.warp(165)
    assert refused(node, transaction) == (-32002, "BlockhashNotFound")
    assert node.call("sandbox_rollback", 20, [base64_of(transaction)]) == []
    assert expired - 20 < status(node, signature)["slot"] < expired - 15
    assert lamports(node, payee) == SOL
    node.finalize()
    assert status(node, signature)["confirmationStatus"] == "finalized"


def test_a_fork_may_have_all_but_one_transaction(node, payer, payee):
    others = node.funded()
    kept = node.run(payer, pays(payer, payee, 1 * SOL))
    node.warp(4)
    undone = node.run(payer, pays(payer, payee, 2 * SOL))
    node.warp(1)
    late = node.run(others, pays(others, payee, 3 * SOL))  # its block hash is one of the lost ones
    assert outside.undo(node.url, undone)
    assert (status(node, undone), status(node, kept)["err"], status(node, late)["err"]) == (
        None,
    ) * 3
    assert lamports(node, payee) == 4 * SOL
    assert not outside.undo(node.url, undone), "it is in no block any more"
    node.finalize()
    assert not outside.undo(node.url, late), "it is final"
    assert lamports(node, payee, FINAL) == 4 * SOL


def test_what_is_final_is_never_rolled_back(node, payer, payee):
    signature = node.run(payer, pays(payer, payee, SOL))
    node.finalize()
    assert node.call("sandbox_rollback", 1000) == []
    assert status(node, signature)["confirmationStatus"] == "finalized"
    assert lamports(node, payee, FINAL) == SOL


def test_a_stalled_finality_lets_everything_else_go_on(node, payer, payee):
    final = node.call("getSlot", FINAL)
    node.call("sandbox_stallFinality")
    signature = node.run(payer, pays(payer, payee, SOL))
    node.warp(500)
    assert status(node, signature)["confirmationStatus"] == "confirmed"
    assert (node.call("getSlot", FINAL), lamports(node, payee, FINAL)) == (final, 0)
    node.call("sandbox_stallFinality", False)  # noqa: FBT003 - a JSON-RPC parameter
    assert status(node, signature)["confirmationStatus"] == "finalized"


def test_preflight_sees_the_accounts_of_its_commitment(node, payer, payee):
    newcomer = Keypair()
    node.run(payer, pays(payer, newcomer.pubkey(), SOL))
    blockhash = node.value("getLatestBlockhash", FINAL)["blockhash"]
    message = MessageV0.try_compile(
        newcomer.pubkey(), [pays(newcomer, payee, SOL // 2)], [], Hash.from_string(blockhash)
    )
    transaction = VersionedTransaction(message, [newcomer])
    answer = refused(node, transaction, preflightCommitment="finalized")
    assert answer == (-32002, "AccountNotFound")
    node.send(transaction, preflightCommitment="processed")
    assert lamports(node, payee) == SOL // 2


def test_statuses_without_history_search_know_only_recent_slots(node, payer, payee):
    signature = node.run(payer, pays(payer, payee, SOL))
    node.warp(400)
    assert node.value("getSignatureStatuses", [signature]) == [None]
    assert status(node, signature)["confirmationStatus"] == "finalized"
    unknown = str(Signature.default())
    assert node.value("getSignatureStatuses", [signature, unknown], HISTORY)[1] is None


def test_a_node_behind_the_wanted_slot_says_so(node, payer):
    wanted = {"minContextSlot": node.call("getSlot", PROCESSED), **FINAL}
    with pytest.raises(NodeError) as behind:
        node.call("getBalance", str(payer.pubkey()), wanted)
    assert behind.value.code == -32016
    assert behind.value.data == {"contextSlot": node.call("getSlot", FINAL)}


def test_a_simulation_leaves_no_trace(node, payer, payee):
    transaction = node.transaction(payer, pays(payer, payee, SOL))
    unsigned = VersionedTransaction.populate(transaction.message, [Signature.default()])
    raw = base64_of(unsigned)
    options = {
        "encoding": "base64",
        "replaceRecentBlockhash": True,
        "accounts": {"encoding": "base64", "addresses": [str(payee)]},
    }
    value = node.value("simulateTransaction", raw, options)
    assert (value["err"], value["accounts"][0]["lamports"]) == (None, SOL)
    assert value["replacementBlockhash"]["blockhash"] == str(
        node.value("getLatestBlockhash", FINAL)["blockhash"]
    )
    with pytest.raises(NodeError) as forged:
        node.call("simulateTransaction", raw, {"encoding": "base64", "sigVerify": True})
    assert forged.value.code == -32003
    assert lamports(node, payee) == 0


def test_a_message_is_priced_while_its_block_hash_is_good(node, payer, payee):
    message = node.transaction(payer, pays(payer, payee, SOL)).message
    raw = base64_of(message, versioned=True)
    assert node.value("getFeeForMessage", raw, CONFIRMED) == 5000
    assert node.value("getFeeForMessage", raw, FINAL) is None


def test_the_outside_world_pays_and_freezes(node, payee):
    owner = str(payee)
    assert outside.usdc_balance(node.url, USDC, owner) == 0
    signature = outside.send_usdc(node.url, USDC, owner, 1_234_567)
    outside.send_usdc(node.url, USDC, owner, 1_234_567)
    outside.send_native(node.url, owner, SOL)
    assert status(node, signature)["err"] is None
    assert outside.usdc_balance(node.url, USDC, owner) == 2_469_134
    assert lamports(node, payee) == SOL
    outside.freeze(node.url, USDC, owner)
    with pytest.raises(outside.Refused, match="'Custom': 17"):
        outside.send_usdc(node.url, USDC, owner, 1)
    outside.unfreeze(node.url, USDC, str(ata(payee, MINT)))
    outside.send_usdc(node.url, USDC, owner, 1)
    assert outside.usdc_balance(node.url, USDC, owner) == 2_469_135
    with pytest.raises(outside.Refused):
        outside.send_usdc(node.url, owner, owner, 1)


def test_an_airdrop_is_a_transaction(node, payee):
    signature = node.call("requestAirdrop", str(payee), 3 * SOL)
    assert status(node, signature)["err"] is None
    assert lamports(node, payee) == 3 * SOL


@pytest.mark.slow
def test_slots_pass_with_the_wall_clock():
    with running(slot_ms=5) as node:
        first = node.call("getSlot", PROCESSED)
        until(lambda: node.call("getSlot", FINAL) >= first)
        signature = node.call("requestAirdrop", str(Keypair().pubkey()), SOL)
        until(lambda: status(node, signature)["confirmationStatus"] == "finalized")


def base64_of(thing, *, versioned: bool = False) -> str:
    return base64.b64encode(to_bytes_versioned(thing) if versioned else bytes(thing)).decode()
