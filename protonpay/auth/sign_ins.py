"""Where somebody is signed in, and was: their sessions as they see them, and the end of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, not_, true

from protonpay.auth import sessions
from protonpay.auth.models import AuthSession
from protonpay.kernel import clock
from protonpay.kernel.errors import NotFound
from protonpay.store.db import LOCK, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users

STATUSES = ("ACTIVE", "ENDED", "ANY")
RAN_OUT = "ran_out"
ENDS = (
    "signed_out",
    "revoked",
    RAN_OUT,
    "password_changed",
    "password_reset",
    "two_factor_changed",
    "frozen",
    "suspended",
    "refresh_token_reused",
)
"""Why a session has ended."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session, as its owner sees it.

    Attributes:
        current: whether it is the one that asks.
        used_at: when it was opened, or carried on last.
        ended_at: None while it stands; ``end_reason`` is one of ``ENDS``.
    """

    id: str
    address: str
    agent: str
    current: bool
    created_at: datetime
    used_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    end_reason: str | None


def of(user_id: str, part: Part, *, asking: str | None, status: str) -> Sequence[SignIn]:
    """Return a part of a user's sessions, newest first.

    Args:
        user_id: whose.
        part: which of them.
        asking: the session that asks.
        status: one of ``STATUSES``.
    """
    now = clock.now()
    stands = and_(AuthSession.ended_at.is_(None), AuthSession.ends_at > now)
    wanted: Mapping[str, ColumnElement[bool]] = {"ACTIVE": stands, "ENDED": not_(stands)}
    mine = AuthSession.user_id == user_id
    found = newest_first(AuthSession, part, mine, wanted.get(status, true()))
    return [_seen(each, now, current=each.id == asking) for each in found]


def end(user_id: str, session_id: str) -> None:
    """End one session of a user.

    Raises:
        NotFound: there is none, it has ended, or it is somebody else's.
    """
    with transaction() as session:
        found = session.get(AuthSession, session_id, with_for_update=LOCK, populate_existing=True)
        if found is None or found.user_id != user_id or found.ended_at is not None:
            raise NotFound("not_found", "There is no such session.")
        sessions.end(found, "revoked")


def end_others(user_id: str, session_id: str) -> None:
    """End every session of a user but this one."""
    with transaction():
        users.lock(user_id)
        sessions.end_all_of(user_id, "revoked", but=session_id)


def _seen(row: AuthSession, now: datetime, *, current: bool) -> SignIn:
    over = row.ended_at is None and row.ends_at <= now  # nobody ends what runs out
    return SignIn(
        row.id,
        row.address,
        row.agent,
        current,
        row.created_at,
        row.used_at,
        row.ends_at,
        row.ends_at if over else row.ended_at,
        RAN_OUT if over else row.end_reason,
    )
