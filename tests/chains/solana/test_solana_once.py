"""Whatever happens on the way, a payout moves its amount exactly once or not at all."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair

from protonpay.chains.port import AlreadySent, PayeeRefused, SendState
from tests.chains.solana.custody import force
from tests.chains.solana.local_node import NodeError

MICRO = 1_000_000
STEPS = st.one_of(
    st.tuples(st.just("warp"), st.integers(1, 220)),
    st.tuples(st.just("rollback"), st.integers(1, 60)),
    st.tuples(st.just("drop"), st.just(1)),
    st.tuples(st.just("stall"), st.booleans()),
    st.tuples(st.just("freeze"), st.booleans()),
    st.tuples(st.just("replay"), st.integers(0, 5)),
    st.tuples(st.just("look"), st.just(0)),
    st.tuples(st.just("look"), st.just(0)),
)


class Payer:
    """What the payouts' room does with a chain's answers, without a database."""

    def __init__(self, custody, payee) -> None:
        self.custody, self.order = custody, custody.order(payee, MICRO)
        self.sends = [custody.send(self.order)]
        self.end = None

    def look(self) -> None:
        outcome = self.custody.chain.outcome(self.sends[-1])
        if outcome.state is SendState.WAITING and not outcome.seen:
            self.custody.chain.broadcast(self.sends[-1])
        elif outcome.state is SendState.LOST:
            self.sign_anew()
        elif outcome.state is not SendState.WAITING:
            self.end = outcome.state

    def sign_anew(self) -> None:
        try:
            self.sends.append(self.custody.send(self.order))
        except PayeeRefused:
            self.end = SendState.FAILED
        except AlreadySent as sent:
            pytest.fail(f"lost was said of a payout that {sent.tx_hash} paid")


def step(payer: Payer, what: str, number: int) -> None:
    node = payer.custody.node
    if what == "look" and payer.end is None:
        payer.look()
    elif what == "warp":
        node.warp(number)
    elif what == "rollback":
        node.call("sandbox_rollback", number)
    elif what == "drop":
        node.call("sandbox_dropNext", number)
    elif what == "stall":
        node.call("sandbox_stallFinality", number)
    elif what == "freeze":
        # Twice the same is refused, as Circle would be.
        with contextlib.suppress(NodeError):
            node.call("sandbox_freeze" if number else "sandbox_unfreeze", payer.order.to)
    elif what == "replay":
        # Somebody who kept the bytes sends them again, long after us.
        force(node, payer.sends[number % len(payer.sends)])


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STEPS, max_size=25))
def test_exactly_once_or_not_at_all(custody, steps):
    custody.node.call("sandbox_reset")
    payee = Keypair().pubkey()
    before = custody.spent()
    payer = Payer(custody, payee)
    for what, number in steps:
        step(payer, what, number)
    custody.node.call("sandbox_reset")
    step(payer, "freeze", 0)
    for _ in range(20):
        if payer.end is None:
            custody.node.warp(60)
            payer.look()
    expected = {SendState.LANDED: MICRO, SendState.FAILED: 0}[payer.end]
    for send in payer.sends:
        force(custody.node, send)
    custody.node.finalize()
    assert custody.spent() - before == custody.usdc(payee) == expected
