"""A clock that is moved, and Redis that is away."""

import pytest

from tests.moments import Moments
from tests.web.conftest import redis_away

__all__ = ["redis_away"]


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)
