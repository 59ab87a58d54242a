"""An account whose address is proved, and a clock to move."""

import pytest

from tests.actors import Actor
from tests.committed import open_house
from tests.moments import Moments
from tests.teams.people import verify
from tests.web.conftest import rates

__all__ = ["open_house", "rates"]


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


@pytest.fixture
def firm(alice: Actor) -> Actor:
    """Alice, who may invite."""
    verify(alice)
    return alice
