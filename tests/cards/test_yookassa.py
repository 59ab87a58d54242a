"""What is YooKassa's alone: networks instead of signatures, cancellations, refunds in messages."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest

from config import YOOKASSA_NETWORKS
from protonpay.cards.port import (
    CallbackRequest,
    CardStatus,
    Forged,
    KeyRefused,
    Rejected,
    SessionRequest,
)
from protonpay.cards.yookassa import YooKassa
from protonpay.kernel.fiat import FiatAmount
from protonpay.wire.http import NoAnswer
from tests.contract.card import NONSENSE
from tests.raw_server import answering, http

PAYMENT = "30c1f2aa-000f-5000-8000-1b7c2d3e4f50"
REFUND = "40c1f2aa-000f-5000-a000-1b7c2d3e4f50"
INSIDE = "185.71.76.5"
SUCCEEDED: dict[str, Any] = {
    "id": PAYMENT,
    "status": "succeeded",
    "paid": True,
    "amount": {"value": "1500.00", "currency": "RUB"},
    "refunded_amount": {"value": "0.00", "currency": "RUB"},
    "metadata": {"deposit_id": "cdeposit"},
    "test": True,
}


def adapter(url: str = "http://127.0.0.1:9") -> YooKassa:
    return YooKassa(f"{url}/v3", "100500", "test_key", YOOKASSA_NETWORKS)


def notice(body: Any, address: str = INSIDE) -> CallbackRequest:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CallbackRequest({}, data, address, "/api/callbacks/yookassa")


def told(event: str = "payment.succeeded", **thing: Any) -> dict[str, Any]:
    return {"type": "notification", "event": event, "object": {"id": PAYMENT, **thing}}


def answered(body: Any, status: str = "200 OK") -> Any:
    return answering(http(json.dumps(body).encode(), status))


@pytest.mark.parametrize(
    "address",
    [
        *("185.71.76.0", "185.71.77.31", "77.75.153.127", "77.75.154.128", "77.75.156.11"),
        *("77.75.156.35", "2a02:5180:0:1509::7", "::ffff:185.71.76.5"),
    ],
)
def test_notifications_from_yookassa_are_taken(address: str):
    assert adapter().read_callback(notice(told(), address)).provider_ref == PAYMENT


@pytest.mark.checklist(66)
@pytest.mark.parametrize(
    "address",
    [
        *("185.71.76.32", "185.71.75.255", "77.75.156.12", "127.0.0.1", "10.0.0.1", "203.0.113.7"),
        *("2a02:5181::1", "::ffff:203.0.113.7", "::1", "", "unknown", "185.71.76.5, 10.0.0.1"),
    ],
)
def test_those_from_elsewhere_are_forged_whatever_they_say(address: str):
    with pytest.raises(Forged):
        adapter().read_callback(notice(told(), address))


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:30]))
def test_nonsense_from_inside_is_forged_and_nothing_else(body: bytes):
    with pytest.raises(Forged):
        adapter().read_callback(notice(body))


@pytest.mark.parametrize(
    "body",
    [
        told(event="payment"),
        told(event="payment.succeeded\n"),
        told(event=""),
        told(id="../refunds"),
        told(id=PAYMENT.upper()),
        told(id=PAYMENT + "0"),
        told(event="refund.succeeded"),
        told(event="refund.succeeded", payment_id="x"),
    ],
    ids=str,
)
def test_what_could_steer_our_requests_is_forged(body: dict[str, Any]):
    with pytest.raises(Forged):
        adapter().read_callback(notice(body))


def test_a_refund_is_a_reason_to_ask_about_its_payment():
    body = told("refund.succeeded") | {"object": {"id": REFUND, "payment_id": PAYMENT}}
    other = told("refund.succeeded") | {"object": {"id": PAYMENT, "payment_id": PAYMENT}}
    read = adapter().read_callback
    assert read(notice(body)).provider_ref == PAYMENT
    events = {read(notice(each)).event_id for each in (body, body, other, told())}
    assert len(events) == 3


def test_the_same_event_of_the_same_object_is_one_whatever_else_it_says():
    read = adapter().read_callback
    assert read(notice(told(status="a"))).event_id == read(notice(told(status="b"))).event_id


def test_an_order_is_made_once_under_its_own_key_and_says_what_it_must():
    request = SessionRequest(
        reference="cdeposit1",
        amount=FiatAmount.parse("1500.50", "RUB"),
        description="x" * 500,
        customer_name="Ann",
        customer_email="ann@example.com",
        return_url="https://pay.example.com/deposits/cdeposit1",
        callback_url="https://pay.example.com/api/callbacks/yookassa",
    )
    page = {"confirmation_url": "https://yoomoney.ru/checkout/payments/v2?orderId=1"}
    with answered({"id": PAYMENT, "status": "pending", "confirmation": page}) as server:
        with suppress(NoAnswer):  # a page over TLS is none of an API without it
            adapter(server.url).create_session(request)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].startswith("POST /v3/payments ")
    assert "Idempotence-Key: cdeposit1" in lines
    credentials = base64.b64encode(b"100500:test_key").decode()
    assert f"Authorization: Basic {credentials}" in lines
    assert json.loads(body) == {
        "amount": {"value": "1500.50", "currency": "RUB"},
        "capture": True,
        "confirmation": {"type": "redirect", "return_url": request.return_url},
        "payment_method_data": {"type": "bank_card"},
        "description": "x" * 128,
        "metadata": {"deposit_id": "cdeposit1"},
    }


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, CardStatus.CAPTURED),
        ({"paid": False}, CardStatus.UNRESOLVED),
        ({"paid": None}, CardStatus.UNRESOLVED),
        ({"status": "pending"}, CardStatus.PENDING),
        ({"status": "waiting_for_capture"}, CardStatus.PENDING),
        ({"status": "Succeeded"}, CardStatus.UNRESOLVED),
        ({"status": None}, CardStatus.UNRESOLVED),
        ({"status": "canceled"}, CardStatus.FAILED),
    ],
    ids=str,
)
def test_each_word_of_a_payment(changes: dict[str, Any], status: CardStatus):
    with answered(SUCCEEDED | changes) as server:
        assert adapter(server.url).fetch_payment(PAYMENT).status is status


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("expired_on_confirmation", CardStatus.EXPIRED),
        ("canceled_by_merchant", CardStatus.CANCELED),
        ("insufficient_funds", CardStatus.FAILED),
        ("a_reason_of_tomorrow", CardStatus.FAILED),
    ],
)
def test_each_way_to_be_cancelled(reason: str, status: CardStatus):
    details = {"party": "payment_network", "reason": reason}
    with answered(SUCCEEDED | {"status": "canceled", "cancellation_details": details}) as server:
        payment = adapter(server.url).fetch_payment(PAYMENT)
    assert (payment.status, payment.reason) == (status, f"payment_network {reason}")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": PAYMENT.replace("3", "4")},
        {"test": None},
        {"test": "true"},
        {"amount": None},
        {"amount": {"value": 1500.00, "currency": "RUB"}},
        {"amount": {"value": "1500.001", "currency": "RUB"}},
        {"amount": {"value": "1500.00", "currency": "XXX"}},
        {"refunded_amount": {"value": "-1", "currency": "RUB"}},
    ],
    ids=str,
)
def test_a_payment_that_cannot_be_is_not_known(changes: dict[str, Any]):
    with answered(SUCCEEDED | changes) as server, pytest.raises(NoAnswer):
        adapter(server.url).fetch_payment(PAYMENT)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        ("202 Accepted", {"type": "processing", "retry_after": 1800}, NoAnswer),
        ("400 Bad Request", {"type": "error", "code": "invalid_request"}, Rejected),
        ("400 Bad Request", {"oops": True}, NoAnswer),
        ("401 Unauthorized", {"type": "error", "code": "invalid_credentials"}, KeyRefused),
        ("403 Forbidden", {"type": "error", "code": "forbidden"}, KeyRefused),
        ("429 Too Many", {"type": "error", "code": "too_many_requests"}, NoAnswer),
        ("500 Internal", {"type": "error", "code": "internal_server_error"}, NoAnswer),
        ("200 OK", [], NoAnswer),
    ],
)
def test_yes_no_and_neither(status: str, body: Any, expected: type[Exception]):
    with answered(body, status) as server, pytest.raises(expected) as refused:
        adapter(server.url).fetch_payment(PAYMENT)
    assert refused.type is expected


def test_what_is_told_of_a_refusal_never_quotes_what_was_sent():
    error = {"type": "error", "code": "invalid_request", "parameter": "receipt.customer.email"}
    quoting = error | {"description": "ann@example.com"}
    with answered(quoting, "400 Bad Request") as server, pytest.raises(Rejected) as refused:
        adapter(server.url).fetch_payment(PAYMENT)
    assert refused.value.reason == "yookassa: 400 invalid_request receipt.customer.email"
