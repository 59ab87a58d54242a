"""Ended sessions, told to every process; letters that nobody may time."""

from protonpay.auth import recovery, sessions
from workers.job import job, periodic


@job("auth.announce_revocation")
def announce_revocation(session_id: str) -> None:
    """Mark an ended session in Redis."""
    sessions.announce(session_id)


@job("auth.write_reset")
def write_reset(email: str) -> None:
    """Send the link that was asked for, if the address has an account."""
    recovery.write_reset(email)


@periodic("auth.load_revocations")
def load_revocations() -> None:
    """Mark them all again if Redis was emptied."""
    sessions.load()
