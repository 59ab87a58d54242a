"""Which sessions have ended, told to every process at once.

Postgres is the truth. Redis carries a mark for each session that ended while an access
token of it may still be alive, so that a request need not ask Postgres: it asks with the
same call that counts it. Until every such mark is loaded (a fresh or emptied Redis),
requests ask Postgres.
"""

from datetime import timedelta

from sqlalchemy import select

from protonpay.auth.models import AuthSession
from protonpay.kernel import clock
from protonpay.store import marks, outbox
from protonpay.store.db import LOCK, after_commit, current, db
from protonpay.store.queue import door

_REMEMBERED = timedelta(minutes=16)
"""Longer than any access token lives."""


def end(session: AuthSession, reason: str) -> None:
    """End a session, in the caller's transaction; the mark follows the commit."""
    session.ended_at, session.end_reason = clock.now(), reason
    session_id = session.id
    # The row makes sure of what the hook does at once.
    outbox.add("auth.announce_revocation", session_id=session_id)
    after_commit(lambda: announce(session_id))


def end_all_of(user_id: str, reason: str, *, but: str | None = None) -> int:
    """End every session of a user but one, in the caller's transaction; return how many stood."""
    standing = select(AuthSession).where(
        AuthSession.user_id == user_id, AuthSession.ended_at.is_(None)
    )
    if but is not None:
        standing = standing.where(AuthSession.id != but)
    ended = list(current().scalars(standing.order_by(AuthSession.id).with_for_update(**LOCK)))
    for found in ended:
        end(found, reason)
    return len(ended)


def announce(session_id: str) -> None:
    """Mark an ended session in Redis."""
    door.client.set(marks.revoked(session_id), 1, ex=_REMEMBERED)


def load() -> int:
    """Mark every session that ended lately, if Redis does not know them; return how many.

    One that was started again may be an older copy of itself: what it knew before does not count.
    """
    run = str(door.client.info("server")["run_id"]).encode()
    if door.client.get(marks.REVOCATIONS_LOADED) == run:
        return 0
    since = clock.now() - _REMEMBERED
    ended = db.session.scalars(select(AuthSession.id).where(AuthSession.ended_at > since)).all()
    for session_id in ended:
        announce(session_id)
    door.client.set(marks.REVOCATIONS_LOADED, run)
    return len(ended)


def stands(session_id: str) -> bool:
    """Ask Postgres whether a session still stands."""
    found = db.session.get(AuthSession, session_id, populate_existing=True)
    return found is not None and found.ended_at is None and found.ends_at > clock.now()
