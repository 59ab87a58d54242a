"""Signatures against published vectors, compared whatever is given."""

import pytest

from protonpay.kernel import signing

# RFC 4231, test case 2.
KEY, MESSAGE = b"Jefe", b"what do ya want for nothing?"
MAC = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_hmac_is_the_published_one():
    assert signing.hmac_hex(KEY, MESSAGE) == MAC
    assert signing.hmac_base64(KEY, MESSAGE) == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="


def test_digest_is_the_published_one():
    assert signing.digest_hex(b"abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


@pytest.mark.parametrize("given", ["", MAC[:-1], MAC.upper(), "é" * 64, "\ud800", MAC + "\n"])
def test_what_differs_is_not_the_same_whatever_text_it_is(given: str):
    assert not signing.same(MAC, given)


def test_what_is_equal_is_the_same():
    assert signing.same(MAC, "".join(MAC))
