"""The database: one session, and the only commit of the program."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import psycopg
import structlog
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from psycopg.pq import TransactionStatus
from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session

from protonpay.kernel.errors import Refusal, Unavailable
from protonpay.store import lines

APPLICATION_ROLE = "protonpay_app"
"""The role every connection drops to: it may not write the ledger but through its function."""

LOCK: dict[str, Any] = {"key_share": True}
"""How a row is locked for a transaction: FOR NO KEY UPDATE. FOR UPDATE is for who deletes it: it
makes everybody wait, too, who writes a row that refers to this one (PostgreSQL, 13.3.2), and they
may hold what its holder waits for. Who locks by ``get`` says ``populate_existing``, too: what the
session has read before is not read again for the lock."""

log = structlog.get_logger(__name__)

# What the server says when waiting is the answer: lock and statement timeouts, deadlock,
# serialisation, shutting down, starting up, too many connections. Class 08 is the line itself.
_BUSY = frozenset({"55P03", "57014", "40P01", "40001", "57P01", "57P02", "57P03", "53300", "25P03"})
# What the server may say when it goes away while it commits.
_GOING = frozenset({"57P01", "57P02"})


class Base(DeclarativeBase):
    """The parent of every model."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def bind(app: Flask, database_url: str, *, pool_size: int) -> None:
    """Connect an application to its database.

    Args:
        app: the application to be.
        database_url: as libpq reads it; the driver is always psycopg 3.
        pool_size: connections per process, one for each thread that serves.
    """
    limits = "-c lock_timeout=2s -c statement_timeout=5s -c idle_in_transaction_session_timeout=10s"
    app.config["SQLALCHEMY_DATABASE_URI"] = driver_url(database_url)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": 5,
        "pool_events": [(lines.look, "checkout")],
        # What is said of a failed statement is logged: its values are people's.
        "hide_parameters": True,
        "connect_args": {"connect_timeout": 3, "options": f"-c role={APPLICATION_ROLE} {limits}"},
    }
    db.init_app(app)
    # Before Flask-SQLAlchemy's own, which fails on a dead line after the answer was made.
    app.teardown_appcontext(lambda _error: release())


def driver_url(database_url: str) -> str:
    """Name the driver: ``postgresql://`` alone means another one to older programs."""
    _, _, rest = database_url.partition("://")
    return f"postgresql+psycopg://{rest}"


@contextmanager
def transaction() -> Iterator[Session]:
    """Do everything inside or nothing: opened by public functions of a service.

    Inside another one it joins: the outermost commits. What ``after_commit`` was
    given runs once the commit has succeeded. A refusal undoes it, but for one that was ``kept``.

    Raises:
        Unavailable: the database is busy or away; nothing was done (``database_busy``). Or it
            went away while it committed, and whether it did is unknown (``outcome_unknown``).
        RuntimeError: a statement failed and the block went on: Postgres would take the commit
            and do nothing.
    """
    session = db.session()
    if session.info.get("open"):
        with _joining(session):
            yield session
        return
    session.info.update(open=True, after=[], undone=False, kept=None)
    refused = None
    try:
        with _busy_is_unavailable():
            try:
                yield session
            except Refusal as refusal:
                if refusal is not session.info["kept"]:
                    raise
                refused = refusal
            _commit(session)
    except BaseException:
        _undo(session)
        raise
    finally:
        session.info["open"] = False
        hooks = session.info.pop("after")
    for hook in hooks:
        _run(hook)
    if refused is not None:
        raise refused


def current() -> Session:
    """Return the session of the open transaction, for what joins one.

    Raises:
        RuntimeError: no transaction is open, so a write would belong to nobody.
    """
    session = db.session()
    if not session.info.get("open"):
        raise RuntimeError("this joins a transaction(); none is open")
    return session


def undone() -> bool:
    """Tell whether something inside the open transaction, alone, would have been undone."""
    return bool(current().info["undone"])


def kept(refusal: Refusal) -> Refusal:
    """Return a refusal that the open transaction ends with, and that does not undo it.

    For what a refusal itself writes down, under the lock that it was met under: once that is given
    back, the next one would not know of it. All that was written before is committed as well, so
    it is for who refuses before anything else is done.
    """
    current().info["kept"] = refusal
    return refusal


def after_commit(hook: Callable[[], None]) -> None:
    """Run something once the open transaction has committed; it may be lost with the process."""
    current().info["after"].append(hook)


def execute(sql: str, parameters: Mapping[str, Any]) -> "psycopg.Cursor[Any]":
    """Run one statement on the driver itself, in the session's transaction.

    For the few statements every request pays for: it costs a third of the same
    statement through the ORM.
    """
    return driver().execute(sql, parameters)


def commit_without_waiting() -> None:
    """Let the open transaction's commit not wait for the disk.

    A server that dies a moment later (three times ``wal_writer_delay``, 0.6 s) may have forgotten
    it, whole, with all that was committed after it: only for what is done again if it is forgotten.
    """
    current()
    execute("SET LOCAL synchronous_commit = off", {})


@contextmanager
def pipelined() -> Iterator[None]:
    """Send the block's statements without waiting for the answer of each, in the open transaction.

    Of ``execute`` alone: the ORM looks at each answer at once. What a statement raises is raised by
    the next whose rows are read, or by the end of the block.
    """
    current()
    with driver().pipeline():
        yield


def driver() -> "psycopg.Connection[Any]":
    """Return the driver's connection beneath the session."""
    connection = db.session().connection().connection.driver_connection
    return cast("psycopg.Connection[Any]", connection)


def release() -> None:
    """End the session's read-only transaction and give its connection back to the pool."""
    try:
        db.session.remove()
    except SQLAlchemyError:
        db.session().invalidate()
        db.session.remove()


@contextmanager
def _joining(session: Session) -> Iterator[None]:
    try:
        yield
        # What the inner one wrote is refused here, where its own service still hears of it.
        session.flush()
    except BaseException:
        session.info["undone"] = True
        raise


def _commit(session: Session) -> None:
    session.flush()
    if session.in_transaction() and driver().info.transaction_status is TransactionStatus.INERROR:
        raise RuntimeError("a statement of this transaction failed: there is nothing to commit")
    try:
        session.commit()
    except DBAPIError as error:
        if _is_lost(error) or _state(error) in _GOING:
            said = "The answer was lost. Look whether it was done before asking again."
            raise Unavailable("outcome_unknown", said) from error
        raise


def _undo(session: Session) -> None:
    try:
        session.rollback()
    except SQLAlchemyError:
        # The line is gone, and with it the transaction; its connection must not be used again.
        session.invalidate()


@contextmanager
def _busy_is_unavailable() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout, psycopg.Error) as error:
        busy = as_unavailable(error)
        if busy is None:
            raise
        raise busy from error


def as_unavailable(error: BaseException) -> Unavailable | None:
    """Tell a database that is busy or away from one that was asked something wrong."""
    if isinstance(error, PoolTimeout) or _is_lost(error) or _state(error) in _BUSY:
        return _unavailable()
    return None


def _is_lost(error: BaseException) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state, raw = _state(error), getattr(error, "orig", error)
    return state.startswith("08") or (not state and isinstance(raw, psycopg.OperationalError))


def _state(error: BaseException) -> str:
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""


def _unavailable() -> Unavailable:
    return Unavailable("database_busy", "The service is busy. Try again.", retry_after=1)


def _run(hook: Callable[[], None]) -> None:
    try:
        hook()
    except Exception as error:  # noqa: BLE001 - what hooks do is a courtesy; the rows are the truth
        log.warning("after_commit_failed", error=repr(error))
