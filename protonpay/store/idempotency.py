"""Idempotency keys: a key, its effect and the answer given are one commit (API reference §5).

Two ways to run an operation, and nothing in Redis:

* ``at_once``: everything happens in one transaction, which the service's own joins. Killed
  before the commit, nothing happened and the key is free; killed after it, the answer stands.
* ``in_steps``: somebody outside is asked in the middle. The row is made with the thing itself
  (``begin``), held by a token while somebody works, and taken over by a retry when its holder
  is gone; whoever comes back with an older token changes nothing.

A service knows of the operation it is part of by asking here: ``key``, ``resumed``, ``begin``,
``advance``, ``unbind``. Without a key each of them does nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg
import structlog
from sqlalchemy.exc import IntegrityError

from protonpay.kernel.errors import Refusal, Unavailable
from protonpay.store import db
from protonpay.store import idempotency_rows as rows
from protonpay.store.idempotency_rows import Answer, Operation

__all__ = [
    "Answer",
    "Operation",
    "advance",
    "at_once",
    "begin",
    "forget_secrets",
    "in_steps",
    "key",
    "reap",
    "resumed",
    "unbind",
]

log = structlog.get_logger(__name__)

_LEAST_REFUSED_STATUS = 300
_OF_A_ROW = "_idempotency_key"
_current: ContextVar[Operation | None] = ContextVar("operation", default=None)


def at_once(operation: Operation, act: Callable[[], Answer]) -> Answer:
    """Do something that needs nobody outside, once under its key.

    The key is bound only by a success, and a refusal leaves what it would leave without a key:
    nothing, unless it is raised behind a transaction that ended well, or was kept (a wrong code).

    Raises:
        Conflict: the key is in use right now (``idempotency_in_progress``), or was used for
            something else (``idempotency_key_reused``).
    """
    with db.transaction(), _doing(operation):
        rows.lock(operation)
        # A statement of its own: what the holder before us has committed must be seen.
        _, answered = rows.answered(operation)
        if answered is not None:
            return answered
        try:
            answer = act()
        except Refusal as refusal:
            if db.undone():
                raise
            refused = refusal
        else:
            if _is_success(answer):
                rows.keep(operation, answer)
            return answer
    raise refused


def in_steps(operation: Operation, act: Callable[[], Answer]) -> Answer:
    """Do something that asks somebody outside in the middle, once under its key.

    ``act`` must call a service that begins, advances and unbinds. If it raises, the row stays
    where it is and the next request with the key goes on from there, at once.

    Raises:
        Conflict: somebody works on it (``idempotency_in_progress``), or the key was used for
            something else (``idempotency_key_reused``).
    """
    with db.transaction():
        begun, answered = rows.answered(operation)
        if answered is not None:
            return answered
        if begun:
            rows.take_over(operation)
    with _doing(operation), _letting_go(operation):
        answer = act()
        if _is_success(answer):
            _complete(operation, answer)
    return answer


def key() -> str | None:
    """Return what a row of money keeps of the key it was made under, if there was one.

    Kept longer than the key itself, under a unique index of the row's owner: a key that was
    forgotten cannot move money twice. At most one row of a table for each operation.
    """
    operation = _current.get()
    if operation is None:
        return None
    return f"{operation.method} {operation.route} {operation.key}"


def resumed() -> str | None:
    """Return the id of what an earlier try of this operation made, to go on with."""
    operation = _current.get()
    return None if operation is None else operation.resource_id


def begin(resource_id: str) -> None:
    """Bind the key to what is being made, in the transaction that makes it.

    Raises:
        Conflict: somebody else was faster (``idempotency_in_progress``).
        RuntimeError: no transaction is open.
    """
    db.current()
    operation = _current.get()
    if operation is not None:
        rows.begin(operation, resource_id)


def advance() -> None:
    """Note that the one outside has answered, in the transaction that keeps the answer.

    Raises:
        Conflict: the operation was taken over meanwhile (``idempotency_in_progress``).
        RuntimeError: no transaction is open.
    """
    db.current()
    operation = _current.get()
    if operation is not None:
        rows.advance(operation)


def unbind() -> None:
    """Set the key free, in the transaction that ends what was begun without success.

    Raises:
        Conflict: the operation was taken over meanwhile (``idempotency_in_progress``).
        RuntimeError: no transaction is open.
    """
    db.current()
    operation = _current.get()
    if operation is not None:
        rows.unbind(operation)


def forget_secrets(limit: int = 1000) -> int:
    """Drop the sealed answers that are not repeated any more; return how many."""
    with db.transaction():
        return rows.forget_secrets(limit)


def reap(limit: int = 1000) -> int:
    """Delete keys that were kept for long enough; return how many."""
    with db.transaction():
        return rows.reap(limit)


@contextmanager
def _doing(operation: Operation) -> Iterator[None]:
    # Not a note of the session: one in steps may give its connection back while it waits.
    before = _current.set(operation)
    try:
        yield
    except (IntegrityError, psycopg.errors.UniqueViolation) as error:
        if _constraint(error).endswith(_OF_A_ROW):
            raise rows.reused() from error
        raise
    finally:
        _current.reset(before)


@contextmanager
def _letting_go(operation: Operation) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if operation.token is not None:
            _let_go(operation)
        raise


def _let_go(operation: Operation) -> None:
    try:
        with db.transaction():
            rows.let_go(operation)
    except Unavailable as busy:
        # Then the next one waits until the lock has run out by itself.
        log.warning("operation_not_let_go", error=repr(busy))


def _complete(operation: Operation, answer: Answer) -> None:
    if operation.token is None:
        raise RuntimeError("an operation in steps begins with begin()")
    with db.transaction():
        rows.complete(operation, answer)


def _constraint(error: Exception) -> str:
    diagnosis = getattr(getattr(error, "orig", error), "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


def _is_success(answer: Answer) -> bool:
    return answer.status < _LEAST_REFUSED_STATUS
