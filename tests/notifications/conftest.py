"""A clock that is moved; a database of its own for who does it at once."""

import pytest

from tests.committed import open_house
from tests.moments import Moments

__all__ = ["open_house"]


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)
