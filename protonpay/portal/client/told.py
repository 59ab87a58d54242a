"""What a notification says, and where it leads: each kind has a sentence and a place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protonpay.kernel import events, notices
from protonpay.portal.words import Say

_NAMES = re.compile(r"{(\w+)}")
_RECEIVED = "You have received {amount} USDC."

SENTENCES: Mapping[str, tuple[str, str]] = {
    notices.WEBHOOK_FAILING: ("An endpoint does not accept events.", "webhooks/{id}"),
    notices.WEBHOOK_DISABLED: (
        "An endpoint did not accept events and was disabled.",
        "webhooks/{id}",
    ),
    notices.API_KEY_EXPIRING: ("An API key expires soon: make a new one in time.", "keys"),
    notices.DEPOSIT_ON_HOLD: ("A deposit of {amount} USDC is under review.", "deposits/{id}"),
    events.DEPOSIT_CONFIRMED: ("A deposit of {amount} USDC has come in.", "deposits/{id}"),
    events.DEPOSIT_CARD_SUCCESS: ("A card deposit of {amount} USDC has come in.", "deposits/{id}"),
    events.DEPOSIT_CARD_REFUNDED: (
        "{refundedAmount} USDC of a card deposit were given back.",
        "deposits/{id}",
    ),
    events.PAYOUT_COMPLETED: ("A withdrawal of {amount} USDC has arrived.", "withdrawals/{id}"),
    events.PAYOUT_FAILED: (
        "A withdrawal of {amount} USDC has failed. The money is in your balance again.",
        "withdrawals/{id}",
    ),
    events.TRANSFER_COMPLETED: ("You have sent {amount} USDC.", "transfers/{id}"),
    events.INVOICE_PAID: ("An invoice of {amount} USDC is paid.", "invoices/{id}"),
    events.INVOICE_PARTIALLY_PAID: (
        "{amountPaid} of {amount} USDC of an invoice are paid.",
        "invoices/{id}",
    ),
    events.INVOICE_OVERPAID: (
        "An invoice of {amount} USDC was paid, and {overpaidAmount} USDC too much.",
        "invoices/{id}",
    ),
    events.INVOICE_LATE_PAYMENT: (
        "A payment came too late for an invoice of {amount} USDC.",
        "invoices/{id}",
    ),
    events.INVOICE_EXPIRED: ("An invoice of {amount} USDC has expired.", "invoices/{id}"),
    events.INVOICE_CANCELLED: ("An invoice of {amount} USDC was cancelled.", "invoices/{id}"),
    events.INVOICE_REFUNDED: (
        "{refundAmount} USDC of an invoice were given back.",
        "invoices/{id}",
    ),
    events.INVOICE_REFUND_CLAIMED: (
        "A payer asks for {claimAmount} USDC of an invoice back.",
        "invoices/{id}",
    ),
    events.KYC_APPROVED: ("Your identity check is approved.", "identity"),
    events.KYC_REJECTED: ("Your identity check was not approved.", "identity"),
}
"""Kind → what is said, with members of its data for amounts, and the screen below ``/app``."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notification as a screen shows it.

    Attributes:
        said: in the reader's language.
        about: the name or the address of the thing; None if the sentence says all.
        due: until when something is to be done, as the API writes it; None if there is no hurry.
        path: of the screen where it is seen and mended.
    """

    id: str
    standing: bool
    sequence: int | None
    read: bool
    at: str
    said: str
    about: str | None
    due: str | None
    path: str


def told(rows: Sequence[Mapping[str, Any]], say: Say) -> list[Told]:
    """Return what the API lists, as screens show it."""
    return [_told(row, say) for row in rows]


def _told(row: Mapping[str, Any], say: Say) -> Told:
    kind, data = row["kind"], row["data"]
    sentence, place = SENTENCES[kind]
    if kind == events.TRANSFER_COMPLETED and data["direction"] == "IN":
        sentence = _RECEIVED
    if data.get("invoiceId") is not None:
        place = "invoices/{invoiceId}"
    amounts = {name: say.amount(data[name]) for name in _NAMES.findall(sentence)}
    return Told(
        id=row["id"],
        standing=row["standing"],
        sequence=row["sequence"],
        read=row["read"],
        at=row["createdAt"],
        said=say(sentence, **amounts),
        about=_about(data),
        due=data.get("expiresAt"),
        path=f"/app/{place.format(**data)}",
    )


def _about(data: Mapping[str, Any]) -> str | None:
    if "direction" in data:
        return str(data["from"] if data["direction"] == "IN" else data["to"])
    found = data.get("url") or data.get("name")
    return None if found is None else str(found)
