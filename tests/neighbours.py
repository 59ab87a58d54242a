"""Alice, Bob and Mallory: they register once, and every test finds them as they were then.

A test sees those whom it names and nobody else, so each company of them has a database of its own;
what a test does there is undone like all that is done in a house.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from flask import Flask
from sqlalchemy import Engine, create_engine

from protonpay.cards.registry import PROVIDERS
from protonpay.chains.registry import NETWORKS
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.stack.postgres import Postgres
from protonpay.store.db import db, driver_url, transaction
from protonpay.wallets.models import NUMBERS
from protonpay.web import tokens
from tests.actors import Actor, make_actor

FUNDED = {"alice": "1000", "bob": None, "mallory": "5"}
"""What each has, in USDC, in the order in which they come."""


_FOR_EACH = 100_000
"""Addresses: more than the tests of one company derive."""


class Company:
    """Some of them, and the database in which nobody else has registered."""

    def __init__(self, app: Flask, engine: Engine, names: Collection[str]) -> None:
        self.engine, self._app = engine, app
        with app.app_context(), standing_on(app, engine):
            with transaction():
                ledger.open_accounts(chart.of_house(list(NETWORKS), list(PROVIDERS)))
            self._people = {
                name: make_actor(app, name.title(), funded=FUNDED[name]) for name in names
            }
            db.session.remove()

    def member(self, name: str) -> Actor:
        """Return one of them with a token of this moment, as if just registered."""
        known = self._people[name]
        session_id = tokens.read_refresh(known.refresh_token).session_id
        token = tokens.issue_access(known.id, session_id)
        return replace(known, client=self._app.test_client(), token=token)


class Neighbours:
    """Every company that a test has asked for."""

    def __init__(self, app: Flask, server: Postgres, template: str) -> None:
        self._app, self._server, self._template = app, server, template
        self._known: dict[tuple[str, ...], Company] = {}

    def company(self, wanted: Collection[str]) -> Company:
        """Return the company of these names, settled when it is first wanted."""
        names = tuple(name for name in FUNDED if name in wanted)
        if names not in self._known:
            database = "_".join(["tests_with", *names])
            url = self._server.create_database(database, template=self._template)
            options = self._app.config["SQLALCHEMY_ENGINE_OPTIONS"]
            engine = create_engine(driver_url(url), **options)
            _count_addresses_from(url, _FOR_EACH * (len(self._known) + 1))
            self._known[names] = Company(self._app, engine, names)
        return self._known[names]

    def leave(self) -> None:
        """Close every connection."""
        for company in self._known.values():
            company.engine.dispose()


def _count_addresses_from(url: str, number: int) -> None:
    """Derive other addresses than every other database: they stand on the same chains."""
    with psycopg.connect(url) as owner:  # the program itself may only count on
        owner.execute("SELECT setval(%s, %s)", (NUMBERS.name, number))


@contextmanager
def standing_on(app: Flask, engine: Engine) -> Iterator[None]:
    """Have the application work in another database."""
    before, db._app_engines[app][None] = db.engine, engine
    try:
        yield
    finally:
        db._app_engines[app][None] = before
