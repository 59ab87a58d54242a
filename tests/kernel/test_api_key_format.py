"""The form of a key: prefix, randomness and checksum (API reference §9)."""

import string
import zlib

from hypothesis import given
from hypothesis import strategies as st

from protonpay.kernel import ids, signing

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BODIES = st.text(BASE62, min_size=32, max_size=32).map("sk_live_".__add__)


def _checksum(body: str) -> str:
    """CRC-32 in base 62 once more, written down another way."""
    crc, places = zlib.crc32(body.encode()), [62**n for n in range(5, -1, -1)]
    return "".join(BASE62[crc // place % 62] for place in places)


@st.composite
def _keys(draw: st.DrawFn) -> str:
    body = draw(_BODIES)
    return body + _checksum(body)


def test_the_largest_checksum_has_six_characters():
    assert "".join(BASE62[(2**32 - 1) // 62**n % 62] for n in range(5, -1, -1)) == "4gfFC3"
    assert 62**6 > 2**32


def test_keys_that_are_made_are_keys_and_differ():
    made = {ids.new_api_key() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(key) == 46 and ids.is_api_key(key) for key in made)
    assert set("".join(key[8:40] for key in made)) == set(BASE62)


def test_a_vector():
    assert ids.is_api_key("sk_live_" + "a" * 32 + "492pXL")
    assert not ids.is_api_key("sk_live_" + "a" * 32 + "492pXM")


@given(_keys())
def test_any_body_with_its_checksum_is_a_key(key: str):
    assert ids.is_api_key(key)


@given(_keys(), st.integers(8, 45), st.sampled_from(BASE62))
def test_no_key_with_one_character_changed_is_a_key(key: str, position: int, other: str):
    """CRC-32 finds every burst of up to 32 bits."""
    changed = key[:position] + other + key[position + 1 :]
    assert ids.is_api_key(changed) == (changed == key)


@given(_keys(), st.integers(8, 44))
def test_no_key_with_two_neighbours_swapped_is_a_key(key: str, position: int):
    swapped = key[:position] + key[position + 1] + key[position] + key[position + 2 :]
    assert ids.is_api_key(swapped) == (swapped == key)


@given(_keys(), st.text(min_size=1, max_size=3))
def test_nothing_around_a_key_belongs_to_it(key: str, around: str):
    assert not ids.is_api_key(key + around)
    assert not ids.is_api_key(around + key)


@given(st.text(max_size=60))
def test_other_text_is_no_key_and_breaks_nothing(text: str):
    assert not ids.is_api_key(text)
    assert not ids.is_api_key("sk_live_" + text)


@given(_keys(), _keys())
def test_keys_and_their_hashes_differ_together(one: str, other: str):
    """What is stored: 64 hex digits, one for each key, and nothing of the key in them."""
    hashes = [signing.digest_hex(key.encode()) for key in (one, other)]
    assert (hashes[0] == hashes[1]) == (one == other)
    assert all(len(each) == 64 and set(each) <= set(string.hexdigits) for each in hashes)
    assert one not in hashes[0]
