"""How an endpoint has answered lately, for its owner: attempts of the last 24 hours, by hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from protonpay.kernel import clock
from protonpay.store import db
from protonpay.store.lists import Part
from protonpay.webhooks import service
from protonpay.webhooks.models import WebhookEndpoint

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
_OF_EACH = """
    SELECT delivery.endpoint_id,
           count(*) FILTER (WHERE attempt.outcome = 'delivered'),
           count(*) FILTER (WHERE attempt.outcome <> 'delivered'),
           percentile_disc(0.95) WITHIN GROUP (ORDER BY attempt.milliseconds)
    FROM webhook_deliveries AS delivery
    JOIN webhook_attempts AS attempt ON attempt.delivery_id = delivery.id
    WHERE delivery.endpoint_id = ANY(%(endpoints)s) AND delivery.event_at >= %(events)s
      AND attempt.began_at >= %(since)s
    GROUP BY delivery.endpoint_id
"""
_LANES = """
    SELECT endpoint_id, failing_since FROM webhook_lanes WHERE endpoint_id = ANY(%(endpoints)s)
"""


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
class Brief:
    """How an endpoint has answered in the last 24 hours.

    Attributes:
        created_at: of the endpoint.
        state: one of ``STATES``.
        failing_since: its first failure after its last success, if it fails.
        percent: of the attempts, how many of 100 were taken, rounded down; None without any.
        p95: as an hour's, of all of them.
    """

    id: str
    created_at: datetime
    state: str
    failing_since: datetime | None
    delivered: int
    failed: int
    percent: int | None
    p95: int | None


@dataclass(frozen=True, slots=True)
class Health(Brief):
    """The same, hour by hour.

    Attributes:
        hours: oldest first, the one that is not over with them.
    """

    hours: Sequence[Hour]


def listed(user_id: str, part: Part) -> Sequence[Brief]:
    """Say how each endpoint of a part of a user's has answered lately, in the order of the list.

    As many questions to the database for all of them as for one.
    """
    found = service.endpoints(user_id, part)
    asked = {"endpoints": [one.id for one in found], **_lately()}
    tried = {row[0]: row[1:] for row in db.execute(_OF_EACH, asked).fetchall()}
    failing = dict(db.execute(_LANES, asked).fetchall())
    return [
        Brief(*_told(one, failing.get(one.id), *tried.get(one.id, (0, 0, None)))) for one in found
    ]


def health(user_id: str, endpoint_id: str) -> Health:
    """Say how an endpoint of a user has answered lately.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    endpoint = service.get(user_id, endpoint_id)
    lately = _lately()
    asked = {"endpoint": endpoint_id, "endpoints": [endpoint_id], **lately}
    told = {row[0]: Hour(*row) for row in db.execute(_ATTEMPTS, asked).fetchall()}
    failing = dict(db.execute(_LANES, asked).fetchall())
    begins = [lately["since"] + number * _HOUR for number in range(HOURS)]
    all_ = told[None]
    return Health(
        *_told(endpoint, failing.get(endpoint_id), all_.delivered, all_.failed, all_.p95),
        hours=[told.get(hour, Hour(hour, 0, 0, None)) for hour in begins],
    )


def _lately() -> Mapping[str, datetime]:
    this = clock.now().replace(minute=0, second=0, microsecond=0)
    since = this - (HOURS - 1) * _HOUR
    return {"since": since, "events": since - _TRIED_FOR}


def _told(
    endpoint: WebhookEndpoint,
    failing_since: datetime | None,
    delivered: int,
    failed: int,
    p95: int | None,
) -> tuple[str, datetime, str, datetime | None, int, int, int | None, int | None]:
    """Return the fields of a ``Brief``."""
    state = DISABLED if not endpoint.enabled else FAILING if failing_since else HEALTHY
    tried = delivered + failed
    percent = delivered * 100 // tried if tried else None
    of = (endpoint.id, endpoint.created_at)
    return (*of, state, failing_since, delivered, failed, percent, p95)
