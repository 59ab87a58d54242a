"""Hand out deposit addresses, and tell what reached them."""

from collections.abc import Iterable, Mapping, Sequence

import structlog
from sqlalchemy import ColumnElement, SQLColumnExpression, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.registry import NETWORKS, chains
from protonpay.kernel import clock
from protonpay.kernel.errors import NotFound, Unavailable
from protonpay.kernel.money import ZERO
from protonpay.store.db import LOCK, current, db
from protonpay.wallets.models import DepositAddress, Incoming, WatchedAccount, WatchMark

__all__ = [
    "Incoming",
    "addresses_of",
    "assign",
    "assign_on",
    "ever_paid",
    "families",
    "free_addresses",
    "incoming",
    "is_held",
    "oldest_open",
    "transfers",
    "watch_ages",
]

log = structlog.get_logger(__name__)


def families() -> list[str]:
    """Return the families of networks: one address serves all networks of a family."""
    return list(dict.fromkeys(network.family for network in NETWORKS.values()))


def assign(kind: str, holder_id: str) -> Mapping[str, str]:
    """Give a holder one address per family, in the caller's transaction.

    The same holder always gets the same addresses, however often and however many ask.

    Args:
        kind: who decides what follows a payment: ``user`` or ``invoice``.
        holder_id: the user's or invoice's id.

    Returns:
        The address on each network whose watch has begun.

    Raises:
        Unavailable: no address is free (``addresses_exhausted``), or the database holds one
            that the keyring did not make (``address_not_ours``).
        RuntimeError: no transaction is open.
    """
    # One claim per holder at a time: of two, the second finds what the first has claimed.
    holder = func.hashtextextended(f"{kind}:{holder_id}", 0)
    current().execute(select(func.pg_advisory_xact_lock(holder)))
    claimed = {row.family: row for row in _rows(kind, holder_id)}
    for family in families():
        if family not in claimed:
            claimed[family] = _claim(family, kind, holder_id)
    found = _by_network(claimed.values())
    _look_often(found)
    return found


def assign_on(network: str, kind: str, holder_id: str) -> str:
    """Give a holder addresses as ``assign`` does, and return the one on a network.

    Raises:
        Unavailable: as ``assign``; or the network's watch has not begun yet.
        RuntimeError: no transaction is open.
    """
    address = assign(kind, holder_id).get(network)
    if address is None:
        log.warning("network_not_watched_yet", network=network)
        raise _none_free()
    return address


def addresses_of(kind: str, holder_id: str) -> Mapping[str, str]:
    """Return a holder's address on each network that is watched; empty before ``assign``.

    Raises:
        Unavailable: the database holds one that the keyring did not make (``address_not_ours``).
    """
    return _by_network(_rows(kind, holder_id))


def incoming(incoming_id: str) -> Incoming:
    """Return a transfer as it stands now.

    Raises:
        NotFound: there is none.
    """
    found = db.session.get(Incoming, incoming_id, populate_existing=True)
    if found is None:
        raise NotFound("not_found", "There is no such transfer.")
    return found


def is_held(family: str, address: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Return the condition that a column names an address somebody here holds."""
    return exists().where(
        DepositAddress.family == family,
        DepositAddress.address == address,
        DepositAddress.holder_id.is_not(None),
    )


def transfers(kind: str, holder_id: str) -> Sequence[Incoming]:
    """Return every transfer that ever reached a holder, as it stands now, oldest first."""
    theirs = select(Incoming).filter_by(holder_kind=kind, holder_id=holder_id)
    return db.session.scalars(
        theirs.order_by(Incoming.seen_at, Incoming.id),
        execution_options={"populate_existing": True},
    ).all()


def ever_paid(network: str) -> Sequence[str]:
    """Return the deposit addresses that ever had something on a network."""
    paid = select(Incoming.address).filter_by(network=network).distinct()
    return db.session.scalars(paid.order_by(Incoming.address)).all()


def free_addresses() -> Mapping[str, int]:
    """Count by family what waits in the pool."""
    free = dict.fromkeys(families(), 0)
    counted = (
        select(DepositAddress.family, func.count())
        .where(DepositAddress.holder_id.is_(None))
        .group_by(DepositAddress.family)
    )
    for family, count in db.session.execute(counted):
        free[family] = count
    return free


def watch_ages() -> Mapping[str, int]:
    """Return the seconds since each network was last looked at to the end."""
    now = clock.now()
    marks = db.session.execute(select(WatchMark.network, WatchMark.looked_at))
    return {network: int((now - at).total_seconds()) for network, at in marks}


def oldest_open() -> Mapping[str, int]:
    """Return by network the seconds since its oldest transfer that is not final was seen."""
    now = clock.now()
    oldest = (
        select(Incoming.network, func.min(Incoming.seen_at))
        .where(Incoming.state == "SEEN")
        .group_by(Incoming.network)
    )
    found = {network: int((now - at).total_seconds()) for network, at in db.session.execute(oldest)}
    return dict.fromkeys(NETWORKS, 0) | found


def _rows(kind: str, holder_id: str) -> Iterable[DepositAddress]:
    return db.session.scalars(
        select(DepositAddress).filter_by(holder_kind=kind, holder_id=holder_id)
    ).all()


def _claim(family: str, kind: str, holder_id: str) -> DepositAddress:
    free = (
        select(DepositAddress.number)
        .where(DepositAddress.family == family, DepositAddress.holder_id.is_(None))
        .order_by(DepositAddress.number)
        .limit(1)
        .with_for_update(**LOCK, skip_locked=True)
        # A plain subquery may be run again for each row, and then lock beyond its limit.
        .cte("free")
    )
    row: DepositAddress | None = current().scalar(
        update(DepositAddress)
        .where(DepositAddress.family == family, DepositAddress.number.in_(select(free.c.number)))
        .values(holder_kind=kind, holder_id=holder_id, claimed_at=clock.now())
        .returning(DepositAddress)
    )
    if row is None:
        log.error("addresses_exhausted", family=family)
        raise _none_free()
    return row


def _none_free() -> Unavailable:
    said = "No deposit address is free right now. Try again in a moment."
    return Unavailable("addresses_exhausted", said, retry_after=5)


def _by_network(rows: Iterable[DepositAddress]) -> Mapping[str, str]:
    """Return where each network pays to addresses.

    Not where no watch has begun: a network that was added today shares addresses that were
    handed out long ago, and what is paid before its watch begins is never read.
    """
    by_family = {row.family: _checked(row) for row in rows}
    begun = set(db.session.scalars(select(WatchMark.network))) if by_family else set()
    return {
        name: by_family[network.family]
        for name, network in NETWORKS.items()
        if network.family in by_family and name in begun
    }


def _checked(row: DepositAddress) -> str:
    if not chains.addresses().has_signed(row.family, row.number, row.address, row.proof):
        log.error("address_not_ours", family=row.family, number=row.number)
        raise Unavailable("address_not_ours", "This address cannot be shown. Nothing was done.")
    return row.address


def _look_often(found: Mapping[str, str]) -> None:
    """Have accounts that are asked about one by one looked at now and often for a while."""
    now = clock.now()
    rows = [
        {
            "network": name,
            "address": address,
            "balance_micro": ZERO,
            "active_at": now,
            "due_at": now,
        }
        for name, address in found.items()
        if NETWORKS[name].by_account
    ]
    if rows:
        watch = insert(WatchedAccount)
        current().execute(
            watch.values(rows).on_conflict_do_update(
                index_elements=["network", "address"],
                set_={"active_at": watch.excluded.active_at, "due_at": watch.excluded.due_at},
            )
        )
