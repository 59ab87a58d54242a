"""Tap's own details: the exact bytes of an order, the hashstring, and its odder answers."""

import json
from decimal import Decimal
from typing import Any

import pytest

from protonpay.cards.port import (
    CardProvider,
    CardStatus,
    KeyRefused,
    Rejected,
    SessionRequest,
)
from protonpay.cards.tap import Tap
from protonpay.kernel import clock
from protonpay.kernel.fiat import FiatAmount
from protonpay.wire.http import NoAnswer
from tests.raw_server import RawServer, answering, http

KEY = "sk_test_PROTONPAYvector0001"
CHARGE = "chg_TS01A0120261005Ab1c0710001"
ORDER = SessionRequest(
    reference="cmh3x9k2p0000abcd1234efgh",
    amount=FiatAmount.parse("12.5", "KWD"),
    description="Proton Pay deposit",
    customer_name="Жанна",
    customer_email="j@example.com",
    return_url="https://pay.example.test/deposits/1",
    callback_url="https://pay.example.test/callbacks/tap",
)


def tap_at(server: RawServer) -> Tap:
    return Tap(f"{server.url}/v2", KEY, create_seconds=1, read_seconds=1)


def printed(thing: Any, status: str = "200 OK") -> bytes:
    return http(json.dumps(thing).encode(), status)


def charge(**changes: Any) -> dict[str, Any]:
    return {
        "id": CHARGE,
        "live_mode": False,
        "status": "CAPTURED",
        "amount": 12.5,
        "currency": "KWD",
        "reference": {"order": ORDER.reference},
        "transaction": {"url": None},
        **changes,
    }


def test_it_is_a_card_provider():
    provider: CardProvider = Tap("https://api.tap.company/v2", KEY)
    assert provider.name == "tap"
    assert provider.currencies == {"USD", "AED", "SAR", "OMR", "KWD", "BHD", "EGP"}


# The order


def test_an_order_says_everything_tap_asks_for_with_the_amount_exact():
    with answering(printed(charge())) as server:
        tap_at(server).create_session(ORDER)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v2/charges/ HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}".encode() in head
    assert body.startswith(b'{"amount":12.500,')
    assert json.loads(body, parse_float=Decimal) == {
        "amount": Decimal("12.500"),
        "currency": "KWD",
        "threeDSecure": True,
        "save_card": False,
        "description": "Proton Pay deposit",
        "metadata": {"deposit_id": ORDER.reference},
        "reference": {
            "transaction": ORDER.reference,
            "order": ORDER.reference,
            "idempotent": ORDER.reference,
        },
        "customer": {"first_name": "Жанна", "email": "j@example.com"},
        "source": {"id": "src_card"},
        "transaction": {"expiry": {"period": 30, "type": "MINUTE"}},
        "redirect": {"url": "https://pay.example.test/deposits/1"},
        "post": {"url": "https://pay.example.test/callbacks/tap"},
    }


def test_a_charge_that_is_final_at_once_sends_its_payer_straight_back():
    with answering(printed(charge(transaction={}))) as server:
        session = tap_at(server).create_session(ORDER)
    assert (session.provider_ref, session.url) == (CHARGE, ORDER.return_url)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        charge(id=None),
        charge(id="../x"),
        charge(id=CHARGE + "\n"),
        charge(id="chg_" + "x" * 65),
        charge(transaction={"url": "https://evil.test/"}),
        charge(transaction={"url": 7}),
        charge(transaction={"url": ""}),
    ],
)
def test_a_yes_that_cannot_be_used_is_not_known(answer):
    with answering(printed(answer)) as server, pytest.raises(NoAnswer):
        tap_at(server).create_session(ORDER)


# Yes, no and neither


def errors(*codes: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "description": f"about {code}"} for code in codes]}


@pytest.mark.parametrize("status", ["400 Bad", "500 Oops", "200 OK"])
@pytest.mark.parametrize("code", ["2101", "9999", "1151"])
def test_tap_s_own_troubles_are_no_answer_whatever_their_status(status, code):
    with answering(printed(errors("1117", code), status)) as server, pytest.raises(NoAnswer):
        tap_at(server).create_session(ORDER)


@pytest.mark.parametrize("status", ["408 x", "409 x", "429 x", "500 x", "503 x", "302 x", "100 x"])
def test_a_status_that_decides_nothing_is_no_answer(status):
    with answering(printed(errors("1103"), status)) as server, pytest.raises(NoAnswer):
        tap_at(server).create_session(ORDER)


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "403 No", "404 None", "502 Bad"])
def test_a_page_in_html_is_no_answer_whatever_its_status(status):
    with answering(http(b"<html>", status)) as server, pytest.raises(NoAnswer):
        tap_at(server).create_session(ORDER)


def test_a_refusal_says_its_codes():
    with (
        answering(printed(errors("1117", "1119"), "400 Bad")) as server,
        pytest.raises(Rejected) as caught,
    ):
        tap_at(server).create_session(ORDER)
    assert caught.value.reason == "tap: 400 1117 about 1117; 1119 about 1119"


@pytest.mark.parametrize("status", ["401 No", "403 No"])
def test_a_refused_key_is_named_as_such_and_not_shown(status):
    with answering(printed(errors("2104"), status)) as server, pytest.raises(KeyRefused) as caught:
        tap_at(server).create_session(ORDER)
    assert KEY not in caught.value.reason


@pytest.mark.parametrize("said", [{}, {"errors": None}, {"errors": [7, None]}, {"errors": "x"}])
def test_a_refusal_without_a_readable_code_is_still_a_refusal(said):
    with answering(printed(said, "400 Bad")) as server, pytest.raises(Rejected):
        tap_at(server).create_session(ORDER)


# Asking for a charge


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("INITIATED", CardStatus.PENDING),
        ("IN_PROGRESS", CardStatus.PENDING),
        ("CAPTURED", CardStatus.CAPTURED),
        ("ABANDONED", CardStatus.EXPIRED),
        ("CANCELLED", CardStatus.CANCELED),
        ("FAILED", CardStatus.FAILED),
        ("DECLINED", CardStatus.FAILED),
        ("RESTRICTED", CardStatus.FAILED),
        ("VOID", CardStatus.FAILED),
        ("TIMEDOUT", CardStatus.UNRESOLVED),
        ("UNKNOWN", CardStatus.UNRESOLVED),
        ("AUTHORIZED", CardStatus.UNRESOLVED),
        ("captured", CardStatus.UNRESOLVED),
        ("", CardStatus.UNRESOLVED),
        (None, CardStatus.UNRESOLVED),
        (["CAPTURED"], CardStatus.UNRESOLVED),
    ],
)
def test_every_word_of_tap_has_one_meaning(word, status):
    no_refunds = printed({"message": "Refunds not found"}, "400 Bad")
    with answering(printed(charge(status=word)), no_refunds) as server:
        assert tap_at(server).fetch_payment(CHARGE).status is status


@pytest.mark.parametrize(
    ("text", "minor"),
    [("12.5", 12500), ("12.500", 12500), ("12.50000", 12500), ("1.0E7", 10**10), ("100", 100000)],
)
def test_an_amount_is_read_exactly_however_java_prints_it(text, minor):
    body = json.dumps(charge(status="INITIATED", amount=0)).replace(
        '"amount": 0', f'"amount": {text}'
    )
    with answering(http(body.encode())) as server:
        assert tap_at(server).fetch_payment(CHARGE).amount == FiatAmount(minor, "KWD")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "chg_other"},
        {"id": None},
        {"live_mode": None},
        {"live_mode": "false"},
        {"live_mode": 0},
        {"amount": None},
        {"amount": True},
        {"amount": "12.5"},
        {"amount": 12.5001},
        {"amount": -12.5},
        {"amount": 1e300},
        {"amount": [12.5]},
        {"currency": None},
        {"currency": "QAR"},
        {"currency": "kwd"},
        {"currency": ["KWD"]},
    ],
)
def test_a_charge_that_leaves_something_open_is_not_known(changes):
    said = {**charge(status="INITIATED"), **changes}
    with answering(printed(said)) as server, pytest.raises(NoAnswer):
        tap_at(server).fetch_payment(CHARGE)


@pytest.mark.parametrize("reference", [None, {}, [], {"order": 7}, "x"])
def test_a_charge_without_our_reference_is_nobody_s(reference):
    with answering(printed(charge(status="INITIATED", reference=reference))) as server:
        assert tap_at(server).fetch_payment(CHARGE).reference == ""


def test_the_reason_of_an_end_without_money_is_tap_s_own():
    said = charge(status="DECLINED", response={"code": "505", "message": "Insufficient Funds"})
    with answering(printed(said)) as server:
        assert tap_at(server).fetch_payment(CHARGE).reason == "505 Insufficient Funds"
    with answering(printed(charge(status="VOID"))) as server:
        assert tap_at(server).fetch_payment(CHARGE).reason == "VOID"


# Refunds


def refund(**changes: Any) -> dict[str, Any]:
    return {
        "id": "re_1",
        "charge_id": CHARGE,
        "status": "REFUNDED",
        "amount": 2.5,
        "currency": "KWD",
        **changes,
    }


def test_only_refunds_that_are_done_and_ours_count():
    listed = [
        refund(),
        refund(id="re_2", amount=1.125),
        refund(status="PENDING"),
        refund(status="DECLINED"),
        refund(charge_id="chg_other"),
        "nonsense",
    ]
    answer = printed({"has_more": False, "refunds": listed})
    with answering(printed(charge()), answer) as server:
        assert tap_at(server).fetch_payment(CHARGE).refunded == FiatAmount(3625, "KWD")
        head, _, asked = server.requests[1].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v2/refunds/list HTTP/1.1\r\n")
    assert json.loads(asked) == {"charges": [CHARGE], "limit": 50}


@pytest.mark.parametrize(
    "answer",
    [
        printed({"has_more": False, "refunds": []}),
        printed({"message": "Refunds not found"}, "400 Bad"),
        printed(errors("1160"), "400 Bad"),
        printed(errors("1160"), "404 None"),
    ],
)
def test_no_refunds_are_said_in_several_ways(answer):
    with answering(printed(charge()), answer) as server:
        assert tap_at(server).fetch_payment(CHARGE).refunded == FiatAmount(0, "KWD")


@pytest.mark.parametrize(
    "answer",
    [
        printed({"has_more": True, "refunds": [refund()]}),
        printed({"has_more": False}),
        printed({"refunds": {}}),
        printed({"refunds": [refund(currency="USD")]}),
        printed({"refunds": [refund(amount=None)]}),
        printed([]),
        printed({"message": "Refunds not found"}, "503 Busy"),
        http(b"<html>", "400 Bad"),
    ],
)
def test_refunds_that_are_not_known_make_the_whole_not_known(answer):
    with answering(printed(charge()), answer) as server, pytest.raises(NoAnswer):
        tap_at(server).fetch_payment(CHARGE)


def test_an_open_charge_is_not_asked_for_refunds():
    with answering(printed(charge(status="INITIATED"))) as server:
        tap_at(server).fetch_payment(CHARGE)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "told",
    [
        {"has_more": True, "charges": []},
        {"has_more": "no", "charges": []},
        {"charges": []},
        {"has_more": False},
        {"has_more": False, "charges": [{"id": "chg_1", "status": "CAPTURED", "amount": "x"}]},
    ],
    ids=str,
)
def test_a_list_of_charges_that_is_not_whole_is_not_known(told: dict[str, Any]):
    with answering(printed(told)) as server, pytest.raises(NoAnswer):
        tap_at(server).paid_since(clock.now(), None)
