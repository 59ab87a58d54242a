"""Deliveries: a backlog beside a bare loop of the same posts, and who is delayed by whom.

``python -m benchmarks.webhooks --backlog 100000 --events 300``; all figures of one run.

The bare loop is one process with one post at a time, by ``http.client``, to the same receiver: the
same body and headers, made beforehand, and a connection for each, as a delivery has. It looks
nothing up, signs nothing, judges no address and writes nothing down. Two workers, with Postgres
beside them, may use cores that it leaves idle; where others work on this machine, too, they get
more turns than it does. So the CPU of each is told as well, which depends on neither. The loop of
sockets is what is left without ``http.client``: it sends one piece and looks at no header.
"""

import argparse
import http.client
import json
import os
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask

from benchmarks import stage
from config import Config
from protonpay.app import create_app
from protonpay.chains import keyring
from protonpay.kernel import events as kinds
from protonpay.kernel import ids
from protonpay.stack import ports, postgres, valkey
from protonpay.store import events
from protonpay.store.db import transaction
from protonpay.webhooks import service

ENDPOINTS = 20
HANGING = 10
_PACE_SECONDS = 0.05
_BARE = 3000

_BACKLOG = """
    INSERT INTO events (id, user_id, name, core, happened_at)
    SELECT 'evt_c' || lpad(n::text, 24, '0'), (%(users)s::text[])[1 + n %% %(count)s],
           'transfer.completed', %(core)s, now() + n * interval '1 microsecond'
    FROM generate_series(1, %(backlog)s) AS n
"""


@dataclass(frozen=True)
class Place:
    """Where it is measured."""

    environ: dict[str, str]
    app: Flask
    url: str
    port: int
    hanging_port: int

    def seen(self) -> dict[str, Any]:
        """Ask the receiver what came since the last time."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/") as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def accounts(self, count: int, port: int) -> list[str]:
        """Make accounts with an endpoint each."""
        made = [ids.new_id() for _ in range(count)]
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(stage.PEOPLE, {"ids": made})
        with self.app.app_context():
            for user_id in made:
                url = f"http://127.0.0.1:{port}/{user_id}"
                service.register(user_id, url=url, events=["transfer.completed"])
        return made

    @contextmanager
    def working(self) -> Iterator[list[int]]:
        """Run two workers and the scheduler; yield the workers' process ids."""
        with ExitStack() as stack:
            command = ("flask", "--app", "wsgi")
            worker = stack.enter_context(
                stage.running(self.environ, *command, "worker", "webhooks", "webhooks")
            )
            stack.enter_context(stage.running(self.environ, *command, "scheduler"))
            children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
            while len(children.read_text().split()) < 2:
                time.sleep(0.02)
            yield [int(pid) for pid in children.read_text().split()]


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """Run services, fsync on, and the receiver."""
    with ExitStack() as stack:
        database = stack.enter_context(postgres.running(folder / "postgres"))
        queue = stack.enter_context(valkey.running(folder / "valkey"))
        keyring.create(folder / "keyring.json", "of the benchmark, and of nothing else")
        port, hanging = ports.free(), ports.free()
        environ = stage.settings(database, queue, folder, ports.free())
        environ |= {
            f"{name}_RPC_URL": "http://127.0.0.1:9" for name in ("SOLANA", "BASE", "POLYGON")
        }
        environ["WEBHOOK_ALLOW_INSECURE_TARGETS"] = f"127.0.0.1:{port},127.0.0.1:{hanging}"
        environ["LOG_LEVEL"] = "WARNING"
        database.furnish()
        stage.run(environ, "flask", "--app", "wsgi", "db", "upgrade")
        app = create_app(Config.load(environ))
        stack.enter_context(stage.running(environ, "benchmarks.receiver", str(port), str(hanging)))
        yield Place(environ, app, database.url(), port, hanging)


@dataclass(frozen=True)
class Bare:
    """How a loop went: posts a second, and microseconds of CPU for each, without the receiver's."""

    rate: float
    cpu: float

    def joined(self, other: "Bare") -> "Bare":
        """Return the mean: the machine may have more to do at one time than at another."""
        return Bare((self.rate + other.rate) / 2, (self.cpu + other.cpu) / 2)


def bare(at: Place, count: int, post: Callable[[int], None]) -> Bare:
    """Post in a loop what a delivery posts."""
    began, used = time.monotonic(), time.process_time()
    for _ in range(count):
        post(at.port)
    used = time.process_time() - used
    rate = count / (time.monotonic() - began)
    at.seen()
    return Bare(rate, used / count * 1e6)


def by_library() -> Callable[[int], None]:
    """Return how the standard library posts to a port."""
    body, headers = _request()

    def post(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/hook", body, headers)
        connection.getresponse().read()
        connection.close()

    return post


def by_sockets() -> Callable[[int], None]:
    """Return how bytes that are ready are sent to a port, and an answer is read to its end."""
    body, headers = _request()
    said = {"Host": "127.0.0.1", **headers, "Content-Length": str(len(body))}
    lines = ["POST /hook HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    request = "\r\n".join(lines).encode() + body

    def post(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(request)
            while sock.recv(65_536):
                pass

    return post


def _request() -> tuple[bytes, dict[str, str]]:
    secret = ids.new_webhook_secret()
    body = kinds.signed_body(_core(), secret)
    return body, {
        "Content-Type": "application/json",
        "User-Agent": "ProtonPay-Webhooks/1.0",
        "webhook-id": ids.new_event_id(),
        "webhook-timestamp": "1773489600",
        "webhook-signature": kinds.standard_signature("x", 1773489600, body, secret),
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def drain(at: Place, backlog: int) -> None:
    """Build a backlog while nobody works, then let two workers bring it away."""
    users = at.accounts(ENDPOINTS, at.port)
    with psycopg.connect(at.url, autocommit=True) as connection:
        parameters = {"users": users, "count": len(users), "core": _core(), "backlog": backlog}
        connection.execute(_BACKLOG, parameters)
    began = time.monotonic()
    with at.app.app_context():
        while service.dispatch(500):
            pass
    dispatched = time.monotonic() - began
    print(f"   numbered and written down   {backlog / dispatched:8.0f} /s, in this process")
    loops = {"http.client": by_library(), "sockets": by_sockets()}
    before = {name: bare(at, _BARE, post) for name, post in loops.items()}
    with at.working() as workers:
        count, first, last, memory = 0, 0, 0, []
        began, used = time.monotonic(), stage.cpu_of(workers)
        while count < backlog:
            time.sleep(0.5)
            seen = at.seen()
            first, last = first or seen["first"], seen["last"] or last
            count += seen["count"]
            memory.append([_memory_kib(pid) for pid in workers])
            if time.monotonic() - began > 600:
                print("   not drained after ten minutes")
                return
        used = stage.cpu_of(workers) - used
    rate = count * 1e9 / (last - first)
    print(f"   two workers                 {rate:8.0f} /s, {used / count * 1e6:.0f} us of CPU each")
    for name, post in loops.items():
        after = bare(at, _BARE, post)
        alone = before[name].joined(after)
        print(
            f"   bare loop of {name:<15}{before[name].rate:8.0f} /s before, {after.rate:.0f} /s"
            f" after, {alone.cpu:.0f} us of CPU each: the workers are at {rate / alone.rate:.0%}"
        )
    print(f"   {count} deliveries to {ENDPOINTS} endpoints")
    early, late = memory[min(2, len(memory) - 1)], memory[-1]
    print(f"   memory of the workers       {early} KiB after a second, {late} KiB at the end")


def delays(at: Place, count: int) -> None:
    """Let a healthy endpoint be told of events while nobody hangs, then while ten do."""
    (healthy,) = at.accounts(1, at.port)
    with at.working(), at.app.app_context():
        _tell(at, healthy, count // 4)
        quiet = _tell(at, healthy, count)
        for user_id in at.accounts(HANGING, at.hanging_port):
            with transaction():
                for _ in range(20):
                    events.publish("transfer.completed", user_id, {"id": "c1"})
        loud = _tell(at, healthy, count)
    for said, found in (("none hangs", quiet), (f"{HANGING} hang", loud)):
        median, most = _percentile(found, 50), _percentile(found, 99)
        print(f"   {said:<27} median {median:6.1f} ms, p99 {most:6.1f} ms, of {len(found)}")
    ratio = _percentile(loud, 99) / _percentile(quiet, 99)
    print(f"   p99 beside ten that hang    {ratio:.2f} of none hanging")


def _tell(at: Place, user_id: str, count: int) -> list[float]:
    at.seen()
    for _ in range(count):
        with transaction():
            data = {"id": "c1", "sentAt": str(time.monotonic_ns())}
            events.publish("transfer.completed", user_id, data)
        time.sleep(_PACE_SECONDS)
    found: list[float] = []
    until = time.monotonic() + 20
    while len(found) < count and time.monotonic() < until:
        found += [each / 1e6 for each in at.seen()["delays"]]
        time.sleep(0.2)
    return sorted(found)


def _percentile(values: Sequence[float], percent: int) -> float:
    return values[min(len(values) * percent // 100, len(values) - 1)]


def _core() -> bytes:
    return (
        b'{"event":"transfer.completed","data":{"id":"cmg7xk2p91q0v8r3t5w6y4zab",'
        b'"userId":"cmg7xk1c20a9b8c7d6e5f4g3h","direction":"IN","amount":"25.00","fee":"0",'
        b'"currency":"USDC","from":"PP-7K3M9QWD","to":"PP-8K3M9QWD","status":"COMPLETED"},'
        b'"timestamp":"2026-03-14T12:00:00Z"}'
    )


def _memory_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=300)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, load {load:.2f}")
    with tempfile.TemporaryDirectory() as folder, place(Path(folder)) as at:
        print("deliveries")
        delays(at, options.events)
        drain(at, options.backlog)
    print(f"load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
