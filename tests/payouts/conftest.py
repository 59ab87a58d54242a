"""Networks that do what the test has planned."""

from collections.abc import Iterator

import pytest
from flask import Flask

from protonpay.chains.registry import BASE, POLYGON, SOLANA, chains
from tests.committed import open_house  # noqa: F401 - a fixture
from tests.payouts.fake_chain import FakeChain


@pytest.fixture
def base(house: Flask) -> Iterator[FakeChain]:
    """Base, whose next nonce is 7."""
    yield from _played(FakeChain(BASE, first_sequence=7))


@pytest.fixture
def polygon(house: Flask) -> Iterator[FakeChain]:
    """Polygon, whose next nonce is 0."""
    yield from _played(FakeChain(POLYGON, first_sequence=0))


@pytest.fixture
def solana(house: Flask) -> Iterator[FakeChain]:
    """Solana, which has no nonces."""
    yield from _played(FakeChain(SOLANA))


def _played(chain: FakeChain) -> Iterator[FakeChain]:
    name = chain.network.name
    chains._made[name] = chain  # type: ignore[assignment] # a stand-in with the port's verbs
    yield chain
    del chains._made[name]
