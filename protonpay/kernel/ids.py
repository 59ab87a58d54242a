"""Identifiers: sortable by time, unguessable, and told apart by their prefix."""

import base64
import re
import secrets
import string
import zlib

from protonpay.kernel import clock

ID_PATTERN = re.compile(r"c[a-z0-9]{8,32}", re.ASCII)
EVENT_ID_PATTERN = re.compile(r"evt_c[a-z0-9]{8,32}", re.ASCII)
PUBLIC_ID_PATTERN = re.compile(r"PP-[0-9A-HJKMNP-TV-Z]{8}", re.ASCII)
REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
"""Also of those that callers choose."""

API_KEY_PREFIX = "sk_live_"
_API_KEY_PATTERN = re.compile(API_KEY_PREFIX + r"[0-9A-Za-z]{38}", re.ASCII)
_API_KEY_RANDOM, _API_KEY_CHECK = 32, 6

_BASE36 = string.digits + string.ascii_lowercase
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _in_base(alphabet: str, number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    return "".join(reversed(digits))


def new_id() -> str:
    """Return 25 characters: ``c``, 8 digits of the millisecond clock, 16 random ones."""
    moment = _in_base(_BASE36, clock.to_epoch_ms(clock.now()), 8)
    return f"c{moment}{_in_base(_BASE36, secrets.randbelow(36**16), 16)}"


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


def new_api_key() -> str:
    """Return ``sk_live_``, 32 random base-62 characters (190 bits) and a checksum of six."""
    body = API_KEY_PREFIX + "".join(secrets.choice(_BASE62) for _ in range(_API_KEY_RANDOM))
    return body + _checksum(body)


def is_api_key(text: str) -> bool:
    """Tell whether a text can be a key of ours: its form and its checksum, nothing secret."""
    if not _API_KEY_PATTERN.fullmatch(text):
        return False
    return _checksum(text[:-_API_KEY_CHECK]) == text[-_API_KEY_CHECK:]


def _checksum(body: str) -> str:
    # CRC-32 in base 62, as in GitHub's tokens: a mistyped key costs no lookup, and a scanner
    # of leaked text can tell a key from what looks like one.
    return _in_base(_BASE62, zlib.crc32(body.encode()), _API_KEY_CHECK)
