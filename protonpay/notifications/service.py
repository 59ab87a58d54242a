"""Read what a person should see of an account, and remember what they have read.

Nothing is told twice: what happened is the event log, and what stands to be mended is read from
where it stands. Of a person's own there is only how far they have read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from protonpay.kernel import clock, events, notices
from protonpay.notifications.standing import Notice, standing
from protonpay.store import db
from protonpay.store.db import transaction
from protonpay.store.events import last_number
from protonpay.store.lists import Part, Position
from protonpay.telegram import service as telegram
from protonpay.users import service as users
from protonpay.users.service import User

UNREAD, STANDING = "unread", "standing"
SHOWS = (UNREAD, STANDING)
KINDS = (*notices.NAMES, *(name for name in events.NAMES if name not in notices.NAMES))
"""Every kind: the notices, and the events for which none stands."""
SECURITY = "security"
"""The letters that nobody switches off."""
KEPT = timedelta(days=90)
"""For how long an event is shown here; the log keeps it longer."""
MOST_COUNTED = 100
"""What is unread is counted so far, and no further."""

_ABOVE_ALL = 2**63 - 1
_OF_EVENTS = "evt_"
_POSITION = """
    SELECT sequence FROM notification_positions
    WHERE account_id = %(account)s AND person_id = %(person)s
"""
_IS_READ = """EXISTS (SELECT FROM notification_reads AS one WHERE one.account_id = %(account)s
        AND one.person_id = %(person)s AND one.notification_id = event.id)"""
# Not what is for one endpoint alone: its owner has asked for it, as a test.
_FROM = """
    FROM events AS event
    WHERE event.user_id = %(account)s AND event.sequence < %(below)s AND event.audience IS NULL
      AND event.happened_at >= %(since)s AND event.name <> ALL(%(notices)s)
"""
_UNREAD = f"AND event.sequence > %(position)s AND NOT {_IS_READ}"
_EVENTS = f"""
    SELECT event.id, event.name, event.core, event.happened_at, event.sequence,
           event.sequence <= %(position)s OR {_IS_READ} {_FROM} {{unread}}
    ORDER BY event.sequence DESC LIMIT %(limit)s
"""
_COUNT = f"SELECT count(*) FROM (SELECT {_FROM} {_UNREAD} LIMIT %(limit)s) AS unread"  # noqa: S608
_PLACE = "SELECT sequence FROM events WHERE id = %(id)s AND happened_at = %(moment)s"
_READ = """
    SELECT notification_id, read_at FROM notification_reads
    WHERE account_id = %(account)s AND person_id = %(person)s AND notification_id = ANY(%(ids)s)
"""
_MARK_NOTICES = """
    INSERT INTO notification_reads (account_id, person_id, notification_id, read_at)
    SELECT %(account)s, %(person)s, unnest(%(ids)s::text[]), %(now)s
    ON CONFLICT (account_id, person_id, notification_id) DO UPDATE SET read_at = EXCLUDED.read_at
"""
_MARK_EVENTS = """
    INSERT INTO notification_reads (account_id, person_id, notification_id, sequence, read_at)
    SELECT %(account)s, %(person)s, id, sequence, %(now)s FROM events
    WHERE user_id = %(account)s AND id = ANY(%(ids)s) AND sequence > %(position)s
    ON CONFLICT (account_id, person_id, notification_id) DO NOTHING
"""
_MOVE = """
    INSERT INTO notification_positions AS mine (account_id, person_id, sequence)
    VALUES (%(account)s, %(person)s, %(sequence)s)
    ON CONFLICT (account_id, person_id)
    DO UPDATE SET sequence = greatest(mine.sequence, EXCLUDED.sequence)
"""
_FORGET = """
    DELETE FROM notification_reads
    WHERE account_id = %(account)s AND person_id = %(person)s AND sequence <= %(sequence)s
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads.

    Attributes:
        account_id: what is read of.
        person_id: the account's owner, or a member.
        builds: whether they may open its keys and endpoints.
    """

    account_id: str
    person_id: str
    builds: bool = True


@dataclass(frozen=True, slots=True)
class Notification:
    """Something to be seen.

    Attributes:
        id: of an event; of a notice, that of the thing it is about.
        kind: one of ``KINDS``.
        standing: whether it is a notice, and there until it is mended.
        sequence: of an event in its log.
    """

    id: str
    kind: str
    standing: bool
    sequence: int | None
    data: Mapping[str, Any]
    read: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether an account is told of a kind by mail and in Telegram; ``fixed``: not by choice."""

    kind: str
    email: bool
    telegram: bool
    fixed: bool


def listed(reader: Reader, part: Part, *, show: str | None = None) -> Sequence[Notification]:
    """Return a part of what there is to see: what stands first, then what happened.

    Args:
        reader: whose list.
        part: which rows; each of the two is newest first.
        show: ``UNREAD``, or ``STANDING`` for notices alone.
    """
    found = _notices(reader, part.after)
    if show == UNREAD:
        found = [one for one in found if not one.read]
    found = found[: part.limit]
    if show == STANDING:
        return found
    return [*found, *_events(reader, part, part.limit - len(found), unread=show == UNREAD)]


def unread(reader: Reader) -> int:
    """Count what is unread, up to ``MOST_COUNTED``."""
    asked = _asked(reader, limit=MOST_COUNTED)
    (count,) = db.execute(_COUNT, asked).fetchone() or (0,)
    standing_unread = sum(not one.read for one in _notices(reader, None))
    return min(int(count) + standing_unread, MOST_COUNTED)


def mark(reader: Reader, *, some: Sequence[str] | None = None, up_to: int | None = None) -> int:
    """Remember that a person has read something; a repeat changes nothing.

    Args:
        reader: who has.
        some: the ids of what they have read; what is none of this account's is passed over.
        up_to: the number of an event: they have read it, and all before it.
            If neither is given, they have read all there is.

    Returns:
        How much is unread now.
    """
    everything = some is None and up_to is None
    with transaction():
        shown = [one.id for one in _notices(reader, None) if everything or one.id in (some or ())]
        asked = _asked(reader, ids=shown, now=clock.now())
        db.execute(_MARK_NOTICES, asked)
        if some:
            db.execute(_MARK_EVENTS, asked | {"ids": list(some)})
        if everything or up_to is not None:
            last = last_number(reader.account_id)
            moved = asked | {"sequence": last if up_to is None else min(up_to, last)}
            db.execute(_MOVE, moved)
            db.execute(_FORGET, moved)
    return unread(reader)


def choices(account_id: str) -> Sequence[Choice]:
    """Return of which kinds an account wants to be told, and where.

    Raises:
        NotFound: there is no such account.
    """
    return _choices(users.get(account_id))


def choose(account_id: str, preferences: Sequence[Mapping[str, Any]]) -> Sequence[Choice]:
    """Set of which kinds an account wants to be told; what is not named stays.

    Args:
        account_id: whose.
        preferences: ``kind``, one of ``notices.LETTERS``, with ``email``, ``telegram`` or both;
            what is left out stays, and of two of a kind the last counts.

    Raises:
        NotFound: there is no such account.
        Conflict: ``telegram`` is named and there is no bot (``telegram_not_set_up``).
    """
    by_mail, by_message = (
        {each["kind"]: each[way] for each in preferences if way in each}
        for way in ("email", "telegram")
    )
    if by_message:
        telegram.check_available()
    return _choices(users.choose_told(account_id, letters=by_mail, messages=by_message))


def _choices(owner: User) -> Sequence[Choice]:
    available = telegram.standing(owner.id).available
    chosen = [
        Choice(
            kind,
            email=users.wants_letter(owner, kind),
            telegram=available and users.wants_message(owner, kind),
            fixed=False,
        )
        for kind in notices.LETTERS
    ]
    return [*chosen, Choice(SECURITY, email=True, telegram=available, fixed=True)]


def _notices(reader: Reader, after: Position | None) -> Sequence[Notification]:
    if after is not None and after.id.startswith(_OF_EVENTS):
        return []
    found = standing(reader.account_id, builds=reader.builds)
    if after is not None:
        found = [one for one in found if (one.created_at, one.id) < (after.created_at, after.id)]
    asked = {**_asked(reader), "ids": [one.id for one in found]}
    read_at = dict(db.execute(_READ, asked).fetchall()) if found else {}
    return [_of_notice(one, read_at.get(one.id)) for one in found]


def _of_notice(one: Notice, read_at: datetime | None) -> Notification:
    read = read_at is not None and read_at >= one.created_at
    return Notification(one.id, one.kind, True, None, one.data, read, one.created_at)  # noqa: FBT003


def _events(reader: Reader, part: Part, limit: int, *, unread: bool) -> Sequence[Notification]:
    asked = _asked(reader, limit=limit, below=_place(part.after))
    rows = db.execute(_EVENTS.format(unread=_UNREAD if unread else ""), asked)
    return [_of_event(*row) for row in rows]


def _of_event(
    event_id: str,
    name: str,
    core: bytes,
    moment: datetime,
    sequence: int,
    read: bool,  # noqa: FBT001
) -> Notification:
    said = json.loads(core)["data"]
    return Notification(event_id, name, False, sequence, said, read, moment)  # noqa: FBT003


def _place(after: Position | None) -> int:
    """Return the number that a page's events are below."""
    if after is None or not after.id.startswith(_OF_EVENTS):
        return _ABOVE_ALL
    asked = {"id": after.id, "moment": after.created_at}
    row = db.execute(_PLACE, asked).fetchone()
    return int(row[0]) if row else 0


def _asked(reader: Reader, **more: Any) -> dict[str, Any]:
    whose = {"account": reader.account_id, "person": reader.person_id}
    row = db.execute(_POSITION, whose).fetchone()
    return {
        **whose,
        "position": row[0] if row else 0,
        "since": clock.now() - KEPT,
        "below": _ABOVE_ALL,
        "notices": list(notices.NAMES),
        **more,
    }
