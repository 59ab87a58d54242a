"""HMAC-SHA-256 and digests, compared in constant time."""

import base64
import hashlib
import hmac


def hmac_hex(key: bytes, message: bytes) -> str:
    """Return the HMAC-SHA-256 as 64 lowercase hex digits."""
    return hmac.digest(key, message, "sha256").hex()


def hmac_base64(key: bytes, message: bytes) -> str:
    """Return the HMAC-SHA-256 as padded standard base64."""
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode()


def same(expected: str, given: str) -> bool:
    """Compare two texts in constant time; any text may be given, ASCII or not."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def digest_hex(data: bytes) -> str:
    """Return the SHA-256 as 64 lowercase hex digits: for lookups of random secrets."""
    return hashlib.sha256(data).hexdigest()
