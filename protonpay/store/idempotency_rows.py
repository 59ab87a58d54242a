"""The rows behind idempotency keys: who holds one, what was answered, and how that is kept.

Everything here joins the caller's transaction; ``store/idempotency.py`` opens it.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict
from protonpay.store import db
from protonpay.store.secrets import safe
from protonpay.store.states import OPERATION
from protonpay.store.types import Sealed, UtcDateTime, state_check

PURPOSE = "answer to {account_id} {method} {route} {key}"
KEPT = timedelta(hours=72)
"""How long a key and its answer are kept; 24 hours are promised."""
SECRETS_KEPT = timedelta(minutes=15)
"""How long a secret in an answer is repeated."""
HELD = timedelta(seconds=75)
"""How long a silent holder keeps an operation: longer than any provider is waited for."""


class IdempotencyKey(db.Base):
    """A key that was used, and what was answered.

    Attributes:
        route: the template, so that every object of a route shares its keys.
        fingerprint: SHA-256 of what was asked; the same key with another is refused.
        lock_token: who works on it until ``locked_until``; None when nobody does.
        resource_id: what an operation in steps made first, and goes on with.
        request_id: of the request that was answered; while there is none, of the first.
        body: the answer's bytes with every secret in it null.
        sealed_body: the exact bytes, encrypted, as long as secrets are repeated.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        state_check("state", OPERATION),
        Index("ix_idempotency_keys_expires", "expires_at"),
        Index(
            "ix_idempotency_keys_sealed",
            "completed_at",
            postgresql_where=text("sealed_body IS NOT NULL"),
        ),
    )

    account_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    method: Mapped[str] = mapped_column(Text, primary_key=True)
    route: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text)
    lock_token: Mapped[str | None] = mapped_column(Text)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resource_id: Mapped[str | None] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_body: Mapped[bytes | None] = mapped_column(Sealed(PURPOSE))
    request_id: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client was told, or is told again.

    Attributes:
        headers: those that belong to the body.
        body: the exact bytes.
        public_body: the same with every secret null, or the same.
        replay_of: the id of the request that was answered first; None for that one itself.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    public_body: bytes
    replay_of: str | None = None


@dataclass(slots=True)
class Operation:
    """One request under a key.

    Attributes:
        account_id, method, route, key: together the scope in which the key means something.
        token: ours while we hold the row; None before ``begin`` and after ``unbind``.
        resource_id: what a try before this one made; None if there was none.
    """

    account_id: str
    method: str
    route: str
    key: str
    fingerprint: bytes
    request_id: str
    token: str | None = None
    resource_id: str | None = None

    @property
    def name(self) -> str:
        """The scope in one text, for hashes and purposes."""
        return f"{self.account_id} {self.method} {self.route} {self.key}"

    @property
    def identity(self) -> dict[str, Any]:
        """The parameters of ``_MINE``."""
        return {
            "account": self.account_id,
            "method": self.method,
            "route": self.route,
            "key": self.key,
        }


_MINE = "account_id = %(account)s AND method = %(method)s AND route = %(route)s AND key = %(key)s"
_HELD_BY_ME = f"{_MINE} AND lock_token = %(token)s AND state <> 'COMPLETED'"
_LOCK = "SELECT pg_try_advisory_xact_lock(%(number)s)"
_LOOK = f"""
    SELECT fingerprint, state, status, headers, body, sealed_body, request_id, completed_at
    FROM idempotency_keys WHERE {_MINE}
"""  # noqa: S608 - the words are ours
_ANSWERED = """
    INSERT INTO idempotency_keys (account_id, method, route, key, fingerprint, state, status,
        headers, body, sealed_body, request_id, created_at, completed_at, expires_at)
    VALUES (%(account)s, %(method)s, %(route)s, %(key)s, %(fingerprint)s, 'COMPLETED', %(status)s,
        %(headers)s, %(body)s, %(sealed)s, %(request)s, %(now)s, %(now)s, %(expires)s)
"""
_BEGUN = """
    INSERT INTO idempotency_keys (account_id, method, route, key, fingerprint, state, lock_token,
        locked_until, resource_id, request_id, created_at, expires_at)
    VALUES (%(account)s, %(method)s, %(route)s, %(key)s, %(fingerprint)s, 'STARTED', %(token)s,
        %(until)s, %(resource)s, %(request)s, %(now)s, %(expires)s)
    ON CONFLICT DO NOTHING RETURNING 1
"""
_TAKE_OVER = f"""
    UPDATE idempotency_keys SET lock_token = %(token)s, locked_until = %(until)s
    WHERE {_MINE} AND state <> 'COMPLETED' AND locked_until <= %(now)s RETURNING resource_id
"""  # noqa: S608
_ADVANCE = f"""
    UPDATE idempotency_keys SET state = 'PROVIDER_CALLED' WHERE {_HELD_BY_ME} RETURNING 1
"""  # noqa: S608
_COMPLETE = f"""
    UPDATE idempotency_keys SET state = 'COMPLETED', lock_token = NULL, locked_until = NULL,
        status = %(status)s, headers = %(headers)s, body = %(body)s, sealed_body = %(sealed)s,
        request_id = %(request)s, completed_at = %(now)s
    WHERE {_HELD_BY_ME} RETURNING 1
"""  # noqa: S608
_UNBIND = f"DELETE FROM idempotency_keys WHERE {_HELD_BY_ME} RETURNING 1"  # noqa: S608
_LET_GO = f"UPDATE idempotency_keys SET locked_until = %(now)s WHERE {_HELD_BY_ME}"  # noqa: S608
_FORGET_SECRETS = """
    UPDATE idempotency_keys SET sealed_body = NULL WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM idempotency_keys
        WHERE sealed_body IS NOT NULL AND completed_at <= %(before)s
        LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
"""
_REAP = """
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM idempotency_keys WHERE expires_at <= %(before)s
        LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
"""


def lock(operation: Operation) -> None:
    """Take the key until the transaction ends, or not at all.

    Raises:
        Conflict: another transaction has it (``idempotency_in_progress``).
    """
    digest = hashlib.sha256(operation.name.encode()).digest()
    # Two keys of one number would mean a needless 409, never a wrong answer: rows are exact.
    number = int.from_bytes(digest[:8], signed=True)
    row = db.execute(_LOCK, {"number": number}).fetchone()
    if row is None or not row[0]:
        raise in_progress()


def answered(operation: Operation) -> tuple[bool, Answer | None]:
    """Tell whether the key has a row, and what was answered if it is complete.

    Raises:
        Conflict: the key was used for something else (``idempotency_key_reused``).
    """
    row = db.execute(_LOOK, operation.identity).fetchone()
    return (False, None) if row is None else (True, _read(operation, row))


def keep(operation: Operation, answer: Answer) -> None:
    """Write down what was done at once."""
    db.execute(_ANSWERED, {**_told(operation, answer), **_new(operation)})


def begin(operation: Operation, resource_id: str) -> None:
    """Write down what is done in steps, and hold it.

    Raises:
        Conflict: somebody else was faster (``idempotency_in_progress``).
    """
    token = secrets.token_hex(16)
    held = {"token": token, "until": clock.now() + HELD, "resource": resource_id}
    if db.execute(_BEGUN, {**_new(operation), **held}).fetchone() is None:
        raise in_progress()
    operation.token = token


def take_over(operation: Operation) -> None:
    """Hold what its last holder has let go, or was silent about for too long.

    Raises:
        Conflict: somebody holds it (``idempotency_in_progress``).
    """
    token, now = secrets.token_hex(16), clock.now()
    held = {"token": token, "now": now, "until": now + HELD}
    row = db.execute(_TAKE_OVER, {**operation.identity, **held}).fetchone()
    if row is None:
        raise in_progress()
    operation.token, operation.resource_id = token, row[0]


def advance(operation: Operation) -> None:
    """Note that the one outside has answered."""
    _fenced(_ADVANCE, operation)


def complete(operation: Operation, answer: Answer) -> None:
    """Write down what was answered at the end of the steps."""
    _fenced(_COMPLETE, operation, **_told(operation, answer))


def unbind(operation: Operation) -> None:
    """Delete the row: nothing came of it."""
    _fenced(_UNBIND, operation)
    operation.token = None


def let_go(operation: Operation) -> None:
    """Leave the row to the next one, if it is still ours."""
    mine = {**operation.identity, "token": operation.token, "now": clock.now()}
    db.execute(_LET_GO, mine)


def forget_secrets(limit: int) -> int:
    """Drop sealed answers that are not repeated any more; return how many."""
    before = clock.now() - SECRETS_KEPT
    return db.execute(_FORGET_SECRETS, {"before": before, "limit": limit}).rowcount


def reap(limit: int) -> int:
    """Delete rows whose time is over; return how many."""
    return db.execute(_REAP, {"before": clock.now(), "limit": limit}).rowcount


def in_progress() -> Conflict:
    """Return the refusal of a key that somebody works on."""
    said = "A request with this Idempotency-Key is being worked on. Ask again."
    return Conflict("idempotency_in_progress", said, retry_after=1)


def reused() -> Conflict:
    """Return the refusal of a key that meant something else."""
    said = "This Idempotency-Key was used for another request."
    return Conflict("idempotency_key_reused", said)


def _fenced(sql: str, operation: Operation, **parameters: Any) -> None:
    mine = {**operation.identity, "token": operation.token, **parameters}
    if db.execute(sql, mine).fetchone() is None:
        raise in_progress()


def _read(operation: Operation, row: tuple[Any, ...]) -> Answer | None:
    fingerprint, state, status, headers, body, sealed, request_id, completed_at = row
    if not secrets.compare_digest(bytes(fingerprint), operation.fingerprint):
        raise reused()
    if state != "COMPLETED":
        return None
    told = bytes(body)
    if sealed is not None and clock.now() < completed_at + SECRETS_KEPT:
        told = safe.open(bytes(sealed), _purpose(operation)).encode()
    return Answer(status, headers, told, bytes(body), replay_of=request_id)


def _new(operation: Operation) -> dict[str, Any]:
    now = clock.now()
    return {
        **operation.identity,
        "fingerprint": operation.fingerprint,
        "request": operation.request_id,
        "now": now,
        "expires": now + KEPT,
    }


def _told(operation: Operation, answer: Answer) -> dict[str, Any]:
    secret = answer.body != answer.public_body
    return {
        "status": answer.status,
        "headers": Jsonb(dict(answer.headers)),
        "body": answer.public_body,
        "sealed": safe.seal(answer.body.decode(), _purpose(operation)) if secret else None,
        "request": operation.request_id,
        "now": clock.now(),
    }


def _purpose(operation: Operation) -> str:
    return PURPOSE.format(
        account_id=operation.account_id,
        method=operation.method,
        route=operation.route,
        key=operation.key,
    )
