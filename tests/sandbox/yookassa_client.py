"""A client of YooKassa's simulator that shares no code with our adapter."""

import json
import secrets
from typing import Any

import requests

from tests.simulators import PATIENCE, Simulator

SHOP, KEY = "100500", "test_simulated"
MODULE, OPTIONS = "protonpay.sandbox.yookassa", ("--secret-key", KEY)
HOUR, DAY = 3600, 24 * 3600


def order(**changes: Any) -> dict[str, Any]:
    return {
        "amount": {"value": "1500.00", "currency": "RUB"},
        "capture": True,
        "confirmation": {"type": "redirect", "return_url": "http://127.0.0.1:1/back?a=1&b=2"},
        "payment_method_data": {"type": "bank_card"},
        "description": "A deposit",
        "metadata": {"deposit_id": "dep_1"},
        **changes,
    }


def call(
    shop: Simulator, path: str, body: Any = None, key: str | None = "", **changes: Any
) -> requests.Response:
    """Ask the API: a GET without a body; a key of its own unless one is named."""
    url, auth = f"{shop.url}/v3/{path}", (SHOP, KEY)
    if body is None:
        return requests.get(url, **{"auth": auth, "timeout": PATIENCE, **changes})
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Idempotence-Key"] = key or secrets.token_hex(8)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = {"data": data, "auth": auth, "headers": headers, "timeout": PATIENCE}
    return requests.post(url, **{**asked, **changes})


def created(shop: Simulator, **changes: Any) -> dict[str, Any]:
    answer = call(shop, "payments", order(**changes))
    assert answer.status_code == 200, answer.text
    payment: dict[str, Any] = answer.json()
    return payment


def press(payment: dict[str, Any], outcome: str = "paid") -> requests.Response:
    url = payment["confirmation"]["confirmation_url"]
    return requests.post(url, data={"outcome": outcome}, allow_redirects=False, timeout=PATIENCE)


def fetched(shop: Simulator, payment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = call(shop, f"payments/{payment['id']}").json()
    return found


def refused(answer: requests.Response, status: int, code: str, parameter: str | None = None):
    said = answer.json()
    assert (answer.status_code, said["type"], said["code"]) == (status, "error", code)
    assert said.get("parameter") == parameter
    assert said["id"]
    assert said["description"]


def refund(payment: dict[str, Any], value: str, **changes: Any) -> dict[str, Any]:
    amount = {"value": value, "currency": "RUB"}
    return {"payment_id": payment["id"], "amount": amount, **changes}
