"""The numbers of an authenticator app (RFC 6238: SHA-1, six digits, 30 s)."""

import re
import secrets
from base64 import b32encode

import pyotp

from protonpay.kernel import clock

ISSUER = "ProtonPay"

_SECRET_BYTES = 20
_STEP_SECONDS = 30
# One step early or late: clocks of phones differ (RFC 6238 §5.2).
_DRIFT = 1
_NUMBER = re.compile(r"[0-9]{6}", re.ASCII)


def new_secret() -> str:
    """Return the secret of an app: base32, for those who type it."""
    return b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def uri(secret: str, name: str) -> str:
    """Return what an app scans (``otpauth://``); ``name`` is whose code it shows."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def is_number(code: str) -> bool:
    """Tell whether something looks like a number of an app."""
    return _NUMBER.fullmatch(code) is not None


def step_of(secret: str, code: str, *, after: int) -> int | None:
    """Return which 30 s step since 1970 a code is of.

    Args:
        secret: of the app, in base32.
        code: as typed.
        after: the newest step whose code was taken: none of it or before is good again.

    Returns:
        None for a code that is wrong, or not good any more.
    """
    if not is_number(code):
        return None
    app, now = pyotp.TOTP(secret), clock.to_epoch_ms(clock.now()) // 1000 // _STEP_SECONDS
    steps = range(now - _DRIFT, now + _DRIFT + 1)
    # Every step is compared, so that the time tells nothing of which.
    same = [step for step in steps if secrets.compare_digest(app.generate_otp(step), code)]
    return same[-1] if same and same[-1] > after else None
