"""What Tap refuses in a request for a charge, with its own codes (Tap, "Error codes")."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from protonpay.sandbox.tap.account import DECIMALS

Body = Mapping[str, Any]

DESCRIPTIONS = {
    "1101": "Secret API Key and Environment are mismatched",
    "1103": "Required inputs are invalid",
    "1110": "Redirect URL is missing",
    "1111": "Redirect URL is invalid",
    "1117": "Amount is invalid",
    "1118": "Currency code is invalid",
    "1119": "Currency code not supported",
    "1121": "The 'description' should be less than 1000 characters",
    "1122": "Merchant order reference length should be less than 100 characters",
    "1123": "Merchant transaction reference length should be less than 100 characters",
    "1124": "Source id is missing",
    "1125": "Source id is invalid",
    "1127": "The metadata key length should be less than 250 characters",
    "1128": "Metadata value length should be less than 1000 characters",
    "1129": "Customer id or Customer information is required",
    "1130": "Customer's first name is required",
    "1131": "Customer's first name length should be less than 150 characters",
    "1138": "Email Address is invalid",
    "1139": "Customer phone number or email address is required",
    "1144": "Charge id not found",
    "1149": "Currency code is not matching with existing currency code",
    "1156": "Refund reason is missing",
    "1161": "Requested refund amount exceeds",
    "2100": "Invalid JSON request",
    "2101": "The server is currently unavailable (overloaded or down)",
    "2104": "Invalid API Key",
    "2105": "API credentials are required",
    "2106": "Please use the secret key, the public key given",
    "2108": "It is likely that you need to grant permission",
    "9999": "Internal server error",
}

_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.([0-9]{1,3}))?", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SMALLEST_THOUSANDTHS = 100
_SOURCES = ("src_card", "src_all")
_PAGE_MINUTES = range(5, 61)
_KEY_LENGTH = 250
_VALUE_LENGTH = 1000
_OBJECTS = ("customer", "metadata", "post", "redirect", "reference", "source", "transaction")


def broken_rule(body: Body) -> str | None:
    """Return the code of the first rule a request for a charge breaks."""
    for breaks, code in _RULES:
        if breaks(body):
            return code
    return None


def _bad_amount(body: Body) -> bool:
    # Numbers are read as their text, so 12.500 has three decimals here and 12.5005 four.
    match = _AMOUNT.fullmatch(str(body.get("amount", "")))
    if match is None or len(match[1] or "") > DECIMALS.get(str(body.get("currency")), 3):
        return True
    whole, _, fraction = match[0].partition(".")
    return int(whole) * 1000 + int(fraction.ljust(3, "0")) < _SMALLEST_THOUSANDTHS


def _at(body: Body, *path: str) -> Any:
    value: Any = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _longer(limit: int, *path: str) -> Callable[[Body], bool]:
    return lambda body: len(str(_at(body, *path) or "")) >= limit


def _missing(*path: str) -> Callable[[Body], bool]:
    return lambda body: not _at(body, *path)


def _bad_url(*path: str) -> Callable[[Body], bool]:
    def bad(body: Body) -> bool:
        try:
            url = urlsplit(str(_at(body, *path) or "http://none"))
        except ValueError:
            return True
        return url.scheme not in ("http", "https") or not url.hostname

    return bad


def _bad_expiry(body: Body) -> bool:
    period = _at(body, "transaction", "expiry", "period")
    return period is not None and not (str(period).isdigit() and int(period) in _PAGE_MINUTES)


def _metadata(body: Body) -> list[tuple[str, Any]]:
    metadata = body.get("metadata")
    return list(metadata.items()) if isinstance(metadata, dict) else []


_RULES: tuple[tuple[Callable[[Body], bool], str], ...] = (
    (lambda body: any(not isinstance(body.get(name, {}), dict) for name in _OBJECTS), "1103"),
    (lambda body: not re.fullmatch("[A-Z]{3}", str(body.get("currency"))), "1118"),
    (lambda body: body.get("currency") not in DECIMALS, "1119"),
    (_bad_amount, "1117"),
    (_missing("source", "id"), "1124"),
    (lambda body: _at(body, "source", "id") not in _SOURCES, "1125"),
    (_missing("redirect", "url"), "1110"),
    (_bad_url("redirect", "url"), "1111"),
    (_bad_url("post", "url"), "1103"),
    (_missing("customer"), "1129"),
    (_missing("customer", "first_name"), "1130"),
    (_longer(150, "customer", "first_name"), "1131"),
    (lambda body: not (_at(body, "customer", "email") or _at(body, "customer", "phone")), "1139"),
    (lambda body: not _EMAIL.fullmatch(str(_at(body, "customer", "email") or "a@b.c")), "1138"),
    (_longer(1000, "description"), "1121"),
    (_longer(100, "reference", "order"), "1122"),
    (_longer(100, "reference", "transaction"), "1123"),
    (lambda body: any(len(key) >= _KEY_LENGTH for key, _ in _metadata(body)), "1127"),
    (lambda body: any(len(str(value)) >= _VALUE_LENGTH for _, value in _metadata(body)), "1128"),
    (_bad_expiry, "1103"),
)
