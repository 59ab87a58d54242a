"""The events an integrator can hear, and the bytes every webhook carries.

The body is ``{"event", "data", "timestamp", "signature"}`` in this order (API document,
"Webhook Events"). Its first three members are made into bytes once, when the event happens;
the signature is appended to those bytes, so nothing is ever serialised a second time.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from protonpay.kernel import clock, signing

DEPOSIT_CONFIRMED = "deposit.confirmed"
DEPOSIT_CARD_SUCCESS = "deposit.card.success"
DEPOSIT_CARD_REFUNDED = "deposit.card.refunded"
PAYOUT_COMPLETED = "payout.completed"
PAYOUT_FAILED = "payout.failed"
TRANSFER_COMPLETED = "transfer.completed"
INVOICE_PAID = "invoice.paid"
INVOICE_PARTIALLY_PAID = "invoice.partially_paid"
INVOICE_OVERPAID = "invoice.overpaid"
INVOICE_LATE_PAYMENT = "invoice.late_payment"
INVOICE_EXPIRED = "invoice.expired"
INVOICE_CANCELLED = "invoice.cancelled"
INVOICE_REFUNDED = "invoice.refunded"
INVOICE_REFUND_CLAIMED = "invoice.refund_claimed"
KYC_APPROVED = "kyc.approved"
KYC_REJECTED = "kyc.rejected"
WEBHOOK_DISABLED = "webhook.disabled"

DOCUMENTED = (
    DEPOSIT_CONFIRMED,
    DEPOSIT_CARD_SUCCESS,
    PAYOUT_COMPLETED,
    PAYOUT_FAILED,
    TRANSFER_COMPLETED,
    INVOICE_PAID,
    KYC_APPROVED,
    KYC_REJECTED,
)
"""The eight events of the API document, in its order."""

NAMES = (
    *DOCUMENTED,
    DEPOSIT_CARD_REFUNDED,
    INVOICE_PARTIALLY_PAID,
    INVOICE_OVERPAID,
    INVOICE_LATE_PAYMENT,
    INVOICE_EXPIRED,
    INVOICE_CANCELLED,
    INVOICE_REFUNDED,
    INVOICE_REFUND_CLAIMED,
    WEBHOOK_DISABLED,
)
"""Every event there is; those beyond the documented ones reach only who names them."""

_SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, not a secret


def core_bytes(event: str, data: Mapping[str, Any], happened_at: datetime) -> bytes:
    """Serialise an event without its signature: compact JSON, UTF-8 unescaped.

    Equal to what ``JSON.stringify`` prints, so that a receiver that parses and
    prints again still verifies. ``data`` holds text, whole numbers, booleans and
    null only.

    Raises:
        ValueError: ``data`` holds NaN or an infinity.
        TypeError: ``data`` holds something JSON has no form for.
    """
    core = {"event": event, "data": data, "timestamp": clock.to_text(happened_at)}
    text = json.dumps(core, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def signed_body(core: bytes, secret: str) -> bytes:
    """Append the in-body signature: hex HMAC-SHA-256 of ``core``, keyed by the whole secret."""
    signature = signing.hmac_hex(secret.encode(), core)
    return core[:-1] + b',"signature":"' + signature.encode() + b'"}'


def standard_signature(message_id: str, timestamp: int, body: bytes, secret: str) -> str:
    """Return one ``v1,…`` item of the ``webhook-signature`` header (Standard Webhooks 1.0.0).

    Args:
        message_id: the ``webhook-id``, the same on every attempt.
        timestamp: Unix seconds of this attempt.
        body: the exact bytes sent, in-body signature included.
        secret: ``whsec_`` and base64; the decoded part is the key.
    """
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    message = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{signing.hmac_base64(key, message)}"
