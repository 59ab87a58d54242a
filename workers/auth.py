"""Ended sessions, told to every process; letters that nobody may time."""

from protonpay.auth import passkey_steps, recovery, sessions
from protonpay.kernel import clock
from protonpay.store.jobs import Later
from workers.job import job, periodic


@job("auth.announce_revocation")
def announce_revocation(session_id: str) -> None:
    """Mark an ended session in Redis."""
    sessions.announce(session_id)


@job("auth.write_reset")
def write_reset(email: str, asked_at: str | None = None) -> None:
    """Send the link that was asked for, if the address has an account.

    A row of a release before this one does not say when that was.
    """
    recovery.write_reset(email, clock.from_text(asked_at) if asked_at else clock.now())


@job("auth.reset_factors")
def reset_factors(reset_id: str) -> Later | None:
    """Take a lost second factor away whose two days are over."""
    return passkey_steps.reset_due(reset_id)


@periodic("auth.load_revocations")
def load_revocations() -> None:
    """Mark them all again if Redis was emptied."""
    sessions.load()
