"""Identifiers: sortable by time, unguessable, and told apart by their prefix."""

import base64
import re
import secrets
import string

from protonpay.kernel import clock

ID_PATTERN = re.compile(r"c[a-z0-9]{8,32}", re.ASCII)
PUBLIC_ID_PATTERN = re.compile(r"PP-[0-9A-HJKMNP-TV-Z]{8}", re.ASCII)

_BASE36 = string.digits + string.ascii_lowercase
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _base36(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits.append(_BASE36[digit])
    return "".join(reversed(digits))


def new_id() -> str:
    """Return 25 characters: ``c``, 8 digits of the millisecond clock, 16 random ones."""
    return f"c{_base36(clock.to_epoch_ms(clock.now()), 8)}{_base36(secrets.randbelow(36**16), 16)}"


def new_event_id() -> str:
    """Return ``evt_`` and an id: the ``webhook-id`` of an event, without a dot."""
    return f"evt_{new_id()}"


def new_request_id() -> str:
    """Return ``req_`` and an id: names one request in answers and logs."""
    return f"req_{new_id()}"


def new_public_id() -> str:
    """Return the short id that people give each other to be paid: ``PP-7K3M9QWD``."""
    return "PP-" + "".join(secrets.choice(_CROCKFORD) for _ in range(8))


def new_webhook_secret() -> str:
    """Return ``whsec_`` and 32 random bytes in base64 (Standard Webhooks, "Secrets")."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
