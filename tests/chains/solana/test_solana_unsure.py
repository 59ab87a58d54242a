"""A node that errs, lags, forgets or talks nonsense makes us wait and nothing else."""

from dataclasses import replace

import pytest

from protonpay.chains.port import SendOutcome, SendState
from protonpay.wire.http import NoAnswer
from tests.chains.single import outcome_of
from tests.chains.solana.custody import LANDED, LOST, UNSEEN, WAITING, expire, force
from tests.chains.solana.local_node import ANY_VERSION


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("getSignatureStatuses", {"error": {"code": -32005, "message": "Node is behind"}}),
        ("getSignatureStatuses", {"result": {"value": []}}),
        ("getSignatureStatuses", {"result": None}),
        ("getSignatureStatuses", {"status": 503}),
        ("getEpochInfo", {"status": 0}),
        ("getEpochInfo", {"result": {"blockHeight": "1", "absoluteSlot": 1}}),
        ("getEpochInfo", {"error": {"code": -32601, "message": "Method not found"}}),
        ("getTransaction", {"error": {"code": -32015, "message": "version"}}),
        ("getTransaction", {"result": {"meta": None}}),
        ("getTransaction", {"result": {"meta": {"err": None, "fee": 1}}}),
    ],
)
def test_a_node_that_errs_leaves_a_landed_send_unknown(custody, payee, method, fault):
    send = custody.send(custody.order(payee))
    custody.node.finalize()
    custody.node.fault(method, **fault)
    with pytest.raises(NoAnswer):
        outcome_of(custody.chain, send)
    assert outcome_of(custody.chain, send) == LANDED


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("getTransaction", {"error": {"code": -32011, "message": "no history"}}),
        ("getMultipleAccounts", {"error": {"code": -32016, "message": "minimum context slot"}}),
        ("getMultipleAccounts", {"result": {"context": {}, "value": [None]}}),
        ("getMultipleAccounts", {"status": 502}),
    ],
)
def test_a_node_that_errs_leaves_an_expired_send_unknown(custody, payee, method, fault):
    send = custody.sign(custody.order(payee))
    expire(custody.node)
    custody.node.fault(method, **fault)
    with pytest.raises(NoAnswer):
        outcome_of(custody.chain, send)
    assert outcome_of(custody.chain, send) == LOST


def test_a_finalized_send_whose_record_is_missing_waits(custody, payee):
    send = custody.send(custody.order(payee))
    custody.node.finalize()
    custody.node.fault("getTransaction", result=None)
    assert outcome_of(custody.chain, send) == WAITING
    assert outcome_of(custody.chain, send) == LANDED


def test_a_node_without_history_cannot_make_a_landed_send_lost(custody, payee):
    send = custody.send(custody.order(payee))
    expire(custody.node)
    custody.node.fault("getSignatureStatuses", 2, result={"context": {"slot": 1}, "value": [None]})
    custody.node.fault("getTransaction", result=None)
    # The marker is still there, and its own history names the send.
    assert outcome_of(custody.chain, send) == LANDED


def test_a_node_without_any_index_leaves_the_marker_unexplained(custody, payee):
    send = custody.send(custody.order(payee))
    expire(custody.node)
    custody.node.fault("getSignatureStatuses", 2, result={"context": {"slot": 1}, "value": [None]})
    custody.node.fault("getTransaction", result=None)
    custody.node.fault("getSignaturesForAddress", result=[])
    unexplained = SendOutcome(SendState.WAITING, reason="marker_unexplained")
    assert outcome_of(custody.chain, send) == unexplained
    assert outcome_of(custody.chain, send) == LANDED


def test_a_lagging_second_node_cannot_make_a_send_lost(custody, payee):
    """The first question reached a node that is ahead, the second one that is behind."""
    send = custody.send(custody.order(payee))
    behind = custody.node.call("getEpochInfo", {"commitment": "finalized"})
    expire(custody.node)
    nulls = {"context": {"slot": behind["absoluteSlot"]}, "value": [None]}
    absent = {"context": {"slot": behind["absoluteSlot"]}, "value": [None]}
    custody.node.fault("getSignatureStatuses", 2, result=nulls)
    custody.node.fault("getTransaction", result=None)
    custody.node.fault("getMultipleAccounts", result=absent)
    assert outcome_of(custody.chain, send) == WAITING
    ahead = custody.node.call("getEpochInfo", {"commitment": "finalized"})
    custody.node.fault("getEpochInfo", result=ahead)
    custody.node.fault("getEpochInfo", result=behind)
    custody.node.fault("getSignatureStatuses", 2, result=nulls)
    custody.node.fault("getTransaction", result=None)
    custody.node.fault(
        "getMultipleAccounts", result=absent | {"context": {"slot": ahead["absoluteSlot"]}}
    )
    assert outcome_of(custody.chain, send) == WAITING
    assert outcome_of(custody.chain, send) == LANDED


def test_a_record_without_the_transfer_is_not_believed(custody, payee):
    send = custody.send(custody.order(payee))
    custody.node.finalize()
    options = {"commitment": "finalized", "maxSupportedTransactionVersion": 1}
    told = custody.node.call("getTransaction", send.tx_hash, options)
    told["meta"]["postTokenBalances"] = told["meta"]["preTokenBalances"]
    custody.node.fault("getTransaction", result=told)
    disagree = SendOutcome(SendState.WAITING, reason="balances_disagree", fee=10_000)
    assert outcome_of(custody.chain, send) == disagree


def test_no_error_on_chain_gives_money_back_that_another_send_paid(custody, payee):
    """Errors that come before the marker's own step say nothing about the marker."""
    order = custody.order(payee)
    first = custody.sign(order)
    custody.node.warp(3)
    second = custody.sign(order)
    for send in (first, second):
        force(custody.node, send)
    custody.node.finalize()
    told = custody.node.call("getTransaction", second.tx_hash, ANY_VERSION)
    told["meta"]["err"] = "InsufficientFundsForFee"
    custody.node.fault("getTransaction", result=told)
    landed = SendOutcome(SendState.LANDED, fee=10_000, tx_hash=first.tx_hash)
    assert outcome_of(custody.chain, second) == landed


def test_a_lost_answer_to_a_send_proves_nothing(custody, payee):
    send = custody.sign(custody.order(payee))
    custody.node.fault("sendTransaction", status=0, after=True)
    with pytest.raises(NoAnswer):
        custody.chain.broadcast(send)
    assert outcome_of(custody.chain, send) == WAITING, "it had been taken"
    custody.chain.broadcast(send)
    custody.node.finalize()
    assert outcome_of(custody.chain, send) == LANDED
    assert custody.spent() == 12_345_678


def test_a_refused_send_is_not_an_answer(custody, payee):
    send = custody.sign(custody.order(payee))
    custody.node.fault("sendTransaction", error={"code": -32005, "message": "Node is behind"})
    custody.chain.broadcast(send)
    assert outcome_of(custody.chain, send) == UNSEEN


def test_bytes_and_hash_that_do_not_belong_together_are_refused(custody, payee):
    send = custody.sign(custody.order(payee))
    other = custody.sign(custody.order(payee))
    with pytest.raises(ValueError, match="do not belong together"):
        outcome_of(custody.chain, replace(send, tx_hash=other.tx_hash))
