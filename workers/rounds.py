"""The scheduler: RQ's own, ringing for periodic work, one at a time in the whole installation."""

import sys
from collections.abc import Mapping
from contextlib import closing

import psycopg
import redis
import structlog
from rq.cron import CronJob, CronScheduler
from rq.job import Job
from typing_extensions import override

from protonpay.cards.registry import PROVIDERS
from protonpay.chains.registry import NETWORKS
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.store.db import transaction
from protonpay.store.jobs import Periodic, rounds
from protonpay.store.queue import door, ring

log = structlog.get_logger(__name__)

_LOCK = 0x50524F544F4E  # "PROTON"


class Round(CronJob):
    """One line of the periodic table, rung through our own door (JSON, one waiting at most)."""

    def __init__(self, name: str, work: Periodic) -> None:
        super().__init__(
            queue_name=work.queue, func_name=work.path, interval=work.every_seconds, name=name
        )
        self._work = work

    @override
    def enqueue(self, connection: redis.Redis) -> Job | None:  # type: ignore[override] # nobody reads the job
        ring(self.name, self._work)
        return None


def run(database_url: str) -> None:
    """Ring until told to stop, or until the lock's connection is lost.

    Two schedulers would do everything twice; the second waits here for the first to go.
    """
    # Closed, not left in order: a signal may interrupt it in the middle of a heartbeat.
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        # For whoever started this and waits: to stand by is to be ready, too.
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        with transaction():
            ledger.open_accounts(chart.of_house(list(NETWORKS), list(PROVIDERS)))
        work = rounds({name: network.by_account for name, network in NETWORKS.items()})
        scheduler = _Locked(connection, work)
        log.info("scheduler_started", rounds=list(work))
        scheduler.start()  # type: ignore[no-untyped-call] # untyped upstream


class _Locked(CronScheduler):
    """RQ's scheduler, which stops when the connection that holds the lock is gone."""

    def __init__(
        self, connection: "psycopg.Connection[tuple[object, ...]]", work: Mapping[str, Periodic]
    ) -> None:
        super().__init__(connection=door.client)
        self._cron_jobs = [Round(name, each) for name, each in work.items()]
        self._lock = connection

    @override
    def heartbeat(self) -> None:
        self._lock.execute("SELECT 1")
        super().heartbeat()
