"""Two operators at once decide on committed data."""

from tests.committed import open_house  # noqa: F401 - a fixture
