"""Addresses to hand out, and each card provider of the registry behind the real application."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from protonpay.cards.registry import PROVIDERS, card_providers
from protonpay.fx.http_rates import HttpRates
from protonpay.fx.service import rates
from protonpay.web.links import links
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse, open_house
from tests.conftest import PASSPHRASE
from tests.contract.card_simulators import PLAYED
from tests.deposits.keyed import PATIENCE, Seller
from tests.deposits.till import Till
from tests.simulators import Receiver, Simulator, running
from tests.wallets import pools

__all__ = ["open_house"]


@pytest.fixture
def fill(house: Flask, keyring_path: Path) -> Callable[..., None]:
    """What fills the pool with so many addresses of each family."""
    return lambda count=4: pools.fill(keyring_path, PASSPHRASE, count)


@pytest.fixture(scope="session")
def market() -> Iterator[Simulator]:
    """A source of rates."""
    with running("protonpay.sandbox.rates") as simulator:
        yield simulator


@pytest.fixture(scope="session", params=PROVIDERS)
def played(request: pytest.FixtureRequest) -> Iterator[tuple[str, Simulator]]:
    """A provider's simulator."""
    by = PLAYED[request.param]
    with running(by.module, *by.options) as simulator:
        yield request.param, simulator


@pytest.fixture
def till(
    house: Flask, settings: dict[str, str], played: tuple[str, Simulator], market: Simulator
) -> Iterator[Till]:
    """A provider that is set up here, and rates for what it takes."""
    name, simulator = played
    # What earlier tests have paid for is in no table any more.
    simulator.forget_payments()
    receiver = Receiver()
    before = card_providers._settings
    assert before is not None
    asked_for = dict(PLAYED[name].settings(simulator.url))
    card_providers.bind({**before, name: asked_for}, live=False)
    market.pull("age", seconds=0)
    rates.bind(HttpRates(f"{market.url}/latest.json"))
    links.bind(receiver.url)
    if PLAYED[name].in_its_pages:
        simulator.pull("notifications", url=f"{receiver.url}/api/callbacks/{name}")
    yield Till(name, simulator, receiver, market, house.test_client())
    simulator.forget_faults()
    card_providers.bind(before, live=False)
    rates.bind(None)
    links.bind(settings["PUBLIC_URL"])
    receiver.close()


@pytest.fixture
def seller(app: Flask, played: tuple[str, Simulator], market: Simulator) -> Iterator[Seller]:
    """A provider that is waited for half a second, behind the application as it stands."""
    name, simulator = played
    before = card_providers._settings
    assert before is not None
    made_with: Any = {**PLAYED[name].settings(simulator.url), "create_seconds": PATIENCE}
    card_providers.bind({**before, name: made_with}, live=False)
    market.pull("age", seconds=0)
    rates.bind(HttpRates(f"{market.url}/latest.json"))
    yield Seller(name, simulator)
    simulator.forget_faults()
    rates.bind(None)
    card_providers.bind(before, live=False)


@pytest.fixture
def payer(open_house: OpenHouse) -> Actor:
    """Somebody whose deeds are committed."""
    return make_actor(open_house.app, "Payer")
