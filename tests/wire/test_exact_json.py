"""Foreign JSON: exact numbers, and every kind of nonsense refused in one way."""

from decimal import Decimal

import pytest

from protonpay.wire.exact import member, read_json, text
from protonpay.wire.http import Answer, NoAnswer


def test_numbers_are_exact_and_never_floats():
    read = read_json(
        b'{"a": 12.500, "b": 0.1, "c": 1.0E7, "d": 12345678901234567890123, "e": -0.0}'
    )
    assert {name: str(value) for name, value in read.items()} == {
        "a": "12.500",
        "b": "0.1",
        "c": "1.0E+7",
        "d": "12345678901234567890123",
        "e": "-0.0",
    }
    assert {type(value) for value in read.values()} == {Decimal, int}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"nonsense",
        b"<html>",
        b'{"a": 1',
        b'{"a": 1} trailing',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1E+99999999999999999999}',
        b'{"a": 1E-99999999999999999999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"\xff\xfe\xfd",
        b'{"a": "\xff"}',
        b"\x00",
    ],
)
def test_what_is_not_json_is_one_kind_of_error(data):
    with pytest.raises(ValueError, match=r".*"):
        read_json(data)
    with pytest.raises(NoAnswer):
        Answer(200, {}, data).json()


def test_members_are_found_along_a_path_or_not_at_all():
    thing = {"reference": {"order": "c1", "list": [1]}, "empty": None}
    assert member(thing, "reference", "order") == "c1"
    assert member(thing, "reference", "order", "deeper") is None
    assert member(thing, "empty", "deeper") is None
    assert member([], "reference") is None
    assert member("text", "reference") is None


@pytest.mark.parametrize("value", [None, 1, True, ["c1"], {"c": 1}, Decimal(1)])
def test_what_is_not_text_counts_as_empty(value):
    assert text({"order": value}, "order") == ""


def test_text_is_text():
    assert text({"order": "c1"}, "order") == "c1"
