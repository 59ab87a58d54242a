"""The store's tests run in the house; where others must see a commit, in one of their own."""

from tests.committed import open_house  # noqa: F401 - a fixture
