"""Who numbers at the same time works on committed data."""

from tests.committed import open_house  # noqa: F401 - a fixture
