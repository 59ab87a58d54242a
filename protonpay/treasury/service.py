"""What is swept, what lies on deposit addresses, and when an address is worth a sweep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, func, select

from protonpay.chains.registry import NETWORKS, chains
from protonpay.chains.registry import network as named_network
from protonpay.kernel import clock
from protonpay.kernel.money import MAX_MICRO, ZERO, Usdc
from protonpay.store import outbox
from protonpay.store.db import db, release, transaction
from protonpay.treasury.models import Sweep, SweepBatch
from protonpay.wallets import unswept
from protonpay.wallets.unswept import Worth

HELD_AGAIN = timedelta(hours=1)
"""How often a held address is looked at again."""

_ANYTHING = Usdc(1)


@dataclass(slots=True)
class Rules:
    """When an address is worth a sweep; bound to the settings by ``create_app``.

    Attributes:
        enough: from this amount on, at any time.
        age: what has lain for this long is swept as well,
        least: if it is this much.
    """

    enough: Usdc
    age: timedelta
    least: Usdc

    def bind(self, enough: Usdc, age: timedelta, least: Usdc) -> None:
        """Set them."""
        self.enough, self.age, self.least = enough, age, least

    def worth(self, *, everything: bool) -> Worth:
        """Return what is worth a sweep now."""
        enough = _ANYTHING if everything else self.enough
        return Worth(enough=enough, old=clock.now() - self.age, least=self.least)


rules = Rules(enough=Usdc(MAX_MICRO), age=timedelta(0), least=Usdc(MAX_MICRO))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a network's deposits stand.

    Attributes:
        lying: on deposit addresses, in no sweep.
        moving: in sweeps that are planned or signed.
        held: in sweeps that cannot be made now.
        held_count: how many those are.
    """

    lying: Usdc
    moving: Usdc
    held: Usdc
    held_count: int


def look() -> None:
    """Ask for a round of sweeps on every network that has something to sweep and none open."""
    for name in NETWORKS:
        if has_open_batch(name) or not _has_work(name):
            continue
        with transaction():
            outbox.add("treasury.sign", network=name)


def ask(network: str, *, everything: bool = False) -> None:
    """Ask for a round of sweeps now.

    Args:
        network: as the API document spells it.
        everything: sweep whatever lies there, however little.

    Raises:
        Invalid: there is no such network.
    """
    with transaction():
        outbox.add("treasury.sign", network=named_network(network).name, everything=int(everything))


def has_open_batch(network: str) -> bool:
    """Tell whether a transaction with sweeps is in flight."""
    found = select(SweepBatch.id).where(
        SweepBatch.network == network, SweepBatch.state.in_(("SIGNED", "SENT"))
    )
    return db.session.scalar(found.limit(1)) is not None


def held() -> Sequence[Sweep]:
    """Return the sweeps that cannot be made now, oldest first."""
    return db.session.scalars(
        select(Sweep).where(Sweep.state == "HELD").order_by(Sweep.id),
        execution_options={"populate_existing": True},
    ).all()


def standing() -> Mapping[str, Standing]:
    """Return how each network's deposits stand."""
    lie = unswept.totals()
    counted = (
        select(Sweep.network, Sweep.state, func.count(), func.sum(Sweep.amount_micro))
        .where(Sweep.state != "SWEPT")
        .group_by(Sweep.network, Sweep.state)
    )
    rows = {
        (name, state): (count, total) for name, state, count, total in db.session.execute(counted)
    }
    nothing = (0, ZERO)
    return {
        name: Standing(
            lying=lie[name],
            moving=rows.get((name, "PLANNED"), nothing)[1] + rows.get((name, "SIGNED"), nothing)[1],
            held=rows.get((name, "HELD"), nothing)[1],
            held_count=rows.get((name, "HELD"), nothing)[0],
        )
        for name in NETWORKS
    }


def left(network: str) -> Usdc:
    """Return what has left a network's deposit addresses, or was signed to."""
    gone = select(func.sum(Sweep.amount_micro)).where(
        Sweep.network == network, Sweep.state.in_(("SIGNED", "SWEPT"))
    )
    return db.session.scalar(gone) or ZERO


def swept(network: str, height: int, addresses: Sequence[str]) -> Mapping[str, Usdc]:
    """Return what sweeps had taken from addresses in the blocks up to a final one.

    A transaction in flight is asked about on the chain: it may have landed there before we know.
    Ask after whatever this is compared with was read: what is signed later cannot be in it.

    Raises:
        NoAnswer: unknown; ask again.
    """
    in_flight = _in_flight(network)
    booked = (
        select(Sweep.address, func.sum(Sweep.amount_micro))
        .where(*_moved_by(network, height, in_flight), Sweep.address.in_(addresses))
        .group_by(Sweep.address)
    )
    taken = {address: total for address, total in db.session.execute(booked)}  # noqa: C416 - rows are no pairs to mypy
    wanted = set(addresses)
    asked = [sweep for sweep in in_flight if sweep.address in wanted]
    for sweep in _landed(network, height, asked):
        taken[sweep.address] = taken.get(sweep.address, ZERO) + sweep.amount_micro
    return taken


def swept_in_all(network: str, height: int) -> Usdc:
    """Return what sweeps had brought to the treasury in the blocks up to a final one.

    Raises:
        NoAnswer: unknown; ask again.
    """
    in_flight = _in_flight(network)
    booked = select(func.sum(Sweep.amount_micro)).where(*_moved_by(network, height, in_flight))
    total: Usdc = db.session.scalar(booked) or ZERO
    landed = _landed(network, height, in_flight)
    return sum((sweep.amount_micro for sweep in landed), total)


def open_addresses(network: str) -> Select[str]:
    """Select the addresses that have an open sweep: there is one at a time."""
    return select(Sweep.address).where(
        Sweep.network == network, Sweep.state.in_(("PLANNED", "SIGNED", "HELD"))
    )


def _has_work(network: str) -> bool:
    waiting = select(Sweep.id).where(
        Sweep.network == network,
        (Sweep.state == "PLANNED")
        | ((Sweep.state == "HELD") & (Sweep.looked_at < clock.now() - HELD_AGAIN)),
    )
    if db.session.scalar(waiting.limit(1)) is not None:
        return True
    worth = rules.worth(everything=False)
    return bool(unswept.lying(network, worth, open_addresses(network), 1))


def _moved_by(
    network: str, height: int, in_flight: Sequence[Sweep]
) -> tuple[ColumnElement[bool], ...]:
    """Select what had moved; without those that were in flight a moment ago, if they end now."""
    return (
        Sweep.network == network,
        Sweep.state == "SWEPT",
        Sweep.block <= height,
        Sweep.id.not_in([sweep.id for sweep in in_flight]),
    )


def _in_flight(network: str) -> Sequence[Sweep]:
    signed = select(Sweep).where(Sweep.network == network, Sweep.state == "SIGNED")
    return db.session.scalars(signed, execution_options={"populate_existing": True}).all()


def _landed(network: str, height: int, in_flight: Sequence[Sweep]) -> Sequence[Sweep]:
    """Return which of the sweeps in flight had moved in the blocks up to a final one."""
    if not in_flight:
        release()
        return []
    batch = db.session.get_one(SweepBatch, in_flight[0].batch_id, populate_existing=True)
    release()
    found = chains.sweeper(network).outcome(batch.signed, [sweep.item for sweep in in_flight]).moved
    return [
        sweep
        for sweep in in_flight
        if sweep.address in found and found[sweep.address].block <= height
    ]
