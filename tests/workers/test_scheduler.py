"""Of several schedulers one rings; when it goes, another takes its place."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from rq.cron import CronScheduler

from protonpay.chains.registry import NETWORKS
from protonpay.store.jobs import QUEUES
from protonpay.store.jobs import rounds as every_round
from protonpay.store.queue import door, named
from tests.committed import OpenHouse
from tests.patience import until
from tests.workers.processes import Forked, forked
from workers import rounds

pytestmark = pytest.mark.slow


class Schedulers:
    """Two schedulers of one installation, and who of them holds the lock."""

    def __init__(self, house: OpenHouse) -> None:
        self.house = house
        self.by_name: dict[str, Forked] = {}

    def start(self, stack: ExitStack, name: str) -> None:
        def run() -> None:
            os.environ["PGAPPNAME"] = name
            rounds.run(self.house.url)

        self.by_name[name] = stack.enter_context(forked(self.house, run))

    def locks(self, *, granted: bool) -> list[str]:
        query = """
            SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE l.locktype = 'advisory' AND a.datname = %s AND l.granted = %s
        """
        with self.house.superuser() as connection:
            return [row[0] for row in connection.execute(query, (self.house.database, granted))]

    def at_work(self) -> tuple[str, str]:
        """Wait until one rings and one stands by, and name them."""
        (ringing,) = until(lambda: self.locks(granted=True))
        (waiting,) = until(lambda: self.locks(granted=False))
        return ringing, waiting

    def has_taken_over(self, name: str) -> None:
        until(lambda: self.locks(granted=True) == [name])
        door.client.flushdb()
        until(lambda: door.client.exists("round:outbox.sweep"))


def _every_round_is_rung() -> bool:
    return all(len(named(queue)) > 0 for queue in QUEUES)


@pytest.fixture
def schedulers(open_house: OpenHouse) -> Iterator[Schedulers]:
    pair = Schedulers(open_house)
    with ExitStack() as stack:
        pair.start(stack, "one")
        pair.start(stack, "other")
        yield pair


def test_one_rings_for_every_round_and_one_stands_by(schedulers: Schedulers):
    schedulers.at_work()
    until(_every_round_is_rung)
    assert len(CronScheduler.all(connection=door.client)) == 1
    rung = {key.decode() for key in door.client.keys("round:*")}
    kinds = {name: network.by_account for name, network in NETWORKS.items()}
    assert rung <= {f"round:{name}" for name in every_round(kinds)}


def test_when_the_one_that_rings_is_killed_the_other_takes_over(schedulers: Schedulers):
    ringing, waiting = schedulers.at_work()
    schedulers.by_name[ringing].send(signal.SIGKILL)
    schedulers.has_taken_over(waiting)


def test_one_that_is_told_to_stop_gives_way_in_order(schedulers: Schedulers):
    ringing, waiting = schedulers.at_work()
    until(_every_round_is_rung)
    schedulers.by_name[ringing].send(signal.SIGTERM)
    assert schedulers.by_name[ringing].wait() == 0
    schedulers.has_taken_over(waiting)


def test_one_that_stands_by_can_be_told_to_stop(schedulers: Schedulers):
    ringing, waiting = schedulers.at_work()
    schedulers.by_name[waiting].send(signal.SIGTERM)
    schedulers.by_name[waiting].wait()
    assert schedulers.locks(granted=True) == [ringing]


def test_one_that_loses_its_lock_ends_rather_than_ring_beside_another(schedulers: Schedulers):
    ringing, waiting = schedulers.at_work()
    query = """
        SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND a.application_name = %s
    """
    with schedulers.house.superuser() as connection:
        connection.execute(query, (ringing,))
    assert schedulers.by_name[ringing].wait() != 0
    schedulers.has_taken_over(waiting)
