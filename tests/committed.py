"""The application on a database of its own, where commits stay: for threads and processes."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine

from protonpay.plans import service as plans
from protonpay.stack.postgres import SUPERUSER, Postgres
from protonpay.store import marks
from protonpay.store.db import db, driver_url
from protonpay.store.queue import door
from tests.patience import until
from tests.premises import Premises

CONNECTIONS = 56


@dataclass(frozen=True)
class OpenHouse:
    """An application whose work stands once it is committed."""

    app: Flask
    server: Postgres
    database: str

    @property
    def url(self) -> str:
        """Where the program's own login goes."""
        return self.server.url(self.database)

    def superuser(self) -> "psycopg.Connection[Any]":
        """Connect as the one whom nothing stops, each statement by itself."""
        return psycopg.connect(self.server.url(self.database, user=SUPERUSER), autocommit=True)

    def at_once(self, works: Sequence[Callable[[], Any]]) -> list[Any]:
        """Run each in a thread, all let go at one moment; what asks over HTTP needs no more.

        Returns:
            What each returned, or the exception it raised, in their order.
        """
        gate = threading.Barrier(len(works))

        def run(work: Callable[[], Any]) -> Any:
            gate.wait(timeout=30)
            try:
                return work()
            except Exception as error:  # noqa: BLE001 - how it ended is what is asked
                return error

        with ThreadPoolExecutor(len(works)) as threads:
            return list(threads.map(run, works))

    def inside_at_once(self, works: Sequence[Callable[[], Any]]) -> list[Any]:
        """Run each in a thread with a context of its own, all let go at one moment."""
        return self.at_once([self._inside(work) for work in works])

    def _inside(self, work: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            with self.app.app_context():
                return work()

        return run


def _options(app: Flask) -> dict[str, Any]:
    """As the program's own, for a crowd: on a busy machine its turn may come late."""
    own = app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    patient = own["connect_args"]["options"].replace("timeout=2s", "timeout=20s")
    patient = patient.replace("timeout=5s", "timeout=30s")
    arguments = {**own["connect_args"], "options": patient}
    return {**own, "connect_args": arguments, "pool_size": CONNECTIONS, "pool_timeout": 30}


@pytest.fixture
def open_house(app: Flask, services: Any, premises: Premises) -> Iterator[OpenHouse]:
    """The application in its context, on a database in which all is undone afterwards."""
    server, name = services.postgres, premises.lend()
    engine = create_engine(driver_url(server.url(name)), **_options(app))
    with app.app_context():
        before = db.engine
        db._app_engines[app][None] = engine
        door.client.flushdb()
        door.client.set(marks.REVOCATIONS_LOADED, 1)
        plans.forget()
        try:
            yield OpenHouse(app, server, name)
        finally:
            try:
                db.session.remove()
                # Whoever was at work puts its connection back; one that is kept is a leak.
                until(lambda: engine.pool.checkedout() == 0)
            finally:
                # However it ends: what is committed here is nobody else's.
                db._app_engines[app][None] = before
                engine.dispose()
                premises.take_back()
