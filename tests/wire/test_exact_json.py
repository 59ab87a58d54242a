"""Foreign JSON: exact numbers, and every kind of nonsense refused in one way."""

import json
import sys
from decimal import Decimal

import pytest

from protonpay.wire.exact import DEEPEST, member, read_json, text
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


@pytest.fixture
def lifted_recursion_limit():
    """As py_ecc, which web3 brings, leaves it for the whole process."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(before)


def nested(opening: bytes, levels: int, closing: bytes) -> bytes:
    return opening * levels + b"0" + closing * levels


@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"]":', b"}]")]
)
@pytest.mark.usefixtures("lifted_recursion_limit")
def test_how_deep_is_ours_to_say_whatever_a_library_makes_of_the_recursion_limit(opening, closing):
    levels = DEEPEST // len(closing)
    assert read_json(nested(opening, levels, closing)) is not None
    for deeper in (levels + 1, 100_000):
        for closings in (closing, b""):
            with pytest.raises(ValueError, match="too deep"):
                read_json(nested(opening, deeper, closings))


def test_brackets_in_texts_are_no_depth():
    thing = {"[{" * 1000: ["\\[", '"[[', "[" * 1000]}
    assert read_json(json.dumps([thing] * 100).encode()) == [thing] * 100


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_json_is_utf_8_without_a_mark(encoding):
    with pytest.raises(ValueError, match=r".*"):
        read_json('{"a": "1"}'.encode(encoding))


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
