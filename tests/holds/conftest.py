"""A list of addresses, and networks that do what the test has planned."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from protonpay.screening.offline import OfflineList
from protonpay.screening.service import screening
from tests.deposits.conftest import fill
from tests.payouts.conftest import base

__all__ = ["base", "fill"]


@pytest.fixture
def listing(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """What puts an address on the list from now on."""
    path = tmp_path / "listed.txt"
    path.write_text("")

    def add(address: str) -> None:
        path.write_text(f"{path.read_text()}{address} of the tests\n")

    screening.bind(OfflineList(path))
    yield add
    screening.bind(None)
