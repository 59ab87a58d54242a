"""`python -m benchmarks.watch`: what a million watched addresses cost, beside a thousand.

In blocks with 1,000 transfers of USDC a second, all but a few of them to others. The node is a
made-up one in a process of its own; the watch, the database and its million rows are the product's.
"""

import argparse
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

import psycopg
from flask import Flask

from benchmarks.run import Table
from benchmarks.stage import _environ, _run
from benchmarks.synthetic_node import FINAL
from config import Config
from protonpay.app import create_app
from protonpay.chains import keyring
from protonpay.chains.keyring import Keyring
from protonpay.chains.registry import BASE
from protonpay.kernel import clock
from protonpay.stack import postgres, valkey
from protonpay.wallets import watching
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc

ROOT = Path(__file__).parents[1]
FEW, MANY = 1_000, 1_000_000
WARM_UP = 70
PAID = 64
"""How many of the watched addresses are really paid, each again and again."""
_BLOCK_SECONDS = 2
_ROUND = timedelta(seconds=2)
_SOLANA_SECONDS = 600

_CROWD = """
    INSERT INTO deposit_addresses (family, number, address, proof, made_at, holder_kind, holder_id,
                                   claimed_at)
    SELECT %(family)s, n, %(begin)s || left(encode(sha256(n::text::bytea), 'hex'), 40), '\\x00',
           now(), 'user', 'bench' || n, now()
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""
_ACCOUNTS = """
    INSERT INTO watched_accounts (network, address, balance_micro, active_at, due_at)
    SELECT 'Solana', address, 0, now() - interval '3 days', now() + interval '1 hour'
    FROM unnest(%(addresses)s::text[]) AS address
"""


_DUE = """
    UPDATE watched_accounts SET due_at = now() - interval '1 hour'
    WHERE address IN (SELECT address FROM watched_accounts ORDER BY address LIMIT 1000)
"""


@dataclass(frozen=True)
class Cost:
    """What rounds cost.

    Attributes:
        block_ms: wall time of the watch for each new block, without the node's.
        requests: HTTP requests a minute, at a round every two seconds.
    """

    block_ms: float
    cpu_ms: float
    requests: float
    megabytes: float


def rss_mb() -> float:
    """Return this process's memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


@contextmanager
def node(paid: Path, transfers: int) -> Iterator[str]:
    """Run the made-up node."""
    command = [sys.executable, "-m", "benchmarks.synthetic_node", "--usdc", BASE.usdc]
    command += ["--chain-id", str(BASE.chain_id), "--transfers", str(transfers)]
    process = subprocess.Popen([*command, "--paid", str(paid)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().decode().strip()
    finally:
        process.terminate()
        process.wait()


def own_addresses(path: Path, passphrase: str) -> list[tuple[int, str, bytes]]:
    """Derive the addresses that are paid, as the chain worker does."""
    keys = Keyring.open(path, passphrase)
    return [(number, *keys.deposit_address("evm", number)) for number in range(PAID)]


class Crowd:
    """The watched addresses in the database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._next = PAID

    def begin_watches(self, final: int, latest: int) -> None:
        """Let each watch begin where the chain is, not at its first block."""
        with self.connect() as connection:
            connection.execute(
                "INSERT INTO watch_marks SELECT network, %s, %s, %s, now()"
                " FROM unnest(ARRAY['Base', 'Solana']) AS network",
                (final, latest, final),
            )

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect as the owner of the tables."""
        return psycopg.connect(self._url, autocommit=True)

    def add_paid(self, paid: Sequence[tuple[int, str, bytes]]) -> None:
        """Add addresses that are of the keyring, and so are believed."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO deposit_addresses VALUES"
                " ('evm', %s, %s, %s, now(), 'user', 'paid' || gen_random_uuid(), now())",
                paid,
            )

    def grow(self, to: int) -> None:
        """Let there be so many addresses."""
        with self.connect() as connection:
            ends = {"family": "evm", "begin": "0x", "first": self._next, "last": to - 1}
            connection.execute(_CROWD, ends)
            connection.execute("ANALYZE deposit_addresses")
        self._next = to

    def grow_accounts(self, addresses: Sequence[str]) -> None:
        """Let these be the accounts on Solana, all of them due."""
        with self.connect() as connection:
            connection.execute("TRUNCATE watched_accounts")
            connection.execute(_ACCOUNTS, {"addresses": list(addresses)})
            connection.execute("ANALYZE watched_accounts")


def scan(rpc: JsonRpc, blocks: int) -> Cost:
    """Read so many blocks, one a round, with the clock at a round every two seconds."""
    now = clock.now()
    watching.watch("Base")
    rpc.call("bench_counted")
    walls, cpus = [], []
    for block in range(1, blocks + 1):
        rpc.call("bench_move", 1)
        with clock.frozen(now + _ROUND * block):
            wall, cpu = time.perf_counter(), time.process_time()
            watching.watch("Base")
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
    counted = rpc.call("bench_counted")
    minutes = blocks * _BLOCK_SECONDS / 60
    return Cost(
        sum(walls) / blocks * 1000,
        sum(cpus) / blocks * 1000,
        counted["requests"] / minutes,
        counted["bytes"] / 1e6 / minutes,
    )


def base(table: Table, crowd: Crowd, rpc: JsonRpc, few: int, many: int, blocks: int) -> None:
    """Scan with few addresses, with many, and with few shown again for the noise."""
    costs: dict[int, Cost] = {}
    for count in (few, many):
        crowd.grow(count)
        # As much is open as always: what is not safe yet.
        rpc.call("bench_move", WARM_UP)
        scan(rpc, 2)
        costs[count] = cost = scan(rpc, blocks)
        shown = f"{count:,} addresses"
        table.row(f"{shown}: wall per block, node included", f"{cost.block_ms:.0f} ms")
        table.row(f"{shown}: CPU of the watch per block", f"{cost.cpu_ms:.0f} ms")
        table.row(f"{shown}: HTTP requests a minute", f"{cost.requests:.0f}")
        table.row(f"{shown}: read a minute", f"{cost.megabytes:.0f} MB")
        table.row(f"{shown}: memory of the watch", f"{rss_mb():.0f} MB")
    one, other = costs[few], costs[many]
    table.row("many / few: wall per block", "", f"{other.block_ms / one.block_ms:.2f}")
    table.row("many / few: CPU per block", "", f"{other.cpu_ms / one.cpu_ms:.2f}")
    table.row("many / few: requests", "", f"{other.requests / one.requests:.2f}")


def solana(table: Table, crowd: Crowd, rpc: JsonRpc, few: int, many: int, rounds: int) -> None:
    """Ask about accounts that are due, of few and of many."""
    waits = {}
    for count in (few, many):
        crowd.grow_accounts([keyring_address(n) for n in range(count)])
        rpc.call("bench_counted")
        with crowd.connect() as connection:
            took = []
            for _ in range(rounds):
                connection.execute(_DUE)
                begun = time.perf_counter()
                watching.watch("Solana")
                took.append(time.perf_counter() - begun)
        asked = rpc.call("bench_counted")["requests"] // rounds
        waits[count] = median(took)
        table.row(f"{count:,} accounts: a round of 1,000", f"{waits[count] * 1000:.0f} ms")
        table.row(f"{count:,} accounts: requests for a round", f"{asked}")
    table.row("many / few: a round", "", f"{waits[many] / waits[few]:.2f}")
    table.row(
        f"{many:,} accounts, each asked about once", f"{waits[many] * many / 1000:.0f} s of work"
    )
    table.row(
        f"{many:,} accounts every {_SOLANA_SECONDS} s", f"{many / 100 / 10:.0f} requests a minute"
    )


def keyring_address(number: int) -> str:
    """Return a wallet address like any other; nobody has its key."""
    from solders.pubkey import Pubkey  # noqa: PLC0415 - not for the readers of --help

    return str(Pubkey(number.to_bytes(32, "big")))


@contextmanager
def set_up(folder: Path, transfers: int) -> Iterator[tuple[Flask, Crowd, JsonRpc]]:
    """Run services, the node and the application in this process."""
    passphrase = secrets.token_hex(16)
    keyring.create(folder / "keyring.json", passphrase)
    own = own_addresses(folder / "keyring.json", passphrase)
    paid = folder / "paid"
    paid.write_text("\n".join(address for _, address, _ in own))
    with (
        postgres.running(folder / "postgres") as database,
        valkey.running(folder / "valkey") as queue,
        node(paid, transfers) as url,
    ):
        environ = _environ(database, queue, folder, 8000)
        environ |= {f"{name}_RPC_URL": url for name in ("BASE", "SOLANA")}
        environ["LOG_LEVEL"] = "ERROR"
        database.furnish()
        _run(environ, "flask", "--app", "wsgi", "db", "upgrade")
        app = create_app(Config.load(environ))
        crowd = Crowd(environ["DATABASE_URL"])
        crowd.add_paid(own)
        rpc = JsonRpc(Wire(url))
        latest = rpc.call("bench_move", 2_000)
        crowd.begin_watches(latest - FINAL, latest)
        yield app, crowd, rpc


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=FEW)
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--transfers", type=int, default=1000, help="a second")
    parser.add_argument("--blocks", type=int, default=60)
    options = parser.parse_args()
    print(
        f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, {os.getloadavg()[0]:.2f} busy"
    )
    table = Table()
    transfers = options.transfers * _BLOCK_SECONDS
    with tempfile.TemporaryDirectory() as folder, set_up(Path(folder), transfers) as parts:
        app, crowd, rpc = parts
        with app.app_context():
            table.head(f"(e) Base, blocks of 2 s with {options.transfers:,} transfers a second")
            base(table, crowd, rpc, options.few, options.many, options.blocks)
            table.head("(f) Solana, accounts that are due")
            solana(table, crowd, rpc, options.few, options.many, 20)
    print(f"\nload after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
