"""A clock for tests of what time does."""

from datetime import timedelta

import pytest

from protonpay.kernel import clock


class Moments:
    """A clock that stands until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: self.now)

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
