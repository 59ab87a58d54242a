"""A clock that is moved."""

import pytest

from tests.moments import Moments


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)
