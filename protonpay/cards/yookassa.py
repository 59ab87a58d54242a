"""YooKassa (yookassa.ru): a hosted page, an unsigned notification, a payment to ask about."""

import base64
import json
import re
from datetime import datetime
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlencode

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

# Every other word is UNRESOLVED; ``canceled`` says in its details how.
_STATUSES = {
    "pending": CardStatus.PENDING,
    "waiting_for_capture": CardStatus.PENDING,
    "succeeded": CardStatus.CAPTURED,
}
_CANCELED = "canceled"
_REASONS = {
    "expired_on_confirmation": CardStatus.EXPIRED,
    "expired_on_capture": CardStatus.EXPIRED,
    "canceled_by_merchant": CardStatus.CANCELED,
}
"""How a payment was cancelled, where it was not the card or the payer that failed."""

_YES = (200, 201)  # 202 says that the request is still being worked on

_PAYMENT_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)
_EVENT = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,40}", re.ASCII)
_REFUND = "refund."
_MOST_LISTED = 100
_DESCRIPTION_LENGTH = 128


class YooKassa:
    """One YooKassa shop.

    Args:
        base_url: ``https://api.yookassa.ru/v3``; a test shop has an id and a key of its own.
        shop_id: the shop.
        secret_key: ``live_…`` or ``test_…``.
        networks: from where notifications come, as CIDR, separated by spaces. They carry no
            signature (YooKassa, "Notifications"): this keeps noise out, asking back decides.
        create_seconds: for opening a payment.
        read_seconds: for every other call.
    """

    name = "yookassa"
    currencies = frozenset({"RUB"})

    def __init__(
        self,
        base_url: str,
        shop_id: str,
        secret_key: str,
        networks: str,
        *,
        create_seconds: float = 30,
        read_seconds: float = 30,
    ) -> None:
        credentials = base64.b64encode(f"{shop_id}:{secret_key}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Accept": "application/json"}
        self._networks = tuple(ip_network(network) for network in networks.split())
        self._creating = Wire(base_url, read_seconds=create_seconds, headers=headers)
        self._wire = Wire(base_url, read_seconds=read_seconds, headers=headers)

    def create_session(self, request: SessionRequest) -> CardSession:
        """Open a payment with a hosted page; the payer has an hour.

        YooKassa remembers an ``Idempotence-Key`` for 24 hours: a repeat within them gets the
        same payment. Where it tells of its end is set in the shop's own pages, not here.

        Raises:
            Rejected: YooKassa will not take this payment, or refuses our key.
            NoAnswer: unknown; repeat with the same reference.
        """
        answer = self._creating.post(
            "/payments", data=_order(request), headers={"Idempotence-Key": request.reference}
        )
        payment = _said(answer)
        payment_id = text(payment, "id")
        if not _PAYMENT_ID.fullmatch(payment_id):
            raise NoAnswer("yookassa: a payment without an id")
        url = member(payment, "confirmation", "confirmation_url")
        if url is None:
            # Ended at once: there is nothing to confirm, its payer goes straight back.
            return CardSession(payment_id, request.return_url)
        return CardSession(
            payment_id, page_url(url, base_url=self._wire.base_url, site="yoomoney.ru")
        )

    def read_callback(self, request: CallbackRequest) -> CardCallback:
        """Check where a notification came from and which payment it speaks of.

        There is no id of a message: an event of an object is told once (YooKassa).

        Raises:
            Forged: from somewhere else, or not a notification.
        """
        if not self._comes_from_yookassa(request.remote_addr):
            raise Forged("yookassa: not from one of its networks")
        try:
            told = read_json(request.body)
        except ValueError as error:
            raise Forged(f"yookassa: {error}") from error
        event, object_id = text(told, "event"), text(told, "object", "id")
        of_refund = event.startswith(_REFUND)
        payment_id = text(told, "object", "payment_id") if of_refund else object_id
        if not _EVENT.fullmatch(event) or not _PAYMENT_ID.fullmatch(payment_id):
            raise Forged("yookassa: not a notification of a payment")
        named = signing.digest_hex(f"{event} {object_id}".encode("utf-8", "surrogatepass"))
        return CardCallback(payment_id, event_id=named)

    def fetch_payment(self, provider_ref: str) -> CardPayment:
        """Ask for a payment; it says itself what was given back.

        Raises:
            Rejected: there is no such payment, or YooKassa refuses our key.
            NoAnswer: unknown, or the answer leaves something open; ask again.
        """
        if not _PAYMENT_ID.fullmatch(provider_ref):
            raise Rejected("yookassa: not the id of a payment")
        payment = _said(self._wire.get(f"/payments/{provider_ref}"))
        test = payment.get("test")
        if payment.get("id") != provider_ref or not isinstance(test, bool):
            raise NoAnswer("yookassa: not the payment that was asked for")
        amount = _amount(payment.get("amount"))
        refunded = payment.get("refunded_amount")
        return CardPayment(
            provider_ref=provider_ref,
            reference=text(payment, "metadata", "deposit_id"),
            status=_status(payment),
            amount=amount,
            live=not test,
            refunded=FiatAmount(0, amount.currency) if refunded is None else _amount(refunded),
            reason=_reason(payment),
        )

    def paid_since(self, since: datetime, after: str | None) -> Listed:
        """List payments that succeeded (YooKassa, "List of payments").

        Raises:
            Rejected: YooKassa refuses our key, or the place to go on from.
            NoAnswer: unknown; ask again.
        """
        wanted = {
            "status": "succeeded",
            "captured_at.gte": clock.to_text(since),
            "limit": str(_MOST_LISTED),
            **({"cursor": after} if after is not None else {}),
        }
        listed = _said(self._wire.get(f"/payments?{urlencode(wanted)}"))
        items = listed.get("items")
        if not isinstance(items, list):
            raise NoAnswer("yookassa: no list of payments")
        seen = [
            Seen(
                text(item, "id"),
                text(item, "metadata", "deposit_id"),
                _amount(member(item, "amount")),
            )
            for item in items
        ]
        return Listed(seen, text(listed, "next_cursor") or None)

    def _comes_from_yookassa(self, remote_addr: str) -> bool:
        try:
            address = ip_address(remote_addr)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            return self._is_listed(address.ipv4_mapped)
        return self._is_listed(address)

    def _is_listed(self, address: Any) -> bool:
        networks: tuple[IPv4Network | IPv6Network, ...] = self._networks
        return any(address in network for network in networks)


def _order(request: SessionRequest) -> bytes:
    order = {
        "amount": {"value": str(request.amount), "currency": request.amount.currency},
        "capture": True,
        "confirmation": {"type": "redirect", "return_url": request.return_url},
        "payment_method_data": {"type": "bank_card"},
        "description": request.description[:_DESCRIPTION_LENGTH],
        "metadata": {"deposit_id": request.reference},
    }
    return json.dumps(order).encode()


def _status(payment: dict[str, Any]) -> CardStatus:
    word = text(payment, "status")
    if word == _CANCELED:
        reason = text(payment, "cancellation_details", "reason")
        return _REASONS.get(reason, CardStatus.FAILED)
    status = _STATUSES.get(word, CardStatus.UNRESOLVED)
    if status is CardStatus.CAPTURED and payment.get("paid") is not True:
        return CardStatus.UNRESOLVED
    return status


def _reason(payment: dict[str, Any]) -> str | None:
    if text(payment, "status") in _STATUSES:
        return None
    details = [text(payment, "cancellation_details", name) for name in ("party", "reason")]
    return " ".join(filter(None, details)) or text(payment, "status")


def _amount(thing: Any) -> FiatAmount:
    try:
        return FiatAmount.parse(text(thing, "value"), text(thing, "currency"))
    except ValueError as error:
        raise NoAnswer(f"yookassa: an unreadable amount: {error}") from error


def _said(answer: Answer) -> dict[str, Any]:
    """Return the object of a yes; raise ``Rejected`` for a no, ``NoAnswer`` for neither."""
    said = answer.json()
    if isinstance(said, dict):
        if answer.status in _YES:
            return said
        if answer.status in SAYS_NO and said.get("type") == "error":
            # The description may quote the request; the parameter's name does not.
            told = f"{text(said, 'code')} {text(said, 'parameter')}"
            raise refused("yookassa", answer.status, told)
    raise NoAnswer(f"yookassa: status {answer.status}")
