"""A parent and its workers: replaced when killed, gone when the parent is gone."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from protonpay.chains.keyring import Keyring
from protonpay.chains.registry import chains
from protonpay.store import db, outbox, queue
from protonpay.store.db import transaction
from protonpay.store.jobs import CARDS, CHAIN, MAINTENANCE, PERIODIC, SETTLE
from protonpay.store.queue import door
from protonpay.wire.exact import read_json
from tests.committed import OpenHouse
from tests.conftest import PASSPHRASE
from tests.patience import until
from tests.workers.processes import Forked, forked, lives
from workers import card_callbacks, payouts, pool
from workers.job import job

pytestmark = pytest.mark.slow

RELEASED = "check:go"


def _check(deposit_id: str) -> None:
    """Stands in for a job: says who works on what, and waits if it is told to."""
    door.client.rpush("check:began", f"{os.getpid()} {deposit_id}")
    if deposit_id.startswith("slow"):
        door.client.blpop(RELEASED, 60)


@pytest.fixture(autouse=True)
def _hurried(own_jobs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_RESTART_SECONDS", 0.05)
    monkeypatch.setattr(outbox, "QUEUED_LEASE", timedelta(seconds=1))
    monkeypatch.setattr(outbox, "RUNNING_LEASE", timedelta(seconds=1))
    monkeypatch.setattr("workers.job._RENEW_SECONDS", 0.2)
    monkeypatch.setattr(card_callbacks, "check", job("deposits.card_check")(_check))


@pytest.fixture
def serve(open_house: OpenHouse) -> Iterator[Forked]:
    """A pool with a worker on two queues."""
    queues = (MAINTENANCE, CARDS)
    with forked(open_house, partial(pool.serve, open_house.app, queues)) as parent:
        until(lambda: len(parent.children()) == len(queues))
        yield parent
        orphans = parent.children() if not parent.ended() else []
    until(lambda: not any(map(lives, orphans)))


def _add(deposit_id: str) -> None:
    with transaction():
        outbox.add("deposits.card_check", deposit_id=deposit_id)


def _began() -> dict[str, int]:
    """What was begun, and by whom last."""
    said = [line.decode().split() for line in door.client.lrange("check:began", 0, -1)]
    return {deposit_id: int(pid) for pid, deposit_id in said}


def _says_if_it_can_sign(attempt_id: int) -> None:
    try:
        chains.keyring()
    except RuntimeError:
        door.client.rpush("check:keys", f"{attempt_id} none")
    else:
        door.client.rpush("check:keys", f"{attempt_id} keys")


def test_of_the_two_that_serve_payouts_one_can_sign(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch, keyring_path: Path
):
    """What is forked from a process with the keys lets go of them, unless it signs."""
    for name in ("outbid", "confirm"):
        heard = job(f"payouts.{name}")(_says_if_it_can_sign)
        monkeypatch.setattr(payouts, name, heard)

    def serve_with_keys() -> None:
        keys = Keyring.open(keyring_path, PASSPHRASE)
        chains.bind(replace(chains._bound(), keyring=keys))
        pool.serve(open_house.app, (CHAIN, SETTLE))

    with forked(open_house, serve_with_keys):
        with transaction():
            outbox.add("payouts.outbid", attempt_id=1)
            outbox.add("payouts.confirm", attempt_id=2)
        until(lambda: door.client.llen("check:keys") == 2)
    assert sorted(door.client.lrange("check:keys", 0, -1)) == [b"1 keys", b"2 none"]


def _done() -> int:
    found = db.execute("SELECT count(*) FROM outbox WHERE done_at IS NOT NULL", {}).fetchone()
    db.release()
    return found[0]


def _sweep_until(condition: Callable[[], object]) -> None:
    def rung_and() -> object:
        queue.ring("outbox.sweep", PERIODIC["outbox.sweep"])
        return condition()

    until(rung_and)


def test_what_is_asked_for_is_done(serve: Forked):
    for number in range(5):
        _add(f"d{number}")
    until(lambda: _done() == 5)
    assert _began().keys() == {f"d{number}" for number in range(5)}
    assert set(_began().values()) < set(serve.children())


def test_an_emptied_redis_costs_a_delay_and_nothing_else(serve: Forked):
    for number in range(10):
        _add(f"d{number}")
    door.client.flushdb()
    for number in range(10, 20):
        _add(f"d{number}")
    _sweep_until(lambda: _done() == 20)


def test_a_redis_that_is_killed_and_comes_back_costs_a_delay(serve: Forked, services: Any):
    _add("before")
    until(lambda: _done() == 1)
    services.valkey.kill()
    _add("meanwhile")
    services.valkey.start()
    _sweep_until(lambda: _done() == 2)


def test_a_slow_job_on_one_queue_does_not_delay_another(serve: Forked):
    _add("slow")
    until(_began)
    with transaction():
        outbox.add("auth.announce_revocation", session_id="s")
    until(lambda: _done() == 1)
    assert door.client.exists("session:revoked:s")
    door.client.rpush(RELEASED, 1)
    until(lambda: _done() == 2)


def test_a_killed_worker_is_replaced_and_its_job_done_by_the_next(serve: Forked):
    before = set(serve.children())
    _add("slow")
    until(_began)
    victim = _began()["slow"]
    os.kill(victim, signal.SIGKILL)

    until(lambda: len(set(serve.children()) - {victim}) == 2)
    (replacement,) = set(serve.children()) - before
    _sweep_until(lambda: _began()["slow"] == replacement)
    door.client.rpush(RELEASED, 1)
    until(lambda: _done() == 1)


def test_a_worker_that_speaks_with_chains_survives_bottomless_json(open_house: OpenHouse):
    def read() -> None:
        sys.setrecursionlimit(100_000)  # as py_ecc does, if it was imported here before
        pool._import_all((CHAIN,))
        for bottomless in ("[" * 1_000_000, '{"a":' * 1_000_000):
            with pytest.raises(ValueError, match="deep"):
                read_json(bottomless.encode())

    with forked(open_house, read) as process:
        assert process.wait() == 0


def test_no_worker_outlives_a_killed_parent(serve: Forked):
    children = serve.children()
    serve.send(signal.SIGKILL)
    assert serve.wait() == -signal.SIGKILL
    until(lambda: not any(map(lives, children)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_what_is_begun_and_goes(serve: Forked, number: signal.Signals):
    _add("slow")
    until(_began)
    children = serve.children()
    serve.send(number)
    until(lambda: len(serve.children()) == 1)
    _add("afterwards")
    door.client.rpush(RELEASED, 1)

    assert serve.wait() == 0
    assert not any(map(lives, children))
    assert (_done(), list(_began())) == (1, ["slow"])
