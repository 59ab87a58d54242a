"""What a source of exchange rates answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from protonpay.kernel.fiat import Rate


@dataclass(frozen=True, slots=True)
class Quote:
    """What one USDC costs.

    Attributes:
        rate: units of the currency for one USDC, our spread included.
        source: who says so: ``peg`` or the host that was asked.
        as_of: the moment the source gives for it.
    """

    rate: Rate
    source: str
    as_of: datetime


class RateSource(Protocol):
    """Somebody who says what a currency is worth; one USDC counts as one US dollar."""

    def quote(self, currency: str) -> Quote:
        """Say what one USDC costs in a currency now.

        Raises:
            Unavailable: no rate, or none that is fresh (``rate_unavailable``).
        """
