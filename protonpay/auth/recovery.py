"""A password that was forgotten, or shall be another."""

from datetime import datetime

from sqlalchemy import delete

from protonpay.auth import devices, email_tokens, sessions
from protonpay.auth.models import SignInChallenge, TokenPurpose
from protonpay.auth.passwords import check_strength, passwords
from protonpay.auth.shown import shown
from protonpay.kernel import clock
from protonpay.kernel.errors import Limited
from protonpay.mail import service as mail
from protonpay.mail.service import office
from protonpay.store import outbox
from protonpay.store.db import current, transaction
from protonpay.users import service as users
from protonpay.users.service import User

RESET_PAGE = "/reset-password"


def ask_reset(email: str) -> None:
    """Have a link sent to an address, if it has an account.

    The same is done for every address, so that neither the answer nor its time tells which of
    them have one (OWASP Forgot Password Cheat Sheet).
    """
    with transaction():
        outbox.add("auth.write_reset", email=email, asked_at=clock.to_text(clock.now()))


def write_reset(email: str, asked_at: datetime) -> None:
    """Send the link that was asked for; to a stranger nothing, and not more than five an hour.

    Nothing either once a link of that moment would have ended: nobody waits for it any more.
    """
    if asked_at + email_tokens.LIFE[TokenPurpose.RESET] <= clock.now():
        return
    with transaction():
        found = users.find_by_email(email)
        if found is None or found.standing != "ACTIVE":
            return
        user = users.lock(found.id)
        try:
            token = email_tokens.issue(user, TokenPurpose.RESET, user.email)
        except Limited:
            return
        mail.post(
            "reset_password",
            to=user.email,
            language=user.language,
            useful_for=email_tokens.LIFE[TokenPurpose.RESET],
            name=user.name,
            link=office.page(RESET_PAGE, token),
        )


def reset(token: str, *, password: str) -> None:
    """Set a new password for who reads the account's letters, and end all of its sessions.

    Nobody is signed in by it, and a second factor stays what it was.

    Raises:
        Invalid: the link is used, replaced or over (``invalid_link``), or the password is too
            weak (``weak_password``): the link can be used again, then.
    """
    owner = email_tokens.owner(token, TokenPurpose.RESET)
    check_strength(password, email=owner.email, name=owner.name)
    hashed = passwords.hash(password)
    with transaction():
        user = email_tokens.take(token, TokenPurpose.RESET).user
        user.email_verified_at = user.email_verified_at or clock.now()
        _set(user, hashed)
        sessions.end_all_of(user.id, "password_reset")


def change(user_id: str, *, session_id: str, password: str, new_password: str) -> int:
    """Set a new password, and end the other sessions of the user; return how many stood.

    Raises:
        Unauthenticated: wrong password (``invalid_credentials``).
        Invalid: the new one is too weak (``weak_password``).
    """
    known, owner = shown(user_id, password), users.get(user_id)
    check_strength(new_password, email=owner.email, name=owner.name)
    hashed = passwords.hash(new_password)
    with transaction():
        _set(known.lock(), hashed)
        return sessions.end_all_of(user_id, "password_changed", but=session_id)


def _set(user: User, hashed: str) -> None:
    user.password_hash = hashed
    email_tokens.void(user, TokenPurpose.RESET)
    # What was begun with the old password may be a thief's.
    email_tokens.void(user, TokenPurpose.CHANGE)
    current().execute(delete(SignInChallenge).where(SignInChallenge.user_id == user.id))
    mail.post(
        "password_changed",
        to=user.email,
        language=user.language,
        owner_id=user.id,
        name=user.name,
        link=devices.freeze_link(user),
    )
