"""Keep the book, switch it on and off, and say whether an address may be paid.

Whoever has stolen a session can neither pay an address of theirs nor open the way to it for a
day: a new entry waits as long as the switching off does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select

from protonpay.address_book.models import BookEntry, BookPolicy
from protonpay.chains.addresses import check_address
from protonpay.chains.registry import chains
from protonpay.chains.registry import network as named_network
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, Forbidden, NotFound
from protonpay.store.db import db, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users

WAIT = timedelta(hours=24)
MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Policy:
    """Whether the book is the only way out, and when that will end."""

    only_listed: bool
    ends_at: datetime | None = None


def check(user_id: str, network: str, address: str) -> None:
    """Refuse a payout that the user's own book does not allow.

    Args:
        user_id: who pays.
        network: where.
        address: canonical.

    Raises:
        Forbidden: the book is the only way out, and the address is not in it or came to it less
            than 24 hours ago (``address_not_listed``, ``address_waiting``).
    """
    if not policy(user_id).only_listed:
        return
    entry = db.session.scalar(_standing(user_id).filter_by(network=network, address=address))
    if entry is None:
        raise Forbidden("address_not_listed", "This address is not in your address book.")
    if entry.usable_at > clock.now():
        said = "This address is new in your address book. It can be paid from {moment} on."
        raise Forbidden("address_waiting", said, moment=clock.to_text(entry.usable_at))


def policy(user_id: str) -> Policy:
    """Return whether a user's book is the only way out."""
    row = db.session.get(BookPolicy, user_id, populate_existing=True)
    if row is None or not row.only_listed or (row.ends_at and row.ends_at <= clock.now()):
        return Policy(only_listed=False)
    return Policy(only_listed=True, ends_at=row.ends_at)


def set_policy(user_id: str, *, only_listed: bool) -> Policy:
    """Make the book the only way out, at once, or let it cease to be that, in 24 hours.

    Asking again for what is so changes nothing: the hours are not counted anew.
    """
    with transaction() as session:
        users.lock(user_id)
        now, was = clock.now(), policy(user_id)
        if only_listed and (was.ends_at or not was.only_listed):
            session.merge(_row(user_id, now, None))
        if not only_listed and was.only_listed and was.ends_at is None:
            session.merge(_row(user_id, now, now + WAIT))
    return policy(user_id)


def add(user_id: str, *, network: str, address: str, label: str) -> BookEntry:
    """Write a wallet into the book.

    Raises:
        Invalid: no such network, or an address no payout may go to (``unsupported_network``,
            ``invalid_address``).
        Conflict: it is there already, or there are 200 (``duplicate``, ``too_many_addresses``).
    """
    of = named_network(network)
    canonical = check_address(of, address, chains.own_wallets(of))
    with transaction() as session:
        users.lock(user_id)
        standing = _standing(user_id)
        if session.scalar(standing.filter_by(network=network, address=canonical)) is not None:
            raise Conflict("duplicate", "This address is in your book already.")
        if session.scalars(select(func.count()).select_from(standing.subquery())).one() >= (
            MOST_ENTRIES
        ):
            said = "At most {limit} addresses."
            raise Conflict("too_many_addresses", said, limit=MOST_ENTRIES)
        now = clock.now()
        entry = BookEntry(
            id=ids.new_id(),
            user_id=user_id,
            network=network,
            address=canonical,
            label=label,
            created_at=now,
            usable_at=now + WAIT,
        )
        session.add(entry)
    return entry


def entries(user_id: str, part: Part) -> Sequence[BookEntry]:
    """Return a part of a user's book, newest first."""
    mine, stands = BookEntry.user_id == user_id, BookEntry.removed_at.is_(None)
    return newest_first(BookEntry, part, mine, stands)


def get(user_id: str, entry_id: str) -> BookEntry:
    """Return an entry of a user's book.

    Raises:
        NotFound: there is none, or it is somebody else's, or was removed.
    """
    entry = db.session.get(BookEntry, entry_id, populate_existing=True)
    if entry is None or entry.user_id != user_id or entry.removed_at is not None:
        raise NotFound("not_found", "There is no such address.")
    return entry


def remove(user_id: str, entry_id: str) -> None:
    """Strike an entry out; written again it waits again.

    Raises:
        NotFound: as ``get``.
    """
    with transaction():
        users.lock(user_id)
        get(user_id, entry_id).removed_at = clock.now()


def _row(user_id: str, now: datetime, ends_at: datetime | None) -> BookPolicy:
    return BookPolicy(user_id=user_id, only_listed=True, changed_at=now, ends_at=ends_at)


def _standing(user_id: str) -> Select[BookEntry]:
    return select(BookEntry).where(BookEntry.user_id == user_id, BookEntry.removed_at.is_(None))
