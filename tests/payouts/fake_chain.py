"""A network that answers what a test has planned: the only way to rare days."""

import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from protonpay.chains.port import (
    ChainHead,
    Network,
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
        signed: every send that was signed, with its order and the send it replaces.
        handed: the bytes of every broadcast, in order.
        asked: the names of the calls that go to the node.
    """

    def __init__(self, network: Network, *, first_sequence: int | None = None) -> None:
        self.network = network
        self.sender = f"the one who pays {network.name}'s fees"
        self.treasury = f"the treasury on {network.name}"
        self.first_sequence = first_sequence
        self.signed: list[tuple[SignedSend, SendOrder, SignedSend | None]] = []
        self.handed: list[bytes] = []
        self.asked: list[str] = []
        self._planned: Mapping[str, deque[Any]] = defaultdict(deque)

    def plan(self, call: str, *answers: Any) -> None:
        """Answer a call with these, one after the other; an exception is raised."""
        self._planned[call].extend(answers)

    def read_terms(self, order: SendOrder) -> Terms:
        return self._answer("read_terms", {"fee": 21_000, "expires": len(self.signed)})

    def next_sequence(self) -> int | None:
        return self._answer("next_sequence", self.first_sequence)

    def sign(
        self, order: SendOrder, terms: Terms, sequence: int | None, replaces: SignedSend | None
    ) -> SignedSend:
        said = [order.payout_id, order.to, order.amount.micro, dict(terms), sequence]
        raw = json.dumps([*said, replaces.tx_hash if replaces else None]).encode()
        tx_hash = "0x" + hashlib.sha256(raw).hexdigest()
        send = SignedSend(order.payout_id, raw, tx_hash, sequence, terms)
        self.signed.append((send, order, replaces))
        return send

    def broadcast(self, send: SignedSend) -> None:
        self.handed.append(send.raw)
        self._answer("broadcast", None)

    def outcome(self, send: SignedSend) -> SendOutcome:
        return self._answer("outcome", WAITING)

    def balance(self, address: str) -> Usdc:
        return self._answer("balance", Usdc(0))

    def head(self) -> ChainHead:
        return self._answer("head", ChainHead(10, 8, 1_790_000_000))

    def _answer(self, call: str, usual: Any) -> Any:
        # A node may take a minute: nobody's rows are held meanwhile.
        assert not db.session().in_transaction(), f"{call} inside a transaction"
        self.asked.append(call)
        planned = self._planned[call]
        answer = planned.popleft() if planned else usual
        if isinstance(answer, Exception):
            raise answer
        return answer
