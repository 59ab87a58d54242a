"""Lost app, lost passkeys: taken away two days after that was asked for, unless they turn up.

Whoever talks an operator into it has not won yet: the owner is written to, and a click in that
letter, a session of theirs, or signing in with what is said to be lost, ends it (ADR 40).
"""

from datetime import datetime

from sqlalchemy import delete, select

from protonpay.auth import email_tokens
from protonpay.auth.models import FactorReset, TokenPurpose
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import NotFound
from protonpay.mail import service as mail
from protonpay.mail.service import office
from protonpay.store import outbox
from protonpay.store.db import current, db, transaction
from protonpay.users import service as users
from protonpay.users.service import User

DELAY = email_tokens.LIFE[TokenPurpose.KEEP]
KEEP_PAGE = "/keep-second-factor"


def ask(user_id: str) -> datetime:
    """Have a user's second factor taken away later, and write to them; return when.

    What was asked for already stays as it is.

    Raises:
        NotFound: there is no such user.
        Limited: it was asked for and stopped five times within the hour (``too_many_letters``).
    """
    with transaction() as session:
        user, now = users.lock(user_id), clock.now()
        waiting = session.scalar(select(FactorReset).where(FactorReset.user_id == user_id))
        if waiting is not None:
            return waiting.due_at
        made = FactorReset(id=ids.new_id(), user_id=user_id, asked_at=now, due_at=now + DELAY)
        session.add(made)
        session.flush()
        token = email_tokens.issue(user, TokenPurpose.KEEP, user.email)
        mail.post(
            "two_factor_reset_asked",
            to=user.email,
            language=user.language,
            owner_id=user.id,
            useful_for=DELAY,
            name=user.name,
            moment=f"{made.due_at:%Y-%m-%d %H:%M} UTC",
            link=office.page(KEEP_PAGE, token),
        )
        outbox.add("auth.reset_factors", delay_seconds=DELAY.total_seconds(), reset_id=made.id)
    return made.due_at


def due_at(user_id: str) -> datetime | None:
    """Return when a user's second factor is taken away; None if that was not asked for."""
    return db.session.scalar(select(FactorReset.due_at).where(FactorReset.user_id == user_id))


def stop_in_session(user_id: str) -> None:
    """Stop it for who is signed in.

    No code is asked for: it takes nothing away, and the app may be at home.

    Raises:
        NotFound: nothing is to be taken away, or it was already.
    """
    with transaction():
        if not stop(users.lock(user_id)):
            raise NotFound("not_found", "No second factor is to be taken away.")


def keep(token: str) -> None:
    """Stop it for who reads the account's letters.

    Raises:
        Invalid: the link is used or over (``invalid_link``).
    """
    with transaction():
        stop(email_tokens.take(token, TokenPurpose.KEEP).user)


def stop(user: User) -> bool:
    """Stop it and write so, in the caller's transaction, which has the user locked.

    Returns:
        Whether there was anything to stop.
    """
    stopped = forget(user)
    if stopped:
        mail.post(
            "two_factor_kept",
            to=user.email,
            language=user.language,
            owner_id=user.id,
            name=user.name,
        )
    return stopped


def forget(user: User) -> bool:
    """Drop it without a word, in the caller's transaction; tell whether there was any."""
    gone = current().execute(
        delete(FactorReset).where(FactorReset.user_id == user.id).returning(FactorReset.id)
    )
    if gone.scalar() is None:
        return False
    email_tokens.void(user, TokenPurpose.KEEP)
    return True
