"""Whatever happens in whatever order, a payout is paid once or given back, and none is stuck.

The network here is naive: it pays every order that lands, without the mark that keeps real ones
from paying one payout twice. So it is the program alone that is tested.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from flask import Flask
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from protonpay.chains.port import Prospect, SendOrder, SendOutcome, SendState, SignedSend
from protonpay.chains.registry import BASE, SOLANA, Network, chains
from protonpay.kernel.money import Usdc
from protonpay.ledger import audit, chart
from protonpay.ledger import service as ledger
from protonpay.store.db import db
from protonpay.wire.http import NoAnswer
from tests.actors import Actor, make_actor
from tests.conftest import rolled_back
from tests.payouts.fake_chain import FakeChain
from tests.payouts.orders import accepted, attempts, broadcast, confirm, sign, stored, usdc
from tests.plans.of_a_kind import on_plan

LIFE = 3  # moments until a signature is too old to land
ORDERS = 3
STEPS = {"sign": sign, "broadcast": broadcast, "confirm": confirm}
TURNS = {"PENDING": "sign", "SIGNED": "broadcast", "SENT": "confirm"}


class Killed(BaseException):
    """The worker's process ends."""


class NaiveChain(FakeChain):
    """Keeps a pool and a chain of final sends; anything it is asked may get no answer.

    Attributes:
        paid: how often each payout was paid.
        trouble: what happens to the next call: ``silent`` (nothing was done), ``lost`` (done,
            but nobody is told) or ``killed`` (done, and the worker dies).
    """

    def __init__(self, network: Network) -> None:
        super().__init__(network, first_sequence=0 if network is BASE else None)
        self.moment = 0
        self.pool: dict[bytes, SignedSend] = {}
        self.ends: dict[bytes, SendState] = {}
        self.sequences: list[int | None] = []
        self.paid: dict[str, int] = {}
        self.trouble: str | None = None

    def read_terms(self, orders: Sequence[SendOrder]) -> Prospect:
        self._meet_trouble()
        return Prospect({"fee": 1, "expires": self.moment + LIFE}, orders, {})

    def next_sequence(self) -> int | None:
        self._meet_trouble()
        return self.first_sequence

    def broadcast(self, send: SignedSend) -> None:
        done = self.trouble != "silent"
        if done and send.raw not in self.ends and not self._is_old(send):
            self.pool[send.raw] = send
        self._meet_trouble()

    def outcomes(self, *sends: SignedSend) -> Mapping[str, SendOutcome]:
        self._meet_trouble()
        return {each: self._outcome(send) for send in sends for each in send.payout_ids}

    def _outcome(self, send: SignedSend) -> SendOutcome:
        if send.raw in self.ends:
            return SendOutcome(self.ends[send.raw], reason="refused_on_chain")
        if self._is_passed(send):
            return SendOutcome(SendState.LOST, reason="nonce_used")
        if self._is_old(send):
            numbered = send.sequence is not None
            return SendOutcome(SendState.LOST, reason="expired", sequence_used=not numbered)
        return SendOutcome(SendState.WAITING, seen=send.raw in self.pool)

    def mine(self, which: int, end: SendState) -> None:
        """Make one of the sends that can land final."""
        ready = [send for send in self.pool.values() if send.sequence == self.first_sequence]
        if not ready:
            return
        send = ready[which % len(ready)]
        del self.pool[send.raw]
        self.ends[send.raw] = end
        self.sequences.append(send.sequence)
        if self.first_sequence is not None:
            self.first_sequence += 1
        if end is SendState.LANDED:
            for payout_id in send.payout_ids:
                self.paid[payout_id] = self.paid.get(payout_id, 0) + 1

    def tick(self) -> None:
        """Let a moment pass: what is too old falls out of the pool."""
        self.moment += 1
        self.pool = {raw: send for raw, send in self.pool.items() if not self._is_old(send)}

    def _is_old(self, send: SignedSend) -> bool:
        return self.moment > int(send.terms["expires"])

    def _is_passed(self, send: SignedSend) -> bool:
        return send.sequence is not None and send.sequence < (self.first_sequence or 0)

    def _meet_trouble(self) -> None:
        assert not db.session().in_transaction()
        trouble, self.trouble = self.trouble, None
        if trouble == "killed":
            raise Killed
        if trouble:
            raise NoAnswer("trouble")


# Mostly the step whose turn it is; now and then another, as a job that runs late or twice.
_WHATS = ("advance",) * 8 + ("mine", "mine", "refuse", "tick", "tick", "silent", "lost", "killed")
_HAPPENINGS = st.lists(
    st.tuples(st.sampled_from((*_WHATS, *STEPS)), st.integers(0, ORDERS - 1)),
    min_size=30,
    max_size=60,
)
# Not shrunk: each step towards a smaller example is a whole life of three payouts.
_EXAMPLES = settings(max_examples=10, deadline=None, derandomize=True, phases=[Phase.generate])


def _happen(chain: NaiveChain, payouts: list[str], what: str, which: int) -> None:
    if what == "advance":
        what = TURNS.get(stored(payouts[which]).state, "sign")
    if what in STEPS:
        try:
            STEPS[what](payouts[which])
        except Killed:
            db.session.remove()
    elif what == "tick":
        chain.tick()
    elif what in ("mine", "refuse"):
        chain.mine(which, SendState.LANDED if what == "mine" else SendState.FAILED)
    else:
        chain.trouble = what


def _come_to_an_end(chain: NaiveChain, payouts: list[str]) -> None:
    """Let the jobs come round, in fair weather, until every payout has ended."""
    chain.trouble = None
    for _ in range(20):
        for step, payout_id in itertools.product(STEPS.values(), payouts):
            step(payout_id)
        chain.mine(0, SendState.LANDED)
        if all(stored(payout_id).state in ("COMPLETED", "FAILED") for payout_id in payouts):
            return
    raise AssertionError("a payout is stuck")


def _check(chain: NaiveChain, payouts: list[str], payer: Actor) -> None:
    states = {payout_id: stored(payout_id).state for payout_id in payouts}
    for payout_id, state in states.items():
        assert chain.paid.get(payout_id, 0) == (state == "COMPLETED"), (payout_id, state)
        assert [each for each in attempts(payout_id) if each.state == "OPEN"] == []
    left = [sequence for sequence in chain.sequences if sequence is not None]
    assert left == list(range(len(left)))
    completed = list(states.values()).count("COMPLETED")
    fee = usdc("0.05" if chain.network is BASE else "0.01")
    spent = sum((10_000_000 + fee.micro) for _ in range(completed))
    assert (payer.available, payer.held) == (Usdc(100_000_000 - spent), Usdc(0))
    assert audit.findings() == []


@pytest.mark.slow
@_EXAMPLES
@pytest.mark.parametrize("network", [BASE, SOLANA], ids=lambda network: network.name)
@given(happenings=_HAPPENINGS)
def test_paid_once_or_given_back(app: Flask, network: Network, happenings: list[tuple[str, int]]):
    chain: Any = NaiveChain(network)
    with rolled_back(app):
        payer = make_actor(app, "Payer", funded="100")
        on_plan(payer, cooldown_seconds=0)
        payouts = [accepted(payer, 10, network.name) for _ in range(ORDERS)]
        before = ledger.balance(chart.custody(network.name))
        chains._made[network.name] = chain
        try:
            for what, which in happenings:
                _happen(chain, payouts, what, which)
            _come_to_an_end(chain, payouts)
        finally:
            del chains._made[network.name]
        _check(chain, payouts, payer)
        left = ledger.balance(chart.custody(network.name)) - before
        assert left == Usdc(10_000_000 * sum(chain.paid.values()))
