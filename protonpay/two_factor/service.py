"""Set up a second factor, prove it, and ask for it again before what cannot be taken back.

A code is a number of an app (RFC 6238: SHA-1, six digits, 30 s) or a recovery code. Each is good
once: which step was the last is written in the transaction of what it was asked for, so a refusal
of that leaves the code as good as it was, and of many at once with the same code one is let in.
"""

import hashlib
import re
import secrets
from base64 import b32encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import delete, func, select

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Unauthenticated
from protonpay.mail import service as mail
from protonpay.store.db import current, db, transaction
from protonpay.store.secrets import safe
from protonpay.two_factor import codes, taking
from protonpay.two_factor.models import PURPOSE, RecoveryCode, SecondFactor
from protonpay.two_factor.states import FACTOR
from protonpay.users import service as users
from protonpay.users.service import User

SETUP_LIFE = timedelta(minutes=10)
RECOVERY_CODES = 10

_RECOVERY = re.compile(r"[A-Z2-7]{6}(-[A-Z2-7]{6}){3}", re.ASCII)
_RECOVERY_BYTES = 15


@dataclass(frozen=True, slots=True)
class Standing:
    """How a user's second factor stands.

    Attributes:
        codes_left: how many of the ten are unused.
    """

    enabled: bool
    enabled_at: datetime | None = None
    codes_left: int = 0


@dataclass(frozen=True, slots=True)
class Setup:
    """What an app is told, once.

    Attributes:
        secret: base32, for those who type.
        uri: ``otpauth://``, for those who scan.
    """

    secret: str
    uri: str
    expires_at: datetime


def is_enabled(user_id: str) -> bool:
    """Tell whether a user's password alone opens nothing."""
    state = select(SecondFactor.state).where(SecondFactor.user_id == user_id)
    return db.session.scalar(state) == "ENABLED"


def standing(user_id: str) -> Standing:
    """Say how a user's second factor stands."""
    enabled_at = db.session.scalar(
        select(SecondFactor.enabled_at).where(SecondFactor.user_id == user_id)
    )
    if enabled_at is None:
        return Standing(enabled=False)
    unused = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return Standing(enabled=True, enabled_at=enabled_at, codes_left=db.session.scalar(unused) or 0)


def begin(user_id: str) -> Setup:
    """Make a secret for an app; it counts once a code of it was sent. An older one is void.

    Who asks has proved the password.

    Raises:
        Conflict: there is a second factor already (``two_factor_enabled``).
    """
    now = clock.now()
    secret = codes.new_secret()
    with transaction() as session:
        user = users.lock(user_id)
        found = session.get(SecondFactor, user_id, populate_existing=True)
        if found is not None and found.state == "ENABLED":
            raise Conflict("two_factor_enabled", "There is a second factor already.")
        row = found or SecondFactor(user_id=user_id, state=FACTOR.initial)
        row.secret = safe.seal(secret, PURPOSE.format(user_id=user_id))
        row.asked_at = now
        row.forget_codes()
        session.add(row)
    return Setup(secret, codes.uri(secret, user.email), now + SETUP_LIFE)


def enable(user_id: str, code: str) -> Sequence[str]:
    """Take the first code of an app: from here on it is asked for. Return the recovery codes.

    Raises:
        Conflict: nothing was set up in the last ten minutes, or it is enabled already
            (``two_factor_not_set_up``, ``two_factor_enabled``).
        Unauthenticated: a wrong code (``two_factor_invalid``).
        Limited: too many wrong ones (``rate_limited``).
    """
    with transaction() as session:
        user = users.lock(user_id)
        factor = session.get(SecondFactor, user_id, populate_existing=True)
        if factor is not None and factor.state == "ENABLED":
            raise Conflict("two_factor_enabled", "There is a second factor already.")
        if factor is None or factor.asked_at + SETUP_LIFE <= clock.now():
            said = "Set up an app first: the secret is good for ten minutes."
            raise Conflict("two_factor_not_set_up", said)
        # Of an app that counts for nothing yet nobody is told anything.
        with factor.bounded(f"user {user_id}", lambda: None):
            _take_number(factor, code)
        FACTOR.check(factor.state, "ENABLED")
        factor.state, factor.enabled_at = "ENABLED", clock.now()
        made = _new_codes(user_id)
        _tell(user, "two_factor_enabled")
    return made


def disable(user_id: str) -> None:
    """Take a second factor away, in the caller's transaction; a code of it was just proved."""
    user = users.lock(user_id)
    current().execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    gone = current().execute(
        delete(SecondFactor)
        .where(SecondFactor.user_id == user_id)
        .returning(SecondFactor.enabled_at)
    )
    if gone.scalar() is not None:
        _tell(user, "two_factor_disabled")


def renew_codes(user_id: str) -> Sequence[str]:
    """Make ten new recovery codes; the old ones are void. A code was just proved.

    Raises:
        Conflict: there is no second factor (``two_factor_not_enabled``).
    """
    with transaction():
        users.lock(user_id)
        if not is_enabled(user_id):
            raise Conflict("two_factor_not_enabled", "There is no second factor.")
        return _new_codes(user_id)


@contextmanager
def proved(user_id: str, code: str | None) -> Iterator[None]:
    """Do what is inside in one transaction with the use of a code, if the user has a factor.

    A refusal inside leaves the code unused.

    Args:
        user_id: who asks.
        code: of the app, or a recovery code; None if none was sent.

    Raises:
        Unauthenticated: none or a wrong one (``two_factor_required``, ``two_factor_invalid``).
        Limited: too many wrong ones (``rate_limited``).
    """
    if not is_enabled(user_id):
        yield
        return
    with transaction():
        take(users.lock(user_id), code)
        yield


def take(user: User, code: str | None) -> None:
    """Use a code up, in the caller's transaction, which has the user locked and written nothing.

    A wrong one is counted there, and its refusal does not undo that.

    Raises:
        Unauthenticated: as ``proved``.
        Limited: too many wrong ones (``rate_limited``).
    """
    factor = current().get(SecondFactor, user.id, populate_existing=True)
    if factor is None or factor.state != "ENABLED":
        return
    if code is None:
        said = "Send a code of your app in X-2FA-Code."
        raise Unauthenticated("two_factor_required", said)
    with factor.bounded(f"user {user.id}", partial(_tell, user, "two_factor_guessed")):
        if codes.is_number(code):
            _take_number(factor, code)
        else:
            _take_recovery(user, code)


def _take_number(factor: SecondFactor, code: str) -> None:
    secret = safe.open(factor.secret, PURPOSE.format(user_id=factor.user_id))
    factor.take_number(secret, code)


def _take_recovery(user: User, code: str) -> None:
    row = current().get(RecoveryCode, (user.id, _digest(code)), populate_existing=True)
    if not _RECOVERY.fullmatch(code) or row is None or row.used_at is not None:
        raise taking.wrong()
    row.used_at = clock.now()
    _tell(user, "recovery_code_used")


def _new_codes(user_id: str) -> Sequence[str]:
    current().execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    made = [_new_code() for _ in range(RECOVERY_CODES)]
    current().add_all(RecoveryCode(user_id=user_id, digest=_digest(one)) for one in made)
    current().flush()
    return made


def _new_code() -> str:
    text = b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
    return "-".join(text[start : start + 6] for start in range(0, len(text), 6))


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _tell(user: User, template: str) -> None:
    mail.post(template, to=user.email, language=user.language, owner_id=user.id, name=user.name)
