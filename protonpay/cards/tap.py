"""Tap Payments (tap.company): a hosted card page, a signed callback, a charge to ask about."""

import json
import re
from datetime import datetime
from typing import Any

from protonpay.cards.pages import page_url
from protonpay.cards.port import (
    CallbackRequest,
    CardCallback,
    CardPayment,
    CardSession,
    CardStatus,
    Forged,
    Listed,
    Rejected,
    Seen,
    SessionRequest,
)
from protonpay.cards.refusals import SAYS_NO, refused
from protonpay.kernel import clock, signing
from protonpay.kernel.fiat import FiatAmount
from protonpay.wire.exact import member, read_json, text
from protonpay.wire.http import Answer, NoAnswer, Wire

# Every other word is UNRESOLVED; Tap's own TIMEDOUT and UNKNOWN are meant to be.
_STATUSES = {
    "INITIATED": CardStatus.PENDING,
    "IN_PROGRESS": CardStatus.PENDING,
    "CAPTURED": CardStatus.CAPTURED,
    "ABANDONED": CardStatus.EXPIRED,
    "CANCELLED": CardStatus.CANCELED,
    "FAILED": CardStatus.FAILED,
    "DECLINED": CardStatus.FAILED,
    "RESTRICTED": CardStatus.FAILED,
    "VOID": CardStatus.FAILED,
}
_WITHOUT_REASON = (CardStatus.PENDING, CardStatus.CAPTURED)

_YES = range(200, 300)
_UNKNOWN_CODES = {"2101", "9999", "1151"}  # overloaded, internal error, gateway timed out
_NO_REFUND_CODE = "1160"

_CHARGE_ID = re.compile(r"chg_[A-Za-z0-9_]{1,64}", re.ASCII)
_NAME_LENGTH = 149
_PAGE_MINUTES = 30
_MOST_REFUNDS = 50
_MOST_LISTED = 50


class Tap:
    """One Tap merchant account.

    Args:
        base_url: ``https://api.tap.company/v2``; test or live is the key's choice.
        secret_key: ``sk_live_…`` or ``sk_test_…``: authorises us, and signs callbacks.
        create_seconds: Tap asks acquirers before it answers, for up to a minute.
        read_seconds: for every other call.
    """

    name = "tap"
    currencies = frozenset({"USD", "AED", "SAR", "OMR", "KWD", "BHD", "EGP"})

    def __init__(
        self,
        base_url: str,
        secret_key: str,
        *,
        create_seconds: float = 65,
        read_seconds: float = 30,
    ) -> None:
        headers = {"Authorization": f"Bearer {secret_key}", "Accept": "application/json"}
        self._key = secret_key.encode()
        self._creating = Wire(base_url, read_seconds=create_seconds, headers=headers)
        self._wire = Wire(base_url, read_seconds=read_seconds, headers=headers)

    def create_session(self, request: SessionRequest) -> CardSession:
        """Open a hosted page for one charge.

        Tap remembers ``reference.idempotent`` for 24 hours: a repeat within them gets the
        same charge, a later one a second (Tap, "Idempotency").

        Raises:
            Rejected: Tap will not take this payment, or refuses our key.
            NoAnswer: unknown; repeat with the same reference.
        """
        charge = _said(self._creating.post("/charges/", data=_order(request)))
        charge_id = text(charge, "id")
        if not _CHARGE_ID.fullmatch(charge_id):
            raise NoAnswer("tap: a charge without an id")
        url = member(charge, "transaction", "url")
        if url is None:
            # A charge that is final at once has no page: its payer goes straight back.
            return CardSession(charge_id, request.return_url)
        return CardSession(
            charge_id, page_url(url, base_url=self._wire.base_url, site="tap.company")
        )

    def read_callback(self, request: CallbackRequest) -> CardCallback:
        """Check the ``hashstring`` of a posted charge.

        Raises:
            Forged: not signed with our key, or not a charge.
        """
        try:
            charge = read_json(request.body)
            facts = _signed_facts(charge)
        except ValueError as error:
            raise Forged(f"tap: {error}") from error
        expected = signing.hmac_hex(self._key, facts)
        if not signing.same(expected, request.headers.get("hashstring", "")):
            raise Forged("tap: wrong or missing hashstring")
        return CardCallback(charge["id"], event_id=signing.digest_hex(facts))

    def fetch_payment(self, provider_ref: str) -> CardPayment:
        """Ask for a charge and, once it was captured, for its refunds.

        Raises:
            Rejected: there is no such charge, or Tap refuses our key.
            NoAnswer: unknown, or the answer leaves something open; ask again.
        """
        if not _CHARGE_ID.fullmatch(provider_ref):
            raise Rejected("tap: not the id of a charge")
        charge = _said(self._wire.get(f"/charges/{provider_ref}"))
        live = charge.get("live_mode")
        if charge.get("id") != provider_ref or not isinstance(live, bool):
            raise NoAnswer("tap: not the charge that was asked for")
        amount = _amount(charge)
        status = _STATUSES.get(text(charge, "status"), CardStatus.UNRESOLVED)
        captured = status is CardStatus.CAPTURED
        refunded = self._refunded_minor(provider_ref, amount.currency) if captured else 0
        return CardPayment(
            provider_ref=provider_ref,
            reference=text(charge, "reference", "order"),
            status=status,
            amount=amount,
            live=live,
            refunded=FiatAmount(refunded, amount.currency),
            reason=None if status in _WITHOUT_REASON else _reason(charge),
        )

    def paid_since(self, since: datetime, after: str | None) -> Listed:
        """List captured charges (Tap, "List all Charges").

        Raises:
            Rejected: Tap refuses our key, or the place to go on from.
            NoAnswer: unknown; ask again.
        """
        question: dict[str, Any] = {
            "period": {
                "date": {"from": clock.to_epoch_ms(since), "to": clock.to_epoch_ms(clock.now())}
            },
            "status": CardStatus.CAPTURED,
            "limit": _MOST_LISTED,
        }
        if after is not None:
            question["starting_after"] = after
        listed = _said(self._wire.post("/charges/list", data=json.dumps(question).encode()))
        charges = listed.get("charges")
        more = listed.get("has_more")
        if not isinstance(charges, list) or not isinstance(more, bool) or (more and not charges):
            raise NoAnswer("tap: an incomplete list of charges")
        seen = [
            Seen(text(charge, "id"), text(charge, "reference", "order"), _amount(charge))
            for charge in charges
            if text(charge, "status") == CardStatus.CAPTURED
        ]
        return Listed(seen, text(charges[-1], "id") if more else None)

    def _refunded_minor(self, charge_id: str, currency: str) -> int:
        # A refunded charge stays CAPTURED and does not name its refunds.
        question = {"charges": [charge_id], "limit": _MOST_REFUNDS}
        answer = self._wire.post("/refunds/list", data=json.dumps(question).encode())
        if _says_no_refunds(answer):
            return 0
        listed = _said(answer)
        refunds = listed.get("refunds")
        if not isinstance(refunds, list) or listed.get("has_more"):
            raise NoAnswer("tap: an incomplete list of refunds")
        done = [
            _amount(refund)
            for refund in refunds
            if text(refund, "charge_id") == charge_id and text(refund, "status") == "REFUNDED"
        ]
        if any(refund.currency != currency for refund in done):
            raise NoAnswer("tap: a refund in another currency")
        return sum(refund.minor for refund in done)


def _order(request: SessionRequest) -> bytes:
    order = {
        "currency": request.amount.currency,
        "threeDSecure": True,
        "save_card": False,
        "description": request.description,
        "metadata": {"deposit_id": request.reference},
        "reference": dict.fromkeys(("transaction", "order", "idempotent"), request.reference),
        "customer": {
            "first_name": request.customer_name[:_NAME_LENGTH],
            "email": request.customer_email,
        },
        "source": {"id": "src_card"},
        "transaction": {"expiry": {"period": _PAGE_MINUTES, "type": "MINUTE"}},
        "redirect": {"url": request.return_url},
        "post": {"url": request.callback_url},
    }
    # The amount's own text is the JSON number: no float ever holds it.
    return b'{"amount":%s,' % str(request.amount).encode() + json.dumps(order).encode()[1:]


def _signed_facts(charge: Any) -> bytes:
    """Return what ``hashstring`` signs, in its order and its writing (Tap, "Webhook")."""
    charge_id = text(charge, "id")
    if not _CHARGE_ID.fullmatch(charge_id):
        raise ValueError("not a charge")
    # The body says 12.5 or 100.0; what is signed has the currency's decimals.
    amount = FiatAmount.from_number(charge.get("amount"), charge.get("currency"))
    facts = {
        "id": charge_id,
        "amount": str(amount),
        "currency": amount.currency,
        # Both are missing when a charge ends before it reaches its acquirer.
        "gateway_reference": text(charge, "reference", "gateway"),
        "payment_reference": text(charge, "reference", "payment"),
        "status": text(charge, "status"),
        "created": text(charge, "transaction", "created"),
    }
    return "".join(f"x_{name}{value}" for name, value in facts.items()).encode()


def _amount(thing: Any) -> FiatAmount:
    try:
        return FiatAmount.from_number(member(thing, "amount"), member(thing, "currency"))
    except ValueError as error:
        raise NoAnswer(f"tap: an unreadable amount: {error}") from error


def _reason(charge: dict[str, Any]) -> str:
    said = f"{text(charge, 'response', 'code')} {text(charge, 'response', 'message')}"
    return said.strip() or text(charge, "status")


def _said(answer: Answer) -> dict[str, Any]:
    """Return the object of a yes; raise ``Rejected`` for a no, ``NoAnswer`` for neither."""
    said = answer.json()
    errors = _errors(said)
    if isinstance(said, dict) and not _UNKNOWN_CODES.intersection(errors):
        if answer.status in _YES:
            return said
        if answer.status in SAYS_NO:
            told = "; ".join(f"{code} {about}" for code, about in errors.items())
            raise refused("tap", answer.status, told)
    raise NoAnswer(f"tap: status {answer.status} {', '.join(errors)}")


def _says_no_refunds(answer: Answer) -> bool:
    # Seen as 400 with a bare message; the table of codes has 1160 for it.
    said = answer.json()
    return answer.status in SAYS_NO and (
        _NO_REFUND_CODE in _errors(said) or text(said, "message") == "Refunds not found"
    )


def _errors(said: Any) -> dict[str, str]:
    errors = member(said, "errors")
    listed = errors if isinstance(errors, list) else []
    return {str(member(error, "code")): text(error, "description") for error in listed}
