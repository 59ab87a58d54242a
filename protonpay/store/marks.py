"""The names of what Redis knows about sessions, shared by who writes and who reads them."""

REVOCATIONS_LOADED = "session:revocations-loaded"
"""Present when every session that ended lately has its mark; says in which run of Redis."""


def revoked(session_id: str) -> str:
    """Name the mark of an ended session."""
    return f"session:revoked:{session_id}"
