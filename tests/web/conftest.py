"""Rates of a test's own, and stores that are away."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import create_engine

from protonpay.stack import ports
from protonpay.store.db import db, driver_url
from protonpay.store.queue import door
from protonpay.web import limits
from tests.actors import Actor
from tests.web.forge import Forge

Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def rates(house: Flask, settings: dict[str, str]) -> Iterator[Callable[..., None]]:
    """Set the rates of the buckets, for this test only."""
    names = ("auth", "read", "write", "page", "unauth", "login")
    usual = {name: settings[f"RATE_LIMIT_{name.upper()}"] for name in names}

    def change(**to: str) -> None:
        limits.buckets.bind(**{**usual, **to})

    yield change
    change()


@pytest.fixture
def redis_away(house: Flask, services: SimpleNamespace) -> Away:
    """Take Redis' socket out of its place for as long as a block lasts."""
    socket = services.valkey.socket
    moved = socket.with_name("moved.sock")

    def hang_up() -> None:
        door.client.connection_pool.disconnect()
        limits.by_address.storage.storage.connection_pool.disconnect()

    @contextmanager
    def away() -> Iterator[None]:
        socket.rename(moved)
        hang_up()
        try:
            yield
        finally:
            moved.rename(socket)
            hang_up()

    return away


@pytest.fixture
def database_away(house: Flask) -> Away:
    """Send the application to a port where no database listens, while a block lasts."""
    url = driver_url(f"postgresql://nobody:sesame@127.0.0.1:{ports.free()}/none")
    options = house.config["SQLALCHEMY_ENGINE_OPTIONS"]

    @contextmanager
    def away() -> Iterator[None]:
        engines = db._app_engines[house]
        before, engines[None] = engines[None], create_engine(url, **options)
        try:
            yield
        finally:
            engines[None].dispose()
            engines[None] = before

    return away


@pytest.fixture
def forge(alice: Actor, settings: Mapping[str, str]) -> Forge:
    return Forge(alice.token, settings["SECRET_KEY"])


@pytest.fixture
def forge_refresh(alice: Actor, settings: Mapping[str, str]) -> Forge:
    return Forge(alice.refresh_token, settings["SECRET_KEY"])
