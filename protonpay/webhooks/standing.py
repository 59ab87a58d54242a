"""How deliveries stand now, for operators: what waits, for how long, and before whom."""

from collections.abc import Mapping
from dataclasses import dataclass

from protonpay.kernel import clock
from protonpay.store import db

# Who is broken, paced or disabled has its own reason for being late, and what somebody asked for
# is due before it was asked: only what is due to a lane that could be served says that we are late.
_WAITING = """
    SELECT count(*) FILTER (WHERE endpoint.disabled_at IS NULL AND delivery.due_at <= %(now)s),
           count(*) FILTER (WHERE endpoint.disabled_at IS NULL AND delivery.due_at > %(now)s),
           count(*) FILTER (WHERE endpoint.disabled_at IS NOT NULL),
           max(%(now)s - greatest(delivery.due_at, delivery.event_at)) FILTER (
               WHERE endpoint.disabled_at IS NULL AND delivery.due_at <= %(now)s
               AND delivery.resent_from IS NULL AND delivery.leased_until IS NULL
               AND lane.probe_at IS NULL AND endpoint.throttle_per_second IS NULL)
    FROM webhook_deliveries AS delivery
    JOIN webhook_endpoints AS endpoint ON endpoint.id = delivery.endpoint_id
    JOIN webhook_lanes AS lane ON lane.endpoint_id = delivery.endpoint_id
    WHERE delivery.state = 'PENDING'
"""
_LANES = """
    SELECT count(*) FILTER (WHERE lane.due_at <= %(now)s),
           count(*) FILTER (WHERE lane.leased_until > %(now)s),
           count(*) FILTER (WHERE lane.slow), count(*) FILTER (WHERE lane.probe_at IS NOT NULL)
    FROM webhook_lanes AS lane JOIN webhook_endpoints AS endpoint
      ON endpoint.id = lane.endpoint_id AND endpoint.disabled_at IS NULL
"""
_ENDPOINTS = """
    SELECT coalesce(disabled_reason, 'enabled'), count(*) FROM webhook_endpoints
    WHERE deleted_at IS NULL GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How deliveries stand.

    Attributes:
        waiting: how many are ``due``, come ``later``, or are ``held``: their endpoint is disabled.
        oldest_due_seconds: how late the oldest is that somebody could make.
        lanes: how many are ``due``, ``in_hand``, ``slow`` and ``broken``; one may be several.
        endpoints: how many are ``enabled``, or disabled for which reason.
    """

    waiting: Mapping[str, int]
    oldest_due_seconds: int
    lanes: Mapping[str, int]
    endpoints: Mapping[str, int]


def standing() -> Standing:
    """Say how deliveries stand."""
    now = {"now": clock.now()}
    due, later, held, oldest = db.execute(_WAITING, now).fetchone() or (0, 0, 0, None)
    lanes = db.execute(_LANES, now).fetchone() or (0, 0, 0, 0)
    return Standing(
        waiting={"due": due, "later": later, "held": held},
        oldest_due_seconds=int(oldest.total_seconds()) if oldest else 0,
        lanes=dict(zip(("due", "in_hand", "slow", "broken"), lanes, strict=True)),
        endpoints=dict(db.execute(_ENDPOINTS, {}).fetchall()),
    )
