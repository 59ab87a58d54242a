"""When a deposit is looked at without being asked to, in one place and as data.

Providers stop calling after minutes or hours, some never call for some ends, and none promises
to tell of a chargeback (card-providers reference, "A reconciler is required").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

_ALMOST = timedelta(seconds=30)
FIRST_LOOK_SECONDS = 120
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks at a deposit in one state.

    Attributes:
        at: its ages, ascending: since it was credited once it is, since its order before.
        every: the pause after the last of them, or None: that was the last.
        until: the age at which looking without end becomes a decision, or None.
    """

    at: tuple[timedelta, ...]
    every: timedelta | None = None
    until: timedelta | None = None

    def next(self, age: timedelta) -> timedelta | None:
        """Return how long to wait at an age, or None when nobody need look again."""
        for due in self.at:
            if due - age > _ALMOST:
                return due - age
        return self.every


_WITHOUT_MONEY = Looks(at=(HOUR, 6 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY))
_CREDITED = Looks(at=tuple(days * DAY for days in (1, 2, 3, 7, 14, 30, 60, 90, 120, 150, 180)))

LOOKS: Mapping[str, Looks] = {
    # Two days of silence: the page is dead with every provider.
    "PENDING": Looks(
        at=(2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 35 * MINUTE, 65 * MINUTE),
        every=HOUR,
        until=2 * DAY,
    ),
    # Money may still arrive for a page that was given up.
    "EXPIRED": _WITHOUT_MONEY,
    "FAILED": _WITHOUT_MONEY,
    # Cardholders may dispute for about four months, some issuers for half a year.
    "CONFIRMED": _CREDITED,
    "PARTIALLY_REFUNDED": _CREDITED,
    # A person decides; what follows from the decision is looked after again.
    "REVIEW": Looks(at=(), every=DAY),
}
"""State → its looks; a state without any is the end."""
