"""Ended sessions, told to every process."""

from protonpay.auth import sessions
from workers.job import job, periodic


@job("auth.announce_revocation")
def announce_revocation(session_id: str) -> None:
    """Mark an ended session in Redis."""
    sessions.announce(session_id)


@periodic("auth.load_revocations")
def load_revocations() -> None:
    """Mark them all again if Redis was emptied."""
    sessions.load()
