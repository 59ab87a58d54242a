"""A YooKassa test shop: payments as YooKassa prints them, and the notifications it sends."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

from typing_extensions import override

from protonpay.sandbox.cards.callbacks import Message
from protonpay.sandbox.cards.clock import Clock
from protonpay.sandbox.cards.faults import Faults
from protonpay.sandbox.cards.simulator import CardSimulator
from protonpay.sandbox.cards.store import Document, Store

_STATUSES = {
    None: "pending",
    "paid": "succeeded",
    "declined": "canceled",
    "cancelled": "canceled",
    "expired": "canceled",
    "lapsed": "canceled",
}
_DETAILS = {
    "declined": {"party": "payment_network", "reason": "insufficient_funds"},
    "cancelled": {"party": "merchant", "reason": "canceled_by_merchant"},
    "expired": {"party": "yoo_money", "reason": "expired_on_confirmation"},
    "lapsed": {"party": "yoo_money", "reason": "expired_on_capture"},
}
_EVENTS = {"succeeded": "payment.succeeded", "canceled": "payment.canceled"}
# YooKassa, "URL for notifications": the pauses between seven deliveries, over a day.
_RETRY_MS = (42_000, 84_000, 168_000, 672_000, 5_376_000, 86_016_000)
_TAKEN = 200
_HOLD_MS = 7 * 24 * 3600 * 1000
REFUND = "refund"
"""The kind of document that a refund is, as the API prints it."""


class YooKassaShop(CardSimulator):
    """One test shop; whom it notifies is set in its own pages, for all payments alike.

    Attributes:
        notify_url: of payments from now on; empty for nobody.
    """

    title: ClassVar[str] = "YooKassa"
    words: ClassVar[Mapping[str, str]] = {
        outcome or "open": status for outcome, status in _STATUSES.items()
    }
    tells: ClassVar[frozenset[str]] = frozenset(name for name in _STATUSES if name)

    def __init__(self, store: Store, clock: Clock, faults: Faults, notify_url: str) -> None:
        super().__init__(store, clock, faults, _RETRY_MS)
        self.notify_url = notify_url

    @override
    def ran_out(self, payment: Document) -> str | None:
        if is_held(payment):
            return "lapsed" if self.clock.now_ms() >= payment["ended_ms"] + _HOLD_MS else None
        return super().ran_out(payment)

    @override
    def message(self, payment: Document, say: Document, script: Document) -> Message:
        told = self.payment({**payment, "altered": {**payment["altered"], **say}})
        event = _EVENTS.get(told["status"], f"payment.{told['status']}")
        body = {"type": "notification", "event": event, "object": told} | script["tamper"]
        # No signature of any kind: that is how YooKassa does it.
        headers = {"Content-Type": "application/json", "User-Agent": "AHC/2.1"}
        return Message(payment["id"], payment["callback_url"], headers, json.dumps(body))

    @override
    def complaint(self, callback: Document, status: int, answer: str) -> str:
        return "" if status == _TAKEN else "not 200"

    @override
    def told(self, payment_id: str, attempt: int, result: str) -> None:
        """Note nothing: a payment of YooKassa does not say how its notifications went."""

    @override
    def back(self, payment: Document) -> str:
        # Exactly as it was given, whatever happened on the page.
        return str(payment["return_url"])

    @override
    def refund(self, payment_id: str, amount: str | None, reason: str) -> Document:
        refund = super().refund(payment_id, amount, reason)
        payment = self.find(payment_id)
        if payment is not None:
            self.store.save(REFUND, _refund(payment, refund))
            if payment["callback_url"] and not payment["script"]["drop"]:
                self.callbacks.post(self._refund_message(payment, refund))
        return refund

    def capture(self, payment: Document, amount: str) -> Document:
        """Take what was held, or a part of it, and tell of it."""
        captured = {**payment, "capture": True, "amount": amount, "ended_ms": self.clock.now_ms()}
        self.save(captured)
        self.announce(captured)
        return captured

    def cancel(self, payment: Document) -> Document:
        """Let go of what was held, and tell of it."""
        canceled = {**payment, "outcome": "cancelled", "ended_ms": self.clock.now_ms()}
        self.save(canceled)
        self.announce(canceled)
        return canceled

    def payment(self, payment: Document) -> Document:
        """Return a payment as the API and the notifications print it."""
        altered, outcome = payment["altered"], payment["outcome"]
        currency = altered.get("currency", payment["currency"])
        status = altered.get("status", status_of(payment))
        printed = {
            "id": payment["id"],
            "status": status,
            "amount": _money(altered.get("amount", payment["amount"]), currency),
            "description": payment["description"],
            "recipient": {"account_id": "100500", "gateway_id": "100700"},
            "created_at": _moment(payment["created_ms"]),
            "test": not altered.get("live", False),
            "paid": outcome == "paid" or status == "succeeded",
            "refundable": status_of(payment) == "succeeded",
            "metadata": self._metadata(payment),
        }
        if outcome is None:
            printed["confirmation"] = {
                "type": "redirect",
                "return_url": payment["return_url"],
                "confirmation_url": payment["page_url"],
            }
        if is_held(payment):
            printed["expires_at"] = _moment(payment["ended_ms"] + _HOLD_MS)
        elif outcome == "paid":
            printed["captured_at"] = _moment(payment["ended_ms"])
            printed["refunded_amount"] = _money(refunded(payment), currency)
        if outcome in _DETAILS:
            printed["cancellation_details"] = _DETAILS[outcome]
        return printed

    def _refund_message(self, payment: Document, refund: Document) -> Message:
        told = _refund(payment, refund)
        body = {"type": "notification", "event": "refund.succeeded", "object": told}
        headers = {"Content-Type": "application/json", "User-Agent": "AHC/2.1"}
        return Message(payment["id"], payment["callback_url"], headers, json.dumps(body))

    def _metadata(self, payment: Document) -> Document:
        altered = payment["altered"].get("reference")
        metadata: Document = dict(payment["metadata"])
        return metadata if altered is None else metadata | {"deposit_id": altered}


def is_held(payment: Document) -> bool:
    """Tell whether the payer has paid and the shop has not taken it yet."""
    return payment["outcome"] == "paid" and not payment.get("capture", True)


def status_of(payment: Document) -> str:
    """Return YooKassa's word for where a payment stands."""
    return "waiting_for_capture" if is_held(payment) else _STATUSES[payment["outcome"]]


def refund_id(refund: Document) -> str:
    """Return the id that the API prints for a refund."""
    number = str(refund["id"]).removeprefix("re_")
    return f"{number[:8]}-000f-5000-a000-{number[-12:]}"


def kopecks(amount: str) -> int:
    """Return an amount in its smallest unit."""
    whole, _, fraction = amount.partition(".")
    return int(whole + fraction.ljust(2, "0"))


def refunded(payment: Document) -> str:
    """Return what was given back of a payment."""
    given = sum(kopecks(refund["amount"]) for refund in payment["refunds"])
    return f"{given // 100}.{given % 100:02d}"


def _refund(payment: Document, refund: Document) -> Document:
    return {
        "id": refund_id(refund),
        "payment_id": payment["id"],
        "status": "succeeded",
        "amount": _money(refund["amount"], payment["currency"]),
        "created_at": _moment(refund["created_ms"]),
        "description": refund["reason"],
    }


def _money(value: str, currency: str) -> Document:
    return {"value": value, "currency": currency}


def _moment(ms: int) -> str:
    moment = datetime.fromtimestamp(ms // 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
