"""Take a code of an app, and bound how many wrong ones are tried: one rule for whoever has an app.

Who tries codes knows the password already. Without a bound they would be in within days: three of
a million codes are good at any moment. A wrong one is written down in the transaction that has
looked at it, so that of many at once each knows of those before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ARRAY, BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel import clock
from protonpay.kernel.errors import Limited, Unauthenticated
from protonpay.store.db import kept
from protonpay.store.types import UtcDateTime
from protonpay.two_factor import codes

MOST_MISSES, IN = 5, timedelta(minutes=5)
MOST_MISSES_A_DAY, DAY = 20, timedelta(days=1)

log = structlog.get_logger(__name__)


class Codes:
    """What the row of somebody with an app keeps of its codes; the caller has it locked.

    Attributes:
        last_step: the newest 30 s step whose code was taken: no code of it or before is again.
        missed_at: when wrong codes were sent within the last day, since the last good one.
    """

    last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    missed_at: Mapped[list[datetime]] = mapped_column(
        ARRAY(UtcDateTime), server_default=text("'{}'")
    )

    def forget_codes(self) -> None:
        """Begin anew: the app is another one, or none."""
        self.last_step, self.missed_at = 0, []

    @contextmanager
    def bounded(self, whose: str, tell: Callable[[], None]) -> Iterator[None]:
        """Look at a code inside, if few enough were wrong lately, before anything else is written.

        A wrong one is counted, and the refusal does not undo that.

        Args:
            whose: for the log, as the audit log names them: ``user ID``, ``operator ADDRESS``.
            tell: tells its owner of the one that shuts the day.

        Raises:
            Limited: five within five minutes, or twenty within a day (``rate_limited``).
        """
        self._check_misses()
        try:
            yield
        except Unauthenticated as refusal:
            if self._note_miss(whose):
                tell()
            raise kept(refusal) from None
        self.missed_at = []

    def _check_misses(self) -> None:
        now = clock.now()
        for most, span in ((MOST_MISSES_A_DAY, DAY), (MOST_MISSES, IN)):
            lately = [at for at in self.missed_at if at > now - span]
            if len(lately) >= most:
                wait = int((lately[-most] + span - now).total_seconds()) + 1
                said = "Too many wrong codes. Try again later."
                raise Limited("rate_limited", said, retry_after=wait)

    def take_number(self, secret: str, code: str) -> None:
        """Use up a code that the app shows.

        Raises:
            Unauthenticated: it is wrong, or was used before (``two_factor_invalid``).
        """
        step = codes.step_of(secret, code, after=self.last_step)
        if step is None:
            raise wrong()
        self.last_step = step

    def _note_miss(self, whose: str) -> bool:
        now = clock.now()
        self.missed_at = [*(at for at in self.missed_at if at > now - DAY), now]
        log.warning("two_factor_code_refused", subject=whose, lately=len(self.missed_at))
        return len(self.missed_at) == MOST_MISSES_A_DAY


def wrong() -> Unauthenticated:
    """Make the refusal of a code."""
    return Unauthenticated("two_factor_invalid", "The code is wrong, or was used before.")
