"""A Tap merchant account: charges as Tap prints them, and the callbacks it signs."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from typing_extensions import override

from protonpay.sandbox.cards.callbacks import Message
from protonpay.sandbox.cards.clock import Clock
from protonpay.sandbox.cards.faults import Faults
from protonpay.sandbox.cards.simulator import CardSimulator
from protonpay.sandbox.cards.store import Document, Store

DECIMALS: Mapping[str, int] = {
    "AED": 2,
    "BHD": 3,
    "EGP": 2,
    "EUR": 2,
    "GBP": 2,
    "KWD": 3,
    "OMR": 3,
    "QAR": 2,
    "SAR": 2,
    "USD": 2,
}
_STATUSES = {
    None: ("INITIATED", "100", "Initiated"),
    "paid": ("CAPTURED", "000", "Captured"),
    "declined": ("DECLINED", "507", "Declined, Card Issuer"),
    "cancelled": ("CANCELLED", "302", "Canceled"),
    "expired": ("ABANDONED", "304", "Expired"),
}
# The pauses are ours: Tap publishes the number of attempts and nothing else.
_RETRY_MS = (1_000, 5_000)
_TAKEN = range(200, 300)


class TapAccount(CardSimulator):
    """One merchant with one secret key, in Tap's test mode."""

    title: ClassVar[str] = "Tap Payments"
    words: ClassVar[Mapping[str, str]] = {
        outcome or "open": status for outcome, (status, _, _) in _STATUSES.items()
    }
    # Nothing is ever sent for a page that nobody used (Tap, "Webhook").
    tells: ClassVar[frozenset[str]] = frozenset({"paid", "declined", "cancelled"})

    def __init__(self, store: Store, clock: Clock, faults: Faults, secret_key: str) -> None:
        super().__init__(store, clock, faults, _RETRY_MS)
        self._key = secret_key.encode()

    @override
    def message(self, payment: Document, say: Document, script: Document) -> Message:
        charge = self.charge({**payment, "altered": {**payment["altered"], **say}})
        hashstring = self._hashstring(charge)
        body = json.dumps(charge | script["tamper"])
        headers = {"Content-Type": "application/json", "User-Agent": "Java-http-client/17"}
        if script["signature"] == "valid":
            headers["hashstring"] = hashstring
        elif script["signature"] == "wrong":
            headers["hashstring"] = hashstring[::-1]
        return Message(payment["id"], payment["callback_url"], headers, body)

    @override
    def complaint(self, callback: Document, status: int, answer: str) -> str:
        return "" if status in _TAKEN else "not a success"

    @override
    def told(self, payment_id: str, attempt: int, result: str) -> None:
        with self.store.lock:
            payment = self.find(payment_id)
            if payment is not None:
                payment["post"] = {"attempt": attempt, "status": result}
                self.save(payment)

    @override
    def back(self, payment: Document) -> str:
        url = urlsplit(payment["return_url"])
        query = "&".join(filter(None, (url.query, urlencode({"tap_id": payment["id"]}))))
        return urlunsplit(url._replace(query=query))

    def charge(self, payment: Document) -> Document:
        """Return a charge as the API and the callbacks print it."""
        altered = payment["altered"]
        status, code, about = _STATUSES[payment["outcome"]]
        # Tap prints amounts as doubles: 12.5 for 12.500, 100.0 for 100.00.
        amount = float(altered.get("amount", payment["amount"]))
        currency = altered.get("currency", payment["currency"])
        return {
            "id": payment["id"],
            "object": "charge",
            "live_mode": altered.get("live", False),
            "customer_initiated": True,
            "api_version": "V2",
            "method": "GET",
            "status": altered.get("status", status),
            "amount": amount,
            "currency": currency,
            "threeDSecure": True,
            "card_threeDSecure": False,
            "save_card": False,
            "product": "GOSELL",
            "description": payment["description"],
            "metadata": payment["metadata"],
            "transaction": {
                "timezone": "UTC+03:00",
                "created": str(payment["created_ms"]),
                "url": payment["page_url"],
                "expiry": payment["expiry"],
                "asynchronous": False,
                "amount": amount,
                "currency": currency,
            },
            "reference": _references(payment),
            "response": {"code": code, "message": about},
            "customer": payment["customer"],
            "source": {"object": "source", "id": payment["source"]},
            "redirect": {
                "status": "PENDING" if payment["outcome"] is None else "SUCCESS",
                "url": payment["return_url"],
            },
            "post": {**payment["post"], "url": payment["callback_url"]},
            "auto_reversed": False,
        }

    def refunds(self, payment: Document) -> list[Document]:
        """Return a charge's refunds as the API prints them."""
        return [
            {
                "id": refund["id"],
                "object": "refund",
                "api_version": "V2",
                "live_mode": False,
                "amount": float(refund["amount"]),
                "currency": payment["currency"],
                "charge_id": payment["id"],
                "reason": refund["reason"],
                "created": str(refund["created_ms"]),
                "status": "REFUNDED",
                "response": {"code": "000", "message": "Refunded"},
            }
            for refund in payment["refunds"]
        ]

    def _hashstring(self, charge: Document) -> str:
        decimals = DECIMALS.get(charge["currency"], 2)
        reference = charge["reference"]
        message = (
            f"x_id{charge['id']}x_amount{charge['amount']:.{decimals}f}"
            f"x_currency{charge['currency']}x_gateway_reference{reference.get('gateway', '')}"
            f"x_payment_reference{reference.get('payment', '')}x_status{charge['status']}"
            f"x_created{charge['transaction']['created']}"
        )
        return hmac.new(self._key, message.encode(), hashlib.sha256).hexdigest()


def _references(payment: Document) -> Document:
    order = payment["altered"].get("reference", payment["reference"])
    reference = {**payment["own_references"], "order": order}
    digits = str(int(hashlib.sha256(payment["id"].encode()).hexdigest()[:15], 16))
    if payment["outcome"] in ("paid", "declined"):
        reference["payment"] = f"10{digits}"
    if payment["outcome"] == "paid":
        # An issuer's no comes before the acquirer has given the payment a number.
        reference["gateway"] = f"12{digits[:13]}"
        reference["acquirer"] = f"62{digits[:10]}"
    return reference
