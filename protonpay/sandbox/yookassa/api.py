"""YooKassa's API under ``/v3``: payments and refunds."""

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from protonpay.sandbox.cards.simulator import KIND
from protonpay.sandbox.cards.store import Document
from protonpay.sandbox.yookassa.rules import broken_rule, is_value, of_refund
from protonpay.sandbox.yookassa.shop import (
    REFUND,
    YooKassaShop,
    is_held,
    kopecks,
    refund_id,
    refunded,
    status_of,
)

_REMEMBERED_MS = 24 * 3600 * 1000
_PAGE_MS = 3600 * 1000
_LONGEST_KEY = 64
_ANSWER = "answer"
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
    api.before_request(_badly_put)
    _payments(api, shop)
    _holds(api, shop)
    _refunds(api, shop)
    return api


def _badly_put() -> Response | None:
    """Refuse a POST that is not JSON or has no key of its own."""
    if request.method != "POST":
        return None
    if request.mimetype != "application/json":
        return refusal(415, None, "Send application/json")
    # Spelled so; an Idempotency-Key is another header, and is not read.
    if not 0 < len(request.headers.get("Idempotence-Key", "")) <= _LONGEST_KEY:
        return refusal(400, "Idempotence-Key")
    try:
        g.body = json.loads(request.get_data() or b"{}")
    except ValueError:
        return refusal(400)
    return None if isinstance(g.body, dict) else refusal(400)


def _payments(api: Blueprint, shop: YooKassaShop) -> None:
    @api.post("/payments")
    def create() -> Response:
        wrong = broken_rule(g.body)
        if wrong:
            return refusal(400, wrong)
        return _once(shop, lambda: shop.payment(shop.take(_ordered(shop, g.body))))

    @api.get("/payments")
    def list() -> Response:  # noqa: A001 - the name of the call, as faults know it
        wanted = request.args.get("status")
        payments = [shop.payment(one) for one in shop.store.newest(KIND, 1000)]
        payments = [one for one in payments if wanted in (None, one["status"])]
        begin, limit = int(request.args.get("cursor") or 0), int(request.args.get("limit") or 10)
        page, rest = payments[begin : begin + limit], payments[begin + limit :]
        following = {"next_cursor": str(begin + limit)} if rest else {}
        return jsonify(type="list", items=page, **following)

    @api.get("/payments/<payment_id>")
    def fetch(payment_id: str) -> Response:
        payment = shop.find(payment_id)
        if payment is None:
            return refusal(404, "payment_id")
        stale = g.fault.get("fault") == "stale"
        return jsonify(shop.payment({**payment, "outcome": None} if stale else payment))


def _holds(api: Blueprint, shop: YooKassaShop) -> None:
    @api.post("/payments/<payment_id>/capture")
    def capture(payment_id: str) -> Response:
        def take() -> Document | Response:
            payment = shop.find(payment_id)
            if payment is None or not is_held(payment):
                return _not_held(payment, "The payment is not waiting for capture")
            amount = g.body.get("amount") or {"value": payment["amount"], "currency": "RUB"}
            if not is_value(amount) or kopecks(amount["value"]) > kopecks(payment["amount"]):
                return refusal(400, "amount")
            return shop.payment(shop.capture(payment, amount["value"]))

        return _once(shop, take)

    @api.post("/payments/<payment_id>/cancel")
    def cancel(payment_id: str) -> Response:
        def let_go() -> Document | Response:
            payment = shop.find(payment_id)
            if payment is None or not is_held(payment):
                return _not_held(payment, "You can not cancel payment with autocapture")
            return shop.payment(shop.cancel(payment))

        return _once(shop, let_go)


def _not_held(payment: Document | None, description: str) -> Response:
    if payment is None:
        return refusal(404, "payment_id")
    return refusal(400, None, description)


def _refunds(api: Blueprint, shop: YooKassaShop) -> None:
    @api.post("/refunds")
    def refund() -> Response:
        wrong = of_refund(g.body)
        return refusal(400, wrong) if wrong else _once(shop, lambda: _give_back(shop, g.body))

    @api.get("/refunds/<wanted>")
    def refunded_with(wanted: str) -> Response:
        found = shop.store.find(REFUND, wanted)
        return refusal(404, "refund_id") if found is None else jsonify(found)


def _give_back(shop: YooKassaShop, body: dict[str, Any]) -> Document | Response:
    payment, value = shop.find(body["payment_id"]), body["amount"]["value"]
    if payment is None or status_of(payment) != "succeeded":
        return refusal(400, "payment_id")
    left = kopecks(payment["amount"]) - kopecks(refunded(payment))
    if not 0 < kopecks(value) <= left:
        return refusal(400, "amount.value")
    given = shop.refund(payment["id"], value, str(body.get("description") or "refund"))
    return shop.store.find(REFUND, refund_id(given)) or {}


def _once(shop: YooKassaShop, do: Callable[[], Document | Response]) -> Response:
    """Do something under its key; within a day, the same again gets the first answer again.

    A refusal is not remembered: what made it may have changed.
    """
    key, asked = request.headers["Idempotence-Key"], [request.path, g.body]
    with shop.store.lock:
        known = shop.store.find(_ANSWER, key)
        if known is not None and known["at_ms"] > shop.clock.now_ms() - _REMEMBERED_MS:
            if known["asked"] != asked:
                return refusal(400, "Idempotence-Key", "Duplicate idempotence key")
            return jsonify(known["answer"])
        answer = do()
        if isinstance(answer, Response):
            return answer
        now = shop.clock.now_ms()
        kept = {"id": key, "asked": asked, "answer": answer, "at_ms": now}
        shop.store.save(_ANSWER, kept)
    return jsonify(answer)


def _ordered(shop: YooKassaShop, body: dict[str, Any]) -> Document:
    now, payment_id = shop.clock.now_ms(), _new_id()
    metadata = body.get("metadata") or {}
    return {
        "id": payment_id,
        "key": payment_id,
        "amount": body["amount"]["value"],
        "currency": body["amount"]["currency"],
        "capture": body.get("capture") is True,
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
