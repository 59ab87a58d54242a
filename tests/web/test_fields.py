"""Fields that refuse to guess: money, numbers in queries, e-mail addresses, text."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from protonpay.kernel.money import MAX_MICRO, Usdc
from protonpay.web.body import read_object
from protonpay.web.fields import MONEY_GIVEN, Email, QueryNumber, Text, UsdcField

# What marshmallow's own Decimal takes, and everything like it (library-pitfalls §2).
NO_AMOUNTS = [
    *(0, "0", "0.00", "0.000000", -1, "-1", "-0", "-0.01", "+1"),
    *("1e2", "1E2", "1E+2", "1E+1000000", "1e-6", "0x10", "1_000", "1,000", "1 000"),
    *(" 1", "1 ", "1\n", "\t1", "", ".5", "5.", "01", "00.1", "1.", "1..2", "1.2.3"),
    *("NaN", "sNaN", "Infinity", "-Infinity", "inf", "nan"),
    *("１００", "١٢", "१२", "൧", "①", "½", "²", "1\u200b", "\u00a01", "1٫5"),  # noqa: RUF001 - look-alikes are the point
    *("0.0000001", "1.0000000", "1.1234567", Decimal("0.0000001")),
    *("9223372036854.775808", str(10**18), 10**18, 10**30, "9" * 62),
    *(True, False, None, [], [1], {}, {"micro": 1}, "0.1 USDC", "$1", "one"),
]
AMOUNTS = {
    1: 1_000_000,
    100: 100_000_000,
    "1": 1_000_000,
    "0.000001": 1,
    "0.5": 500_000,
    "12.345678": 12_345_678,
    "9223372036854.775807": MAX_MICRO,
    Decimal("25.50"): 25_500_000,
    Decimal("0.1"): 100_000,
}


@pytest.mark.checklist(78, 85, 110)
@pytest.mark.parametrize("value", NO_AMOUNTS, ids=repr)
def test_what_is_not_an_exact_amount_above_zero_is_refused(value: Any):
    with pytest.raises(ValidationError):
        UsdcField().deserialize(value)


@pytest.mark.parametrize(("value", "micro"), AMOUNTS.items(), ids=repr)
def test_an_amount_is_read_exactly(value: Any, micro: int):
    assert UsdcField().deserialize(value) == Usdc(micro)


@pytest.mark.checklist(78, 85, 110)
def test_json_numbers_that_are_not_plain_are_refused():
    """``1e2`` and ``1.0E1`` are JSON, and not how money is written."""
    for text in (b"1e2", b"1E+2", b"1.0e1", b"1e-6", b"0e0", b"-0", b"-0.0", b"1E+400"):
        value = read_object(b'{"amount":%s}' % text)["amount"]
        with pytest.raises(ValidationError):
            UsdcField().deserialize(value)


@given(st.from_regex(MONEY_GIVEN["pattern"], fullmatch=True))
def test_every_text_that_the_document_calls_an_amount_is_one(text: str):
    assert str(UsdcField().deserialize(text)) == str(Usdc.parse(text))


@given(st.integers(1, MAX_MICRO))
def test_what_is_printed_is_read_back(micro: int):
    field = UsdcField()
    text = field.serialize("amount", {"amount": Usdc(micro)})
    assert field.deserialize(text) == Usdc(micro)
    whole, _, fraction = text.partition(".")
    assert whole.isdigit()
    assert 2 <= len(fraction) <= 6


@given(st.integers(0, 10**13), st.integers(0, 10**8), st.integers(0, 8))
def test_a_json_number_says_the_same_as_its_text(whole: int, fraction: int, digits: int):
    text = f"{whole}.{str(fraction).zfill(digits)[:digits]}".rstrip(".")
    number = read_object(b'{"amount":%s}' % text.encode())["amount"]

    assert _read(number) == _read(text)


def _read(value: Any) -> Usdc | None:
    try:
        return UsdcField().deserialize(value)
    except ValidationError:
        return None


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "+1", "1_0", " 7 ", "7\n", "007", "1.0", "1e1", "٧", "７", "abc", "", "9" * 10],  # noqa: RUF001 - digits to int, not to us
)
def test_a_number_in_a_query_is_ascii_digits_and_nothing_else(text: str):
    with pytest.raises(ValidationError):
        QueryNumber().deserialize(text)


def test_a_number_in_a_query_is_read():
    assert [QueryNumber().deserialize(text) for text in ("1", "42", "999999999")] == [
        *(1, 42, 999_999_999)
    ]


NO_ADDRESSES = [
    *("", "a", "a@", "@b.c", "a@b", "a@localhost", "a b@c.de", "a@b c.de", "a@b.c\n", "a@b.c"),
    *("a@b.de, c@d.ef", "a@b.de;c@d.ef", '"x"@y.zz', "a@b@c.de", "a@[127.0.0.1]", "a@127.0.0.1"),
    *("a@-b.de", "a@b-.de", "a@b..de", "a@.de", "a@b.de.", "a@b_c.de", "a@b.1a"),
    *(" a@b.de", "a@b.de ", "a\t@b.de", "a@b.de\r\nBcc: c@d.ef", "a\0@b.de", "<a@b.de>"),
    *("ä@b.de", "a@bücher.de", "a@b.ｄｅ", "a＠b.de", "a@b。de"),  # noqa: RUF001 - look-alikes are the point
    *("a" * 65 + "@b.de", "a@" + "b" * 64 + ".de", "a@" + "b." * 130 + "de"),
    *("mailto:a@b.de", "John <a@b.de>", "a(comment)@b.de", "a\\@b.de"),
    *(None, 1, True, [], {}, ["a@b.de"]),
]
ADDRESSES = [
    *("a@b.de", "John.Doe+tag@mail.example.com", "o'brien@example.ie", "x_y-z@sub.example.museum"),
    *(
        "a@xn--bcher-kva.example",
        "1@2.co",
        "A@B.DE",
        "a" * 64 + "@example.com",
        "!#$%&*/=?^`{|}~@b.de",
    ),
]


@pytest.mark.parametrize("value", NO_ADDRESSES, ids=repr)
def test_what_cannot_receive_mail_is_no_address(value: Any):
    with pytest.raises(ValidationError):
        Email().deserialize(value)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_kept_as_it_was_typed(address: str):
    assert Email().deserialize(address) == address


def test_an_address_has_254_characters_at_most():
    domain = ".".join(["b" * 60] * 3) + ".example"
    longest = "a" * (253 - len(domain)) + "@" + domain

    assert Email().deserialize(longest) == longest
    with pytest.raises(ValidationError):
        Email().deserialize("a" + longest)


@pytest.mark.parametrize("value", ["", "a" * 11, "a\0b", None, 1, True, [], {}, ["a"]])
def test_text_is_text_of_a_bounded_length_without_nul(value: Any):
    with pytest.raises(ValidationError):
        Text(longest=10).deserialize(value)


@pytest.mark.parametrize(
    "value", [" ", "  a ", "é", "👩‍👩‍👧", "\u202eabc", "<b>", "a\r\nb", "\u0085"]
)
def test_text_is_kept_as_it_was_sent(value: str):
    assert Text(longest=10).deserialize(value) == value


def test_length_is_counted_in_characters_not_in_bytes():
    assert Text(longest=10).deserialize("й" * 10) == "й" * 10
    with pytest.raises(ValidationError):
        Text(longest=10).deserialize("й" * 11)
