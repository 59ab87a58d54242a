"""protonpay.verify: what receivers copy; alone, and agreeing with the official library."""

import subprocess
import sys
import time

import pytest
from standardwebhooks import Webhook

from protonpay import verify
from protonpay.kernel import ids
from protonpay.kernel.events import signed_body, standard_signature

CORE = '{"event":"deposit.confirmed","data":{"note":"Жанна ☕"},"timestamp":"2026-11-26T12:00:00Z"}'


@pytest.fixture
def secret() -> str:
    return ids.new_webhook_secret()


def posted(secret: str, sent_at: int | None = None) -> tuple[dict[str, str], bytes]:
    body = signed_body(CORE.encode(), secret)
    stamp = int(time.time()) if sent_at is None else sent_at
    return {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": str(stamp),
        "Webhook-Signature": standard_signature("evt_1", stamp, body, secret),
    }, body


def test_what_is_sent_is_verified_both_ways(secret: str):
    headers, body = posted(secret)
    event = verify.verify(body, headers, secret)
    assert event["data"] == {"note": "Жанна ☕"}
    assert event == verify.verify_body(body, secret)
    assert event == Webhook(secret).verify(body, {k.lower(): v for k, v in headers.items()})


def test_one_byte_decides(secret: str):
    headers, body = posted(secret)
    for at in range(0, len(body), 7):
        bad = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        with pytest.raises(verify.Forged):
            verify.verify(bad, headers, secret)
        with pytest.raises(verify.Forged):
            verify.verify_body(bad, secret)


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
@pytest.mark.parametrize("value", [None, "", "x", "v1,", "v1,é", "١٢", "-1", "1e9", "9" * 5000])
def test_a_bad_header_proves_nothing(secret: str, name: str, value: str | None):
    headers, body = posted(secret)
    del headers[name]
    if value is not None:
        headers[name] = value
    with pytest.raises(verify.Forged):
        verify.verify(body, headers, secret)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_one_is_refused_though_well_signed(secret: str, seconds: int):
    headers, body = posted(secret, 1_790_000_000)
    assert verify.verify(body, headers, secret, now=1_790_000_000 + seconds // 2)
    with pytest.raises(verify.Forged, match="too old"):
        verify.verify(body, headers, secret, now=1_790_000_000 + seconds)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'{"signature":"x"}', b'"}', b"[]"])
def test_what_is_no_event_is_refused(secret: str, body: bytes):
    stamp = int(time.time())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": standard_signature("evt_1", stamp, body, secret),
    }
    with pytest.raises(verify.Forged):
        verify.verify_body(body, secret)
    if body != b"{}" and not body.startswith(b'{"'):
        with pytest.raises(verify.Forged):
            verify.verify(body, headers, secret)


def test_another_secret_fits_nothing(secret: str):
    headers, body = posted(secret)
    for wrong in (ids.new_webhook_secret(), "", "whsec_", "whsec_!!!"):
        with pytest.raises(verify.Forged):
            verify.verify(body, headers, wrong)
        with pytest.raises(verify.Forged):
            verify.verify_body(body, wrong)


def test_it_stands_on_the_standard_library_alone():
    program = (
        "import sys, runpy; before = set(sys.modules); "
        f"runpy.run_path({verify.__file__!r}); "
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}"
        " - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
