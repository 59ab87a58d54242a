"""What every job has in common: it takes a row, keeps it while it runs, and says how it ended."""

import functools
import threading
import time
from collections.abc import Callable, Mapping

import structlog
from flask import Flask

from protonpay.store import beats, outbox, queue
from protonpay.store.bell import bell
from protonpay.store.db import release
from protonpay.store.jobs import JOBS, PERIODIC, Later, round_name
from protonpay.store.outbox import Ticket
from protonpay.telemetry import metrics

log = structlog.get_logger(__name__)

JOB_FUNCTIONS: dict[str, Callable[..., Later | None]] = {}
PERIODIC_FUNCTIONS: dict[str, Callable[..., object]] = {}

_RENEW_SECONDS = outbox.RUNNING_LEASE.total_seconds() / 3
_ROUND_SECONDS = 30


class LeaseKeeper:
    """Renews the lease of the row in hand, so that only a dead worker loses it."""

    def __init__(self) -> None:
        self._app: Flask | None = None
        self._ticket: Ticket | None = None
        self._changed = threading.Condition()

    def start(self, app: Flask) -> None:
        """Begin to keep leases in this process; after the fork, never before."""
        self._app = app
        threading.Thread(target=self._keep, daemon=True, name="leases").start()

    def hold(self, ticket: Ticket | None) -> None:
        """Set the row in hand, or none."""
        with self._changed:
            self._ticket = ticket
            self._changed.notify()

    def _keep(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ticket is not None)
                ticket = self._ticket
                self._changed.wait(_RENEW_SECONDS)
                still = self._ticket is ticket
            if still and ticket is not None and self._app is not None:
                with self._app.app_context():
                    _renew(ticket)


keeper = LeaseKeeper()


def job(name: str) -> Callable[[Callable[..., Later | None]], Callable[[int, int], None]]:
    """Register the function of a job; it gets the row's arguments and may answer ``Later``.

    An exception is a failure: the row comes back after the waits of ``store/jobs.py``.
    """

    def register(work: Callable[..., Later | None]) -> Callable[[int, int], None]:
        JOB_FUNCTIONS[name] = work

        @functools.wraps(work)
        def run(row_id: int, fence: int) -> None:
            ticket = Ticket(row_id, fence)
            with structlog.contextvars.bound_contextvars(job=name, row=row_id):
                _run(name, work, ticket)

        return run

    return register


def periodic(name: str) -> Callable[[Callable[..., object]], Callable[..., None]]:
    """Register the function of a round of periodic work; it gets its network if it has one."""

    def register(work: Callable[..., object]) -> Callable[..., None]:
        PERIODIC_FUNCTIONS[name] = work

        @functools.wraps(work)
        def run(*args: str) -> None:
            this = round_name(name, *args)
            queue.answer(this)
            beats.beat(PERIODIC[name].queue)
            begun = time.perf_counter()
            try:
                work(*args)
            finally:
                release()
                metrics.JOB_SECONDS.labels(this).observe(time.perf_counter() - begun)

        return run

    return register


def drain(batch: Callable[[], int], full: int) -> None:
    """Repeat a batch while it comes back full, for a while."""
    until = time.monotonic() + _ROUND_SECONDS
    while batch() >= full and time.monotonic() < until:
        release()


def _run(name: str, work: Callable[..., Later | None], ticket: Ticket) -> None:
    args = outbox.begin(ticket)
    if args is None:
        metrics.JOBS.labels(name, "stale").inc()
        return
    beats.beat(JOBS[name].queue)
    keeper.hold(ticket)
    begun = time.perf_counter()
    try:
        end = _end(name, ticket, work, args)
    finally:
        keeper.hold(None)
        release()
    metrics.JOBS.labels(name, end).inc()
    metrics.JOB_SECONDS.labels(name).observe(time.perf_counter() - begun)


def _end(
    name: str, ticket: Ticket, work: Callable[..., Later | None], args: Mapping[str, object]
) -> str:
    try:
        later = work(**args)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of a compiled library is no Exception
        release()
        log.exception("job_failed")
        return "dead" if outbox.fail(ticket, repr(error)) else "failed"
    if later is not None:
        due = outbox.postpone(ticket, later.seconds, later.reason)
        if due is not None:
            bell.ring_at(name, due)
        return "later"
    outbox.ack(ticket)
    return "done"


def _renew(ticket: Ticket) -> None:
    try:
        outbox.renew(ticket)
    except Exception as error:  # noqa: BLE001 - a lease not renewed costs a second run, not the worker
        log.warning("lease_not_renewed", error=repr(error))
    finally:
        release()
