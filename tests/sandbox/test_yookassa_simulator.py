"""YooKassa's simulator by itself: as strict and as forgetful as the real one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.sandbox.yookassa_client import (
    DAY,
    KEY,
    MODULE,
    OPTIONS,
    SHOP,
    call,
    created,
    fetched,
    order,
    press,
    refund,
    refused,
)
from tests.simulators import PATIENCE, Simulator, running


@pytest.fixture(scope="module")
def shop() -> Iterator[Simulator]:
    with running(MODULE, *OPTIONS) as simulator:
        yield simulator


# Payments


def test_a_payment_is_printed_as_yookassa_prints_it(shop):
    payment = created(shop)
    assert re.fullmatch(r"[0-9a-f]{8}-000f-5000-8000-[0-9a-f]{12}", payment["id"])
    assert payment["confirmation"].pop("confirmation_url") == f"{shop.url}/pay/{payment['id']}"
    assert re.fullmatch(r"[0-9T:-]{19}\.[0-9]{3}Z", payment.pop("created_at"))
    assert payment == {
        "id": payment["id"],
        "status": "pending",
        "paid": False,
        "amount": {"value": "1500.00", "currency": "RUB"},
        "confirmation": {"type": "redirect", "return_url": "http://127.0.0.1:1/back?a=1&b=2"},
        "description": "A deposit",
        "metadata": {"deposit_id": "dep_1"},
        "recipient": {"account_id": SHOP, "gateway_id": "100700"},
        "refundable": False,
        "test": True,
    }


@pytest.mark.parametrize(
    "auth", [None, (SHOP, "test_other"), ("100501", KEY), (KEY, SHOP), (SHOP, "")]
)
def test_without_the_shops_key_nothing_is_said(shop, auth):
    for answer in (
        call(shop, "payments", order(), auth=auth),
        call(shop, "payments/x", auth=auth),
        call(shop, "refunds", {}, auth=auth),
    ):
        refused(answer, 401, "invalid_credentials")


def test_a_bearer_token_is_refused(shop):
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = requests.get(f"{shop.url}/v3/payments/x", headers=headers, timeout=PATIENCE)
    refused(answer, 401, "invalid_credentials")


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"amount": None}, "amount"),
        ({"amount": "1500.00"}, "amount"),
        ({"amount": {"value": "1500.00", "currency": "USD"}}, "amount.currency"),
        ({"amount": {"value": "1500.00", "currency": "rub"}}, "amount.currency"),
        ({"amount": {"value": "1500.00"}}, "amount.currency"),
        *(
            ({"amount": {"value": value, "currency": "RUB"}}, "amount.value")
            for value in (
                *(1500.00, 1500, None, "1500", "1500.0", "1500.000", "1500,00", "+1500.00"),
                *("-1.00", "0.00", "0.99", "350000.01", "01500.00", "1e3", " 1500.00", ".50", ""),
                "\uff11\uff10.00",
            )
        ),
        ({"capture": "true"}, "capture"),
        ({"confirmation": None}, "confirmation"),
        ({"confirmation": {"type": "embedded"}}, "confirmation"),
        ({"confirmation": {"type": "redirect"}}, "confirmation"),
        ({"confirmation": {"type": "redirect", "return_url": "ftp://x"}}, "confirmation"),
        ({"payment_method_data": {"type": "bank_crad"}}, "payment_method_data"),
        ({"payment_method_data": "bank_card"}, "payment_method_data"),
        ({"description": "x" * 129}, "description"),
        ({"description": 7}, "description"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "metadata"),
        ({"metadata": {"k" * 33: "v"}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata"),
        ({"metadata": {"k": 7}}, "metadata"),
        ({"metadata": []}, "metadata"),
    ],
    ids=str,
)
def test_a_bad_order_is_refused_by_the_name_of_what_is_wrong(shop, changes, parameter):
    refused(call(shop, "payments", order(**changes)), 400, "invalid_request", parameter)


@pytest.mark.parametrize("value", ["1.00", "350000.00", "999.99"])
def test_what_a_card_may_pay_is_taken(shop, value):
    amount = {"value": value, "currency": "RUB"}
    assert created(shop, amount=amount)["amount"] == amount


@pytest.mark.parametrize("body", [b"[]", b"nonsense", b'"x"', b"\xff", b"7"])
def test_what_is_not_a_json_object_is_refused(shop, body):
    refused(call(shop, "payments", body), 400, "invalid_request")


def test_a_form_is_refused(shop):
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Idempotence-Key": "form"}
    refused(call(shop, "payments", b"a=b", headers=headers), 415, "invalid_request")


def test_an_unknown_payment_is_not_found(shop):
    refused(call(shop, "payments/none"), 404, "not_found", "payment_id")
    for verb in ("capture", "cancel"):
        refused(call(shop, f"payments/none/{verb}", {}), 404, "not_found", "payment_id")


# Idempotence-Key


@pytest.mark.parametrize("key", [None, "x" * 65])
@pytest.mark.parametrize("path", ["payments", "refunds", "payments/x/cancel", "payments/x/capture"])
def test_every_post_has_a_key_of_its_own(shop, path, key):
    refused(call(shop, path, order(), key), 400, "invalid_request", "Idempotence-Key")


def test_the_usual_spelling_of_the_header_is_not_theirs(shop):
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = call(shop, "payments", order(), headers=headers)
    refused(answer, 400, "invalid_request", "Idempotence-Key")


def test_a_repeat_gets_the_first_answer_for_a_day(shop):
    first = call(shop, "payments", order(), "again").json()
    press(first)
    assert call(shop, "payments", order(), "again").json() == first
    shop.pull("clock", advance_seconds=DAY + 1)
    assert call(shop, "payments", order(), "again").json()["id"] != first["id"]


def test_another_order_under_a_key_is_refused(shop):
    payment = call(shop, "payments", order(), "taken").json()
    for path, body in (
        ("payments", order(description="Another")),
        (f"payments/{payment['id']}/cancel", order()),
    ):
        answer = call(shop, path, body, "taken")
        refused(answer, 400, "invalid_request", "Idempotence-Key")
        assert answer.json()["description"] == "Duplicate idempotence key"


def test_a_key_that_was_refused_is_free(shop):
    wrong = order(amount={"value": "1", "currency": "RUB"})
    refused(call(shop, "payments", wrong, "free"), 400, "invalid_request", "amount.value")
    assert call(shop, "payments", order(), "free").status_code == 200


# Both ends, and what is held between them


def test_a_paid_payment_is_succeeded(shop):
    payment = created(shop)
    press(payment)
    paid = fetched(shop, payment)
    assert (paid["status"], paid["paid"], paid["refundable"]) == ("succeeded", True, True)
    assert paid["refunded_amount"] == {"value": "0.00", "currency": "RUB"}
    assert paid["captured_at"]
    assert "confirmation" not in paid


@pytest.mark.parametrize(
    ("outcome", "party", "reason"),
    [
        ("declined", "payment_network", "insufficient_funds"),
        ("cancelled", "merchant", "canceled_by_merchant"),
    ],
)
def test_a_payment_without_money_is_canceled_and_says_by_whom(shop, outcome, party, reason):
    payment = created(shop)
    press(payment, outcome)
    canceled = fetched(shop, payment)
    assert (canceled["status"], canceled["paid"]) == ("canceled", False)
    assert canceled["cancellation_details"] == {"party": party, "reason": reason}


def test_the_browser_goes_back_exactly_where_it_was_told(shop):
    for outcome in ("paid", "declined", "cancelled"):
        answer = press(created(shop), outcome)
        assert answer.headers["Location"] == "http://127.0.0.1:1/back?a=1&b=2"


def test_a_payment_with_auto_capture_can_not_be_cancelled(shop):
    payment = created(shop)
    for _ in range(2):
        answer = call(shop, f"payments/{payment['id']}/cancel", {})
        refused(answer, 400, "invalid_request")
        press(payment)
    assert fetched(shop, payment)["status"] == "succeeded"


@pytest.mark.parametrize("capture", [False, None])
def test_without_capture_it_is_held_until_it_is_taken(shop, capture):
    changes = {} if capture is None else {"capture": capture}
    body = {name: value for name, value in order().items() if name != "capture"}
    payment = call(shop, "payments", body | changes).json()
    path = f"payments/{payment['id']}/capture"
    refused(call(shop, path, {}), 400, "invalid_request")
    press(payment)
    held = fetched(shop, payment)
    assert (held["status"], held["paid"], held["refundable"]) == (
        *("waiting_for_capture", True, False),
    )
    assert held["expires_at"]
    too_much = {"amount": {"value": "1500.01", "currency": "RUB"}}
    refused(call(shop, path, too_much), 400, "invalid_request", "amount")

    part = {"amount": {"value": "1000.00", "currency": "RUB"}}
    taken = call(shop, path, part, f"take-{capture}").json()

    assert (taken["status"], taken["amount"]) == ("succeeded", part["amount"])
    assert call(shop, path, part, f"take-{capture}").json() == taken
    refused(call(shop, path, part), 400, "invalid_request")
    assert fetched(shop, payment) == taken


def test_what_is_held_can_be_let_go(shop):
    payment = created(shop, capture=False)
    press(payment)
    canceled = call(shop, f"payments/{payment['id']}/cancel", {}).json()
    assert canceled["status"] == "canceled"
    assert canceled["cancellation_details"]["reason"] == "canceled_by_merchant"
    refused(call(shop, f"payments/{payment['id']}/cancel", {}), 400, "invalid_request")


def test_what_is_held_for_a_week_is_let_go(shop):
    payment = created(shop, capture=False)
    press(payment)
    shop.pull("clock", advance_seconds=7 * DAY - 60)
    assert fetched(shop, payment)["status"] == "waiting_for_capture"
    shop.pull("clock", advance_seconds=60)
    lapsed = fetched(shop, payment)
    assert (lapsed["status"], lapsed["paid"]) == ("canceled", False)
    assert lapsed["cancellation_details"]["reason"] == "expired_on_capture"


# Refunds


def test_refunds_add_up_to_the_payment_and_no_further(shop):
    payment = created(shop)
    refused(call(shop, "refunds", refund(payment, "1.00")), 400, "invalid_request", "payment_id")
    press(payment)
    first = call(shop, "refunds", refund(payment, "1000.50")).json()
    assert (first["status"], first["payment_id"]) == ("succeeded", payment["id"])
    assert call(shop, f"refunds/{first['id']}").json() == first
    too_much = call(shop, "refunds", refund(payment, "499.51"))
    refused(too_much, 400, "invalid_request", "amount.value")
    assert call(shop, "refunds", refund(payment, "499.50")).status_code == 200
    given_back = fetched(shop, payment)
    assert given_back["refunded_amount"] == {"value": "1500.00", "currency": "RUB"}
    assert given_back["status"] == "succeeded", "there is no status for it"


def test_a_refund_is_made_once_under_its_key(shop):
    payment = created(shop)
    press(payment)
    first = call(shop, "refunds", refund(payment, "10.00"), "refund-1").json()
    assert call(shop, "refunds", refund(payment, "10.00"), "refund-1").json() == first
    other = call(shop, "refunds", refund(payment, "11.00"), "refund-1")
    refused(other, 400, "invalid_request", "Idempotence-Key")
    assert fetched(shop, payment)["refunded_amount"]["value"] == "10.00"


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"payment_id": "none"}, "payment_id"),
        ({"payment_id": None}, "payment_id"),
        ({"amount": None}, "amount.currency"),
        ({"amount": {"value": "1.00", "currency": "USD"}}, "amount.currency"),
        ({"amount": {"value": "0.00", "currency": "RUB"}}, "amount.value"),
        ({"amount": {"value": "1.0", "currency": "RUB"}}, "amount.value"),
        ({"amount": {"value": 1.00, "currency": "RUB"}}, "amount.value"),
    ],
    ids=str,
)
def test_a_bad_refund_is_refused(shop, changes, parameter):
    payment = created(shop)
    press(payment)
    answer = call(shop, "refunds", refund(payment, "1.00", **changes))
    refused(answer, 400, "invalid_request", parameter)
    assert fetched(shop, payment)["refunded_amount"]["value"] == "0.00"


def test_an_unknown_refund_is_not_found(shop):
    refused(call(shop, "refunds/none"), 404, "not_found", "refund_id")


# Restarts


@pytest.mark.slow
def test_everything_survives_being_killed(tmp_path: Path):
    options = (*OPTIONS, "--state", str(tmp_path))
    with running(MODULE, *options) as shop:
        waiting = call(shop, "payments", order(), "kept").json()
        paid = created(shop)
        press(paid)
        given = call(shop, "refunds", refund(paid, "5.00"), "kept-too").json()
        before = shop.look("payments")
        shop.kill()
    with running(MODULE, *options) as shop:
        assert shop.look("payments") == before
        assert call(shop, "payments", order(), "kept").json() == waiting
        assert call(shop, "refunds", refund(paid, "5.00"), "kept-too").json() == given
