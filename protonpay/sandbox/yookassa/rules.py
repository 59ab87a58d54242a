"""What YooKassa refuses in a request, by the name of the first parameter that is wrong."""

import re
from typing import Any

from protonpay.sandbox.yookassa.shop import kopecks

_VALUE = re.compile(r"(?:0|[1-9][0-9]{0,8})\.[0-9]{2}", re.ASCII)
_SMALLEST, _LARGEST = 100, 35_000_000
"""Kopecks of one card payment (YooKassa, "Bank cards")."""
_LONGEST_DESCRIPTION = 128
_MOST_METADATA, _LONGEST_NAME, _LONGEST_VALUE = 16, 32, 512
_METHODS = (None, "bank_card")


def broken_rule(order: dict[str, Any]) -> str | None:
    """Return what is wrong with a payment, or None."""
    amount = order.get("amount")
    method = order.get("payment_method_data", {})
    checks = {
        "amount": isinstance(amount, dict),
        "amount.currency": _of(amount, "currency") == "RUB",
        "amount.value": is_value(amount) and _SMALLEST <= kopecks(_of(amount, "value")) <= _LARGEST,
        "capture": isinstance(order.get("capture", False), bool),
        "confirmation": _is_redirect(order.get("confirmation")),
        "payment_method_data": _of(method, "type") in _METHODS and isinstance(method, dict),
        "description": _is_text(order.get("description", ""), _LONGEST_DESCRIPTION),
        "metadata": _is_metadata(order.get("metadata", {})),
    }
    return next((name for name, right in checks.items() if not right), None)


def of_refund(order: dict[str, Any]) -> str | None:
    """Return what is wrong with a refund, whatever its payment, or None."""
    if not isinstance(order.get("payment_id"), str):
        return "payment_id"
    if _of(order.get("amount"), "currency") != "RUB":
        return "amount.currency"
    return None if is_value(order.get("amount")) else "amount.value"


def is_value(amount: Any) -> bool:
    """Tell whether an amount's value is text with a point and two decimals."""
    value = _of(amount, "value")
    return isinstance(value, str) and _VALUE.fullmatch(value) is not None


def _of(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, dict) else None


def _is_redirect(confirmation: Any) -> bool:
    url = _of(confirmation, "return_url")
    leads_back = isinstance(url, str) and url.startswith(("http://", "https://"))
    return _of(confirmation, "type") == "redirect" and leads_back


def _is_text(thing: Any, longest: int) -> bool:
    return isinstance(thing, str) and len(thing) <= longest


def _is_metadata(thing: Any) -> bool:
    return (
        isinstance(thing, dict)
        and len(thing) <= _MOST_METADATA
        and all(len(name) <= _LONGEST_NAME for name in thing)
        and all(_is_text(value, _LONGEST_VALUE) for value in thing.values())
    )
