"""Whatever happens on the way, a payout moves its amount exactly once or not at all."""

import base64
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair

from protonpay.chains.port import AlreadySent, PayeeRefused, SendState
from tests.chains.single import outcome_of
from tests.chains.solana.custody import force
from tests.chains.solana.local_node import NodeError

MICRO = 1_000_000
STEPS = st.one_of(
    st.tuples(st.just("warp"), st.sampled_from((1, 5, 35, 140, 165, 180, 250))),
    st.tuples(st.just("rollback"), st.integers(1, 60)),
    st.tuples(st.just("other fork"), st.integers(10, 40)),
    st.tuples(st.just("drop"), st.just(1)),
    st.tuples(st.just("stall"), st.booleans()),
    st.tuples(st.just("freeze"), st.booleans()),
    st.tuples(st.just("replay"), st.integers(0, 5)),
    st.tuples(st.just("rival"), st.just(0)),
    *[st.tuples(st.just("look"), st.just(0))] * 3,
)


class Payer:
    """What the payouts' room does with a chain's answers, without a database."""

    def __init__(self, custody, payee, *, rivals: bool) -> None:
        self.custody, self.order, self.rivals = custody, custody.order(payee, MICRO), rivals
        self.sends = [custody.sign(self.order)]
        self.lost = []
        self.end = None
        custody.node.warp(3)
        self.rival()

    def look(self) -> None:
        if self.end is not None:
            return
        outcome = outcome_of(self.custody.chain, self.sends[-1])
        if outcome.state is SendState.WAITING and not outcome.seen:
            self.custody.chain.broadcast(self.sends[-1])
        elif outcome.state is SendState.LOST:
            self.lost.append(self.sends[-1])
            self.sign_anew()
        elif outcome.state is not SendState.WAITING:
            self.end = outcome.state

    def sign_anew(self) -> None:
        try:
            self.sends.append(self.custody.send(self.order))
        except PayeeRefused:
            self.end = SendState.FAILED
        except AlreadySent:
            assert self.rivals, "lost was said of a payout that was paid"
            self.end = SendState.LANDED

    def rival(self) -> None:
        """A second sender that should not be: it signs and sends without looking."""
        if self.rivals and self.end is None:
            with contextlib.suppress(AlreadySent):
                rival = self.custody.send(self.order)
                self.sends.insert(0, rival)


def other_fork(payer: Payer, slots: int) -> None:
    raws = [base64.b64encode(send.raw).decode() for send in payer.sends]
    payer.custody.node.call("sandbox_rollback", slots, raws)


def freeze(payer: Payer, wanted: int) -> None:
    lever = "sandbox_freeze" if wanted else "sandbox_unfreeze"
    if not payer.rivals:
        # Twice the same is refused, as Circle would be.
        with contextlib.suppress(NodeError):
            payer.custody.node.call(lever, payer.order.to)


def replay(payer: Payer, number: int) -> None:
    """Somebody who kept the bytes sends them again, long after us."""
    force(payer.custody.node, payer.sends[number % len(payer.sends)])


ACTIONS = {
    "look": lambda payer, _: payer.look(),
    "rival": lambda payer, _: payer.rival(),
    "warp": lambda payer, slots: payer.custody.node.warp(slots),
    "rollback": lambda payer, slots: payer.custody.node.call("sandbox_rollback", slots),
    "other fork": other_fork,
    "drop": lambda payer, times: payer.custody.node.call("sandbox_dropNext", times),
    "stall": lambda payer, wanted: payer.custody.node.call("sandbox_stallFinality", wanted),
    "freeze": freeze,
    "replay": replay,
}


@pytest.mark.slow
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, max_size=25), rivals=st.booleans())
def test_exactly_once_or_not_at_all(custody, steps, rivals):
    before, payee = custody.spent(), Keypair().pubkey()
    payer = Payer(custody, payee, rivals=rivals)
    for what, number in steps:
        ACTIONS[what](payer, number)
    custody.node.call("sandbox_reset")
    freeze(payer, 0)
    for _ in range(20):
        custody.node.warp(60)
        payer.look()
    expected = {SendState.LANDED: MICRO, SendState.FAILED: 0}[payer.end]
    for send in payer.sends:
        force(custody.node, send)
    custody.node.finalize()
    assert custody.spent() - before == custody.usdc(payee) == expected
    signatures = [send.tx_hash for send in payer.lost]
    options = {"searchTransactionHistory": True}
    statuses = custody.node.value("getSignatureStatuses", signatures, options)
    assert statuses == [None] * len(signatures), "what was called lost has landed"
