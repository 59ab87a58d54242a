"""The house under test: real Postgres and Valkey, one application, everything rolled back."""

import gc
import logging
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine
from werkzeug.test import TestResponse

from config import Config
from protonpay.app import create_app
from protonpay.auth.passwords import Cost, passwords
from protonpay.cards.registry import PROVIDERS
from protonpay.chains import keyring
from protonpay.chains.registry import NETWORKS
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.plans import service as plans
from protonpay.stack import postgres, valkey
from protonpay.store import marks
from protonpay.store.db import db, driver_url, transaction
from protonpay.store.queue import door
from tests.actors import Actor
from tests.neighbours import FUNDED, Company, Neighbours, standing_on
from tests.overheard import Overheard
from tests.premises import Premises
from tests.rota import ByFile, longest_first

ROOT = Path(__file__).parents[1]
PASSPHRASE = "the keyring of the tests, and of nobody else"


class EachInItsContext(FlaskClient):
    """A client whose requests share nothing: a server has no context around them, a test has."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if has_app_context():
            # What the test has done so far stands, as it would for a server.
            db.session.commit()
        with self.application.app_context():
            return super().open(*args, **kwargs)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Hand out the tests by files."""
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage: what is collected stays, and is never looked at again.

    Two fifths of collecting nine thousand tests would be that.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    longest_first(items)


@pytest.fixture(autouse=True)
def nothing_secret_is_logged() -> Iterator[None]:
    """No line of a log holds a secret, whatever is tested."""
    overheard, root = Overheard(), logging.getLogger()
    root.addHandler(overheard)
    yield
    root.removeHandler(overheard)
    assert overheard.records == []


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Postgres and Valkey of this test process, forgotten when it ends."""
    folder = tmp_path_factory.mktemp("services")
    with (
        postgres.running(folder / "postgres", durable=False) as database,
        valkey.running(folder / "valkey", durable=False) as queue,
    ):
        yield SimpleNamespace(postgres=database, valkey=queue)


@pytest.fixture(scope="session")
def keyring_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Custody keys of the tests."""
    path = tmp_path_factory.mktemp("keys") / "keyring.json"
    keyring.create(path, PASSPHRASE)
    return path


@pytest.fixture(scope="session")
def template(services: SimpleNamespace) -> str:
    """The name of a migrated database with the accounts of the house, to copy from."""
    url = services.postgres.create_database("template_for_tests")
    migrate(url)
    return "template_for_tests"


@pytest.fixture(scope="session")
def settings(services: SimpleNamespace, keyring_path: Path, template: str) -> dict[str, str]:
    """The environment of every process under test, on a database of its own."""
    return {
        "PATH": os.environ["PATH"],
        "PROTONPAY_ENV": "sandbox",
        "DATABASE_URL": services.postgres.create_database("tests", template=template),
        "REDIS_URL": services.valkey.url(),
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": "a secret key of the tests, long enough for HS256",
        "DATA_KEY": "a data key of the tests, long enough for AES-256",
        "KEYRING_PATH": str(keyring_path),
        "SOLANA_RPC_URL": "http://127.0.0.1:9",
        "BASE_RPC_URL": "http://127.0.0.1:9",
        "POLYGON_RPC_URL": "http://127.0.0.1:9",
        "TAP_BASE_URL": "http://127.0.0.1:9",
        "TAP_SECRET_KEY": "sk_test_of_the_tests",
        "RATE_LIMIT_AUTH": "1000 per minute",
        "RATE_LIMIT_READ": "1000 per minute",
        "RATE_LIMIT_WRITE": "1000 per minute",
        "RATE_LIMIT_PAGE": "1000 per minute",
        "RATE_LIMIT_UNAUTH": "1000 per minute",
        "RATE_LIMIT_LOGIN": "1000 per minute",
    }


@pytest.fixture(scope="session")
def app(settings: dict[str, str]) -> Iterator[Flask]:
    """The application, with passwords that cost next to nothing."""
    made = create_app(Config.load(settings))
    made.testing = True
    made.test_client_class = EachInItsContext
    made.config["PROPAGATE_EXCEPTIONS"] = False
    passwords.set_cost(Cost(memory_kib=8, rounds=1))
    with made.app_context(), transaction():
        ledger.open_accounts(chart.of_house(list(NETWORKS), list(PROVIDERS)))
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
    door.client.close()


@pytest.fixture(scope="session")
def neighbours(app: Flask, services: SimpleNamespace, template: str) -> Iterator[Neighbours]:
    """Alice, Bob and Mallory, in every company that tests want."""
    neighbours = Neighbours(app, services.postgres, template)
    yield neighbours
    neighbours.leave()


@pytest.fixture(scope="session")
def premises(app: Flask, services: SimpleNamespace, template: str) -> Premises:
    """The database of those whose work is committed, with the accounts of the house."""

    def furnish(url: str) -> None:
        engine = create_engine(driver_url(url), **app.config["SQLALCHEMY_ENGINE_OPTIONS"])
        with app.app_context(), standing_on(app, engine), transaction():
            ledger.open_accounts(chart.of_house(list(NETWORKS), list(PROVIDERS)))
        engine.dispose()

    return Premises(services.postgres, template, furnish, called="open_house")


@pytest.fixture
def company(neighbours: Neighbours, request: pytest.FixtureRequest) -> Company | None:
    """Those of them who are in the test, by their names."""
    wanted = set(request.fixturenames) & set(FUNDED)
    return neighbours.company(wanted) if wanted else None


@pytest.fixture
def house(app: Flask, company: Company | None) -> Iterator[Flask]:
    """The application in its context, on one connection whose work is undone at the end."""
    with rolled_back(app, company.engine if company else None):
        yield app


@contextmanager
def rolled_back(app: Flask, elsewhere: Engine | None = None) -> Iterator[None]:
    """Open a house for one example: of many in one transaction, Postgres runs out of locks.

    Args:
        app: whose house.
        elsewhere: another database than the application's.
    """
    with app.app_context():
        engine = db.engine
        connection = (elsewhere or engine).connect()
        outer = connection.begin()
        # What a test does between two statements may take its time on a busy machine.
        connection.exec_driver_sql("SET idle_in_transaction_session_timeout = '2min'")
        # Commits of the program become releases of a savepoint: the outer one is ours.
        db._app_engines[app][None] = connection
        db.session.session_factory.configure(join_transaction_mode="create_savepoint")
        door.client.flushdb()
        door.client.set(marks.REVOCATIONS_LOADED, 1)
        plans.forget()
        try:
            yield
        finally:
            db.session.remove()
            db._app_engines[app][None] = engine
            outer.rollback()
            connection.close()


@pytest.fixture
def client(house: Flask) -> FlaskClient:
    """A caller without a name."""
    return house.test_client()


@pytest.fixture
def alice(house: Flask, company: Company) -> Actor:
    """A user with 1,000 USDC."""
    return company.member("alice")


@pytest.fixture
def bob(house: Flask, company: Company) -> Actor:
    """A user who receives."""
    return company.member("bob")


@pytest.fixture
def mallory(house: Flask, company: Company) -> Actor:
    """A stranger: what is right for others is wrong for her."""
    return company.member("mallory")


def migrate(database_url: str, revision: str = "head") -> None:
    """Bring a database to a migration, the newest unless another is named."""
    alembic = AlembicConfig(str(ROOT / "migrations" / "alembic.ini"))
    alembic.set_main_option("script_location", str(ROOT / "migrations"))
    alembic.attributes["database_url"] = database_url
    command.upgrade(alembic, revision)
