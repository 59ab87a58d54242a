"""FreedomPay (freedompay.kz): a hosted card page, and one signature on every message."""

import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from protonpay.cards.freedompay_messages import (
    as_fields,
    is_signed,
    read_form,
    signature,
    signed_xml,
)
from protonpay.cards.pages import page_url
from protonpay.cards.port import (
    CallbackRequest,
    CardCallback,
    CardPayment,
    CardSession,
    CardStatus,
    Forged,
    KeyRefused,
    Rejected,
    SessionRequest,
)
from protonpay.kernel import signing
from protonpay.kernel.fiat import FiatAmount
from protonpay.wire.http import NoAnswer, Wire
from protonpay.wire.plain_xml import Element, read_xml

# Every other word is UNRESOLVED.
_STATUSES = {
    "new": CardStatus.PENDING,
    "partial": CardStatus.PENDING,
    "pending": CardStatus.PENDING,
    "process": CardStatus.PENDING,
    "waiting": CardStatus.PENDING,
    "success": CardStatus.CAPTURED,
    "ok": CardStatus.CAPTURED,
    "refunded": CardStatus.CAPTURED,
    "revoked": CardStatus.CANCELED,
    "canceled": CardStatus.CANCELED,
    "error": CardStatus.FAILED,
    "failed": CardStatus.FAILED,
    "incomplete": CardStatus.EXPIRED,
}
_WITHOUT_REASON = (CardStatus.PENDING, CardStatus.CAPTURED)

# The codes that are a no; every other one may mean anything and is asked again.
_KEY_REFUSED = {"9996", "9997", "9998", "100", "101", "110"}
_NO = {"9403", "9992", "9993", "9994", "9995", "120", "200", "340", "350", "420"}
_ORDER_EXISTS = "9991"
_NO_PAYMENT = "0"

_CREATE, _STATUS = "init_payment.php", "get_status3.php"
_FORM = "application/x-www-form-urlencoded"
_OK = 200
_SITES = ("freedompay.kz", "freedompay.uz", "freedompay.kg", "freedompay.money", "paybox.money")
_PAGE_SECONDS = 1800
_PAYMENT_ID = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,8})?", re.ASCII)
_GIVEN_BACK = ("pg_refund_amount", "pg_revoke_amount", "pg_revoked_amount")
_MODES = {"": True, "0": True, "1": False}


class FreedomPay:
    """One FreedomPay shop.

    Args:
        base_url: the country's host, as ``https://api.freedompay.kz``.
        merchant_id: the shop's number.
        secret_key: signs what we say, and is what we know FreedomPay by.
        testing_mode: ``1`` for payments that move no money, ``0`` for real ones.
        create_seconds: for a new page.
        read_seconds: for every other call.
    """

    name = "freedompay"
    currencies = frozenset({"KZT", "UZS", "KGS"})

    def __init__(
        self,
        base_url: str,
        merchant_id: str,
        secret_key: str,
        testing_mode: str,
        *,
        create_seconds: float = 30,
        read_seconds: float = 30,
    ) -> None:
        self._merchant, self._key, self._testing = merchant_id, secret_key, testing_mode
        self._creating = Wire(base_url, read_seconds=create_seconds)
        self._wire = Wire(base_url, read_seconds=read_seconds)

    def create_session(self, request: SessionRequest) -> CardSession:
        """Open a hosted page for one order.

        The reference is the order's id and ``pg_idempotency_key``, which FreedomPay documents
        for other calls than this one. A shop that insists on unique orders refuses a repeat:
        then the order is looked up. Should neither hold, a repeat is a second payment, and who
        pays both is found out when the second is fetched.

        Raises:
            Rejected: FreedomPay will not take this payment, or refuses our key.
            NoAnswer: unknown; repeat with the same reference.
        """
        try:
            said = self._ask(self._creating, _CREATE, self._order(request))
        except _OrderExists:
            return self._session_of_order(request)
        payment_id = said.of("pg_payment_id")
        if not _PAYMENT_ID.fullmatch(payment_id):
            raise NoAnswer("freedompay: a payment without an id")
        page = said.of("pg_redirect_url")
        return CardSession(payment_id, page_url(page, base_url=self._wire.base_url, site=_SITES))

    def read_callback(self, request: CallbackRequest) -> CardCallback:
        """Check the signature of a posted result, and sign our answer to it.

        The script that was called is ours: the last segment of our own address.

        Raises:
            Forged: not signed with our key, or not a result.
        """
        script = request.path.rpartition("/")[2]
        try:
            fields = read_form(request.body)
        except ValueError as error:
            raise Forged(f"freedompay: {error}") from error
        if not is_signed(script, as_fields(fields), self._key):
            raise Forged("freedompay: wrong or missing signature")
        payment_id = fields.get("pg_payment_id", "")
        if not _PAYMENT_ID.fullmatch(payment_id):
            raise Forged("freedompay: not the result of a payment")
        # A repeat may have a salt of its own, and with it another signature.
        salt = fields.pop("pg_salt")
        del fields["pg_sig"]
        said = {"pg_status": "ok", "pg_description": "Accepted", "pg_salt": salt}
        return CardCallback(
            payment_id,
            event_id=signing.digest_hex(json.dumps(fields, sort_keys=True).encode()),
            answer=signed_xml(script, said, self._key),
            answer_type="text/xml",
        )

    def fetch_payment(self, provider_ref: str) -> CardPayment:
        """Ask for a payment, its refunds included.

        Raises:
            Rejected: there is no such payment, or FreedomPay refuses our key.
            NoAnswer: unknown, or the answer leaves something open; ask again.
        """
        # By its id: an order's id finds the last payment of it, which may be a refund.
        if not _PAYMENT_ID.fullmatch(provider_ref):
            raise Rejected("freedompay: not the id of a payment")
        said = self._ask(self._wire, _STATUS, {"pg_payment_id": provider_ref})
        if said.of("pg_payment_id") == _NO_PAYMENT:
            raise Rejected("freedompay: no such payment")
        if said.of("pg_payment_id") != provider_ref:
            raise NoAnswer("freedompay: not the payment that was asked for")
        return _payment(said)

    def paid_since(self, since: datetime, after: str | None) -> None:
        """Return None: FreedomPay has no list of payments to ask for."""

    def _order(self, request: SessionRequest) -> dict[str, str]:
        return {
            "pg_order_id": request.reference,
            "pg_idempotency_key": request.reference,
            "pg_amount": str(request.amount),
            "pg_currency": request.amount.currency,
            "pg_description": request.description,
            "pg_user_contact_email": request.customer_email,
            "pg_payment_method": "bankcard",
            "pg_auto_clearing": "1",
            "pg_testing_mode": self._testing,
            "pg_lifetime": str(_PAGE_SECONDS),
            "pg_language": "en",
            "pg_result_url": request.callback_url,
            "pg_request_method": "POST",
            "pg_success_url": request.return_url,
            "pg_success_url_method": "GET",
            "pg_failure_url": request.return_url,
            "pg_failure_url_method": "GET",
        }

    def _session_of_order(self, request: SessionRequest) -> CardSession:
        """Find a payment by its order; the address of its page is told only once."""
        payment = _payment(self._ask(self._wire, _STATUS, {"pg_order_id": request.reference}))
        if payment.reference != request.reference or payment.status is CardStatus.PENDING:
            raise NoAnswer("freedompay: an order whose page is not known")
        return CardSession(payment.provider_ref, request.return_url)

    def _ask(self, wire: Wire, script: str, values: Mapping[str, str]) -> Element:
        """Return a yes; raise ``Rejected`` for a no, ``NoAnswer`` for neither."""
        # FreedomPay itself says no with 200.
        asked = {"pg_merchant_id": self._merchant, "pg_salt": secrets.token_hex(16), **values}
        asked["pg_sig"] = signature(script, as_fields(asked), self._key)
        answer = wire.post(f"/{script}", data=urlencode(asked).encode(), content_type=_FORM)
        if answer.status != _OK:
            raise NoAnswer(f"freedompay: status {answer.status}")
        try:
            said = read_xml(answer.body)
        except ValueError as error:
            raise NoAnswer(f"freedompay: {error}") from error
        known = is_signed(script, said.children, self._key)
        if said.of("pg_status") == "error":
            _refuse(said, known=known)
        # Who does not know our key cannot speak for FreedomPay, whatever the address.
        if not known or said.of("pg_status") != "ok":
            raise NoAnswer("freedompay: an answer that is not signed, or not a yes")
        return said


class _OrderExists(Exception):
    """There is a payment for this order already."""


def _refuse(said: Element, *, known: bool) -> None:
    code = said.of("pg_error_code")
    told = f"freedompay: {code} {said.of('pg_error_description')}".strip()
    if code in _KEY_REFUSED:
        # Not signed, or not so that our key could tell: what is wrong is the key.
        raise KeyRefused(told)
    if known and code in _NO:
        raise Rejected(told)
    if known and code == _ORDER_EXISTS:
        raise _OrderExists
    raise NoAnswer(told)


def _payment(said: Element) -> CardPayment:
    live = _MODES.get(said.of("pg_testing_mode"))
    if live is None or not _PAYMENT_ID.fullmatch(said.of("pg_payment_id")):
        raise NoAnswer("freedompay: not a payment in a mode that we know")
    amount = _amount(said, "pg_amount")
    refunded = _refunded(said)
    status = _status(said, refunded)
    if status is CardStatus.CAPTURED and said.of("pg_clearing_amount"):
        # What was taken from the card; what was ordered may have been more.
        amount = _amount(said, "pg_clearing_amount")
        if not amount.minor:
            raise NoAnswer("freedompay: amounts that do not agree yet")
    return CardPayment(
        provider_ref=said.of("pg_payment_id"),
        reference=said.of("pg_order_id"),
        status=status,
        amount=amount,
        live=live,
        refunded=refunded,
        reason=None if status in _WITHOUT_REASON else _reason(said),
    )


def _status(said: Element, refunded: FiatAmount) -> CardStatus:
    word, captured = said.of("pg_payment_status"), said.of("pg_captured") == "1"
    status = _STATUSES.get(word, CardStatus.UNRESOLVED)
    if word in ("refunded", "revoked") and captured and refunded.minor:
        return CardStatus.CAPTURED
    # Held, or given back by an amount that is not told: success is not yet money.
    taken = captured and word != "refunded"
    if (status is CardStatus.CAPTURED) != taken and (captured or status is CardStatus.CAPTURED):
        return CardStatus.UNRESOLVED
    return status


def _refunded(said: Element) -> FiatAmount:
    """Return what was given back: the total, or its parts where they are ahead of it."""
    currency = said.of("pg_currency")
    totals = [_amount(said, name).minor for name in _GIVEN_BACK if said.of(name)]
    parts = [
        _amount(part, "pg_amount", currency).minor
        for part in said.all("pg_refund_payments", "pg_refund_payment")
        # Those that failed stay in the list; an older list has none that did.
        if _STATUSES.get(part.of("pg_payment_status") or "ok") is CardStatus.CAPTURED
    ]
    return FiatAmount(max([sum(parts), *totals]), currency)


def _amount(said: Element, name: str, currency: str | None = None) -> FiatAmount:
    # What is given back is below zero, as -40; what is paid never is.
    text = said.of(name)
    if name in _GIVEN_BACK or currency is not None:
        text = text.removeprefix("-")
    if not _AMOUNT.fullmatch(text):
        raise NoAnswer("freedompay: an unreadable amount")
    try:
        return FiatAmount.from_number(Decimal(text), currency or said.of("pg_currency"))
    except ValueError as error:
        raise NoAnswer(f"freedompay: an unreadable amount: {error}") from error


def _reason(said: Element) -> str:
    told = " ".join(said.of(f"pg_failure_{part}") for part in ("code", "description"))
    return told.strip() or said.of("pg_payment_status") or "no status"
