"""A clock to move, and people with an app."""

from tests.committed import open_house
from tests.two_factor.conftest import app_of_alice, moments

__all__ = ["app_of_alice", "moments", "open_house"]
