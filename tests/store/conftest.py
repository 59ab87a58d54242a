"""The store's tests run in the house; where others must see a commit, in one of their own."""

from collections.abc import Callable

import pytest

from tests.committed import OpenHouse, open_house  # noqa: F401 - a fixture


@pytest.fixture
def seen(open_house: OpenHouse) -> Callable[[], list[int]]:  # noqa: F811 - the fixture
    """A table of notes; what others see of it."""
    with open_house.superuser() as connection:
        connection.execute("CREATE TABLE notes (n integer PRIMARY KEY)")
        connection.execute("GRANT ALL ON notes TO protonpay_app")

    def notes() -> list[int]:
        with open_house.superuser() as connection:
            return [row[0] for row in connection.execute("SELECT n FROM notes ORDER BY n")]

    return notes
