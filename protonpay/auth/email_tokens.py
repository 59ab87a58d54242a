"""Tokens that travel by letter: each does one thing, once, for one address, for a while.

What is stored is a digest: who reads the database can open no link. A new token voids the
older ones of its purpose, and one that proves an address is void once the account has
another (OWASP Forgot Password Cheat Sheet, "URL Tokens").
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, update

from protonpay.auth.models import EmailToken, TokenPurpose
from protonpay.kernel import clock
from protonpay.kernel.errors import Invalid, Limited
from protonpay.store.db import current, db, transaction
from protonpay.users import service as users
from protonpay.users.service import User

LIFE = {
    TokenPurpose.VERIFY: timedelta(hours=24),
    TokenPurpose.CHANGE: timedelta(hours=24),
    TokenPurpose.RESET: timedelta(minutes=30),
    TokenPurpose.FREEZE: timedelta(days=7),
    TokenPurpose.KEEP: timedelta(hours=48),
}
MOST_AN_HOUR = 5
_BYTES = 32
_HOUR = timedelta(hours=1)
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a token that was used proves: that its user reads this address."""

    user: User
    purpose: TokenPurpose
    address: str


def issue(user: User, purpose: TokenPurpose, address: str) -> str:
    """Return a new token, in the caller's transaction, which has the user locked.

    Args:
        user: whose.
        purpose: the one thing it does.
        address: where it is sent, which is what it proves.

    Raises:
        Limited: five were written within the hour (``too_many_letters``).
    """
    session, now = current(), clock.now()
    if purpose is not TokenPurpose.FREEZE:
        # Every new device has a warning of its own; the others replace each other.
        _check_often(user, purpose)
        void(user, purpose)
    token = secrets.token_urlsafe(_BYTES)
    row = EmailToken(
        digest=_digest(token),
        user_id=user.id,
        purpose=purpose,
        address=address,
        created_at=now,
        expires_at=now + LIFE[purpose],
    )
    session.add(row)
    session.flush()
    return token


def owner(token: str, *purposes: TokenPurpose) -> User:
    """Return whose a token is that could be used now; it is not used up.

    Raises:
        Invalid: as ``take``.
    """
    found = db.session.get(EmailToken, _digest(token), populate_existing=True)
    if found is None or found.purpose not in purposes:
        raise _invalid()
    user = users.get(found.user_id)
    _check_stands(found, user)
    return user


def take(token: str, *purposes: TokenPurpose) -> Taken:
    """Use a token up, in the caller's transaction; its user is locked from here.

    Raises:
        Invalid: it was used or replaced, its time is over, it is for another purpose or
            address, or it never was (``invalid_link``); not told which.
    """
    session = current()
    found = session.get(EmailToken, _digest(token))
    if found is None or found.purpose not in purposes:
        raise _invalid()
    user = users.lock(found.user_id)
    session.refresh(found)
    _check_stands(found, user)
    found.ended_at = clock.now()
    return Taken(user, TokenPurpose(found.purpose), found.address)


def void(user: User, purpose: TokenPurpose) -> None:
    """End the tokens of a purpose that a user was sent so far, in the caller's transaction."""
    current().execute(
        update(EmailToken)
        .where(
            EmailToken.user_id == user.id,
            EmailToken.purpose == purpose,
            EmailToken.ended_at.is_(None),
        )
        .values(ended_at=clock.now())
    )


def prune(limit: int = 1000) -> int:
    """Forget tokens whose time was over long ago; return how many."""
    old = select(EmailToken.digest).where(EmailToken.expires_at < clock.now() - _KEPT)
    with transaction() as session:
        gone = session.execute(
            delete(EmailToken)
            .where(EmailToken.digest.in_(old.limit(limit)))
            .returning(EmailToken.digest)
        )
        return len(gone.all())


def _check_stands(found: EmailToken, user: User) -> None:
    proves = found.purpose in (TokenPurpose.VERIFY, TokenPurpose.RESET)
    moved = proves and found.address != user.email
    if moved or found.ended_at is not None or found.expires_at <= clock.now():
        raise _invalid()


def _check_often(user: User, purpose: TokenPurpose) -> None:
    since = clock.now() - _HOUR
    lately = select(func.count(), func.min(EmailToken.created_at)).where(
        EmailToken.user_id == user.id,
        EmailToken.purpose == purpose,
        EmailToken.created_at > since,
    )
    count, oldest = current().execute(lately).one()
    if count >= MOST_AN_HOUR:
        wait = max(1, int((oldest - since).total_seconds()))
        said = "Too many letters were asked for. Try again later."
        raise Limited("too_many_letters", said, retry_after=wait)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _invalid() -> Invalid:
    said = "This link was used or replaced, or its time is over. Ask for a new one."
    return Invalid("invalid_link", said)
