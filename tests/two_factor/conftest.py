"""A clock to move, and people with an app."""

import pytest

from tests.actors import Actor
from tests.committed import open_house
from tests.moments import Moments
from tests.two_factor.apps import App, enabled

__all__ = ["open_house"]


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


@pytest.fixture
def app_of_alice(alice: Actor, moments: Moments) -> App:
    """Alice has a second factor; a step has passed since its first code."""
    return enabled(alice, moments)
