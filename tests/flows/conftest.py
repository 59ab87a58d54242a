"""One city for all journeys."""

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.flows import desk
from tests.flows.city import City, founded


@pytest.fixture(scope="package")
def city(
    services: Any,
    settings: dict[str, str],
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[City]:
    """Every process of the product, on real chains and a simulated card provider."""
    with founded(services, settings, template, tmp_path_factory.mktemp("city")) as running:
        yield running


@pytest.fixture(autouse=True)
def open_gates(city: City) -> Iterator[None]:
    """No gate stays armed for the next test, and none waits in vain for a network that stands."""
    if stopped := city.stopped():
        said = f"an earlier flow left {', '.join(stopped)} stopped: see why it failed, not this one"
        pytest.fail(said, pytrace=False)
    yield
    for gate in city.gates.values():
        gate.before = gate.after = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Beside a failure stands what the city's processes and its database complained of last."""
    report = yield
    running = getattr(item, "funcargs", {}).get("city")
    if report.failed and running is not None:
        report.sections.append(
            ("what the city complained of", "\n".join(desk.complaints(running.log)))
        )
    return report
