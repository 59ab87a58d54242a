"""What is the same for every card provider that is simulated: a payment's life.

A payment is a document: what was ordered (``amount`` as decimal text, ``currency``,
``reference``, ``description``, ``customer``, ``return_url``, ``callback_url``), its times,
its ``outcome`` (None while the page is open), its ``refunds`` and its ``script``: how its
callbacks are to behave. ``altered`` holds what a test wants the provider to say instead.
"""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from protonpay.sandbox.cards.callbacks import Callbacks, Message
from protonpay.sandbox.cards.clock import Clock
from protonpay.sandbox.cards.faults import Faults
from protonpay.sandbox.cards.store import Document, Store

KIND = "payment"
OUTCOMES = ("paid", "declined", "cancelled")
ALTERABLE = ("amount", "currency", "reference", "live", "status")
SCRIPT: Mapping[str, Any] = {
    "delay_ms": 300,  # after the redirect, which is therefore usually first
    "copies": 1,
    "at_once": False,  # the copies all at the same moment
    "drop": False,
    "before_redirect": False,  # sent before the browser is sent back
    "before": [],  # statuses told first, properly signed
    "after": [],  # and last
    "say": {},  # signed, but different from the truth
    "tamper": {},  # changed after signing
    "signature": "valid",  # or wrong, or absent
}
_BETWEEN_MS = 50
_LOOKED_AT = 500


class CardSimulator(ABC):
    """One provider's merchant account and everything that was paid to it."""

    title: ClassVar[str]
    """As the hosted page calls the provider."""
    words: ClassVar[Mapping[str, str]]
    """What the provider calls each outcome."""
    tells: ClassVar[frozenset[str]]
    """The outcomes that this provider sends callbacks for."""

    def __init__(
        self, store: Store, clock: Clock, faults: Faults, retry_ms: tuple[int, ...]
    ) -> None:
        self.store, self.clock, self.faults = store, clock, faults
        self.callbacks = Callbacks(
            store, clock, retry_ms=retry_ms, complaint=self.complaint, told=self.told
        )
        self._next_script: Document = {}

    @abstractmethod
    def message(self, payment: Document, say: Document, script: Document) -> Message:
        """Return the callback about a payment as it stands, with ``say`` said instead."""

    @abstractmethod
    def complaint(self, callback: Document, status: int, answer: str) -> str:
        """Say what is wrong with the merchant's answer to a callback; empty if it counts."""

    @abstractmethod
    def told(self, payment_id: str, attempt: int, result: str) -> None:
        """Note how a callback went."""

    @abstractmethod
    def back(self, payment: Document) -> str:
        """Return the address the payer's browser goes back to."""

    def script_next(self, script: Document) -> None:
        """Say how the callbacks of the next payment behave."""
        self._next_script = script

    def take(self, payment: Document) -> Document:
        """Write down a new payment."""
        script, self._next_script = {**SCRIPT, **self._next_script}, {}
        payment = {**payment, "outcome": None, "refunds": [], "altered": {}, "script": script}
        self.save(payment)
        return payment

    def find(self, payment_id: str) -> Document | None:
        """Return a payment as it stands now."""
        with self.store.lock:
            payment = self.store.find(KIND, payment_id)
            ended = payment and self.ran_out(payment)
            if payment and ended:
                payment["outcome"] = ended
                self.save(payment)
                if ended in self.tells:
                    # No browser waits for it.
                    script = {**payment["script"], "before_redirect": False}
                    self.announce({**payment, "script": script})
        return payment

    def look_around(self) -> None:
        """Let everything end whose time is over."""
        for payment in self.store.newest(KIND, _LOOKED_AT):
            self.find(payment["id"])

    def save(self, payment: Document) -> None:
        """Write down a payment that has changed."""
        with self.store.lock:
            self.store.save(KIND, payment, payment["key"])

    def end(self, payment_id: str, outcome: str, *, late: bool = False) -> Document:
        """Press a button: a payment ends once, and is then told of.

        Args:
            payment_id: of a payment that exists.
            outcome: one of ``OUTCOMES``.
            late: also when it has ended without money before.
        """
        with self.store.lock:
            payment = self.find(payment_id)
            if payment is None:
                raise LookupError(payment_id)
            if payment["outcome"] is not None and not (late and payment["outcome"] != "paid"):
                return payment
            payment["outcome"] = outcome
            payment["ended_ms"] = self.clock.now_ms()
            self.save(payment)
        if outcome in self.tells:
            self.announce(payment)
        return payment

    def refund(self, payment_id: str, amount: str | None, reason: str) -> Document:
        """Give back a part, or all that is left when no amount is named."""
        with self.store.lock:
            payment = self.find(payment_id)
            if payment is None:
                raise LookupError(payment_id)
            refund = {
                "id": f"re_{secrets.token_hex(12)}",
                "amount": amount or payment["amount"],
                "reason": reason,
                "created_ms": self.clock.now_ms(),
            }
            payment["refunds"].append(refund)
            self.save(payment)
        return refund

    def announce(self, payment: Document) -> None:
        """Send the callbacks of a payment as its script wants them."""
        script = payment["script"]
        if script["drop"] or not payment["callback_url"]:
            return
        told: list[Document] = [{"status": status} for status in script["before"]]
        told += [{}, *({"status": status} for status in script["after"])]
        delay_ms = script["delay_ms"]
        for said in told:
            message = self.message(payment, {**script["say"], **said}, script)
            for _ in range(script["copies"]):
                self._send(replace(message, delay_ms=delay_ms), now=script["before_redirect"])
                delay_ms += 0 if script["at_once"] else _BETWEEN_MS

    def _send(self, message: Message, *, now: bool) -> None:
        if now:
            self.callbacks.post_now(message)
        else:
            self.callbacks.post(message)

    def ran_out(self, payment: Document) -> str | None:
        """Return how a payment ends because its time is over; None if it does not."""
        over = payment["outcome"] is None and self.clock.now_ms() >= payment["expires_ms"]
        return "expired" if over else None
