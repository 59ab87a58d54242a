"""Tap's hashstring, by vectors T1 to T5 of the reference: computed by other programs."""

import hashlib
import json
from typing import Any

import pytest

from protonpay.cards.port import CallbackRequest, Forged
from protonpay.cards.tap import Tap

KEY = "sk_test_PROTONPAYvector0001"
CHARGE = "chg_TS01A0120261005Ab1c0710001"

T1 = {
    "id": CHARGE,
    "amount": 12.5,
    "currency": "KWD",
    "status": "CAPTURED",
    "reference": {"gateway": "123456789012345", "payment": "1005261005071000145"},
    "transaction": {"created": "1791180000000"},
}
T2 = {
    "id": "chg_TS01A0220261005Ab1c0710002",
    "amount": 100.0,
    "currency": "AED",
    "status": "CAPTURED",
    "reference": {"gateway": "123456789012345", "payment": "1005261005071000146"},
    "transaction": {"created": "1791180060000"},
}
T3 = {
    "id": "chg_TS01A0320261005Ab1c0710003",
    "amount": 7.25,
    "currency": "USD",
    "status": "DECLINED",
    "reference": {"payment": "1005261005071000147"},
    "transaction": {"created": "1791180120000"},
}
T4 = {
    "id": "chg_1",
    "amount": 1.5,
    "currency": "KWD",
    "status": "CAPTURED",
    "reference": {"gateway": "gw", "payment": "py"},
    "transaction": {"created": "1700"},
}
T5 = {
    "id": "chg_2",
    "amount": 10.0,
    "currency": "USD",
    "status": "CAPTURED",
    "reference": {"gateway": None},
    "transaction": {"created": "1"},
}
VECTORS = [
    (KEY, T1, "31da7aa009e1f6d7ed3f47fe45751c895534a533907eaa1085597667f30d167c"),
    (KEY, T2, "a3ef62e4bf5f208e8194f4cffe17e152c56c0f9574b9a5a0e9c7234da09dca40"),
    (KEY, T3, "9dd194265a5e9750e61c59d9a2b86612955e46aa03ebdb8f22b624eedce3d18d"),
    ("test-secret", T4, "69485ac24bba9295ec86001f7cf0fb7f426b758136eeafa5eb94864fb8b8f514"),
    ("k", T5, "4c6c8756924d63b472a7c241a14f976299e1330913d0862b508b8a6255355a32"),
]


def read(key: str, body: Any, hashstring: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    callback = CallbackRequest({"hashstring": hashstring}, raw, "203.0.113.7", "/callbacks/tap")
    return Tap("https://api.tap.company/v2", key).read_callback(callback)


@pytest.mark.parametrize(("key", "body", "hashstring"), VECTORS, ids=["T1", "T2", "T3", "T4", "T5"])
def test_the_vectors_verify_and_only_as_they_are(key, body, hashstring):
    callback = read(key, body, hashstring)
    assert callback.provider_ref == body["id"]
    for wrong in (hashstring.upper(), hashstring[:-1], f"{hashstring} ", "", "ё" * 64):
        with pytest.raises(Forged):
            read(key, body, wrong)
    with pytest.raises(Forged):
        read(f"{key}x", body, hashstring)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 12.501},
        {"amount": "12.5"},
        {"amount": -12.5},
        {"currency": "BHD"},
        {"currency": "AED"},
        {"status": "DECLINED"},
        {"status": None},
        {"id": "chg_TS01A0120261005Ab1c0710002"},
        {"reference": {"gateway": "123456789012345"}},
        {"reference": None},
        {"transaction": {"created": "1791180000001"}},
        {"transaction": {"created": 1791180000000}},
        {"transaction": []},
    ],
)
def test_a_fact_that_was_changed_is_noticed(change):
    with pytest.raises(Forged):
        read(KEY, {**T1, **change}, VECTORS[0][2])


def test_what_is_not_signed_may_say_anything_and_is_not_believed():
    plain = read(KEY, T1, VECTORS[0][2])
    padded = {**T1, "live_mode": True, "metadata": {"deposit_id": "another"}, "amount": 12.50}
    assert read(KEY, padded, VECTORS[0][2]) == plain


def test_an_event_is_its_signed_facts():
    facts = (
        f"x_id{CHARGE}x_amount12.500x_currencyKWDx_gateway_reference123456789012345"
        "x_payment_reference1005261005071000145x_statusCAPTUREDx_created1791180000000"
    )
    event_id = read(KEY, T1, VECTORS[0][2]).event_id
    assert event_id == hashlib.sha256(facts.encode()).hexdigest()
    assert event_id != read(KEY, T2, VECTORS[1][2]).event_id
