"""YooKassa's API under ``/v3``: payments and refunds."""

import base64
import hmac
import json
import re
import secrets
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from protonpay.sandbox.cards.simulator import KIND
from protonpay.sandbox.cards.store import Document
from protonpay.sandbox.yookassa.shop import YooKassaShop, kopecks, refunded

_REMEMBERED_MS = 24 * 3600 * 1000
_PAGE_MS = 3600 * 1000
_VALUE = re.compile(r"[0-9]{1,9}\.[0-9]{2}", re.ASCII)
_SMALLEST, _LARGEST = 100, 35_000_000
"""Kopecks of one card payment (YooKassa, "Bank cards")."""
_LONGEST_KEY, _LONGEST_DESCRIPTION = 64, 128
_CODES = {401: "invalid_credentials", 403: "forbidden", 404: "not_found", 429: "too_many_requests"}
_SERVER_FAULTS = range(500, 600)


def refusal(status: int, parameter: str | None = None, description: str = "") -> Response:
    """Return an error as YooKassa prints it."""
    usual = "internal_server_error" if status in _SERVER_FAULTS else "invalid_request"
    told = {
        "type": "error",
        "id": _new_id(),
        "code": _CODES.get(status, usual),
        "description": description or "The request is not right",
        **({"parameter": parameter} if parameter else {}),
    }
    response = jsonify(told)
    response.status_code = status
    return response


def yookassa_api(shop: YooKassaShop, shop_id: str, secret_key: str) -> Blueprint:
    """Return the API of one shop."""
    api = Blueprint("api", __name__, url_prefix="/v3")
    expected = "Basic " + base64.b64encode(f"{shop_id}:{secret_key}".encode()).decode()

    @api.before_request
    def authorise() -> Response | None:
        given = request.headers.get("Authorization", "")
        known = hmac.compare_digest(given.encode(), expected.encode())
        return None if known else refusal(401)

    shop.faults.guard(api)
    _payments(api, shop)
    _cancelling(api, shop)
    _refunds(api, shop)
    return api


def _payments(api: Blueprint, shop: YooKassaShop) -> None:
    @api.post("/payments")
    def create() -> Response:
        key, body = request.headers.get("Idempotence-Key", ""), _body()
        wrong = "Idempotence-Key" if not 0 < len(key) <= _LONGEST_KEY else _broken_rule(body)
        if wrong:
            return refusal(400, wrong)
        with shop.store.lock:
            known = _remembered(shop, key)
            if known is not None and known["body"] != body:
                return refusal(400, "Idempotence-Key", "Duplicate idempotence key")
            payment = known or shop.take(_ordered(shop, key, body))
        return jsonify(shop.payment({**payment, "outcome": None}))

    @api.get("/payments/<payment_id>")
    def fetch(payment_id: str) -> Response:
        payment = shop.find(payment_id)
        if payment is None:
            return refusal(404, "payment_id")
        stale = g.fault.get("fault") == "stale"
        return jsonify(shop.payment({**payment, "outcome": None} if stale else payment))


def _cancelling(api: Blueprint, shop: YooKassaShop) -> None:
    @api.post("/payments/<payment_id>/cancel")
    def cancel(payment_id: str) -> Response:
        if shop.find(payment_id) is None:
            return refusal(404, "payment_id")
        return refusal(400, None, "You can not cancel payment with autocapture")


def _refunds(api: Blueprint, shop: YooKassaShop) -> None:
    @api.post("/refunds")
    def refund() -> Response:
        body = _body()
        payment = shop.find(str(body.get("payment_id")))
        if not request.headers.get("Idempotence-Key"):
            return refusal(400, "Idempotence-Key")
        if payment is None or payment["outcome"] != "paid":
            return refusal(400, "payment_id")
        value = str((body.get("amount") or {}).get("value"))
        left = kopecks(payment["amount"]) - kopecks(refunded(payment))
        if not _VALUE.fullmatch(value) or not 0 < kopecks(value) <= left:
            return refusal(400, "amount.value")
        return jsonify(shop.refund_of(payment, shop.refund(payment["id"], value, "refund")))


def _body() -> dict[str, Any]:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _broken_rule(body: dict[str, Any]) -> str | None:
    """Return the name of the first parameter that is wrong."""
    amount, confirmation = body.get("amount") or {}, body.get("confirmation") or {}
    value = amount.get("value")
    if amount.get("currency") != "RUB":
        return "amount.currency"
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        return "amount.value"
    if not _SMALLEST <= kopecks(value) <= _LARGEST:
        return "amount.value"
    if confirmation.get("type") != "redirect" or not confirmation.get("return_url"):
        return "confirmation"
    if len(str(body.get("description") or "")) > _LONGEST_DESCRIPTION:
        return "description"
    return None


def _remembered(shop: YooKassaShop, key: str) -> Document | None:
    since = shop.clock.now_ms() - _REMEMBERED_MS
    found = shop.store.find_by_key(KIND, key)
    return next((payment for payment in found if payment["created_ms"] > since), None)


def _ordered(shop: YooKassaShop, key: str, body: dict[str, Any]) -> Document:
    now, payment_id = shop.clock.now_ms(), _new_id()
    metadata = body.get("metadata") or {}
    return {
        "id": payment_id,
        "key": key,
        "body": body,
        "amount": body["amount"]["value"],
        "currency": body["amount"]["currency"],
        "reference": str(metadata.get("deposit_id", "")),
        "description": str(body.get("description") or ""),
        "metadata": metadata,
        "customer": {},
        "page_url": f"{request.host_url}pay/{payment_id}",
        "return_url": body["confirmation"]["return_url"],
        "callback_url": shop.notify_url,
        "created_ms": now,
        "expires_ms": now + _PAGE_MS,
    }


def _new_id() -> str:
    return f"{secrets.token_hex(4)}-000f-5000-8000-{secrets.token_hex(6)}"
