"""One parent that has imported everything, and one forked worker per queue."""

import ctypes
import gc
import importlib
import os
import signal
import sys
import threading
from types import FrameType

import structlog
from flask import Flask
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from protonpay.chains.registry import NETWORKS, chains
from protonpay.store.db import db
from protonpay.store.jobs import CHAIN, JOBS, PERIODIC, SETTLE, TELEGRAM, WATCH, WEBHOOKS
from protonpay.store.queue import door, named
from workers.alarm import alarm
from workers.job import keeper
from workers.telegram import listener
from workers.webhooks import deliverer

log = structlog.get_logger(__name__)

_RESTART_SECONDS = 1.0
_WORKER_TTL_SECONDS = 20
_LONGEST_PAUSE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1
_pause = threading.Event()


class _Stop(Exception):
    pass


def serve(app: Flask, queues: tuple[str, ...]) -> None:
    """Keep a worker on each queue until told to stop; one that dies is replaced."""
    _import_all(queues)
    children: dict[int, str] = {}
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        for queue in queues:
            children[_fork(app, queue)] = queue
        log.info("workers_started", queues=list(queues))
        # For whoever started this and waits, whatever the log level is.
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while children:
            pid, status = os.wait()
            queue = children.pop(pid)
            log.error("worker_died", queue=queue, status=status)
            _pause.wait(_RESTART_SECONDS)
            children[_fork(app, queue)] = queue
    except _Stop:
        for pid in children:
            os.kill(pid, signal.SIGTERM)
        for pid in children:
            os.waitpid(pid, 0)


def _import_all(queues: tuple[str, ...]) -> None:
    """Load what the children will need, once: a fork shares it."""
    paths = [work.path for work in JOBS.values()] + [work.path for work in PERIODIC.values()]
    for path in paths:
        importlib.import_module(path.rpartition(".")[0])
    if {CHAIN, SETTLE} & {*queues}:
        for name in NETWORKS:
            chains.get(name)
            chains.sweeper(name)
    if WATCH in queues:
        for name, network in NETWORKS.items():
            (chains.account_watch if network.by_account else chains.block_watch)(name)
    db.engine.dispose()
    door.client.connection_pool.disconnect()
    gc.collect()
    gc.freeze()


def _fork(app: Flask, queue: str) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        # No worker outlives the parent that would replace it, not even one that died just now.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == parent:
            _work(app, queue)
    except BaseException:
        log.exception("worker_ended", queue=queue)
        os._exit(1)
    os._exit(0)


def _work(app: Flask, queue: str) -> None:
    # Connections of the parent belong to the parent.
    db.engine.dispose(close=False)
    if queue != CHAIN:
        chains.lock()
    keeper.start(app)
    if queue in (CHAIN, SETTLE):
        alarm.start(app)
    if queue == WEBHOOKS:
        deliverer.start(app)
    if queue == TELEGRAM:
        listener.start(app)
    worker = SimpleWorker(
        [named(queue)],
        connection=door.client,
        serializer=JSONSerializer,
        worker_ttl=_WORKER_TTL_SECONDS,
        job_monitoring_interval=3,
        maintenance_interval=5,
    )
    # A Redis that is back is noticed soon, however long it was away.
    worker.max_connection_wait_time = _LONGEST_PAUSE_SECONDS
    worker.work(logging_level="WARNING", with_scheduler=False)
    deliverer.finish()
    listener.finish()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise _Stop
