"""What is FreedomPay's alone: its signature, by known messages, and words that mean two things."""

from collections.abc import Mapping
from typing import Any

import pytest

from protonpay.cards.freedompay import FreedomPay
from protonpay.cards.freedompay_messages import as_fields, is_signed, read_form, signature
from protonpay.cards.port import CallbackRequest, CardStatus, Forged, KeyRefused, Rejected
from protonpay.kernel.fiat import FiatAmount
from protonpay.sandbox.freedompay.messages import as_xml, pg_sig
from protonpay.wire.http import NoAnswer
from protonpay.wire.plain_xml import Element
from tests.raw_server import answering, http

SECRET = "testSecretKey01"
PAYMENT = "1814868833"
RESULT = (
    "pg_order_id=dep_01J9ZQ4T7C&pg_payment_id=1814868833&pg_amount=15000.5&pg_currency=KZT"
    "&pg_net_amount=14565.48&pg_ps_amount=15000.5&pg_ps_full_amount=15000.5&pg_ps_currency=KZT"
    "&pg_description=Proton+Pay+deposit+dep_01J9ZQ4T7C&pg_result=1"
    "&pg_payment_date=2026-07-22+16%3A40%3A02&pg_can_reject=1&pg_user_phone=77001234567"
    "&pg_need_phone_notification=0&pg_user_contact_email=&pg_need_email_notification=0"
    "&pg_testing_mode=1&pg_payment_method=bankcard&pg_captured=1&pg_card_pan=4111-11XX-XXXX-1111"
    "&pg_card_brand=VI&pg_auth_code=746927&pg_reference=260722112924&pg_salt=Qw3rTy9z"
    "&pg_sig=f75426f6d30b1758dc4b14f09bb100fa"
)
"""A result as FreedomPay posts it; its signature was computed elsewhere (reference, vector D)."""


def adapter(url: str = "http://127.0.0.1:9") -> FreedomPay:
    return FreedomPay(url, "500001", SECRET, "1")


def called(body: str, path: str = "/api/callbacks/result") -> CallbackRequest:
    return CallbackRequest({}, body.encode(), "203.0.113.7", path)


@pytest.mark.parametrize(
    ("script", "fields", "expected"),
    [
        (
            "init_payment.php",
            {
                "pg_amount": "15000.50",
                "pg_auto_clearing": "1",
                "pg_currency": "KZT",
                "pg_description": "Proton Pay deposit dep_01J9ZQ4T7C",
                "pg_failure_url": "https://pay.example.test/return/fail",
                "pg_language": "en",
                "pg_lifetime": "1800",
                "pg_merchant_id": "500001",
                "pg_order_id": "dep_01J9ZQ4T7C",
                "pg_request_method": "POST",
                "pg_result_url": "https://pay.example.test/webhooks/freedompay/result",
                "pg_salt": "s4ltS4lt",
                "pg_success_url": "https://pay.example.test/return/ok",
                "pg_testing_mode": "1",
            },
            "8e1f955f024c4e5c40f552cad715523b",
        ),
        (
            "get_status3.php",
            {
                "pg_merchant_id": "500001",
                "pg_order_id": "dep_01J9ZQ4T7C",
                "pg_payment_id": "1814868833",
                "pg_salt": "st4tus",
            },
            "0b3c9b9f1f702e80847ee10aeeefe1a7",
        ),
        (
            "revoke.php",
            {
                "pg_merchant_id": "500001",
                "pg_payment_id": "1814868833",
                "pg_refund_amount": "5000.00",
                "pg_salt": "rev0ke",
            },
            "fec005f0b12f02e0f981a1b0b080042a",
        ),
        (
            "result",
            {"pg_status": "ok", "pg_description": "Accepted", "pg_salt": "Qw3rTy9z"},
            "f47da12ba7b5a1eac6e53315846bcdf8",
        ),
    ],
)
def test_known_messages_have_their_known_signatures(
    script: str, fields: Mapping[str, str], expected: str
):
    assert signature(script, as_fields(fields), SECRET) == expected
    assert pg_sig(script, list(fields.items()), SECRET) == expected
    backwards = dict(reversed(fields.items()))
    assert signature(script, as_fields(backwards), SECRET) == expected, "in any order"


def test_a_known_answer_with_repeated_elements_has_its_known_signature():
    parts = tuple(
        Element("pg_refund_payment", "", (Element("pg_payment_id", n), Element("pg_amount", a)))
        for n, a in (("91", "-10"), ("92", "-5"))
    )
    said = [
        Element("pg_status", "ok"),
        Element("pg_payment_id", "9"),
        Element("pg_refund_payments", "", parts),
        Element("pg_salt", "q"),
    ]
    assert signature("get_status3.php", said, SECRET) == "3ce72d868b905099e0deacaa6160a226"


def test_a_known_result_is_taken_and_answered_with_the_known_answer():
    callback = adapter().read_callback(called(RESULT))
    assert callback.provider_ref == PAYMENT
    assert callback.answer_type == "text/xml"
    assert callback.answer == (
        b'<?xml version="1.0" encoding="utf-8"?><response><pg_status>ok</pg_status>'
        b"<pg_description>Accepted</pg_description><pg_salt>Qw3rTy9z</pg_salt>"
        b"<pg_sig>f47da12ba7b5a1eac6e53315846bcdf8</pg_sig></response>"
    )


def test_the_same_result_under_another_salt_is_the_same_event():
    fields = read_form(RESULT.encode()) | {"pg_salt": "other"}
    del fields["pg_sig"]
    fields["pg_sig"] = pg_sig("result", list(fields.items()), SECRET)
    body = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in fields.items())
    again = adapter().read_callback(called(body))
    assert again.event_id == adapter().read_callback(called(RESULT)).event_id


@pytest.mark.parametrize(
    "body",
    [
        RESULT.replace("pg_amount=15000.5", "pg_amount=15000.50"),
        RESULT.replace("pg_result=1", "pg_result=0"),
        RESULT.replace("&pg_user_contact_email=", ""),
        RESULT + "&pg_extra=1",
        RESULT + "&pg_result=1",
        RESULT.replace("f75426f6", "f75426f7"),
        RESULT.rpartition("&pg_sig")[0],
        RESULT.replace("&pg_salt=Qw3rTy9z", ""),
        "pg_xml=<response/>",
    ],
)
def test_a_result_that_differs_in_anything_is_forged(body: str):
    with pytest.raises(Forged):
        adapter().read_callback(called(body))


@pytest.mark.parametrize(
    "path", ["/api/callbacks/result/", "/api/callbacks/results", "/result?a=b"]
)
def test_a_result_for_another_address_is_forged(path: str):
    with pytest.raises(Forged):
        adapter().read_callback(called(RESULT, path))


STATUS = {
    "pg_status": "ok",
    "pg_payment_id": PAYMENT,
    "pg_order_id": "cdeposit",
    "pg_payment_status": "success",
    "pg_amount": "1500.5",
    "pg_currency": "KZT",
    "pg_captured": "1",
    "pg_testing_mode": "1",
    "pg_salt": "salt",
}


def fetched(changes: Mapping[str, Any], secret: str | None = SECRET) -> Any:
    fields = [(k, v) for k, v in (STATUS | changes).items() if v is not None]
    body = as_xml("get_status3.php", fields, secret).encode()
    with answering(http(body)) as server:
        return adapter(server.url).fetch_payment(PAYMENT)


def test_amounts_come_without_their_zeros_and_are_the_same():
    assert fetched({}).amount == FiatAmount.parse("1500.50", "KZT")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, CardStatus.CAPTURED),
        ({"pg_captured": "0"}, CardStatus.UNRESOLVED),
        ({"pg_captured": None}, CardStatus.UNRESOLVED),
        ({"pg_payment_status": "process", "pg_captured": None}, CardStatus.PENDING),
        ({"pg_payment_status": "process"}, CardStatus.UNRESOLVED),
        ({"pg_payment_status": "failed", "pg_captured": None}, CardStatus.FAILED),
        ({"pg_payment_status": "incomplete", "pg_captured": None}, CardStatus.EXPIRED),
        ({"pg_payment_status": "tomorrow"}, CardStatus.UNRESOLVED),
        ({"pg_payment_status": "refunded"}, CardStatus.UNRESOLVED),
        ({"pg_payment_status": "refunded", "pg_refund_amount": "-1500.5"}, CardStatus.CAPTURED),
    ],
    ids=str,
)
def test_each_word_and_whether_the_money_was_taken(changes: Any, status: CardStatus):
    assert fetched(changes).status is status


def test_what_was_given_back_is_below_zero_and_counts():
    assert fetched({"pg_refund_amount": "-40"}).refunded == FiatAmount.parse("40", "KZT")


@pytest.mark.parametrize(
    "changes",
    [
        *({"pg_amount": "1500.555"}, {"pg_amount": "-1"}, {"pg_amount": None}),
        *({"pg_currency": "XXX"}, {"pg_testing_mode": "2"}, {"pg_payment_id": "77"}),
        {"pg_refund_amount": "lots"},
    ],
    ids=str,
)
def test_a_payment_that_cannot_be_is_not_known(changes: Any):
    with pytest.raises(NoAnswer):
        fetched(changes)


def test_an_answer_of_who_does_not_know_our_key_is_not_known():
    for secret in (None, "another"):
        with pytest.raises(NoAnswer):
            fetched({}, secret)


@pytest.mark.parametrize(
    ("code", "secret", "expected"),
    [
        ("9998", None, KeyRefused),
        ("9997", None, KeyRefused),
        ("9403", SECRET, Rejected),
        ("9403", None, NoAnswer),
        ("9999", SECRET, NoAnswer),
        ("12345", SECRET, NoAnswer),
    ],
)
def test_no_is_said_by_code_and_only_by_who_can_sign(code: str, secret: Any, expected: Any):
    fields = {"pg_status": "error", "pg_error_code": code, "pg_salt": "s"}
    body = as_xml("get_status3.php", list(fields.items()), secret).encode()
    with answering(http(body)) as server, pytest.raises(expected) as refused:
        adapter(server.url).fetch_payment(PAYMENT)
    assert refused.type is expected


def test_a_signature_needs_its_salt():
    unsalted = {"pg_status": "ok"}
    signed = unsalted | {"pg_sig": signature("result", as_fields(unsalted), SECRET)}
    assert not is_signed("result", as_fields(signed), SECRET)
