"""A body is one exact JSON object with known members, or it is refused (API reference §12)."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import Usdc
from protonpay.web.body import MAX_BODY_BYTES, read_object
from tests.actors import PASSWORD, Actor
from tests.unchanged import nothing_changes

MALFORMED = {
    "nothing": b"",
    "half": b"{",
    "more than one": b'{"amount":1}x',
    "two documents": b'{"amount":1}{"amount":1}',
    "a byte order mark": b'\xef\xbb\xbf{"amount":1}',
    "UTF-16": '{"amount":1}'.encode("utf-16"),
    "UTF-32": '{"amount":1}'.encode("utf-32-le"),
    "not UTF-8": b'{"note":"\xff"}',
    "overlong UTF-8": b'{"note":"\xc0\xaf"}',
    "CESU-8": b'{"note":"\xed\xa0\xbd\xed\xb8\x80"}',
    "an array": b"[]",
    "null": b"null",
    "a number": b"1",
    "a text": b'"x"',
    "true": b"true",
    "NaN": b'{"amount":NaN}',
    "Infinity": b'{"amount":Infinity}',
    "-Infinity": b'{"amount":-Infinity}',
    "single quotes": b"{'amount':1}",
    "a comment": b'{"amount":1 /* one */}',
    "a last comma": b'{"amount":1,}',
    "a leading zero": b'{"amount":01}',
    "a plus": b'{"amount":+1}',
    "a bare point": b'{"amount":.5}',
    "hexadecimal": b'{"amount":0x10}',
    "a control character": b'{"note":"a\nb"}',
    "a NUL byte": b'{"amount":1}\x00',
    "a member twice": b'{"amount":1,"amount":1000}',
    "a member twice, spelled two ways": b'{"amount":1,"\\u0061mount":1000}',
    "a member twice, deep inside": b'{"note":{"a":1,"a":2}}',
    "a lone surrogate": b'{"note":"\\ud800"}',
    "a lone surrogate in a name": b'{"\\udfff":1}',
    "surrogates the wrong way round": b'{"note":"\\udc00\\ud800"}',
    "60,000 brackets": b"[" * 60_000,
    "deep objects": b'{"a":' * 12_000,
    "5,000 digits": b'{"amount":' + b"9" * 5_000 + b"}",
    "41 digits": b'{"amount":' + b"1" * 41 + b"}",
    "form data": b"toIdentifier=bob&amount=1",
    "a script": b"<script>alert(1)</script>",
}


def send(actor: Actor, body: bytes, path: str = "/client/transfer", **kwargs: Any) -> Any:
    kwargs.setdefault("content_type", "application/json")
    return actor.call("POST", path, data=body, **kwargs)


@pytest.mark.checklist(23, 24, 25, 27)
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_not_one_exact_json_object_is_refused(alice: Actor, body: bytes):
    with nothing_changes():
        answer = send(alice, body)

    assert answer.status_code == 400
    assert answer.get_json()["code"] == "malformed_json"


@pytest.mark.checklist(22)
@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application/problem+json",
        "application/json, text/plain",
    ],
)
def test_any_other_media_type_is_415(alice: Actor, bob: Actor, media_type: str | None):
    body = json.dumps({"toIdentifier": bob.email, "amount": 1}).encode()

    with nothing_changes():
        answer = send(alice, body, content_type=media_type)

    assert (answer.status_code, answer.get_json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_may_be_said_in_any_case_and_with_its_charset(
    alice: Actor, bob: Actor, media_type: str
):
    body = json.dumps({"toIdentifier": bob.email, "amount": 1}).encode()

    assert send(alice, body, content_type=media_type).status_code == 200
    assert bob.available == Usdc.parse("1")


@pytest.mark.checklist(26)
def test_an_unknown_member_is_named(alice: Actor, bob: Actor):
    order = {"toIdentifier": bob.email, "amount": 1, "isAdmin": True, "fee": "0"}

    with nothing_changes():
        answer = alice.post("/client/transfer", order)

    assert answer.status_code == 400
    body = answer.get_json()
    assert body["code"] == "validation_error"
    assert body["errors"] == {"json": {"isAdmin": ["Unknown field."], "fee": ["Unknown field."]}}


def test_snake_case_is_another_name(alice: Actor, bob: Actor):
    answer = alice.post("/client/transfer", {"to_identifier": bob.email, "amount": 1})

    assert answer.get_json()["errors"] == {
        "json": {
            "to_identifier": ["Unknown field."],
            "toIdentifier": ["Missing data for required field."],
        }
    }


def test_a_nul_is_refused_in_every_text(alice: Actor, bob: Actor):
    for order in (
        {"toIdentifier": bob.email + "\0", "amount": 1},
        {"toIdentifier": bob.email, "amount": 1, "note": "a\0b"},
        {"toIdentifier": bob.email, "amount": "1\0"},
    ):
        with nothing_changes():
            answer = alice.post("/client/transfer", order)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "validation_error")


@pytest.mark.checklist(21)
def test_a_body_of_64_kib_is_read_and_a_byte_more_is_413(alice: Actor, bob: Actor):
    body = json.dumps({"toIdentifier": bob.email, "amount": 1}).encode()

    full = send(alice, body.ljust(MAX_BODY_BYTES))
    with nothing_changes():
        over = send(alice, body.ljust(MAX_BODY_BYTES + 1))

    assert full.status_code == 200
    assert send(alice, b"[" * 100_000).status_code == 413
    assert (over.status_code, over.get_json()["code"]) == (413, "body_too_large")


def test_who_is_asking_is_known_before_the_body_is_read(alice: Actor):
    answer = alice.client.post("/api/client/transfer", data=b"{", content_type="text/plain")

    assert answer.status_code == 401


def test_a_number_keeps_every_digit_it_was_sent_with(alice: Actor, bob: Actor):
    """webargs would make a float of it first (library-pitfalls §1)."""
    exact = b'{"toIdentifier":"%s","amount":100.000001}' % bob.email.encode()
    beyond = b'{"toIdentifier":"%s","amount":100.00000000000000001}' % bob.email.encode()

    assert send(alice, exact).status_code == 200
    assert bob.available == Usdc.parse("100.000001")
    with nothing_changes():
        answer = send(alice, beyond)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "validation_error")


def test_forty_digits_are_a_number_and_one_more_is_not():
    assert read_object(b'{"a":%s}' % (b"1" * 40)) == {"a": int("1" * 40)}
    with pytest.raises(Invalid, match="malformed_json"):
        read_object(b'{"a":-%s}' % (b"1" * 40))


# Everything a client could say instead of what is asked: of the right kind, of another, or broken.
_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
    | st.sampled_from(["1e2", "1E+1000000", "-0", "١٢", "1_000", "NaN", "' OR 1=1--", "\x00"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_ROUTES = {
    "/auth/register": ("name", "email", "password"),
    "/auth/login": ("email", "password"),
    "/auth/refresh": ("refreshToken",),
    "/client/transfer": ("toIdentifier", "amount", "note"),
    "/client/withdraw": ("amount", "walletAddress", "network"),
    "/client/deposit/card": ("amount", "currency", "provider"),
    "/client/webhooks": ("url", "events"),
}
_ORDERS = st.sampled_from(sorted(_ROUTES)).flatmap(
    lambda path: st.tuples(
        st.just(path),
        st.dictionaries(st.sampled_from(_ROUTES[path]) | _TEXT, _VALUES, max_size=4),
    )
)
_MANY = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    # The people of the house may meet every example: what they did before does no harm.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.slow
@_MANY
@given(order=_ORDERS)
def test_no_body_is_a_500(alice: Actor, order: tuple[str, Any]):
    path, body = order

    answer = alice.post(path, body)

    assert answer.status_code in (400, 401, 404), (path, body)
    assert answer.get_json()["status"] == answer.status_code


@pytest.mark.slow
@_MANY
@given(path=st.sampled_from(sorted(_ROUTES)), body=st.binary(max_size=60))
def test_no_bytes_are_a_500(alice: Actor, path: str, body: bytes):
    assert send(alice, body, path).status_code == 400


@pytest.mark.slow
@_MANY
@given(cut=st.integers(0, 200), at=st.integers(0, 200), byte=st.binary(max_size=2))
def test_no_damage_to_a_good_body_is_a_500(alice: Actor, cut: int, at: int, byte: bytes):
    good = json.dumps({"email": "john@example.com", "password": PASSWORD}).encode()
    damaged = (good[:at] + byte + good[at + 1 :])[: len(good) - cut % len(good)]

    assert send(alice, damaged, "/auth/login").status_code in (400, 401)
