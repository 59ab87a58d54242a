"""How an endpoint has answered lately, for its owner: attempts of the last 24 hours, by hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from protonpay.kernel import clock
from protonpay.store import db
from protonpay.webhooks import service

HEALTHY, FAILING, DISABLED = "HEALTHY", "FAILING", "DISABLED"
STATES = (HEALTHY, FAILING, DISABLED)
HOURS = 24
_HOUR = timedelta(hours=1)
_TRIED_FOR = timedelta(days=4)
"""Events whose attempts are counted: tried for three days. One had again later is not counted."""

_ATTEMPTS = """
    SELECT date_trunc('hour', attempt.began_at, 'UTC') AS hour,
           count(*) FILTER (WHERE attempt.outcome = 'delivered'),
           count(*) FILTER (WHERE attempt.outcome <> 'delivered'),
           percentile_disc(0.95) WITHIN GROUP (ORDER BY attempt.milliseconds)
    FROM webhook_deliveries AS delivery
    JOIN webhook_attempts AS attempt ON attempt.delivery_id = delivery.id
    WHERE delivery.endpoint_id = %(endpoint)s AND delivery.event_at >= %(events)s
      AND attempt.began_at >= %(since)s
    GROUP BY GROUPING SETS ((hour), ())
"""
_LANE = "SELECT failing_since FROM webhook_lanes WHERE endpoint_id = %(endpoint)s"


@dataclass(frozen=True, slots=True)
class Hour:
    """Attempts of an hour.

    Attributes:
        begins: a full hour in UTC.
        p95: the milliseconds that 95 of 100 took at most; None without any.
    """

    begins: datetime
    delivered: int
    failed: int
    p95: int | None


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint has answered in the last 24 hours.

    Attributes:
        state: one of ``STATES``.
        failing_since: its first failure after its last success, if it fails.
        percent: of the attempts, how many of 100 were taken, rounded down; None without any.
        p95: as an hour's, of all of them.
        hours: oldest first, the one that is not over with them.
    """

    state: str
    failing_since: datetime | None
    delivered: int
    failed: int
    percent: int | None
    p95: int | None
    hours: Sequence[Hour]


def health(user_id: str, endpoint_id: str) -> Health:
    """Say how an endpoint of a user has answered lately.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    endpoint = service.get(user_id, endpoint_id)
    this = clock.now().replace(minute=0, second=0, microsecond=0)
    since = this - (HOURS - 1) * _HOUR
    asked = {"endpoint": endpoint_id, "since": since, "events": since - _TRIED_FOR}
    told = {row[0]: Hour(*row) for row in db.execute(_ATTEMPTS, asked).fetchall()}
    lane = db.execute(_LANE, {"endpoint": endpoint_id}).fetchone()
    failing_since = lane[0] if lane else None
    begins = [since + number * _HOUR for number in range(HOURS)]
    all_ = told[None]
    tried = all_.delivered + all_.failed
    return Health(
        state=DISABLED if not endpoint.enabled else FAILING if failing_since else HEALTHY,
        failing_since=failing_since,
        delivered=all_.delivered,
        failed=all_.failed,
        percent=all_.delivered * 100 // tried if tried else None,
        p95=all_.p95,
        hours=[told.get(hour, Hour(hour, 0, 0, None)) for hour in begins],
    )
