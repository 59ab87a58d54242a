"""FreedomPay's simulator by itself: what it signs and what it refuses."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from protonpay.sandbox.freedompay.messages import as_xml, pg_sig, read_form
from tests.sandbox.freedompay_client import (
    MODULE,
    NASTY,
    OPTIONS,
    SECRET,
    SHOP,
    call,
    created,
    error,
    order,
    press,
    sig,
    status,
    told,
)
from tests.simulators import PATIENCE, Simulator, running


@pytest.fixture(scope="module")
def shop() -> Iterator[Simulator]:
    with running(MODULE, *OPTIONS) as simulator:
        yield simulator


# The signature: vectors of the reference, computed by FreedomPay's own class


def form(*pairs: tuple[str, str]) -> Any:
    return read_form(pairs)


def test_nested_fields_are_signed_as_freedompay_signs_them():
    """Vector B: two positions whose keys come in different order."""
    pairs = [
        ("pg_merchant_id", "500001"),
        ("pg_order_id", "77"),
        ("pg_amount", "3000"),
        ("pg_description", "test"),
        ("pg_salt", "abc"),
        ("pg_receipt_positions[0][count]", "2"),
        ("pg_receipt_positions[0][name]", "Mouse pad"),
        ("pg_receipt_positions[0][tax_type]", "0"),
        ("pg_receipt_positions[0][price]", "1000"),
        ("pg_receipt_positions[1][name]", "Кабель"),
        ("pg_receipt_positions[1][tax_type]", "3"),
        ("pg_receipt_positions[1][count]", "1"),
        ("pg_receipt_positions[1][price]", "1000"),
    ]
    expected = "206e32098d5417b4791c9b2f4f1f1100"
    assert pg_sig("init_payment.php", form(*pairs), "testSecretKey01") == expected


def test_eleven_positions_and_more_are_sorted_as_text():
    """Vector C."""
    pairs = [("pg_order_id", "1"), ("pg_salt", "z")]
    for number in range(12):
        pairs.append((f"pg_receipt_positions[{number}][count]", str(number)))
        pairs.append((f"pg_receipt_positions[{number}][name]", f"n{number}"))
    expected = "772a25b9e14429152c12aab69b9ee0b2"
    assert pg_sig("init_payment.php", form(*pairs), "testSecretKey01") == expected


def test_a_capital_letter_comes_first():
    """The way of vector G, which is D and one field more."""
    pairs = [("pg_b", "2"), ("pg_salt", "s"), ("Pg_a", "1"), ("pg_empty", "")]
    signed = hashlib.md5(b"result;1;2;;s;k", usedforsecurity=False).hexdigest()
    assert pg_sig("result", form(*pairs), "k") == signed


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a", [("a", "v")]),
        ("a[b]", [("a", [("b", "v")])]),
        ("a[b][c]", [("a", [("b", [("c", "v")])])]),
        ("a[]", [("a", [("0", "v")])]),
        ("a[", [("a[", "v")]),
        ("a]", [("a]", "v")]),
        ("[a]", [("[a]", "v")]),
    ],
)
def test_names_are_read_as_php_reads_them(name, read):
    assert form((name, "v")) == read


@pytest.mark.parametrize("value", NASTY)
def test_a_request_with_unusual_characters_is_known_and_answered_signed(shop, value):
    answer = call(shop, "init_payment.php", order(pg_description=value, pg_param1=value))
    said = told(answer)
    assert said["pg_status"] == "ok", said
    assert said["pg_sig"] == sig("init_payment.php", list(said.items()))


def test_an_order_with_nested_fields_is_known(shop):
    positions = {
        "pg_receipt_positions[0][name]": "Кабель",
        "pg_receipt_positions[0][count]": "1",
    }
    fields = order() | positions | {"pg_merchant_id": SHOP, "pg_salt": "s"}
    signed = pg_sig("init_payment.php", form(*fields.items()), SECRET)
    sent = {**fields, "pg_sig": signed}
    answer = requests.post(f"{shop.url}/init_payment.php", data=sent, timeout=PATIENCE)
    assert told(answer)["pg_status"] == "ok"
    for changed in (
        {**sent, "pg_receipt_positions[0][count]": "2"},
        {**sent, "pg_receipt_positions[1][count]": "1"},
    ):
        answer = requests.post(f"{shop.url}/init_payment.php", data=changed, timeout=PATIENCE)
        assert error(answer) == "9998"


def test_an_answer_is_escaped_and_its_signature_is_of_what_was_meant():
    xml = as_xml("x", [("pg_a", "<&>"), ("pg_b", [("pg_c", "]]>")])], "k")
    assert "<pg_a>&lt;&amp;&gt;</pg_a><pg_b><pg_c>]]&gt;</pg_c></pg_b>" in xml


# What is refused


@pytest.mark.parametrize(
    "changes",
    [
        {"pg_sig": "0" * 32},
        {"pg_sig": ""},
        {"pg_salt": ""},
        {"pg_amount": "15000.5"},
        {"pg_added": ""},
        {"pg_description": "Another"},
    ],
    ids=str,
)
def test_a_message_that_was_changed_is_refused_with_a_signed_no(shop, changes):
    answer = call(shop, "init_payment.php", order(), **changes)
    assert error(answer) == "9998"
    said = told(answer)
    assert said["pg_sig"] == sig("init_payment.php", list(said.items()))


def test_the_name_of_another_script_signs_nothing(shop):
    asked = {"pg_merchant_id": SHOP, "pg_salt": "s", **order()}
    for script in ("init_payment", "", "get_status3.php", "/init_payment.php"):
        sent = {**asked, "pg_sig": sig(script, list(asked.items()))}
        answer = requests.post(f"{shop.url}/init_payment.php", data=sent, timeout=PATIENCE)
        assert error(answer) == "9998"


def test_both_spellings_of_a_script_are_called_under_their_own_name(shop):
    for script in ("init_payment.php", "init_payment"):
        assert told(call(shop, script, order()))["pg_status"] == "ok"


def test_who_is_no_merchant_of_theirs_gets_an_answer_that_nobody_signed(shop):
    answer = call(shop, "init_payment.php", order(), pg_merchant_id="500002")
    assert error(answer) == "9997"
    assert "pg_sig" not in told(answer)


@pytest.mark.parametrize("script", ["init_paymant.php", "init_payment.php/", "g2g/refund", "v5/x"])
def test_a_script_that_does_not_exist_is_not_found(shop, script):
    assert call(shop, script, order()).status_code == 404


def test_a_script_is_not_asked_by_get(shop):
    assert requests.get(f"{shop.url}/init_payment.php", timeout=PATIENCE).status_code == 405


@pytest.mark.parametrize(
    "changes",
    [
        *({"pg_amount": amount} for amount in ("0", "-1", "1,5", "1.001", "1e3", "", "999999999")),
        *({"pg_currency": currency} for currency in ("RUB", "kzt", "")),
        *({"pg_lifetime": seconds} for seconds in ("299", "604801", "-1", "soon")),
        {"pg_description": ""},
        {"pg_description": "x" * 1025},
        {"pg_order_id": None},
        {"pg_order_id": "x" * 51},
        {"pg_result_url": "http://127.0.0.1/" + "x" * 255},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_bad_order_is_refused(shop, changes):
    assert error(call(shop, "init_payment.php", order(**changes))) == "9403"


@pytest.mark.parametrize("mode", ["0", "", None, "true"])
def test_a_shop_that_tests_takes_no_real_payment(shop, mode):
    assert error(call(shop, "init_payment.php", order(pg_testing_mode=mode))) == "9995"


# Status


def test_amounts_are_told_without_their_zeros_and_refunds_below_zero(shop):
    payment = created(shop)
    open_yet = status(shop, payment)
    assert (open_yet["pg_payment_status"], open_yet["pg_amount"]) == ("new", "15000.5")
    assert "pg_captured" not in open_yet
    press(payment)
    paid = status(shop, payment)
    assert (paid["pg_payment_status"], paid["pg_captured"]) == ("success", "1")
    revoked = {"pg_payment_id": payment["pg_payment_id"], "pg_refund_amount": "40"}
    assert told(call(shop, "revoke.php", revoked))["pg_status"] == "ok"
    assert status(shop, payment)["pg_refund_amount"] == "-40"


def test_without_an_amount_everything_that_is_left_is_given_back(shop):
    payment = created(shop)
    revoked = {"pg_payment_id": payment["pg_payment_id"]}
    assert error(call(shop, "revoke.php", revoked)) == "340"
    press(payment)
    assert error(call(shop, "revoke.php", {**revoked, "pg_refund_amount": "15000.51"})) == "10020"
    told(call(shop, "revoke.php", {**revoked, "pg_refund_amount": "0.5"}))
    assert told(call(shop, "revoke.php", revoked))["pg_status"] == "ok"
    assert status(shop, payment)["pg_refund_amount"] == "-15000.5"
    assert error(call(shop, "revoke.php", revoked)) == "10020"


def test_a_payment_that_was_never_made_has_the_number_zero(shop):
    assert told(call(shop, "get_status3.php", {"pg_payment_id": "1"}))["pg_payment_id"] == "0"
    assert told(call(shop, "get_status3.php", {"pg_order_id": "none"}))["pg_payment_id"] == "0"


def test_an_order_is_found_by_its_id_too(shop):
    payment = created(shop, pg_order_id="found-by-order")
    found = told(call(shop, "get_status3.php", {"pg_order_id": "found-by-order"}))
    assert found["pg_payment_id"] == payment["pg_payment_id"]


@pytest.mark.parametrize("repeats", ["same", "second", "unique"])
def test_shops_differ_in_what_a_second_order_under_one_id_gets(shop, repeats):
    first = created(shop, pg_order_id=f"order-{repeats}")
    shop.pull("repeats", repeats=repeats)
    try:
        again = call(shop, "init_payment.php", order(pg_order_id=f"order-{repeats}"))
    finally:
        shop.pull("repeats", repeats="same")
    if repeats == "unique":
        assert error(again) == "9991"
    else:
        same = told(again)["pg_payment_id"] == first["pg_payment_id"]
        assert same is (repeats == "same")
