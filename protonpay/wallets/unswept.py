"""What lies on deposit addresses: final transfers that no sweep has taken yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, not_, select, true, update

from protonpay.chains.registry import NETWORKS
from protonpay.kernel.money import ZERO, Usdc
from protonpay.store.db import current, db
from protonpay.wallets.models import DepositAddress, Incoming, WatchMark


@dataclass(frozen=True, slots=True)
class Lying:
    """What one address was paid and still has, by our own rows.

    Attributes:
        number: derivation index of the address's key.
        incoming_ids: the transfers it consists of.
    """

    address: str
    number: int
    amount: Usdc
    incoming_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """When an address is worth a sweep.

    Attributes:
        enough: from this amount on, at any time.
        old: or when its oldest transfer became final before this moment,
        least: and it has this much.
    """

    enough: Usdc
    old: datetime
    least: Usdc


def lying(network: str, worth: Worth, but: Select[str], limit: int) -> Sequence[Lying]:
    """Return the addresses worth a sweep, the richest first, other than those of a query."""
    amount, oldest = func.sum(Incoming.amount_micro), func.min(Incoming.final_at)
    found = (
        select(
            Incoming.address,
            DepositAddress.number,
            amount,
            func.array_agg(Incoming.id),
        )
        .join(
            DepositAddress,
            (DepositAddress.address == Incoming.address)
            & (DepositAddress.family == NETWORKS[network].family),
        )
        .where(
            *_unswept(),
            Incoming.network == network,
            _is_there(network),
            Incoming.address.not_in(but),
        )
        .group_by(Incoming.address, DepositAddress.number)
        .having((amount >= worth.enough) | ((oldest <= worth.old) & (amount >= worth.least)))
        .order_by(amount.desc(), Incoming.address)
        .limit(limit)
    )
    return [
        Lying(address, number, lies, tuple(ids))
        for address, number, lies, ids in db.session.execute(found)
    ]


def take(sweep_id: int, incoming_ids: Sequence[str]) -> Usdc:
    """Give transfers to a sweep, in the caller's transaction; return what they add up to.

    Those that another sweep has taken meanwhile are left out.
    """
    taken = current().scalars(
        update(Incoming)
        .where(*_unswept(), Incoming.id.in_(incoming_ids))
        .values(swept_by=sweep_id)
        .returning(Incoming.amount_micro)
    )
    return sum(taken, ZERO)


def totals() -> Mapping[str, Usdc]:
    """Return what lies on the deposit addresses of each network and is in no sweep."""
    lie = dict.fromkeys(NETWORKS, ZERO)
    counted = (
        select(Incoming.network, func.sum(Incoming.amount_micro))
        .where(*_unswept())
        .group_by(Incoming.network)
    )
    for network, amount in db.session.execute(counted):
        lie[network] = amount
    return lie


def _is_there(network: str) -> ColumnElement[bool]:
    """Tell transfers that the final state has: a small one may be credited before it does."""
    if NETWORKS[network].by_account:
        return true()
    read = select(WatchMark.height).where(WatchMark.network == network).scalar_subquery()
    return Incoming.block <= read


def _unswept() -> tuple[ColumnElement[bool], ...]:
    return Incoming.state == "FINAL", Incoming.swept_by.is_(None), not_(Incoming.inside)
