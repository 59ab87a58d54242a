"""Most commands are run in the house; books are broken in one of their own."""

from tests.committed import open_house  # noqa: F401 - a fixture
