"""Watch a network by its blocks: what is final is credited, what is new is shown.

Two passes. The authoritative one reads up to the ``finalized`` block and moves the mark;
the other reads on to the newest block, so that a payer is seen within seconds. Both read
the minute before the place where the last round ended again, because a node may have
answered too little without saying so. No transaction is open while a node is asked.
"""

from collections.abc import Iterable

import structlog
from sqlalchemy import update

from protonpay.chains.registry import chains
from protonpay.chains.watch import Arrival, BlockWatch, Point, Reach
from protonpay.store.db import db, release, transaction
from protonpay.wallets import recording
from protonpay.wallets.models import WatchMark
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_OVERLAP_SECONDS = 60
_FEWEST_BLOCKS = 5
_MOST_BLOCKS = 500
_ANSWERS = 20
"""How many answers one round reads: 10,000 blocks; a long outage is caught up in many rounds."""
_DOUBTS = 100


def read(network: str, mark: WatchMark) -> None:
    """Read what is new on a network.

    Raises:
        NoAnswer: unknown; what was read before stands.
    """
    watch = chains.block_watch(network)
    reach = watch.reach()
    back = _overlap(reach)
    _read_final(network, watch, reach, mark, back)
    if mark.seen_height > reach.latest.height:
        # A reorg made the chain shorter than what was seen of it; or the node lags.
        _note_seen(network, reach.latest.height)
    seen = max(reach.final.height, min(mark.seen_height, reach.latest.height))
    first = max(reach.final.height, seen - back) + 1
    found = _read_new(network, watch, first, seen)
    found += _read_new(network, watch, seen + 1, reach.latest.height, moves_on=True)
    _look_after(network, watch, reach, found, first)


def _overlap(reach: Reach) -> int:
    """Return how many blocks a minute has: their length is the network's to change."""
    blocks = reach.latest.height - reach.final.height
    seconds = max(reach.latest.time - reach.final.time, 1)
    return min(max(_OVERLAP_SECONDS * blocks // seconds, _FEWEST_BLOCKS), _MOST_BLOCKS)


def _read_final(network: str, watch: BlockWatch, reach: Reach, mark: WatchMark, back: int) -> None:
    last = reach.final.height
    if last < mark.height:
        log.warning("node_behind", network=network, final=last, read=mark.height)
    if last > mark.height:
        # What is new comes first: however little a node answers at once, the mark moves on.
        _settle(network, watch, mark.height + 1, last)
        _settle(network, watch, max(mark.height + 1 - back, 0), mark.height)


def _settle(network: str, watch: BlockWatch, first: int, last: int) -> None:
    """Read final blocks, as many as one round may."""
    for _ in range(_ANSWERS):
        if first > last:
            return
        paid = watch.paid(first, last)
        held = recording.holders(network, _addresses(paid.addresses.values()))
        ours = [h for h, to in paid.addresses.items() if not held.keys().isdisjoint(to)]
        known = recording.finals(network, ours)
        release()
        asked = [tx_hash for tx_hash in ours if tx_hash not in known]
        arrivals = watch.arrivals(asked)
        if {one.tx_hash for one in arrivals if one.block <= last} != set(asked):
            raise NoAnswer("the node lists final transfers that it does not show")
        with transaction():
            recording.record(network, arrivals, held, final=True)
            _move_mark(network, paid.up_to)
        first = paid.up_to.height + 1


def _read_new(
    network: str, watch: BlockWatch, first: int, last: int, *, moves_on: bool = False
) -> list[Arrival]:
    """Read blocks that a reorg may take back, as many as one round may."""
    found: list[Arrival] = []
    for _ in range(_ANSWERS):
        if first > last:
            break
        paid = watch.paid(first, last)
        held = recording.holders(network, _addresses(paid.addresses.values()))
        release()
        ours = [h for h, to in paid.addresses.items() if not held.keys().isdisjoint(to)]
        arrivals = watch.arrivals(ours)
        with transaction():
            recording.record(network, arrivals, held, final=False)
            if moves_on:
                _note_seen(network, paid.up_to.height)
        found += arrivals
        first = paid.up_to.height + 1
    return found


def _look_after(
    network: str, watch: BlockWatch, reach: Reach, found: list[Arrival], first: int
) -> None:
    """Look for transfers that should have been found and were not: moved, or gone."""
    there = {(one.tx_hash, one.ordinal) for one in found}
    doubtful = [
        row
        for row in recording.open_rows(network)
        if (row.block >= first or row.block <= reach.final.height)
        and (row.tx_hash, row.ordinal) not in there
    ][:_DOUBTS]
    release()
    if not doubtful:
        return
    arrivals = watch.arrivals(sorted({row.tx_hash for row in doubtful}))
    there = {(one.tx_hash, one.ordinal) for one in arrivals}
    gone = [row for row in doubtful if (row.tx_hash, row.ordinal) not in there]
    gone = [row for row in gone if watch.is_gone(row.tx_hash, row.block, row.block_hash or "")]
    held = recording.holders(network, [one.address for one in arrivals])
    with transaction():
        for is_final in (True, False):
            part = [one for one in arrivals if (one.block <= reach.final.height) is is_final]
            recording.record(network, part, held, final=is_final)
        for row in gone:
            recording.vanish(network, row.tx_hash, row.ordinal)


def begin(network: str) -> Point:
    """Return where the watch of a network begins: nobody has an address of ours before."""
    return chains.block_watch(network).reach().final


def _addresses(of: Iterable[frozenset[str]]) -> set[str]:
    return set().union(*of)


def _move_mark(network: str, to: Point) -> None:
    db.session.execute(
        update(WatchMark)
        .where(WatchMark.network == network, WatchMark.height < to.height)
        .values(height=to.height)
    )


def _note_seen(network: str, height: int) -> None:
    with transaction() as session:
        session.execute(
            update(WatchMark).where(WatchMark.network == network).values(seen_height=height)
        )
