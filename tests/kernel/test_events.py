"""The bytes of a webhook: a fixed vector, and receivers that are not ours."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from protonpay.kernel import clock, events, ids

# API and webhook reference §1.1.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HAPPENED = datetime(2026, 3, 14, 12, tzinfo=UTC)
DATA = {
    "id": "cm1",
    "userId": "cm2",
    "amount": "100.00",
    "currency": "USDC",
    "network": "Solana",
    "txHash": "5xKm2Q8b3c",
    "status": "CONFIRMED",
}
BODY = (
    b'{"event":"deposit.confirmed","data":{"id":"cm1","userId":"cm2","amount":"100.00",'
    b'"currency":"USDC","network":"Solana","txHash":"5xKm2Q8b3c","status":"CONFIRMED"},'
    b'"timestamp":"2026-03-14T12:00:00Z",'
    b'"signature":"7f527cd5626918cf539bebc477428700df5060e7ed80cc3f2bf622671f1f0d67"}'
)
MESSAGE_ID, SENT = "evt_01JPROTONPAYVECTOR000001", 1_773_489_600
STANDARD = "v1,ujqNOtOHnU0LkrytUaFirfwhVkXZ8TI9var2Jb8y4jc="

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# JavaScript moves members named like an index to the front: no event has one.
keys = texts.filter(lambda key: not key.isdecimal())
plain = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
nested = st.lists(plain, max_size=3) | st.dictionaries(keys, plain, max_size=3)
documents = st.dictionaries(keys, plain | nested, max_size=5)


def _body(data: dict[str, object], secret: str = SECRET) -> bytes:
    return events.signed_body(events.core_bytes("deposit.confirmed", data, HAPPENED), secret)


def test_the_fixed_vector_comes_out_byte_for_byte():
    assert _body(DATA) == BODY
    assert events.standard_signature(MESSAGE_ID, SENT, BODY, SECRET) == STANDARD


def test_the_public_package_makes_the_same_signature():
    sent = datetime.fromtimestamp(SENT, UTC)
    assert Webhook(SECRET).sign(MESSAGE_ID, sent, BODY.decode()) == STANDARD


def _headers(body: bytes, secret: str, sent: datetime) -> dict[str, str]:
    stamp = clock.to_epoch_ms(sent) // 1000
    return {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": str(stamp),
        "webhook-signature": events.standard_signature(MESSAGE_ID, stamp, body, secret),
    }


@settings(deadline=None)
@given(documents)
def test_the_public_package_verifies_what_we_send(data: dict[str, object]):
    secret = ids.new_webhook_secret()
    body = _body(data, secret)
    assert Webhook(secret).verify(body, _headers(body, secret, clock.now())) == json.loads(body)


@pytest.mark.parametrize("wrong", ["body", "secret", "time"])
def test_the_public_package_refuses_what_we_did_not_send(wrong: str):
    body, sent, secret = _body(DATA), clock.now(), SECRET
    headers = _headers(body, SECRET, sent - timedelta(hours=1 if wrong == "time" else 0))
    if wrong == "body":
        body = body.replace(b"100.00", b"900.00")
    if wrong == "secret":
        secret = ids.new_webhook_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Callable[[str, bytes], str]]:
    """Somebody's receiver in JavaScript: asked line by line."""
    node = shutil.which("node")
    assert node, "node is not on PATH; the embedded chains need it too: install Node.js"
    program = Path(__file__).with_name("receiver.mjs")
    with subprocess.Popen(
        [node, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        to, back = process.stdin, process.stdout
        assert to
        assert back

        def ask(secret: str, body: bytes) -> str:
            to.write(secret.encode() + b" " + base64.b64encode(body) + b"\n")
            to.flush()
            return back.readline().decode().strip()

        yield ask
        to.close()


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(data=documents)
def test_javascript_verifies_the_bytes_and_what_it_parsed(receiver, data: dict[str, object]):
    assert receiver(SECRET, _body(data)) == "true true"


def test_javascript_refuses_another_secret_and_another_event(receiver):
    assert receiver("whsec_another", BODY) == "false false"
    altered = BODY.replace(b"deposit.confirmed", b"deposit.confirmee")
    assert receiver(SECRET, altered) == "false false"


def _verifies(body: bytes, secret: str) -> bool:
    unsigned = body[: len(body) - 80] + b"}"
    return events.signed_body(unsigned, secret) == body


@settings(deadline=None)
@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_altered_byte_verifies(place: int, change: int):
    altered = bytearray(BODY)
    altered[place] ^= change
    assert _verifies(BODY, SECRET)
    assert not _verifies(bytes(altered), SECRET)


@settings(deadline=None)
@given(documents)
def test_the_last_eighty_bytes_are_the_signature_and_the_core_stays(data: dict[str, object]):
    core = events.core_bytes("payout.failed", data, HAPPENED)
    body = events.signed_body(core, SECRET)
    assert body[:-80] == core[:-1]
    assert re.fullmatch(rb',"signature":"[0-9a-f]{64}"}', body[-80:])
    assert list(json.loads(body)) == ["event", "data", "timestamp", "signature"]


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        ("\ud800", ValueError),
        (Decimal("1.5"), TypeError),
        (HAPPENED, TypeError),
        (b"bytes", TypeError),
    ],
    ids=repr,
)
def test_what_json_has_no_form_for_is_refused(value, refusal: type[Exception]):
    with pytest.raises(refusal):
        events.core_bytes("deposit.confirmed", {"amount": value}, HAPPENED)


def test_the_eight_documented_events_are_all_there():
    assert events.DOCUMENTED == (
        "deposit.confirmed",
        "deposit.card.success",
        "payout.completed",
        "payout.failed",
        "transfer.completed",
        "invoice.paid",
        "kyc.approved",
        "kyc.rejected",
    )
