"""What one USDC costs in a currency, from the peg or from the configured source."""

from protonpay.fx.pegs import PEGS
from protonpay.fx.port import Quote, RateSource
from protonpay.kernel import clock
from protonpay.kernel.errors import Unavailable


class Rates:
    """The rates of one process."""

    def __init__(self) -> None:
        self._source: RateSource | None = None

    def bind(self, source: RateSource | None) -> None:
        """Give the process its source for currencies without a peg, or none."""
        self._source = source

    def quote(self, currency: str) -> Quote:
        """Say what one USDC costs now; a pegged currency costs its peg, whoever is asked.

        Raises:
            Unavailable: no source for this currency, or nothing fresh from it
                (``rate_unavailable``).
        """
        peg = PEGS.get(currency)
        if peg is not None:
            return Quote(peg, "peg", clock.now())
        if self._source is None:
            said = "There is no source of rates for {currency}."
            raise Unavailable("rate_unavailable", said, currency=currency)
        return self._source.quote(currency)


rates = Rates()
