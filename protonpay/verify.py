"""Verify what Proton Pay sends to your webhook: one module, the standard library alone.

Copy this file into your program, or import it as ``protonpay.verify``::

    event = verify(request.body, request.headers, "whsec_…")

The header carries what Standard Webhooks 1.0.0 says; the body a signature of its own (API
document, "Webhook Events"). The header's is the stronger one: it covers the time, too.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["Forged", "verify", "verify_body"]

TOLERANCE_SECONDS = 300
_SIGNATURE = b',"signature":"'
_HEX_LENGTH = 64
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class Forged(Exception):
    """This was not sent by Proton Pay with your secret, or not lately."""


def verify(
    body: bytes, headers: Mapping[str, str], secret: str, *, now: float | None = None
) -> dict[str, Any]:
    """Return the event, if the headers prove it.

    Do this before anything else, with the bytes as they came. Deliveries repeat: whatever has
    the same ``webhook-id`` is the same event.

    Args:
        body: of the request, untouched.
        headers: of the request, in any case.
        secret: of the endpoint, ``whsec_`` and all.
        now: Unix seconds; the clock's if None.

    Raises:
        Forged: a header is missing, the time is more than five minutes off, or no signature fits.
    """
    named = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, stamp = named["webhook-id"], named["webhook-timestamp"]
        given = named["webhook-signature"].split()
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        sent_at = int(stamp) if _SECONDS.fullmatch(stamp) else -1
    except (KeyError, binascii.Error) as error:
        raise Forged(f"cannot be verified: {error!r}") from error
    clock = time.time() if now is None else now  # noqa: TID251 - of the receiver's machine
    if abs(clock - sent_at) > TOLERANCE_SECONDS:
        raise Forged("too old, or from the future")
    message = f"{message_id}.{stamp}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    _compare(f"v1,{wanted}", given)
    return _read(body)


def verify_body(body: bytes, secrets: str | Iterable[str]) -> dict[str, Any]:
    """Return the event, if the signature in its body proves it.

    For receivers that cannot see headers. It does not cover the time: look at ``timestamp``.

    Args:
        body: of the request, untouched.
        secrets: of the endpoint; both of them while one replaces the other.

    Raises:
        Forged: there is no signature at the end of the body, or it does not fit.
    """
    at = body.rfind(_SIGNATURE)
    given = body[at + len(_SIGNATURE) : -2]
    if at < 0 or not body.endswith(b'"}') or len(given) != _HEX_LENGTH:
        raise Forged("no signature in the body")
    core = body[:at] + b"}"
    known = [secrets] if isinstance(secrets, str) else list(secrets)
    wanted = [hmac.new(each.encode(), core, hashlib.sha256).hexdigest() for each in known]
    if not any(hmac.compare_digest(each.encode(), given) for each in wanted):
        raise Forged("the signature in the body does not fit")
    return _read(body)


def _compare(wanted: str, given: Iterable[str]) -> None:
    # All of them, always: how long it takes tells nothing.
    fits = [hmac.compare_digest(wanted.encode(), each.encode()) for each in given]
    if not any(fits):
        raise Forged("no signature in the header fits")


def _read(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except ValueError as error:
        raise Forged("no JSON") from error
    if not isinstance(event, dict):
        raise Forged("no event")
    return event
