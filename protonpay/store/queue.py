"""The door to RQ: an alarm clock for rows that are the truth.

Jobs are named by dotted path and carry ids only, as JSON: who can write to Redis can
ring the bell, not run code.
"""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from protonpay.store.jobs import Job, Periodic

_FAILURE_TTL = 86_400
_NUDGE_MS = 100


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


def push(job: Job, row_id: int, fence: int) -> None:
    """Ring the bell for one outbox row. The fence is part of the id: RQ keeps no row twice."""
    named(job.queue).enqueue_call(
        job.path,
        args=(row_id, fence),
        job_id=f"outbox-{row_id}-{fence}",
        timeout=job.timeout_seconds,
        result_ttl=0,
        failure_ttl=_FAILURE_TTL,
    )


def push_periodic(work: Periodic) -> None:
    """Ring the bell for a round of periodic work."""
    named(work.queue).enqueue_call(
        work.path,
        timeout=work.timeout_seconds,
        # A round that nobody took in time is replaced by the next one.
        ttl=max(work.every_seconds, 5),
        result_ttl=0,
        failure_ttl=_FAILURE_TTL,
    )


def nudge(name: str, work: Periodic) -> None:
    """Ask for a round of periodic work now; many askers within a moment get one round."""
    if door.client.set(f"nudge:{name}", 1, px=_NUDGE_MS, nx=True):
        push_periodic(work)
