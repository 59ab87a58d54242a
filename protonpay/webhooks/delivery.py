"""Deliver: take what is due lane by lane, post without a transaction open, write down the end.

Posting waits for strangers: one thread does it for all attempts under way (ADR 37), another speaks
with the database. A lane that lets us wait has one attempt at a time, and all that do so together
half of them, so that whoever answers at once is answered to at once.
"""

import contextlib
import queue
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from protonpay.kernel import clock
from protonpay.kernel.events import signed_body, standard_signature
from protonpay.store.db import commit_without_waiting, pipelined, transaction
from protonpay.store.secrets import safe
from protonpay.webhooks import failing, lanes
from protonpay.webhooks.lanes import Claimed, Parcel, headers
from protonpay.webhooks.models import SECRET_PURPOSE
from protonpay.webhooks.recording import SLOW_MILLISECONDS, WIDEST, Met, Pace, record
from protonpay.wire.loop import Loop, Steps
from protonpay.wire.outbound import Outcome, deliver

log = structlog.get_logger(__name__)

SLOTS = 64
"""Attempts under way at once, in one process."""
MOST_OF_AN_ACCOUNT = 20
POLL_SECONDS = 1.0
"""How long nobody looks at the rows when nobody rings."""

_IN_STOCK = 4
_TURN_SECONDS = 0.5
_LOOK_AGAIN_SECONDS = 0.1
_MOMENT_SECONDS = 0.02
# Waiting costs nothing, working does: more than this at work only take it from each other.
_MOST_AT_WORK = 24
_AT_WORK_SECONDS = 0.02
_WORTH_A_COMMIT = 128
_BROKE = Outcome(delivered=False, status=None, code="internal_error", head="", milliseconds=0)


@dataclass(eq=False, slots=True)
class Lane:
    """A lane in the hands of this process.

    Attributes:
        stock: taken and not begun.
        begun: when each attempt under way began, on the monotonic clock, by delivery.
        unwritten: attempts that ended and are not written down.
        failures: in a row. A lane that is broken gets one attempt, and no more if it fails.
        shut: it is broken as far as we have seen ourselves.
        empty: nothing more was due when we looked last.
    """

    claimed: Claimed
    width: int
    slow: bool
    until: float
    stock: deque[Parcel] = field(default_factory=deque)
    begun: dict[int, float] = field(default_factory=dict)
    unwritten: int = 0
    failures: int = 0
    shut: bool = False
    empty: bool = False

    def is_slow(self, now: float) -> bool:
        """Say whether it lets us wait: it did, or it does."""
        # They are in the order they began.
        oldest = next(iter(self.begun.values()), now)
        return self.slow or (now - oldest) * 1000 > SLOW_MILLISECONDS

    @property
    def broken(self) -> bool:
        """Whether it has failed so often that it gets one attempt at a time."""
        return self.failures >= lanes.BROKEN_AFTER

    @property
    def has_had_its_try(self) -> bool:
        """Whether it is broken, and nothing of it may begin until its pause is over."""
        return self.shut or (self.broken and bool(self.begun))

    @property
    def idle(self) -> bool:
        """Whether we have nothing to do with it any more."""
        return self.empty and not (self.stock or self.begun or self.unwritten)


class Courier:
    """Delivers for one process; all but posting is done by the thread that calls it.

    Attributes:
        begun: how many attempts were begun so far.
    """

    def __init__(self, slots: int = SLOTS, most: int | None = None) -> None:
        """Args: slots: attempts at once. most: attempts in all, if there is a limit."""
        self.begun = 0
        self._slots, self._most = slots, most
        self._lanes: dict[str, Lane] = {}
        self._ended: queue.SimpleQueue[Met | None] = queue.SimpleQueue()
        self._batch: list[Met] = []
        self._tried = False
        self._troubles: dict[str, failing.Trouble] = {}
        self._ended_at = 0.0
        self._loop = Loop()
        self._looked_at = 0.0
        self._pauses: list[float] = []
        self._rung = True
        self._held_back = False

    def ring(self) -> None:
        """Say that something is due; from any thread."""
        self._ended.put(None)

    def step(self, patience: float) -> bool:
        """Do what can be done now, and wait for the end of an attempt, or for a ring, so long.

        Returns:
            Whether there is more to do, or attempts are under way.
        """
        room = self._room()
        if room > 0 or any(lane.idle for lane in self._lanes.values()):
            self._stock_up(room, time.monotonic())
            self._begin()
        if self._under_way:
            self._listen(_AT_WORK_SECONDS if self._held_back else patience)
        if self._batch and self._is_worth_a_commit():
            # What may begin begins before this thread speaks with the database.
            self._begin()
            self._write_down()
        return bool(self._lanes)

    def wait(self, seconds: float) -> bool:
        """Wait for a ring so long; return whether there was one."""
        # A throttled lane is not rung for when its pause is over.
        pause = min(self._pauses, default=seconds + time.monotonic()) - time.monotonic()
        self._listen(max(min(seconds, pause + _MOMENT_SECONDS), 0))
        return self._rung

    def close(self) -> None:
        """End what is under way and give back the rest."""
        self._most = self.begun
        for lane in self._lanes.values():
            lane.empty = True
        self._give_back([lane for lane in self._lanes.values() if lane.stock])
        while self.step(POLL_SECONDS):
            pass
        self._loop.close()

    @property
    def _under_way(self) -> int:
        return sum(len(lane.begun) for lane in self._lanes.values())

    def _listen(self, seconds: float) -> None:
        with contextlib.suppress(queue.Empty):
            self._hear(self._ended.get(timeout=seconds))
            while True:
                self._hear(self._ended.get_nowait())

    def _hear(self, met: Met | None) -> None:
        if met is None:
            self._rung = True
            return
        self._ended_at = self._ended_at if self._batch else time.monotonic()
        self._batch.append(met)
        lane, pace = self._lanes[met.parcel.endpoint_id], Pace()
        lane.begun.pop(met.parcel.delivery_id)
        lane.unwritten += 1
        pace.learn(met)
        lane.width, lane.slow = pace.width, pace.slow
        lane.failures = pace.failures + (0 if pace.cleared else lane.failures)
        lane.shut = lane.broken

    def _room(self) -> int:
        """Say how many attempts may begin now."""
        now = time.monotonic()
        ages = [now - begun for lane in self._lanes.values() for begun in lane.begun.values()]
        room = self._slots - len(ages)
        if self._most is not None:
            room = min(room, self._most - self.begun)
        at_work = _MOST_AT_WORK - sum(age < _AT_WORK_SECONDS for age in ages)
        self._held_back = at_work < room
        return min(room, at_work)

    def _begin(self) -> None:
        """Begin what is in stock, as far as there is room."""
        now = time.monotonic()
        self._loop.run_in_thread("deliveries")
        for lane, parcel in self._next(self._room(), now):
            lane.begun[parcel.delivery_id] = now
            self.begun += 1
            self._loop.start(_attempt(parcel, lane.width), self._ended.put)

    def _stock_up(self, room: int, now: float) -> None:
        """Let go of lanes, claim others and take what is due of ours: one commit."""
        idle = [lane for lane in self._lanes.values() if lane.idle]
        kept = [lane for lane in self._lanes.values() if not lane.idle]
        due_for_a_look = (
            self._rung
            or now - self._looked_at > _LOOK_AGAIN_SECONDS
            or min(self._pauses, default=now + 1) <= now
        )
        looking = room > 0 and (due_for_a_look or bool(idle))
        if not (idle or looking or any(self._most_wanted(lane, room, now) for lane in kept)):
            return
        with transaction(), pipelined():
            # All of ours at once: whoever locks several one by one may meet who locks them so.
            lanes.lock([*self._lanes])
            if idle:
                lanes.let_go([lane.claimed for lane in idle])
            found = list(self._claim(kept, room, now)) if looking else []
            ours = {lane.claimed: self._most_wanted(lane, room, now) for lane in (*kept, *found)}
            wanted = {claimed: most for claimed, most in ours.items() if most > 0}
            parcels = lanes.take(wanted) if wanted else []
            if not found:
                # Forgotten, it is done again (ADR 31); a hand on a lane must not be.
                commit_without_waiting()
        # Only what is committed is ours.
        if looking:
            self._rung, self._looked_at = False, now
            self._pauses = [end for end in self._pauses if end > now]
        self._lanes = {lane.claimed.endpoint_id: lane for lane in (*kept, *found)}
        for parcel in parcels:
            self._lanes[parcel.endpoint_id].stock.append(parcel)
        for claimed, most in wanted.items():
            lane = self._lanes[claimed.endpoint_id]
            lane.empty = len(lane.stock) < most
            if claimed.throttle and lane.stock:
                pause = lanes.pause(len(lane.stock), claimed.throttle).total_seconds()
                self._pauses.append(now + pause)

    def _claim(self, kept: list[Lane], room: int, now: float) -> Iterator[Lane]:
        """Claim lanes that are due: no more slow ones than may be under way."""
        busy = sum(lane.width for lane in kept if not lane.is_slow(now))
        # What we could not serve at once is left to the other processes.
        quick_room = min(room, (2 * _MOST_AT_WORK - busy) // WIDEST)
        slow_room = self._slow_slots - sum(lane.is_slow(now) for lane in kept)
        ours = {lane.claimed.endpoint_id for lane in kept}
        for slow, most in ((False, quick_room), (True, min(room, slow_room))):
            for claimed in lanes.claim(most, slow=slow) if most > 0 else ():
                # One we have was lost for a time, and comes back when what is under way has ended.
                if claimed.endpoint_id not in ours:
                    lane = Lane(claimed, claimed.width, claimed.slow, now + _TURN_SECONDS)
                    lane.failures = claimed.failures
                    yield lane

    @property
    def _slow_slots(self) -> int:
        return max(self._slots // 2, 1)

    def _most_wanted(self, lane: Lane, room: int, now: float) -> int:
        """Say how much of a lane to take: for a few rounds ahead while it is quick."""
        # When its turn is over others wait for theirs.
        over = now >= lane.until or lane.has_had_its_try
        if lane.empty or room <= 0 or over:
            lane.empty = lane.empty or over
            return 0
        if lane.is_slow(now) or lane.broken:
            return 0 if lane.begun or lane.stock else 1
        most = lane.width * _IN_STOCK if self._most is None else min(lane.width * _IN_STOCK, room)
        return most if len(lane.stock) < lane.width else 0

    def _next(self, room: int, now: float) -> Iterator[tuple[Lane, Parcel]]:
        """Yield what may begin, one of each lane in turn."""
        accounts: Counter[str] = Counter()
        slow_room = self._slow_slots
        for lane in self._lanes.values():
            accounts[lane.claimed.user_id] += len(lane.begun)
            slow_room -= len(lane.begun) if lane.is_slow(now) else 0
        waiting = [lane for lane in self._lanes.values() if lane.stock]
        while waiting and room > 0:
            again = []
            for lane in waiting:
                if lane.has_had_its_try:
                    self._give_back([lane])
                    continue
                slow = lane.is_slow(now)
                may = len(lane.begun) < (1 if slow else lane.width) and (not slow or slow_room > 0)
                if room <= 0 or not may or accounts[lane.claimed.user_id] >= MOST_OF_AN_ACCOUNT:
                    continue
                if lane.stock[0].begin_before < now:
                    self._give_back([lane])
                    continue
                room, slow_room = room - 1, slow_room - slow
                accounts[lane.claimed.user_id] += 1
                yield lane, lane.stock.popleft()
                if lane.stock:
                    again.append(lane)
            waiting = again

    def _is_worth_a_commit(self) -> bool:
        """Say whether to write down what ended: a commit costs as much for one as for many.

        It waits a moment only while there is more to begin, so that nobody waits for it.
        """
        if len(self._batch) >= _WORTH_A_COMMIT or not self._under_way:
            return True
        waited = time.monotonic() - self._ended_at
        return waited > _MOMENT_SECONDS or not any(lane.stock for lane in self._lanes.values())

    def _write_down(self) -> None:
        # If the database is away this raises, and the batch is written down the next time.
        again, self._tried = self._tried, True
        found = record(self._batch, again=again)
        self._tried = False
        for met in self._batch:
            self._lanes[met.parcel.endpoint_id].unwritten -= 1
        self._batch = []
        # Written down is written down, whether or not it can be judged now.
        known = self._troubles
        self._troubles = known | {of: it.joined(known.get(of, it)) for of, it in found.items()}
        failing.judge(self._troubles, clock.now())
        self._troubles = {}

    def _give_back(self, of: list[Lane]) -> None:
        parcels = [parcel for lane in of for parcel in lane.stock]
        if parcels:
            lanes.give_back(parcels)
        for lane in of:
            lane.stock.clear()
            lane.empty = True


def deliver_due(limit: int = SLOTS) -> int:
    """Attempt up to ``limit`` due deliveries; return how many were attempted."""
    courier = Courier(slots=min(limit, SLOTS), most=limit)
    try:
        while courier.step(POLL_SECONDS):
            if courier.begun >= limit:
                break
    finally:
        courier.close()
    return courier.begun


def _attempt(parcel: Parcel, width: int) -> Steps[Met]:
    try:
        began, outcome, signature = yield from post(parcel)
    except Exception:
        # Not the receiver's doing: an end must be written down all the same.
        log.exception("delivery_broke", delivery=parcel.delivery_id)
        return Met(parcel, clock.now(), _BROKE, width)
    return Met(parcel, began, outcome, width, signature)


def post(parcel: Parcel) -> Steps[tuple[datetime, Outcome, str]]:
    """Make one attempt: sign, post, say when it began, how it went and what signed it.

    While secrets overlap the body is signed by the oldest, the header by each (``rotation``).
    """
    began = clock.now()
    secrets = [safe.open(one, SECRET_PURPOSE) for one in (*parcel.old_secrets, parcel.secret)]
    body = signed_body(parcel.core, secrets[0])
    timestamp = clock.to_epoch_ms(began) // 1000
    signature = " ".join(
        standard_signature(parcel.event_id, timestamp, body, secret) for secret in reversed(secrets)
    )
    sent = headers(parcel.event_id, began, signature)
    return began, (yield from deliver(parcel.url, body, sent)), signature
