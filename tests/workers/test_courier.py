"""Couriers in real processes: whatever dies, every event arrives, and none that did not happen."""

import os
import re
import signal
import socket
import threading
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from protonpay.store import events
from protonpay.store.db import db, release, transaction
from protonpay.store.jobs import WEBHOOKS
from protonpay.store.queue import door
from protonpay.webhooks import lanes
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.patience import until
from tests.raw_server import RawServer, answering, http
from tests.wire.posting import listed
from tests.workers.processes import Forked, forked
from workers import pool

pytestmark = pytest.mark.slow

_ID = re.compile(rb"webhook-id: (\S+)", re.IGNORECASE)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead process's lanes are free after a second; nobody here takes as long."""
    monkeypatch.setattr(lanes, "LEASE", timedelta(seconds=1.5))
    monkeypatch.setattr(lanes, "LONGEST_ATTEMPT", timedelta(seconds=0.5))
    monkeypatch.setattr(pool, "_RESTART_SECONDS", 0.05)


def happen(actor: Actor, times: int) -> None:
    for number in range(times):
        with transaction():
            events.publish("transfer.completed", actor.id, {"id": f"c{number}"})


def subscribe(actor: Actor, url: str) -> None:
    order = {"url": url, "events": ["transfer.completed"]}
    assert actor.post("/client/webhooks", order).status_code == 200


def heard(server: RawServer) -> dict[str, dict[str, set[bytes]]]:
    """Path → ``webhook-id`` → the bodies that came with it."""
    found: dict[str, dict[str, set[bytes]]] = defaultdict(lambda: defaultdict(set))
    for request in list(server.requests):
        head, _, body = request.partition(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        for event_id in _ID.findall(head):
            found[path][event_id.decode()].add(body)
    return found


def ask(house: OpenHouse, query: str) -> list[Any]:
    with house.superuser() as connection:
        return connection.execute(query).fetchall()


def serve(house: OpenHouse) -> Any:
    release()
    db.engine.dispose()
    return forked(house, partial(pool.serve, house.app, (WEBHOOKS, WEBHOOKS)))


def workers_of(parent: Forked) -> list[int]:
    return until(lambda: (found := parent.children()) and len(found) == 2 and found)


@pytest.mark.checklist(109)
def test_workers_killed_valkey_emptied_postgres_restarted(open_house: OpenHouse, services: Any):
    alice = make_actor(open_house.app, "Alice")
    held = threading.Event()

    def hold(connection: socket.socket, _over: threading.Event) -> None:
        held.wait(10)
        connection.sendall(http())

    with answering(hold) as server, listed(server.url):
        for path in ("a", "b", "c"):
            subscribe(alice, f"{server.url}/{path}")
        happen(alice, 4)
        with suppress(LookupError), transaction():
            events.publish("transfer.completed", alice.id, {"id": "never"})
            raise LookupError
        with serve(open_house) as parent:
            until(lambda: len(server.requests) >= 3, what="an attempt of each endpoint")
            for pid in workers_of(parent):
                os.kill(pid, signal.SIGKILL)
            door.client.flushdb()
            release()
            services.postgres.stop()
            services.postgres.start()
            happen(alice, 4)
            held.set()
            pending = "SELECT FROM webhook_deliveries WHERE state <> 'DELIVERED'"
            made = "SELECT count(*) FROM webhook_deliveries"
            until(lambda: ask(open_house, made) == [(24,)], what="all are written down")
            until(lambda: ask(open_house, pending) == [], what="all are delivered")
    committed = {event_id for (event_id,) in ask(open_house, "SELECT id FROM events")}
    by_path = heard(server)
    assert len(committed) == 8
    assert by_path.keys() == {"/a", "/b", "/c"}
    for arrived in by_path.values():
        assert arrived.keys() == committed
        assert all(len(bodies) == 1 for bodies in arrived.values()), "the same bytes each time"
    repeated = Counter(_ID.findall(request)[0] for request in server.requests if request.strip())
    assert max(repeated.values()) > 3, "what was in hand came again, under the same id"
    numbers = "SELECT sequence FROM events ORDER BY sequence"
    assert [number for (number,) in ask(open_house, numbers)] == list(range(1, 9))


def test_told_to_stop_a_courier_ends_what_is_under_way(open_house: OpenHouse):
    alice = make_actor(open_house.app, "Alice")
    held = threading.Event()

    def hold(connection: socket.socket, _over: threading.Event) -> None:
        held.wait(10)
        connection.sendall(http())

    with answering(hold) as server, listed(server.url):
        subscribe(alice, server.url)
        happen(alice, 3)
        with serve(open_house) as parent:
            until(lambda: server.requests, what="the first attempt")
            parent.send(signal.SIGTERM)
            held.set()
            assert parent.wait() == 0
    rows = ask(open_house, "SELECT state, attempts, leased_until FROM webhook_deliveries")
    ended, waiting = ("DELIVERED", 1, None), ("PENDING", 0, None)
    assert rows.count(ended) == len(server.requests) >= 1, "what was begun is written down"
    assert rows.count(ended) + rows.count(waiting) == 3, "the rest was not begun"
