"""`make bench`: every figure in one run, as a table of ratios beside the machine's load.

(a) the bare database posting through pgbench, (b) transfers over HTTP, uniform and all to
one account, (c) reads on a short and on a long history, (d) CPU per request.
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load
from benchmarks.stage import Person, Stage, cpu_seconds, set_up
from protonpay.stack import programs

PEOPLE = 3000
CONNECTIONS = 16
LONG_HISTORY = 1_000_000
SHORT_HISTORY = 100  # two pages, so that a page is as long as one of the long history
READS = 1000

# What ``ledger/service.post`` sends for a transfer, between random people.
_PGBENCH = """
\\set a random(1, {people})
\\set b 1 + (:a + random(0, {people} - 2)) % {people}
\\set r random(1, 9000000000000000)
SELECT entry_id, replayed, balances FROM ledger_post(
    format('transfer-%s-%s', cast(:r AS bigint), cast(:client_id AS int)), 'transfer',
    ARRAY[(SELECT address FROM bench_people WHERE n = cast(:a AS int))],
    ARRAY[(SELECT address FROM bench_people WHERE n = cast(:b AS int))],
    ARRAY[cast(1 AS bigint)]);
"""
_CROWD = """
    CREATE TABLE bench_people AS
    SELECT row_number() OVER () AS n, address FROM ledger_accounts
    WHERE address LIKE 'user:%:available';
    CREATE UNIQUE INDEX ON bench_people (n);
    GRANT SELECT ON bench_people TO protonpay_app;
"""
# A history as half a million transfers each way would have left it: what moved cancels out,
# so the book stays sound.
_TRANSFERS = """
    INSERT INTO transfers (id, sender_id, recipient_id, amount_micro, fee_micro, to_identifier,
                           created_at)
    SELECT %(name)s || lpad(n::text, 18, '0'),
           CASE n %% 2 WHEN 0 THEN %(a)s ELSE %(b)s END,
           CASE n %% 2 WHEN 0 THEN %(b)s ELSE %(a)s END,
           1, 0, 'bench', now() - n * interval '1 second'
    FROM generate_series(1, %(count)s) AS n
"""
_ENTRIES = """
    WITH made AS (
        INSERT INTO journal_entries (reference, kind)
        SELECT %(name)s || ':' || n, 'transfer' FROM generate_series(1, %(count)s) AS n
        RETURNING id),
    ends AS (
        SELECT a.id AS a, b.id AS b FROM ledger_accounts AS a, ledger_accounts AS b
        WHERE a.address = 'user:' || %(a)s || ':available'
          AND b.address = 'user:' || %(b)s || ':available')
    INSERT INTO postings (entry_id, position, source, destination, micro)
    SELECT id, 1, CASE id %% 2 WHEN 0 THEN a ELSE b END, CASE id %% 2 WHEN 0 THEN b ELSE a END, 1
    FROM made, ends
"""


class Table:
    """The figures, printed as they come."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def head(self, text: str) -> None:
        """Print a heading."""
        print(f"\n{text}")

    def row(self, name: str, value: str, ratio: str = "") -> None:
        """Print a figure and its ratio."""
        self.rows.append({"name": name, "value": value, "ratio": ratio})
        print(f"  {name:<58}{value:>22}{ratio:>24}", flush=True)


def posting(stage: Stage, table: Table, seconds: int) -> float:
    """(a) The product's posting function under pgbench, eight clients."""
    with stage.connect() as connection:
        connection.execute(_CROWD)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_PGBENCH.format(people=PEOPLE))
        script.flush()
        done = subprocess.run(
            [
                *(str(programs.postgres() / "bin" / "pgbench"), "-n", "-M", "prepared"),
                *("-c", "8", "-j", "2", "-T", str(seconds), "-f", script.name),
                stage.environ["DATABASE_URL"],
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    tps = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    rate = float(tps.split()[2])
    table.head("(a) the bare database")
    table.row("ledger_post through pgbench, 8 clients", f"{rate:.0f} /s", "1.00")
    return rate


@dataclass(frozen=True)
class Measured:
    """A load's result and what it cost the web processes."""

    result: load.Result
    cpu_ms: float


def measure(stage: Stage, requests: Iterator[bytes], *, connections: int, seconds: int) -> Measured:
    """Send a load and count the CPU of the web processes per answer."""
    before = cpu_seconds(stage.web.pid)
    result = load.run(stage.port, requests, connections=connections, seconds=seconds)
    used = cpu_seconds(stage.web.pid) - before
    return Measured(result, used / max(len(result.latencies), 1) * 1000)


def transfers(stage: Stage, table: Table, people: list[Person], bare: float, seconds: int) -> None:
    """(b) Transfers over HTTP, rate limits on; (d) their CPU."""
    table.head("(b) POST /api/client/transfer through gunicorn, 16 connections, rate limits on")
    receivers = {"uniform": people, "everyone pays one": people[:1]}
    rates = {}
    for name, paid in receivers.items():
        requests = payments(people, paid)
        load.run(stage.port, requests, connections=CONNECTIONS, seconds=3)  # warm up
        measured = measure(stage, requests, connections=CONNECTIONS, seconds=seconds)
        rates[name] = tell(table, name, measured, bare)
    uniform, hot = rates.values()
    table.row("one hot receiver / uniform", "", f"{hot / uniform:.2f}")


def payments(senders: list[Person], receivers: list[Person]) -> Iterator[bytes]:
    """Make transfers, round robin over the senders: nobody comes near 30 writes a minute."""
    chooser = random.Random(1)  # the same load in every run
    for sender in itertools.cycle(senders):
        receiver = chooser.choice(receivers)
        body = {"toIdentifier": receiver.email, "amount": "0.000001"}
        if receiver is not sender:
            yield load.post("/api/client/transfer", sender.token, json.dumps(body).encode())


def reads(stage: Stage, table: Table, people: list[Person]) -> None:
    """(c) Balance and activity on a short and on a long history; (d) their CPU."""
    histories = {"short": people[:2], "long": people[2:4]}
    with stage.connect() as connection:
        for (name, (one, other)), count in zip(
            histories.items(), (SHORT_HISTORY, LONG_HISTORY), strict=True
        ):
            ends = {"name": f"c{name:6}".replace(" ", "0"), "a": one.id, "b": other.id}
            connection.execute(_TRANSFERS, ends | {"count": count})
            connection.execute(_ENTRIES, ends | {"count": count})
        connection.execute("ANALYZE transfers, journal_entries, postings")
    table.head(
        f"(c) reads over one connection, a history of {SHORT_HISTORY} and one of {LONG_HISTORY:,}"
    )
    for path in ("/api/client/balance", "/api/client/activity"):
        shown, medians = path.removeprefix("/api/client/"), []
        for name, readers in histories.items():
            requests = [load.get(path, readers[n % len(readers)].token) for n in range(READS)]
            measured = measure(stage, iter(requests), connections=1, seconds=60)
            tell(table, f"GET {shown}, {name}", measured)
            medians.append(measured.result.percentile(50))
        table.row(f"GET {shown}: p50 long / short", "", f"{medians[1] / medians[0]:.2f}")
    keys = stage.keys(histories["short"])
    requests = [load.get("/api/client/balance", keys[n % len(keys)]) for n in range(READS)]
    tell(
        table, "GET balance, by API keys", measure(stage, iter(requests), connections=1, seconds=60)
    )


def tell(table: Table, name: str, measured: Measured, bare: float | None = None) -> float:
    """Print one load's figures and return its rate."""
    result = measured.result
    ratio = f"{result.rate / bare:.2f} of (a)" if bare else ""
    table.row(name, f"{result.rate:.0f} /s", ratio)
    table.row(f"{name}: p50 / p99", f"{result.percentile(50):.1f} / {result.percentile(99):.1f} ms")
    table.row(f"{name}: (d) CPU of the web processes", f"{measured.cpu_ms:.2f} ms each")
    if result.refused:
        table.row(f"{name}: refused, by status", str(result.refused))
    return result.rate


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    options = parser.parse_args()
    cores, busy = os.cpu_count(), os.getloadavg()
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {cores} cores, load before: {busy[0]:.2f}")
    table = Table()
    with tempfile.TemporaryDirectory() as folder, set_up(Path(folder)) as stage:
        people = stage.people(PEOPLE)
        bare = posting(stage, table, options.seconds)
        transfers(stage, table, people, bare, options.seconds)
        reads(stage, table, people)
    print(f"\nload after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
