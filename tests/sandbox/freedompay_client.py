"""A client of FreedomPay's simulator that shares no code with it, nor with our adapter."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from urllib.parse import parse_qsl

import requests

from protonpay.cards.port import CallbackRequest
from tests.simulators import PATIENCE, Simulator

SHOP, SECRET = "500001", "secret of the simulated shop; with a semicolon"
MODULE, OPTIONS = "protonpay.sandbox.freedompay", ("--secret-key", SECRET)
NASTY = [
    *("Жанна & сын", "a;b;;c", "<b>\"'&amp;", "50% + 1 = ?", " leads and trails ", "två\nrader"),
    *("\u0645\u0631\u062d\u0628\u0627", "🦊", "pg_sig=x&pg_salt=y", "0", "\\", "]]>"),
]


def sig(script: str, fields: Sequence[tuple[str, str]], secret: str = SECRET) -> str:
    """Sign a flat message by the letter of the document, without anybody's code."""
    values = [value for name, value in sorted(fields) if name != "pg_sig"]
    signed = ";".join([script, *values, secret])
    return hashlib.md5(signed.encode(), usedforsecurity=False).hexdigest()


def accepted(callback: CallbackRequest) -> bytes:
    """Answer as FreedomPay wants to be answered."""
    return answer_to(callback)


def answer_to(callback: CallbackRequest, **changes: str) -> bytes:
    said = {
        "pg_status": "ok",
        "pg_description": "Accepted",
        "pg_salt": dict(parse_qsl(callback.body.decode()))["pg_salt"],
        **changes,
    }
    said = {"pg_sig": sig(callback.path.rpartition("/")[2], list(said.items()))} | said
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    return f'<?xml version="1.0" encoding="utf-8"?><response>{inside}</response>'.encode()


def order(**changes: str | None) -> dict[str, str]:
    usual = {
        "pg_order_id": secrets.token_hex(8),
        "pg_amount": "15000.50",
        "pg_currency": "KZT",
        "pg_description": "A deposit",
        "pg_auto_clearing": "1",
        "pg_testing_mode": "1",
        "pg_lifetime": "1800",
        "pg_result_url": "http://127.0.0.1:1/callbacks/result",
        "pg_request_method": "POST",
        "pg_success_url": "http://127.0.0.1:1/back?lang=en",
        "pg_failure_url": "http://127.0.0.1:1/failed",
        **changes,
    }
    return {name: value for name, value in usual.items() if value is not None}


def call(shop: Simulator, script: str, fields: dict[str, str], **changes: str) -> requests.Response:
    asked = {"pg_merchant_id": SHOP, "pg_salt": secrets.token_hex(8), **fields}
    asked = {"pg_sig": sig(script, list(asked.items())), **asked, **changes}
    return requests.post(f"{shop.url}/{script}", data=asked, timeout=PATIENCE)


def told(answer: requests.Response) -> dict[str, str]:
    """Return the flat fields of an answer."""
    assert answer.status_code == 200, "FreedomPay itself never says anything else"
    assert answer.headers["Content-Type"].startswith("text/xml")
    return dict(re.findall(r"<(pg_[a-z_]+)>([^<]*)</\1>", answer.content.decode()))


def error(answer: requests.Response) -> str:
    said = told(answer)
    assert said["pg_status"] == "error"
    assert said["pg_error_description"]
    return said["pg_error_code"]


def created(shop: Simulator, **changes: str | None) -> dict[str, str]:
    said = told(call(shop, "init_payment.php", order(**changes)))
    assert said["pg_status"] == "ok", said
    return said


def status(shop: Simulator, payment: dict[str, str]) -> dict[str, str]:
    asked = {"pg_payment_id": payment["pg_payment_id"]}
    return told(call(shop, "get_status3.php", asked))


def press(payment: dict[str, str], outcome: str = "paid") -> requests.Response:
    form, url = {"outcome": outcome}, payment["pg_redirect_url"]
    return requests.post(url, data=form, allow_redirects=False, timeout=PATIENCE)
