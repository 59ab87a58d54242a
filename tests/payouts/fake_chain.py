"""A network that answers what a test has planned: the only way to rare days."""

import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from protonpay.chains.port import (
    ChainHead,
    Network,
    NotReady,
    PayeeRefused,
    Prospect,
    SendOrder,
    SendOutcome,
    SendState,
    SignedSend,
    Terms,
)
from protonpay.kernel.money import Usdc
from protonpay.store.db import db

WAITING = SendOutcome(SendState.WAITING)
UNSEEN = SendOutcome(SendState.WAITING, seen=False)
LANDED = SendOutcome(SendState.LANDED)
FAILED = SendOutcome(SendState.FAILED, reason="blocked_on_chain")
LOST = SendOutcome(SendState.LOST, reason="nonce_used")
LOST_AND_FREE = SendOutcome(SendState.LOST, reason="never_seen", sequence_used=False)


class FakeChain:
    """Plays a network.

    Attributes:
        first_sequence: the nonce after the last final one; None where there are none.
        signed: every send that was signed, with its orders and the send it replaces.
        most_in_one: one, unless a test is about several.
        transactions_together: one, unless a test is about several.
        handed: the bytes of every broadcast, in order.
        asked: the names of the calls that go to the node.
    """

    most_in_one = 1
    transactions_together = 1

    @property
    def most_together(self) -> int:
        return self.most_in_one * self.transactions_together

    def __init__(self, network: Network, *, first_sequence: int | None = None) -> None:
        self.network = network
        self.sender = f"the one who pays {network.name}'s fees"
        self.treasury = f"the treasury on {network.name}"
        self.first_sequence = first_sequence
        self.signed: list[tuple[SignedSend, Sequence[SendOrder], SignedSend | None]] = []
        self.handed: list[bytes] = []
        self.asked: list[str] = []
        self._planned: Mapping[str, deque[Any]] = defaultdict(deque)

    def plan(self, call: str, *answers: Any) -> None:
        """Answer a call with these, one after the other; an exception is raised."""
        self._planned[call].extend(answers)

    def read_terms(self, orders: Sequence[SendOrder]) -> Prospect:
        """Answer as planned: an exception of the port hinders the first order only."""
        usual = {"fee": 21_000, "expires": len(self.signed)}
        try:
            terms = self._answer("read_terms", usual)
        except (PayeeRefused, NotReady) as why:
            rest = orders[1:]
            return Prospect(usual if rest else {}, rest, {orders[0].payout_id: why})
        starts = range(0, len(orders), self.most_in_one)
        each = [Prospect(terms, orders[at : at + self.most_in_one], {}) for at in starts]
        return replace(each[0], further=each[1:])

    def next_sequence(self) -> int | None:
        return self._answer("next_sequence", self.first_sequence)

    def sign(
        self,
        orders: Sequence[SendOrder],
        terms: Terms,
        sequence: int | None,
        replaces: SignedSend | None,
    ) -> SignedSend:
        ids = tuple(order.payout_id for order in orders)
        said = [[ids, order.to, order.amount.micro] for order in orders]
        raw = json.dumps(
            [said, dict(terms), sequence, replaces.tx_hash if replaces else None]
        ).encode()
        tx_hash = "0x" + hashlib.sha256(raw).hexdigest()
        send = SignedSend(ids, raw, tx_hash, sequence, terms)
        self.signed.append((send, orders, replaces))
        return send

    def broadcast(self, send: SignedSend) -> None:
        self.handed.append(send.raw)
        self._answer("broadcast", None)

    def outbid(self, send: SignedSend) -> SignedSend | None:
        """Answer as planned: how much dearer, or None."""
        more = self._answer("outbid", None)
        if more is None:
            return None
        raw = send.raw + more
        tx_hash = "0x" + hashlib.sha256(raw).hexdigest()
        return replace(send, raw=raw, tx_hash=tx_hash, earlier=(*send.earlier, send.tx_hash))

    def outcomes(self, *sends: SignedSend) -> Mapping[str, SendOutcome]:
        """Answer as planned, for one send after the other.

        One outcome is that of all its payouts, several are theirs in the order of their ids.
        """
        found: dict[str, SendOutcome] = {}
        for send in sends:
            answer = self._answer("outcome", WAITING)
            several = [answer] * len(send.payout_ids) if isinstance(answer, SendOutcome) else answer
            found |= zip(send.payout_ids, several, strict=True)
        return found

    def balance(self, address: str) -> Usdc:
        return self._answer("balance", Usdc(0))

    def head(self) -> ChainHead:
        return self._answer("head", ChainHead(10, 9, 8, 1_790_000_000))

    def _answer(self, call: str, usual: Any) -> Any:
        # A node may take a minute: nobody's rows are held meanwhile.
        assert not db.session().in_transaction(), f"{call} inside a transaction"
        self.asked.append(call)
        planned = self._planned[call]
        answer = planned.popleft() if planned else usual
        if isinstance(answer, BaseException):
            raise answer
        return answer
