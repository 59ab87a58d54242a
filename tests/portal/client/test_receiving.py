"""What is wrong with a signature, part by part (T27)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest

from protonpay.kernel import clock
from protonpay.portal.client.receiving import examine

Change = Callable[[dict[str, str], str], tuple[dict[str, str], str, str]]
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()


def delivered(*, age: int = 0) -> tuple[dict[str, str], str]:
    core = json.dumps({"event": "invoice.paid"}, separators=(",", ":"))
    inside = hmac.new(SECRET.encode(), core.encode(), hashlib.sha256).hexdigest()
    body = f'{core[:-1]},"signature":"{inside}"}}'
    stamp = str(clock.to_epoch_ms(clock.now()) // 1000 - age)
    message = f"evt_1.{stamp}.{body}".encode()
    made = base64.b64encode(hmac.new(b"k" * 32, message, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "evt_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{made}"}
    return headers, body


def lines(headers: dict[str, str]) -> str:
    return "\r\n".join(f"{name.title()}: {value}" for name, value in headers.items())


def test_a_genuine_one():
    headers, body = delivered()
    found = examine(headers=lines(headers), body=f" {body}\r\n", secret=SECRET)
    assert found.good
    assert found.said.startswith("Everything fits")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda headers, body: (headers, body, OTHER), "Nothing fits"),
        (lambda headers, body: (headers, body.replace("paid", "lost"), SECRET), "Nothing fits"),
        (lambda headers, _body: (headers, "{not json", SECRET), "Nothing fits"),
        (lambda headers, body: (headers, body, "no secret"), "Nothing fits"),
        (
            lambda headers, body: ({**headers, "webhook-id": "evt_2"}, body, SECRET),
            "The body is genuine",
        ),
        (
            lambda headers, body: ({"webhook-id": headers["webhook-id"]}, body, SECRET),
            "A header is missing",
        ),
        (lambda _headers, _body: ({}, "", ""), "A header is missing"),
    ],
)
def test_each_thing_that_can_be_wrong(change: Change, said: str):
    headers, body, secret = change(*delivered())
    found = examine(headers=lines(headers), body=body, secret=secret)
    assert not found.good
    assert found.said.startswith(said)


def test_an_old_one_is_genuine_and_old():
    headers, body = delivered(age=400)
    found = examine(headers=lines(headers), body=body, secret=SECRET)
    assert (found.good, found.said.startswith("It is genuine, but too old")) == (False, True)
