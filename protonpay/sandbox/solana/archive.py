"""What the node keeps: every transaction with its receipt, and the finalized accounts.

One SQLite file in WAL mode. A landed transaction is committed without waiting for
the disk, which survives a killed process; a slot is committed with an fsync before
anybody is told that it is finalized, which survives a killed machine.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (address BLOB PRIMARY KEY, account BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS transactions (
    seq INTEGER PRIMARY KEY,
    slot INTEGER NOT NULL,
    signature BLOB NOT NULL UNIQUE,
    raw BLOB NOT NULL,
    meta TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS transactions_by_slot ON transactions (slot);
CREATE TABLE IF NOT EXISTS mentions (
    address BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (address, seq)
) WITHOUT ROWID;
"""
_ROW = "t.seq, t.slot, t.signature, t.raw, t.meta"


@dataclass(frozen=True, slots=True)
class Landed:
    """A transaction in a block.

    Attributes:
        seq: its place in the history of the whole chain.
        meta: the receipt as ``getTransaction`` spells it (encoding ``json``).
    """

    seq: int
    slot: int
    signature: Signature
    raw: bytes
    meta: dict[str, Any]


class Archive:
    """The node's storage.

    Args:
        folder: where the file lives, or None to keep everything in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        where = ":memory:"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            where = str(folder / "solana.sqlite3")
        # The node's lock serialises the threads; SQLite need not watch them.
        self._db = sqlite3.connect(where, timeout=1, isolation_level=None, check_same_thread=False)
        # One process per chain: a second one fails here instead of writing over the first.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        (last,) = self._db.execute("SELECT max(seq) FROM transactions").fetchone()
        self._seq = last or 0

    def close(self) -> None:
        """Fold the journal into the file."""
        self._db.close()

    def fact(self, name: str) -> Any:
        """Return a stored fact, or None."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def keep_fact(self, name: str, value: Any) -> None:
        """Store a fact, on disk when this returns."""
        with _OnDisk(self._db):
            self._write_fact(name, value)

    def accounts(self) -> Iterator[tuple[Pubkey, Account]]:
        """Return every account as it was finalized."""
        for address, account in self._db.execute("SELECT address, account FROM accounts"):
            yield Pubkey(address), Account.from_bytes(account)

    def settle(self, slot: int, accounts: Mapping[Pubkey, Account | None]) -> None:
        """Write the accounts as of a finalized slot, on disk when this returns."""
        alive = [(bytes(key), bytes(account)) for key, account in accounts.items() if account]
        gone = [(bytes(key),) for key, account in accounts.items() if account is None]
        with _OnDisk(self._db):
            self._db.executemany("INSERT OR REPLACE INTO accounts VALUES (?, ?)", alive)
            self._db.executemany("DELETE FROM accounts WHERE address = ?", gone)
            self._write_fact("settled", slot)

    def add(
        self,
        slot: int,
        signature: Signature,
        raw: bytes,
        meta: dict[str, Any],
        keys: Iterable[Pubkey],
    ) -> None:
        """Append a landed transaction and index the accounts it names."""
        self._seq += 1
        row = (self._seq, slot, bytes(signature), raw, json.dumps(meta))
        self._db.execute("BEGIN")
        self._db.execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?)", row)
        mentions = [(bytes(key), self._seq) for key in keys]
        self._db.executemany("INSERT OR IGNORE INTO mentions VALUES (?, ?)", mentions)
        self._db.execute("COMMIT")

    def forget_after(self, slot: int, facts: Mapping[str, Any]) -> None:
        """Remove the transactions of a fork that was left, and store what changed with it."""
        with _OnDisk(self._db):
            first = "SELECT coalesce(min(seq), 1 << 62) FROM transactions WHERE slot > ?"
            self._db.execute(f"DELETE FROM mentions WHERE seq >= ({first})", (slot,))  # noqa: S608 - our own words
            self._db.execute("DELETE FROM transactions WHERE slot > ?", (slot,))
            for name, value in facts.items():
                self._write_fact(name, value)

    def count(self) -> int:
        """Return how many transactions ever landed."""
        return self._seq

    def slot_of(self, signature: Signature) -> int | None:
        """Return the slot in which a transaction landed, or None."""
        query = "SELECT slot FROM transactions WHERE signature = ?"
        row = self._db.execute(query, (bytes(signature),)).fetchone()
        return int(row[0]) if row else None

    def find(self, signature: Signature) -> Landed | None:
        """Return a landed transaction by its first signature, or None."""
        found = self._select("FROM transactions t WHERE t.signature = ?", bytes(signature))
        return next(iter(found), None)

    def after(self, slot: int) -> list[Landed]:
        """Return the transactions after a slot, oldest first."""
        return self._select("FROM transactions t WHERE t.slot > ? ORDER BY t.seq", slot)

    def in_slot(self, slot: int) -> list[Landed]:
        """Return the transactions of one block in their order."""
        return self._select("FROM transactions t WHERE t.slot = ? ORDER BY t.seq", slot)

    def naming(
        self, key: Pubkey, newest: int, between: tuple[int, int], limit: int
    ) -> list[Landed]:
        """Return transactions that name an account, newest first.

        Args:
            key: the account.
            newest: leave out those of later slots.
            between: their ``seq`` lies strictly between these two.
            limit: at most so many.
        """
        return self._select(
            "FROM mentions m JOIN transactions t USING (seq) WHERE m.address = ? AND m.seq > ?"
            " AND m.seq < ? AND t.slot <= ? ORDER BY m.seq DESC LIMIT ?",
            bytes(key), *between, newest, limit,
        )  # fmt: skip

    def _select(self, rest: str, *values: object) -> list[Landed]:
        rows = self._db.execute(f"SELECT {_ROW} {rest}", values)
        return [
            Landed(seq, slot, Signature(signature), raw, json.loads(meta))
            for seq, slot, signature, raw, meta in rows
        ]

    def _write_fact(self, name: str, value: Any) -> None:
        pair = (name, json.dumps(value))
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", pair)


class _OnDisk:
    """One SQLite transaction that is on the disk when the block ends."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("BEGIN")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")
        self._db.execute("PRAGMA synchronous = NORMAL")
