"""Rates from a configured address: one JSON document with a time and many currencies.

The form is that of openexchangerates.org and of those who follow it::

    {"timestamp": 1795478400, "base": "USD", "rates": {"KWD": 0.3069, "EGP": 49.87}}

``timestamp`` in Unix seconds, rates in units for one dollar, as numbers.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from protonpay.fx import sanity
from protonpay.fx.port import Quote
from protonpay.kernel import clock
from protonpay.kernel.errors import Unavailable
from protonpay.kernel.fiat import Rate
from protonpay.wire.exact import member
from protonpay.wire.http import Answer, NoAnswer, Wire

log = structlog.get_logger(__name__)

_CLOCKS_DIFFER = timedelta(minutes=1)
_LATEST_TIMESTAMP = 2**33
_OK = 200


@dataclass(frozen=True, slots=True)
class _Table:
    as_of: datetime
    rates: Mapping[str, Any]


class HttpRates:
    """A rate source behind an address.

    Args:
        url: where the document is; may carry a key, which is never shown.
        max_age_seconds: a rate older than this is no rate.
        spread_basis_points: what a currency costs more than the source says, in our favour:
            at 50 a payer gets USDC at a price half a percent higher.
        keep_seconds: how long a document serves before the source is asked again; as long
            it is left in peace after it failed.
    """

    def __init__(
        self,
        url: str,
        *,
        max_age_seconds: int = 900,
        spread_basis_points: int = 0,
        keep_seconds: int = 30,
    ) -> None:
        self._wire = Wire(url, connect_seconds=2, read_seconds=5)
        self._source = urlsplit(url).hostname or "http"
        self._max_age = timedelta(seconds=max_age_seconds)
        self._spread = spread_basis_points
        self._keep = timedelta(seconds=keep_seconds)
        self._lock = threading.Lock()
        self._asked_at: datetime | None = None
        self._table: _Table | None = None
        self._failure: Exception | None = None
        self._known: dict[str, tuple[Rate, datetime]] = {}

    def quote(self, currency: str) -> Quote:
        """Say what one USDC costs in a currency, spread included.

        Raises:
            Unavailable: the source does not list it, is silent or unreadable, or says
                something too old or not believable (``rate_unavailable``).
        """
        now = clock.now()
        with self._lock:
            self._refresh(now)
            table, failure = self._table, self._failure
        if table is None or now - table.as_of > self._max_age:
            raise _unavailable(currency, self._keep) from failure
        try:
            rate = self._believed(currency, Rate.from_number(table.rates.get(currency)), now)
        except ValueError as error:
            raise _unavailable(currency, self._keep) from error
        return Quote(rate.raised(self._spread), self._source, table.as_of)

    def _believed(self, currency: str, rate: Rate, now: datetime) -> Rate:
        if not sanity.is_possible(currency, rate):
            log.error("rate_impossible", source=self._source, currency=currency, rate=str(rate))
            raise ValueError("not a price this currency can have")
        with self._lock:
            before, known_at = self._known.get(currency, (rate, now))
            if sanity.is_a_jump(before, rate) and now - known_at <= sanity.KNOWN_FOR:
                told = {"before": str(before), "rate": str(rate)}
                log.error("rate_jumped", source=self._source, currency=currency, **told)
                raise ValueError("too far from the last known price")
            self._known[currency] = (rate, now)
        return rate

    def _refresh(self, now: datetime) -> None:
        if self._asked_at is not None and abs(now - self._asked_at) < self._keep:
            return
        self._asked_at = now
        try:
            self._table, self._failure = _read(self._wire.get(""), now), None
        except (NoAnswer, ValueError) as failure:
            # What was read before stays good until its own time runs out.
            self._failure = failure


def _read(answer: Answer, now: datetime) -> _Table:
    if answer.status != _OK:
        raise ValueError(f"status {answer.status} in place of rates")
    document = answer.json()
    timestamp, rates = member(document, "timestamp"), member(document, "rates")
    if not isinstance(timestamp, int) or not 0 < timestamp < _LATEST_TIMESTAMP:
        raise ValueError("rates without a time")
    if member(document, "base") != "USD" or not isinstance(rates, dict):
        raise ValueError("not rates of the dollar")
    as_of = datetime.fromtimestamp(timestamp, UTC)
    if as_of > now + _CLOCKS_DIFFER:
        raise ValueError("rates from the future")
    return _Table(as_of, rates)


def _unavailable(currency: str, keep: timedelta) -> Unavailable:
    said, wait = "There is no current rate for {currency}. Try again.", int(keep.total_seconds())
    return Unavailable("rate_unavailable", said, retry_after=wait, currency=currency)
