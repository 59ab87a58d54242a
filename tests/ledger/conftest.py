"""The ledger's tests run in the house; those of floods and breakages in one of their own."""

from tests.committed import open_house  # noqa: F401 - a fixture
