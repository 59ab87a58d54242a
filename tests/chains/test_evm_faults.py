"""Payouts on a real EVM chain behind a node that says nothing, too little or nonsense."""

import itertools

import pytest

from protonpay.chains import evm_usdc
from protonpay.chains.evm_node import Log
from protonpay.chains.port import SendOutcome, SendState
from protonpay.chains.registry import BASE
from protonpay.wire.http import NoAnswer, Wire
from protonpay.wire.jsonrpc import JsonRpc, RpcError
from tests.chains.single import outcome_of, terms_of

LOST_FREE = SendOutcome(SendState.LOST, reason="expired", sequence_used=False)


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
    assert outcome_of(evm.chain, send) == LOST_FREE
    with pytest.raises(NoAnswer):
        outcome_of(evm.adapter(Faulty(Wire(evm.url), method, spoil)), send)


def test_a_node_that_lists_a_send_but_not_its_receipt_is_no_answer(evm):
    send = evm.sent(evm.order())
    evm.mine(3)
    lagging = evm.adapter(Faulty(Wire(evm.url), "eth_getTransactionReceipt", lambda _: None))
    with pytest.raises(NoAnswer):
        outcome_of(lagging, send)


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
    assert outcome_of(forgetful, send) == SendOutcome(SendState.LANDED)


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
    assert outcome_of(traceless, send) == SendOutcome(
        SendState.WAITING, reason="mark_used_otherwise"
    )


def test_a_receipt_of_another_fork_shows_nothing(evm):
    send = evm.sent(evm.order())
    evm.mine(3)
    forked = evm.adapter(
        Faulty(
            Wire(evm.url),
            "eth_getTransactionReceipt",
            lambda answer: {**answer, "blockHash": "0x" + "ab" * 32},
        )
    )
    assert outcome_of(forked, send).state is SendState.WAITING


def test_events_of_another_contract_show_nothing(evm):
    payment = next(iter(evm_usdc.payments_in(evm.sign(evm.order()).raw).values()))
    transfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    ends = ["0x" + address[2:].lower().rjust(64, "0") for address in (payment.payer, payment.payee)]
    events = [
        (evm_usdc.topics_of_use(payment), "0x"),
        ([transfer, *ends], f"0x{payment.amount:064x}"),
    ]
    for contract, moved in ((BASE.usdc.lower(), True), ("0x" + "55" * 20, False)):
        logs = [Log(contract, tuple(topics), data) for topics, data in events]
        assert evm_usdc.moved(BASE, payment, logs) is moved
        assert not evm_usdc.moved(BASE, payment, logs[:1])
        assert not evm_usdc.moved(BASE, payment, logs[1:])


def test_a_node_without_an_opinion_on_tips_is_enough(evm):
    silent = evm.adapter(Faulty(Wire(evm.url), "eth_maxPriorityFeePerGas", refuse))
    assert terms_of(silent, evm.order())["tip_wei"] == BASE.options["tip_floor_wei"]


def test_a_node_that_does_not_answer_is_no_answer(evm):
    send = evm.sign(evm.order())
    gone = evm.adapter(JsonRpc(Wire("http://127.0.0.1:9", connect_seconds=1)))
    for ask in (
        lambda: terms_of(gone, evm.order()),
        lambda: outcome_of(gone, send),
        lambda: gone.broadcast(send),
        lambda: gone.balance(gone.treasury),
        gone.next_sequence,
        gone.head,
    ):
        with pytest.raises(NoAnswer):
            ask()
