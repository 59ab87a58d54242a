"""A simulator's clock: the wall's, and what it was told to be ahead of it."""

from protonpay.kernel import clock
from protonpay.sandbox.cards.store import Store


class Clock:
    """Milliseconds since 1970 that a test may move forward."""

    def __init__(self, store: Store) -> None:
        self._store = store
        kept = store.find("clock", "clock")
        self._ahead_ms: int = kept["ahead_ms"] if kept else 0

    def now_ms(self) -> int:
        """Return the simulator's present."""
        return clock.to_epoch_ms(clock.now()) + self._ahead_ms

    def advance(self, seconds: float) -> None:
        """Move the present forward, for good."""
        self._ahead_ms += int(seconds * 1000)
        self._store.save("clock", {"id": "clock", "ahead_ms": self._ahead_ms})
