"""A FreedomPay shop in testing mode: payments as FreedomPay tells of them, and its callbacks."""

import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from typing_extensions import override

from protonpay.sandbox.cards.callbacks import Message
from protonpay.sandbox.cards.clock import Clock
from protonpay.sandbox.cards.faults import Faults
from protonpay.sandbox.cards.simulator import CardSimulator
from protonpay.sandbox.cards.store import Document, Store
from protonpay.sandbox.freedompay.messages import Fields, Value, pg_sig, read_answer, script_of

log = logging.getLogger(__name__)

_RESULT = "pg_result="
_STATUSES = {
    None: "new",
    "paid": "success",
    "declined": "failed",
    "cancelled": "canceled",
    "expired": "incomplete",
}
_FAILURES = {
    "declined": ("10009", "Недостаточно средств на карте"),
    "expired": ("10018", "Истёк срок жизни платежа"),
}
# Half an hour apart, for two hours (FreedomPay, "Result URL").
_RETRY_MS = (1_800_000,) * 4
_TAKEN = 200
_ANSWERS = ("ok", "rejected", "error")
_ALMATY = timedelta(hours=5)


class FreedomPayShop(CardSimulator):
    """One shop with one secret key.

    Attributes:
        repeats: what a second order under the same id gets: ``same`` payment, a ``second``
            one, or a refusal because ids are ``unique`` here. Shops differ.
    """

    title: ClassVar[str] = "FreedomPay"
    # A callback does not say the status that the status call says, but a number of its own.
    words: ClassVar[Mapping[str, str]] = {
        "open": "new",
        "paid": f"{_RESULT}1",
        "declined": f"{_RESULT}0",
        "cancelled": f"{_RESULT}2",
    }
    tells: ClassVar[frozenset[str]] = frozenset({"paid", "declined"})

    def __init__(self, store: Store, clock: Clock, faults: Faults, secret_key: str) -> None:
        super().__init__(store, clock, faults, _RETRY_MS)
        self.secret_key = secret_key
        self.repeats = "same"

    @override
    def message(self, payment: Document, say: Document, script: Document) -> Message:
        fields = self._result({**payment, "altered": {**payment["altered"], **say}})
        sig = pg_sig(script_of(payment["callback_url"]), list(fields.items()), self.secret_key)
        if script["signature"] != "absent":
            fields["pg_sig"] = sig if script["signature"] == "valid" else sig[::-1]
        body = urlencode(fields | script["tamper"])
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Message(payment["id"], payment["callback_url"], headers, body)

    @override
    def complaint(self, callback: Document, status: int, answer: str) -> str:
        if status != _TAKEN:
            return "not 200"
        wrong = self._wrong(callback, read_answer(answer))
        if wrong:
            log.warning("our answer has %s: %s", wrong, answer[:200])
        return wrong

    @override
    def told(self, payment_id: str, attempt: int, result: str) -> None:
        """Note nothing: FreedomPay does not say how its callbacks went."""

    @override
    def back(self, payment: Document) -> str:
        paid = payment["outcome"] == "paid"
        url = urlsplit(payment["return_url"] if paid else payment["failure_url"])
        added = {"pg_order_id": payment["reference"], "pg_payment_id": payment["id"]}
        query = "&".join(filter(None, (url.query, urlencode(added))))
        return urlunsplit(url._replace(query=query))

    def status(self, payment: Document) -> Fields:
        """Return what the status call tells of a payment."""
        altered, outcome = payment["altered"], payment["outcome"]
        amount = _bare(altered.get("amount", payment["amount"]))
        word = _STATUSES[outcome]
        if outcome == "paid" and tiyn(refunded(payment)) >= tiyn(payment["amount"]):
            word = "refunded"
        told: list[tuple[str, Value]] = [
            ("pg_status", "ok"),
            ("pg_payment_id", payment["id"]),
            ("pg_order_id", altered.get("reference", payment["reference"])),
            ("pg_can_reject", "0"),
            ("pg_payment_status", altered.get("status", word)),
            ("pg_amount", amount),
            ("pg_currency", altered.get("currency", payment["currency"])),
            ("pg_testing_mode", "0" if altered.get("live") else "1"),
            ("pg_create_date", _local(payment["created_ms"])),
        ]
        if outcome == "paid":
            told += [("pg_captured", "1"), ("pg_clearing_amount", amount)]
            told += _given_back(payment)
        if outcome in _FAILURES:
            code, about = _FAILURES[outcome]
            told += [("pg_failure_code", code), ("pg_failure_description", about)]
        return [*told, ("pg_salt", secrets.token_hex(8))]

    def _wrong(self, callback: Document, said: Mapping[str, str]) -> str:
        """Return what is wrong with what we are told, whether or not the real one minds it."""
        unsigned = [(name, value) for name, value in said.items() if name != "pg_sig"]
        sig = pg_sig(script_of(callback["url"]), unsigned, self.secret_key)
        rules = {
            "no status that it could be": said.get("pg_status") in _ANSWERS,
            "not the salt that was sent": said.get("pg_salt") == _salt_of(callback["body"]),
            "a wrong signature": said.get("pg_sig") == sig,
        }
        return next((wrong for wrong, right in rules.items() if not right), "")

    def _result(self, payment: Document) -> dict[str, str]:
        altered, outcome = payment["altered"], payment["outcome"]
        usual = self.words.get(outcome or "open", f"{_RESULT}2")
        said = str(altered.get("status", usual)).removeprefix(_RESULT)
        amount = _bare(altered.get("amount", payment["amount"]))
        result = {
            "pg_order_id": altered.get("reference", payment["reference"]),
            "pg_payment_id": payment["id"],
            "pg_amount": amount,
            "pg_currency": altered.get("currency", payment["currency"]),
            "pg_net_amount": _bare(f"{tiyn(payment['amount']) * 97 // 10_000}.00"),
            "pg_description": payment["description"],
            "pg_result": said,
            "pg_payment_date": _local(int(payment.get("ended_ms") or payment["created_ms"])),
            "pg_can_reject": "1" if outcome == "paid" else "0",
            # Empty ones are signed, too.
            "pg_user_contact_email": payment["customer"].get("email", ""),
            "pg_user_phone": "",
            "pg_testing_mode": "0" if altered.get("live") else "1",
            "pg_payment_method": "bankcard",
            "pg_captured": "1" if outcome == "paid" else "0",
            "pg_salt": secrets.token_hex(8),
        }
        if outcome in _FAILURES:
            code, about = _FAILURES[outcome]
            result |= {"pg_failure_code": code, "pg_failure_description": about}
        return result


def _salt_of(body: str) -> str:
    return dict(parse_qsl(body)).get("pg_salt", "")


def tiyn(amount: str) -> int:
    """Return an amount in its smallest unit."""
    whole, _, fraction = amount.partition(".")
    return int(whole + fraction.ljust(2, "0"))


def refunded(payment: Document) -> str:
    """Return what was given back of a payment."""
    given = sum(tiyn(refund["amount"]) for refund in payment["refunds"])
    return f"{given // 100}.{given % 100:02d}"


def _given_back(payment: Document) -> list[tuple[str, Value]]:
    if not payment["refunds"]:
        return []
    parts: list[tuple[str, Value]] = [
        (
            "pg_refund_payment",
            [
                ("pg_payment_id", f"{payment['id']}{number}"),
                ("pg_amount", f"-{_bare(refund['amount'])}"),
                ("pg_payment_status", "success"),
            ],
        )
        for number, refund in enumerate(payment["refunds"], 1)
    ]
    # Below zero, as FreedomPay prints what went back.
    return [("pg_refund_amount", f"-{_bare(refunded(payment))}"), ("pg_refund_payments", parts)]


def _bare(amount: str) -> str:
    """Print an amount as FreedomPay does: 20.00 is 20, and 15000.50 is 15000.5."""
    return amount.rstrip("0").rstrip(".") if "." in amount else amount


def _local(ms: int) -> str:
    # Almaty's time, and nothing says so.
    moment = datetime.fromtimestamp(ms // 1000, tz=UTC) + _ALMATY
    return f"{moment:%Y-%m-%d %H:%M:%S}"
