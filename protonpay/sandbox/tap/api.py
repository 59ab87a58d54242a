"""Tap's API under ``/v2``: charges and refunds."""

import hmac
import json
import secrets
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from protonpay.sandbox.cards.simulator import KIND
from protonpay.sandbox.cards.store import Document
from protonpay.sandbox.tap.account import DECIMALS, TapAccount
from protonpay.sandbox.tap.rules import DESCRIPTIONS, broken_rule

_REMEMBERED_MS = 24 * 3600 * 1000
_PAGE_MINUTES = 30
_MOST_LISTED = 50
_SERVER_FAULTS = range(500, 600)


def refusal(status: int, code: str | None = None) -> Response:
    """Return an error as Tap prints it; without a code, the one of the status."""
    usual = "9999" if status in _SERVER_FAULTS else "1103"
    code = code or {401: "2104", 403: "2108", 404: "1144", 503: "2101"}.get(status, usual)
    response = jsonify(errors=[{"code": code, "description": DESCRIPTIONS[code]}])
    response.status_code = status
    return response


def tap_api(account: TapAccount, secret_key: str) -> Blueprint:
    """Return the API of one account."""
    api = Blueprint("api", __name__, url_prefix="/v2")

    @api.before_request
    def authorise() -> Response | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            return refusal(401, "2105")
        if key.startswith("pk_"):
            return refusal(401, "2106")
        known = hmac.compare_digest(key.encode(), secret_key.encode())
        return None if known else refusal(401, "2104")

    account.faults.guard(api)
    _charges(api, account)
    _listing(api, account)
    _refunds(api, account)
    return api


def _charges(api: Blueprint, account: TapAccount) -> None:
    @api.post("/charges")
    @api.post("/charges/")
    def create() -> Response:
        body = _body()
        if body is None:
            return refusal(400, "2100")
        broken = broken_rule(body)
        if broken:
            return refusal(400, broken)
        with account.store.lock:
            payment = _remembered(account, body) or account.take(_ordered(account, body))
        return jsonify({**account.charge({**payment, "outcome": None}), "method": "CREATE"})

    @api.get("/charges/<charge_id>")
    def fetch(charge_id: str) -> Response:
        payment = account.find(charge_id)
        if payment is None:
            return refusal(404, "1144")
        stale = g.fault.get("fault") == "stale"
        return jsonify(account.charge({**payment, "outcome": None} if stale else payment))


def _listing(api: Blueprint, account: TapAccount) -> None:
    @api.post("/charges/list")
    def list() -> Response:  # noqa: A001 - the name of the call, as faults know it
        body = _body() or {}
        reference = (body.get("reference") or {}).get("order")
        charges = [
            account.charge(payment)
            for payment in account.store.newest(KIND, 1000)
            if reference in (None, payment["reference"])
        ]
        charges = [one for one in charges if body.get("status") in (None, one["status"])]
        names = [one["id"] for one in charges]
        begin, limit = body.get("starting_after"), int(body.get("limit") or 25)
        if begin is not None:
            if begin not in names:
                return refusal(400, "2100")
            charges = charges[names.index(begin) + 1 :]
        page = charges[: min(limit, _MOST_LISTED)]
        more = len(page) < len(charges)
        return jsonify(object="list", live_mode=False, has_more=more, charges=page)


def _refunds(api: Blueprint, account: TapAccount) -> None:
    @api.post("/refunds")
    @api.post("/refunds/")
    def refund() -> Response:
        body = _body() or {}
        payment = account.find(str(body.get("charge_id")))
        if payment is None:
            return refusal(404, "1144")
        if body.get("currency") != payment["currency"]:
            return refusal(400, "1149")
        if not body.get("reason"):
            return refusal(400, "1156")
        wanted, left = _minor(body.get("amount"), payment), _left(payment)
        if payment["outcome"] != "paid" or not 0 < wanted <= left:
            return refusal(400, "1161")
        account.refund(payment["id"], str(body["amount"]), str(body["reason"]))
        return jsonify(account.refunds(account.find(payment["id"]) or payment)[-1])

    @api.post("/refunds/list")
    def refunds() -> Response:
        wanted = (_body() or {}).get("charges") or []
        found = [account.find(str(charge_id)) for charge_id in wanted]
        listed = [refund for payment in found if payment for refund in account.refunds(payment)]
        if not listed:
            response = jsonify(message="Refunds not found")
            response.status_code = 400
            return response
        return jsonify(object="list", live_mode=False, has_more=False, refunds=listed)


def _body() -> dict[str, Any] | None:
    try:
        # Numbers as their text: 12.500 must not have become a double on its way in.
        body = json.loads(request.get_data(), parse_float=str, parse_int=str)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _remembered(account: TapAccount, body: Document) -> Document | None:
    key = (body.get("reference") or {}).get("idempotent")
    found = account.store.find_by_key(KIND, key) if key else []
    since = account.clock.now_ms() - _REMEMBERED_MS
    return next((payment for payment in found if payment["created_ms"] > since), None)


def _ordered(account: TapAccount, body: Document) -> Document:
    reference = body.get("reference") or {}
    expiry = (body.get("transaction") or {}).get("expiry") or {}
    minutes = int(expiry.get("period", _PAGE_MINUTES))
    now = account.clock.now_ms()
    charge_id = f"chg_TS{secrets.token_hex(12)}"
    return {
        "id": charge_id,
        "key": reference.get("idempotent"),
        "amount": _printed(str(body["amount"]), body["currency"]),
        "currency": body["currency"],
        "reference": str(reference.get("order", "")),
        "own_references": {"track": f"tck_TS{secrets.token_hex(8)}", **reference},
        "description": str(body.get("description", "")),
        "metadata": body.get("metadata") or {},
        "customer": body["customer"],
        "source": body["source"]["id"],
        "page_url": f"{request.host_url}pay/{charge_id}",
        "return_url": body["redirect"]["url"],
        "callback_url": (body.get("post") or {}).get("url", ""),
        "post": {"attempt": 0, "status": "PENDING"},
        "expiry": {"period": minutes, "type": "MINUTE"},
        "created_ms": now,
        "expires_ms": now + minutes * 60_000,
    }


def _printed(amount: str, currency: str) -> str:
    whole, _, fraction = amount.partition(".")
    return f"{whole}.{fraction.ljust(DECIMALS[currency], '0')}"


def _minor(amount: Any, payment: Document) -> int:
    whole, _, fraction = str(amount).partition(".")
    decimals = DECIMALS[payment["currency"]]
    text = whole + fraction.ljust(decimals, "0")
    return int(text) if text.isdigit() and len(fraction) <= decimals else 0


def _left(payment: Document) -> int:
    given = sum(_minor(refund["amount"], payment) for refund in payment["refunds"])
    return _minor(payment["amount"], payment) - given
