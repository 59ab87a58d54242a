"""`make bench`: what the proof of liabilities costs, on a database of its own with fsync on.

(a) sealing, verifying and exporting each entry, (b) a head of many users, (c) one user's proof,
(d) what a posting pays for the chain.
"""

import argparse
import json
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
from flask import Flask

from benchmarks.run import Table
from config import Config
from protonpay.app import create_app
from protonpay.cards.registry import PROVIDERS
from protonpay.chains import keyring
from protonpay.chains.registry import NETWORKS
from protonpay.ledger import chart, seals
from protonpay.ledger import service as ledger
from protonpay.proofs import queries, schemas, service, tree
from protonpay.stack import postgres, valkey
from protonpay.store import db
from tests.conftest import migrate

USERS = 100_000
_AT_ONCE = 5000
_READS = 300
_ENTRIES = 5000
_OPEN = """
    SELECT ledger_open(array_agg(address), array_agg(false)) FROM (
        SELECT 'user:' || u || ':' || k AS address FROM unnest(%(users)s::text[]) AS u,
        unnest(ARRAY['available', 'held']) AS k) AS a
"""
# As so many postings would have left it: the book stays sound.
_FUND = """
    WITH made AS (
        INSERT INTO journal_entries (reference, kind)
        SELECT 'capital:' || u, 'capital' FROM unnest(%(users)s::text[]) AS u
        RETURNING id, split_part(reference, ':', 2) AS owner),
    ends AS (
        SELECT m.id, c.id AS custody, a.id AS account FROM made m
        JOIN ledger_accounts c ON c.address = 'custody:Base'
        JOIN ledger_accounts a ON a.address = 'user:' || m.owner || ':available'),
    moved AS (
        INSERT INTO postings (entry_id, position, source, destination, micro)
        SELECT id, 1, custody, account, 1000000 FROM ends RETURNING source, destination)
    INSERT INTO ledger_pending (account_id, micro)
    SELECT destination, 1000000 FROM moved
    UNION ALL SELECT source, -1000000 * count(*) FROM moved GROUP BY source
"""
# One statement each, as ledger_post inserts them.
_INSERT = """
    DO $$ BEGIN FOR n IN 1..{count} LOOP
        INSERT INTO journal_entries (reference, kind) VALUES ('{name}' || n, 'capital');
    END LOOP; END $$
"""


@contextmanager
def stage(folder: Path) -> Iterator[tuple[Flask, str]]:
    """Open the application on a database that nobody else works on."""
    with (
        postgres.running(folder / "postgres") as database,
        valkey.running(folder / "valkey") as queue,
    ):
        keyring.create(folder / "keyring.json", secrets.token_hex(16))
        database.furnish()
        environ = {
            "PROTONPAY_ENV": "sandbox",
            "DATABASE_URL": database.url(),
            "REDIS_URL": queue.url(),
            "SECRET_KEY": secrets.token_hex(32),
            "DATA_KEY": secrets.token_hex(32),
            "KEYRING_PATH": str(folder / "keyring.json"),
            "LOG_LEVEL": "WARNING",
            **{f"{name.upper()}_RPC_URL": "http://127.0.0.1:9" for name in NETWORKS},
        }
        migrate(database.url())
        app = create_app(Config.load(environ))
        with app.app_context():
            with db.transaction():
                ledger.open_accounts(chart.of_house(list(NETWORKS), list(PROVIDERS)))
            yield app, database.url()
            db.db.session.remove()
            db.db.engine.dispose()


def posting(url: str, table: Table) -> None:
    """(d) The trigger that numbers a transaction before its entry's id; the rest costs nothing."""
    table.head("(d) what a posting pays for the chain: a trigger, the best of five")
    best: dict[str, float] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for turn in range(5):
            for switch in ("DISABLE", "ENABLE"):
                connection.execute(f"ALTER TABLE journal_entries {switch} TRIGGER numbers_first")
                begun = time.perf_counter()
                connection.execute(_INSERT.format(name=f"{switch}{turn}:", count=_ENTRIES))
                took = (time.perf_counter() - begun) / _ENTRIES * 1e6
                best[switch] = min(best.get(switch, took), took)
    table.row("an entry's row without it", f"{best['DISABLE']:.1f} us", "1.00")
    ratio = best["ENABLE"] / best["DISABLE"]
    table.row("with it", f"{best['ENABLE']:.1f} us", f"{ratio:.2f}")


def sealing(table: Table) -> None:
    """(a) Every entry there is."""
    begun = time.perf_counter()
    seals.seal_all()
    took, count = time.perf_counter() - begun, seals.length()
    table.head(f"(a) the chain, {count:,} entries of one posting")
    table.row(f"sealing, {seals.BATCH} to a commit", f"{took / count * 1e6:.1f} us each")
    for name, work in {"verifying": seals.check_all, "exporting": seals.export}.items():
        begun = time.perf_counter()
        list(work())
        table.row(name, f"{(time.perf_counter() - begun) / count * 1e6:.1f} us each")


def head(table: Table, users: int) -> None:
    """(b) A head, whole and in its parts."""
    table.head(f"(b) a head of {users:,} users")
    begun = time.perf_counter()
    cut = seals.cut()
    table.row("balances at the cut", f"{time.perf_counter() - begun:.2f} s")
    begun = time.perf_counter()
    made = tree.build(secrets.token_bytes(32), cut.balances)
    table.row("the tree, in memory", f"{time.perf_counter() - begun:.2f} s")
    stored = sum(map(len, made.levels))
    table.row("its nodes", f"{stored / 1e6:.1f} MB")
    begun = time.perf_counter()
    service.take()
    table.row("taken: balances, tree, all rows, committed", f"{time.perf_counter() - begun:.2f} s")


def proofs(app: Flask, table: Table, people: list[str]) -> None:
    """(c) Proofs of people at random places of the tree."""
    service.publish(timedelta(0))
    times = []
    with app.test_request_context():
        for user in people[:: len(people) // _READS]:
            begun = time.perf_counter()
            proof = queries.prove(user)
            times.append((time.perf_counter() - begun) * 1000)
            db.release()
        size = len(json.dumps(schemas.ProofAnswer().dump({"proof": proof})))
    table.head("(c) one proof")
    table.row("read from the database: p50", f"{statistics.median(times):.2f} ms")
    table.row(f"its answer, {len(proof.path)} steps", f"{size:,} bytes")


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=USERS)
    users: int = parser.parse_args().users
    print(
        f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}"
    )
    table = Table()
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as (app, url):
        people = [f"c{number:024}" for number in range(users)]
        with psycopg.connect(url, autocommit=True) as connection:
            for start in range(0, users, _AT_ONCE):
                some = {"users": people[start : start + _AT_ONCE]}
                connection.execute(_OPEN, some)
                connection.execute(_FUND, some)
            connection.execute("VACUUM ANALYZE")
        sealing(table)
        head(table, users)
        proofs(app, table, people)
        posting(url, table)
    print(f"\nload after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
