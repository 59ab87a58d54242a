"""A simulator's memory: JSON documents in SQLite, on disk or not, and never too many."""

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

Document = dict[str, Any]

_MOST = 20_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT, body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS documents_key ON documents (kind, key);
"""
_SAVE = """
INSERT INTO documents (kind, id, key, body) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET key = excluded.key, body = excluded.body
"""
_FORGET = """
DELETE FROM documents WHERE kind = ? AND number <= (
    SELECT number FROM documents WHERE kind = ? ORDER BY number DESC LIMIT 1 OFFSET ?)
"""


class Store:
    """Documents by kind and id; some also by a key. Hold ``lock`` to read and write as one.

    Args:
        folder: where the file is, or None for memory only.
        most: of one kind; beyond them the oldest are forgotten.
    """

    def __init__(self, folder: Path | None, *, most: int = _MOST) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = ":memory:" if folder is None else str(folder / "state.sqlite3")
        self._most = most
        self.lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # Survives the process being killed, which is all that is asked of a simulator.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def save(self, kind: str, document: Document, key: str | None = None) -> None:
        """Write a document under its ``id``."""
        body = json.dumps(document)
        with self.lock:
            self._db.execute(_SAVE, (kind, document["id"], key, body))
            self._db.execute(_FORGET, (kind, kind, self._most))

    def find(self, kind: str, document_id: str) -> Document | None:
        """Return a document by its id."""
        found = self._query("kind = ? AND id = ?", (kind, document_id))
        return found[0] if found else None

    def find_by_key(self, kind: str, key: str) -> list[Document]:
        """Return the documents of a key, the newest first."""
        return self._query("kind = ? AND key = ?", (kind, key))

    def newest(self, kind: str, most: int) -> list[Document]:
        """Return the latest documents of a kind, the newest first."""
        return self._query("kind = ?", (kind,), most)

    def forget(self, kind: str) -> None:
        """Remove all documents of a kind."""
        with self.lock:
            self._db.execute("DELETE FROM documents WHERE kind = ?", (kind,))

    def _query(self, where: str, values: tuple[str, ...], most: int = 1000) -> list[Document]:
        statement = f"SELECT body FROM documents WHERE {where} ORDER BY number DESC LIMIT ?"  # noqa: S608 - conditions of this file only
        with self.lock:
            rows = self._db.execute(statement, (*values, most)).fetchall()
        return [json.loads(body) for (body,) in rows]
