"""The door to RQ: an alarm clock for rows that are the truth.

Jobs are named by dotted path and carry ids only, as JSON: who can write to Redis can
ring the bell, not run code.
"""

from collections.abc import Sequence

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer

from protonpay.store.jobs import Job, Periodic

_FAILURE_TTL = 86_400
_ROUND_WAITS_SECONDS = 5
_LONG = 200
_STALE_ENTRIES = 2


class RedisDoor:
    """The connection of this process, made when the application is."""

    def __init__(self) -> None:
        self._client: redis.Redis | None = None

    def bind(self, url: str) -> None:
        """Connect to the Redis or Valkey server at ``url``."""
        # protocol 2 with hiredis halves the cost of a call; a lost push is swept up later,
        # so nobody waits for a server that is away.
        self._client = redis.Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=1,
            socket_timeout=5,
            retry=Retry(NoBackoff(), 1),
        )

    @property
    def client(self) -> redis.Redis:
        """The client, shared by the threads of this process."""
        if self._client is None:
            raise RuntimeError("Redis is bound by create_app")
        return self._client


door = RedisDoor()


def named(queue: str) -> Queue:
    """Return one of the queues of ``store/jobs.py``."""
    return Queue(queue, connection=door.client, serializer=JSONSerializer)


def has_room(job: Job) -> bool:
    """Tell whether an entry may be added that can wait: a long queue has enough to do."""
    return job.urgent or len(named(job.queue)) < _LONG


def push(job: Job, row_id: int, fence: int) -> None:
    """Ring the bell for one outbox row. The fence is part of the id: RQ keeps no row twice."""
    named(job.queue).enqueue_call(
        job.path,
        args=(row_id, fence),
        job_id=_entry(row_id, fence),
        at_front=job.urgent,
        timeout=job.timeout_seconds,
        result_ttl=0,
        failure_ttl=_FAILURE_TTL,
    )


def take_back(job: Job, rows: Sequence[tuple[int, int]]) -> None:
    """Take the entries of outbox rows out of their queue again; one that has begun goes on.

    Args:
        job: theirs.
        rows: the rows' ids and fences.
    """
    queue = named(job.queue)
    entries = [
        _entry(row_id, earlier)
        for row_id, fence in rows
        # Handed out anew while the entry before still waits: both are there.
        for earlier in range(max(1, fence - _STALE_ENTRIES), fence + 1)
    ]
    with door.client.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.lrem(queue.key, 1, entry)
        taken = [entry for entry, found in zip(entries, pipe.execute(), strict=True) if found]
        for entry in taken:
            pipe.delete(RqJob.key_for(entry))
        pipe.execute()


def ring(name: str, work: Periodic) -> bool:
    """Ask for a round of periodic work; one that already waits serves this asker too."""
    waits = max(work.every_seconds, _ROUND_WAITS_SECONDS)
    if not door.client.set(_round(name), 1, ex=waits, nx=True):
        return False
    named(work.queue).enqueue_call(
        work.path,
        args=work.args,
        timeout=work.timeout_seconds,
        ttl=waits,
        result_ttl=0,
        failure_ttl=_FAILURE_TTL,
    )
    return True


def answer(name: str) -> None:
    """Say that a round has begun: whoever rings from now on gets the next one."""
    door.client.delete(_round(name))


def _entry(row_id: int, fence: int) -> str:
    return f"outbox-{row_id}-{fence}"


def _round(name: str) -> str:
    return f"round:{name}"


def failed_jobs(queue: str) -> int:
    """Count the jobs of a queue that raised and are remembered by RQ."""
    return int(named(queue).failed_job_registry.count)
