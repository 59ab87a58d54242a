"""FreedomPay's Merchant API: scripts that take a signed form and answer signed XML, always 200."""

import hmac
import re
import secrets
from collections.abc import Mapping

from flask import Blueprint, Response, g, request

from protonpay.sandbox.cards.simulator import KIND
from protonpay.sandbox.cards.store import Document
from protonpay.sandbox.freedompay.messages import Fields, as_xml, pg_sig, read_form, script_of
from protonpay.sandbox.freedompay.shop import FreedomPayShop, refunded, tiyn

_AMOUNT = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,2})?", re.ASCII)
_LIFETIME = range(300, 604_801)
_USUAL_LIFETIME = 86_400
_LONGEST_ORDER, _LONGEST_DESCRIPTION, _LONGEST_URL = 50, 1024, 255
_CURRENCIES = ("KZT", "UZS", "KGS")
_DESCRIPTIONS = {
    "340": "Транзакция не найдена",
    "9403": "Ошибка валидации",
    "9991": "Номер заказа не уникален",
    "9993": "Отсутствует адрес магазина",
    "9995": "Платёж в тестовом режиме",
    "9997": "Неверный идентификатор магазина",
    "9998": "Неверная подпись запроса",
    "10020": "Сумма возврата превышает сумму платежа",
}
_NO_TO_BE_ASKED = frozenset({400, 402, 404})
"""The faults that FreedomPay would tell with 200 and a code; all others are its web server's."""


def answer(fields: Fields, secret: str | None) -> Response:
    """Return a message of FreedomPay's, signed with the name of the script that was called."""
    return Response(as_xml(script_of(request.path), fields, secret), mimetype="text/xml")


def error(code: str, secret: str | None) -> Response:
    """Return a no as FreedomPay tells it."""
    told = [
        ("pg_status", "error"),
        ("pg_error_code", code),
        ("pg_error_description", _DESCRIPTIONS.get(code, "Ошибка")),
    ]
    if secret is not None:
        told.append(("pg_salt", secrets.token_hex(8)))
    return answer(told, secret)


def refusal(status: int, secret: str) -> Response:
    """Return what a fault of a status looks like."""
    if status in _NO_TO_BE_ASKED:
        return error("9403", secret)
    return Response("", status)


def freedompay_api(shop: FreedomPayShop, merchant_id: str) -> Blueprint:
    """Return the scripts of one shop."""
    api = Blueprint("api", __name__)

    @api.before_request
    def authorise() -> Response | None:
        form = request.form
        if form.get("pg_merchant_id") != merchant_id:
            return error("9997", None)
        fields = read_form(form.items(multi=True))
        expected = pg_sig(script_of(request.path), fields, shop.secret_key)
        given = form.get("pg_sig", "").lower()
        known = form.get("pg_salt") and hmac.compare_digest(given.encode(), expected.encode())
        return None if known else error("9998", shop.secret_key)

    shop.faults.guard(api)
    _paying(api, shop)
    _looking(api, shop)
    return api


def _paying(api: Blueprint, shop: FreedomPayShop) -> None:
    @api.post("/init_payment.php")
    @api.post("/init_payment")
    def create() -> Response:
        form = request.form
        code = _broken_rule(form)
        if code:
            return error(code, shop.secret_key)
        with shop.store.lock:
            known = _of_order(shop, form["pg_order_id"])
            if known is not None and shop.repeats == "unique":
                return error("9991", shop.secret_key)
            same = known if shop.repeats == "same" else None
            payment = same or shop.take(_ordered(shop, form))
        told = [
            ("pg_status", "ok"),
            ("pg_payment_id", payment["id"]),
            ("pg_redirect_url", payment["page_url"]),
            ("pg_redirect_url_type", "need data"),
            ("pg_salt", secrets.token_hex(8)),
        ]
        return answer(told, shop.secret_key)

    @api.post("/revoke.php")
    @api.post("/revoke")
    def revoke() -> Response:
        payment = shop.find(request.form.get("pg_payment_id", ""))
        if payment is None or payment["outcome"] != "paid":
            return error("340", shop.secret_key)
        left = tiyn(payment["amount"]) - tiyn(refunded(payment))
        amount = request.form.get("pg_refund_amount") or "0"
        # Nothing, or zero, means everything.
        wanted = (tiyn(amount) if _AMOUNT.fullmatch(amount) else -1) or left
        if not 0 < wanted <= left:
            return error("10020", shop.secret_key)
        shop.refund(payment["id"], f"{wanted // 100}.{wanted % 100:02d}", "revoke")
        told = [("pg_status", "ok"), ("pg_salt", secrets.token_hex(8))]
        return answer(told, shop.secret_key)


def _looking(api: Blueprint, shop: FreedomPayShop) -> None:
    @api.post("/get_status3.php")
    @api.post("/get_status3")
    def fetch() -> Response:
        form = request.form
        payment = shop.find(form.get("pg_payment_id", "")) or (
            _of_order(shop, form["pg_order_id"]) if form.get("pg_order_id") else None
        )
        if payment is None:
            told = [("pg_status", "ok"), ("pg_payment_id", "0")]
            return answer([*told, ("pg_salt", secrets.token_hex(8))], shop.secret_key)
        stale = g.fault.get("fault") == "stale"
        shown = {**payment, "outcome": None} if stale else payment
        return answer(shop.status(shown), shop.secret_key)


def _of_order(shop: FreedomPayShop, order_id: str) -> Document | None:
    found = shop.store.find_by_key(KIND, order_id)
    return shop.find(found[0]["id"]) if found else None


def _broken_rule(form: Mapping[str, str]) -> str | None:
    amount, lifetime = form.get("pg_amount", ""), form.get("pg_lifetime") or str(_USUAL_LIFETIME)
    urls = [form.get(f"pg_{name}_url", "") for name in ("result", "success", "failure")]
    rules = (
        bool(_AMOUNT.fullmatch(amount)) and tiyn(amount) > 0,
        form.get("pg_currency") in _CURRENCIES,
        0 < len(form.get("pg_description", "")) <= _LONGEST_DESCRIPTION,
        0 < len(form.get("pg_order_id", "")) <= _LONGEST_ORDER,
        lifetime.isdigit() and int(lifetime) in _LIFETIME,
        all(len(url) <= _LONGEST_URL for url in urls),
    )
    if not all(rules):
        return "9403"
    # A shop that only tests takes no money.
    return None if form.get("pg_testing_mode") == "1" else "9995"


def _ordered(shop: FreedomPayShop, form: Mapping[str, str]) -> Document:
    now, payment_id = shop.clock.now_ms(), str(10**9 + secrets.randbelow(9 * 10**9))
    lifetime = int(form.get("pg_lifetime") or _USUAL_LIFETIME)
    whole, _, fraction = form["pg_amount"].partition(".")
    return {
        "id": payment_id,
        "key": form["pg_order_id"],
        "amount": f"{whole}.{fraction.ljust(2, '0')}",
        "currency": form["pg_currency"],
        "reference": form["pg_order_id"],
        "description": form["pg_description"],
        "customer": {"email": form.get("pg_user_contact_email", "")},
        "page_url": f"{request.host_url}pay/{payment_id}",
        "return_url": form.get("pg_success_url", ""),
        "failure_url": form.get("pg_failure_url", ""),
        "callback_url": form.get("pg_result_url", ""),
        "created_ms": now,
        "expires_ms": now + lifetime * 1000,
    }
