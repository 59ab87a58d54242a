"""Each provider's simulator, a front door of ours, and both of them as one."""

from collections.abc import Iterator

import pytest

from tests.contract.card import Card
from tests.contract.card_simulators import PLAYED
from tests.simulators import Receiver, Simulator, running


@pytest.fixture(scope="module")
def running_simulator(request: pytest.FixtureRequest) -> Iterator[tuple[str, Simulator]]:
    played = PLAYED[request.param]
    with running(played.module, *played.options) as simulator:
        yield request.param, simulator


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def card(running_simulator: tuple[str, Simulator], receiver: Receiver) -> Iterator[Card]:
    name, simulator = running_simulator
    yield Card(name, PLAYED[name], simulator, receiver)
    simulator.forget_faults()
