"""Watch a network by its blocks: what is final is credited, what is new is shown.

Two passes. The authoritative one reads up to the ``finalized`` block and moves the mark;
the other reads on to the newest block, so that a payer is seen within seconds. Both read a few
blocks before the place where the last round ended again, and four times a minute all that the
last minute's rounds read, also of a chain that makes no new blocks, because a node may have
answered too little without saying so; the last day is read again every hour, a piece each round.
What may be credited ``finality`` says. No transaction is open while a node is asked.
"""

from collections.abc import Iterable, Mapping, Sequence

import structlog
from sqlalchemy import update

from protonpay.chains.registry import chains
from protonpay.chains.watch import Arrival, BlockWatch, Point, Reach
from protonpay.kernel import clock
from protonpay.store.db import db, release, transaction
from protonpay.wallets import finality, recording
from protonpay.wallets.models import Incoming, WatchMark
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_OVERLAP_EVERY = 15
_OVERLAPS = 4
"""A block is read again so often, once in so many seconds.

Every round would read each block thirty times over: too much where blocks are full.
"""
_FEWEST_BLOCKS = 3
_MOST_BLOCKS = 500
_ANSWERS = 20
"""How many answers one round reads: 10,000 blocks; a long outage is caught up in many rounds."""
_DOUBTS = 100
_HOUR = 3600
_DAY = 24 * _HOUR
_PIECE = 500
_PIECE_TRANSFERS = 5_000
"""Of the last day, what one round reads again: where blocks are full it takes more than an hour."""


def read(network: str, mark: WatchMark) -> None:
    """Read what is new on a network.

    Raises:
        NoAnswer: unknown; what was read before stands.
    """
    watch = chains.block_watch(network)
    reach = watch.reach()
    is_overlap = _is_new(mark, _OVERLAP_EVERY)
    back = _FEWEST_BLOCKS
    if is_overlap:
        # By our own rounds: how long a block takes is its network's to change.
        minute = mark.height - mark.overlap_heights[0]
        back = min(max(minute, _FEWEST_BLOCKS), _MOST_BLOCKS)
    _read_final(network, watch, reach, mark, back)
    # A reorg may have made the chain shorter than what was seen of it.
    seen = max(reach.final.height, min(mark.seen_height, reach.latest.height))
    first = max(reach.final.height, seen - back) + 1
    if _was_replaced(network, watch, reach, first):
        first = reach.final.height + 1
    found, up_to = _read_new(network, watch, reach, first)
    if up_to <= seen:
        more, up_to = _read_new(network, watch, reach, seen + 1)
        found += more
    _note(network, seen_height=max(up_to, seen))
    _look_after(network, watch, reach, found, first)
    _read_again(network, watch, reach, mark, back)
    if is_overlap:
        _note(network, overlap_heights=[*mark.overlap_heights, mark.height][-_OVERLAPS:])


def begin(network: str) -> int:
    """Return where the watch of a network begins: nobody has an address of ours before."""
    return chains.block_watch(network).reach().final.height


def _is_new(mark: WatchMark, seconds: int) -> bool:
    """Tell whether another part of a minute has begun since the last round's end."""
    now, before = clock.now().timestamp(), mark.looked_at.timestamp()
    return int(now) // seconds != int(before) // seconds


def _blocks_of_a_day(reach: Reach) -> int:
    """Return how many blocks a network makes in a day: their length is its to change."""
    blocks = reach.latest.height - reach.final.height
    if not blocks:
        return _DAY  # one a second: rather too much than too little
    return _DAY * blocks // max(reach.latest.time - reach.final.time, 1)


def _read_final(network: str, watch: BlockWatch, reach: Reach, mark: WatchMark, back: int) -> None:
    last = reach.final.height
    if last < mark.height:
        log.warning("node_behind", network=network, final=last, read=mark.height)
    if last > mark.height or back > _FEWEST_BLOCKS:
        up_to = _settle(network, watch, reach, (max(mark.height + 1 - back, 0), last))
        if up_to <= mark.height < last:
            # A node that answers so little at once must not hold the mark where it is.
            _settle(network, watch, reach, (mark.height + 1, last))


def _read_again(network: str, watch: BlockWatch, reach: Reach, mark: WatchMark, back: int) -> None:
    """Read the last day once more, from its beginning to now in the course of each hour."""
    end = min(reach.final.height, mark.height) - back
    begin = max(end - _blocks_of_a_day(reach), 0)
    by_now = begin + (end - begin) * (int(clock.now().timestamp()) % _HOUR) // _HOUR
    at = mark.again_height
    is_over = end - at < _PIECE
    if at < begin or (is_over and by_now < (begin + end) // 2):
        at = begin
    # Who has not come to the end when the hour is over goes on to it first: it is the newest.
    last = min(at + _PIECE, end)
    if last <= (end if by_now < at else by_now) and last > at:
        up_to = _settle(network, watch, reach, (at + 1, last), _PIECE_TRANSFERS)
        _note(network, again_height=up_to)


def _settle(
    network: str, watch: BlockWatch, reach: Reach, blocks: tuple[int, int], most: int | None = None
) -> int:
    """Read final blocks, as far as a round's answers or so many transfers; return how far."""
    first, last = blocks
    for _ in range(1 if most else _ANSWERS):
        if first > last:
            break
        paid = watch.paid(first, last, most)
        held = recording.holders(network, _addresses(paid.addresses.values()))
        ours = [h for h, to in paid.addresses.items() if not held.keys().isdisjoint(to)]
        known = recording.finals(network, ours)
        release()
        asked = [tx_hash for tx_hash in ours if tx_hash not in known]
        arrivals = watch.arrivals(asked)
        if {one.tx_hash for one in arrivals if one.block <= last} != set(asked):
            raise NoAnswer("the node lists final transfers that it does not show")
        credited, waiting = finality.judge(network, arrivals, held, reach)
        with transaction():
            recording.record(network, credited, held, final=True)
            recording.record(network, waiting, held, final=False)
            _move_mark(network, paid.up_to)
        first = paid.up_to.height + 1
    return first - 1


def _was_replaced(network: str, watch: BlockWatch, reach: Reach, first: int) -> bool:
    """Tell whether a reorg went deeper than what is read again anyway.

    The newest transfer before that is asked about: where its block stands, all before it do.
    """
    older = [row for row in recording.open_rows(network) if reach.final.height < row.block < first]
    release()
    if not older:
        return False
    row = older[-1]
    return watch.is_gone(row.tx_hash, row.block, row.block_hash or "")


def _read_new(
    network: str, watch: BlockWatch, reach: Reach, first: int
) -> tuple[list[Arrival], int]:
    """Read blocks that a reorg may take back; return what was found, and how far that is."""
    found: list[Arrival] = []
    for _ in range(_ANSWERS):
        if first > reach.latest.height:
            break
        paid = watch.paid(first, reach.latest.height)
        held = recording.holders(network, _addresses(paid.addresses.values()))
        release()
        ours = [h for h, to in paid.addresses.items() if not held.keys().isdisjoint(to)]
        if ours:
            arrivals = watch.arrivals(ours)
            _write(network, arrivals, held, reach)
            found += arrivals
        first = paid.up_to.height + 1
    return found, first - 1


def _look_after(
    network: str, watch: BlockWatch, reach: Reach, found: list[Arrival], first: int
) -> None:
    """Look for transfers that should have been found and were not: moved, or gone."""
    there = {(one.tx_hash, one.ordinal) for one in found}
    doubtful = _some(
        [
            row
            for row in recording.open_rows(network)
            if (row.tx_hash, row.ordinal) not in there
            and (row.block >= first or finality.is_due(network, row.amount_micro, row.block, reach))
        ]
    )
    release()
    if not doubtful:
        return
    arrivals = watch.arrivals(sorted({row.tx_hash for row in doubtful}))
    there = {(one.tx_hash, one.ordinal) for one in arrivals}
    gone = [row for row in doubtful if (row.tx_hash, row.ordinal) not in there]
    gone = [row for row in gone if watch.is_gone(row.tx_hash, row.block, row.block_hash or "")]
    held = recording.holders(network, [one.address for one in arrivals])
    release()
    _write(network, arrivals, held, reach)
    with transaction():
        for row in sorted(gone, key=lambda one: (one.block, one.tx_hash, one.ordinal)):
            recording.vanish(network, row.tx_hash, row.ordinal)


def _some(doubtful: Sequence[Incoming]) -> Sequence[Incoming]:
    """Take as many as one round looks at; others each time, so that none is in another's way."""
    start = int(clock.now().timestamp()) % max(len(doubtful), 1)
    return [*doubtful[start:], *doubtful[:start]][:_DOUBTS]


def _write(
    network: str, arrivals: Sequence[Arrival], held: Mapping[str, recording.Holder], reach: Reach
) -> None:
    credited, waiting = finality.judge(network, arrivals, held, reach)
    with transaction():
        recording.record(network, credited, held, final=True)
        recording.record(network, waiting, held, final=False)


def _addresses(of: Iterable[frozenset[str]]) -> set[str]:
    return set().union(*of)


def _move_mark(network: str, to: Point) -> None:
    db.session.execute(
        update(WatchMark)
        .where(WatchMark.network == network, WatchMark.height < to.height)
        .values(height=to.height)
    )


def _note(network: str, **heights: int | list[int]) -> None:
    with transaction() as session:
        session.execute(update(WatchMark).where(WatchMark.network == network).values(**heights))
