"""Ringing for periodic work: one round waits, and a round that begins lets the next in."""

import pytest
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from protonpay.store import queue
from protonpay.store.jobs import MAINTENANCE, PERIODIC, QUEUES
from protonpay.store.queue import door, named
from tests.committed import OpenHouse
from tests.patience import until

pytestmark = pytest.mark.usefixtures("house")

SWEEP = PERIODIC["outbox.sweep"]


def _ring() -> bool:
    return queue.ring("outbox.sweep", SWEEP)


def test_one_round_waits_for_all_who_ask():
    assert [_ring() for _ in range(5)] == [True, False, False, False, False]
    assert len(named(MAINTENANCE)) == 1


def test_of_twenty_who_ask_at_once_one_rings(open_house: OpenHouse):
    assert sorted(open_house.at_once([_ring] * 20)) == [False] * 19 + [True]
    assert len(named(MAINTENANCE)) == 1


def test_a_round_that_begins_lets_the_next_one_in():
    _ring()
    queue.answer("outbox.sweep")
    assert _ring()
    assert len(named(MAINTENANCE)) == 2


def test_each_kind_of_round_waits_for_itself():
    assert all(queue.ring(name, work) for name, work in PERIODIC.items())
    for name in QUEUES:
        assert len(named(name)) == sum(work.queue == name for work in PERIODIC.values())


@pytest.mark.parametrize(("name", "seconds"), [("outbox.sweep", 5), ("ledger.audit", 300)])
def test_a_round_nobody_began_is_forgotten_with_its_entry(name: str, seconds: int):
    queue.ring(name, PERIODIC[name])
    (job_id,) = named(PERIODIC[name].queue).job_ids
    keys = (f"round:{name}", Job.key_for(job_id))
    assert [door.client.ttl(key) for key in keys] == [seconds, seconds]

    for key in keys:
        door.client.pexpire(key, 1)
    until(lambda: not any(door.client.exists(key) for key in keys))

    with pytest.raises(NoSuchJobError):
        Job.fetch(job_id, connection=door.client, serializer=JSONSerializer)
    assert queue.ring(name, PERIODIC[name])


def test_the_entry_names_the_function_and_its_patience():
    queue.ring("webhooks.deliver", PERIODIC["webhooks.deliver"])
    (job_id,) = named("webhooks").job_ids
    entry = Job.fetch(job_id, connection=door.client, serializer=JSONSerializer)
    assert (entry.func_name, list(entry.args), entry.timeout) == (
        "workers.webhooks.deliver",
        [],
        60,
    )
