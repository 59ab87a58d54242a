"""An endpoint that fails: its owner is warned, and at last it is told nothing more (§2.5).

Nothing is lost by that: what was on its way waits, and goes on when its owner enables the endpoint
again within two weeks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from protonpay.kernel import clock, events, notices
from protonpay.mail.service import office
from protonpay.store import db
from protonpay.store.db import transaction
from protonpay.store.events import publish
from protonpay.telegram.telling import tell
from protonpay.users import service as users
from protonpay.webhooks import lanes

BLOCKED = "blocked_address"
GONE = "gone"
FAILING = "failing"
FAILS_FOR = timedelta(hours=72)
BLOCKED_FOR = timedelta(hours=24)
RECOVERABLE_FOR = timedelta(days=14)
WARNED_AFTER = timedelta(minutes=35)
"""When a fourth attempt comes: before a broken endpoint each of them comes later."""

_DISABLE = """
    WITH heard AS (
        SELECT id FROM webhook_endpoints WHERE id = ANY(%(endpoints)s) AND disabled_at IS NULL
        ORDER BY id FOR NO KEY UPDATE)
    UPDATE webhook_endpoints AS endpoint SET disabled_at = %(now)s, disabled_reason = %(reason)s
    FROM heard WHERE endpoint.id = heard.id
    RETURNING endpoint.id, endpoint.user_id, endpoint.url
"""
_STANDING = """
    SELECT endpoint.id, endpoint.user_id, endpoint.url, lane.failing_since, lane.blocked_since
    FROM webhook_endpoints AS endpoint JOIN webhook_lanes AS lane ON lane.endpoint_id = endpoint.id
    WHERE endpoint.id = ANY(%(endpoints)s) AND endpoint.disabled_at IS NULL
    ORDER BY endpoint.id FOR NO KEY UPDATE OF endpoint
"""
_WARN = """
    UPDATE webhook_lanes SET warned_at = %(now)s
    WHERE endpoint_id = %(endpoint)s AND warned_at IS NULL AND failing_since IS NOT NULL
    RETURNING failing_since
"""
_GIVE_UP = f"""
    UPDATE webhook_deliveries AS delivery SET {lanes.CANCELLED}
    FROM (SELECT waiting.id, waiting.event_at FROM webhook_deliveries AS waiting
          JOIN webhook_endpoints AS endpoint ON endpoint.id = waiting.endpoint_id
          WHERE waiting.state = 'PENDING' AND endpoint.disabled_at < %(before)s
          LIMIT %(limit)s FOR NO KEY UPDATE OF waiting SKIP LOCKED) AS old
    WHERE delivery.id = old.id AND delivery.event_at = old.event_at AND delivery.state = 'PENDING'
"""  # noqa: S608 - of constants alone

_EMPTY = """
    SELECT lane.endpoint_id FROM webhook_lanes AS lane
    JOIN webhook_endpoints AS endpoint ON endpoint.id = lane.endpoint_id
    WHERE endpoint.disabled_at IS NOT NULL AND lane.due_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM webhook_deliveries AS delivery
        WHERE delivery.endpoint_id = lane.endpoint_id AND delivery.state = 'PENDING')
    LIMIT %(limit)s
"""
_CLOSE = """
    UPDATE webhook_lanes AS lane SET due_at = NULL
    WHERE lane.endpoint_id = ANY(%(endpoints)s) AND NOT EXISTS (
        SELECT FROM webhook_deliveries AS delivery
        WHERE delivery.endpoint_id = lane.endpoint_id AND delivery.state = 'PENDING')
"""


@dataclass(frozen=True)
class Trouble:
    """What an endpoint has just met that may concern its owner.

    Attributes:
        exhausted: a delivery has used up its attempts.
        worth_a_warning: one has failed so often that its owner should know.
        blocked: its address leads to where we do not go.
        broken: it has failed so often that one attempt is made at a time.
    """

    exhausted: bool
    worth_a_warning: bool
    blocked: bool
    broken: bool

    def joined(self, other: "Trouble") -> "Trouble":
        """Return both."""
        return Trouble(
            self.exhausted or other.exhausted,
            self.worth_a_warning or other.worth_a_warning,
            self.blocked or other.blocked,
            self.broken or other.broken,
        )


@dataclass(frozen=True, slots=True)
class _Standing:
    endpoint_id: str
    user_id: str
    url: str
    failing_since: datetime | None
    blocked_since: datetime | None

    def reason(self, now: datetime, trouble: Trouble) -> str | None:
        """Say why it is to be disabled, if it is."""
        if trouble.blocked and _is_before(self.blocked_since, now - BLOCKED_FOR):
            return BLOCKED
        # The attempts of a broken one are spread over all that waits: none is used up in time.
        if (trouble.exhausted or trouble.broken) and _is_before(
            self.failing_since, now - FAILS_FOR
        ):
            return FAILING
        return None

    def is_worth_a_warning(self, now: datetime, trouble: Trouble) -> bool:
        """Say whether its owner should know by now."""
        late = trouble.broken and _is_before(self.failing_since, now - WARNED_AFTER)
        return trouble.worth_a_warning or late


def _is_before(since: datetime | None, moment: datetime) -> bool:
    return since is not None and since <= moment


def cancel_gone(endpoint_ids: Sequence[str], now: datetime) -> None:
    """Disable endpoints that say they are gone, in the caller's transaction; all is cancelled."""
    if endpoint_ids:
        _disable(endpoint_ids, GONE, now)
        lanes.cancel(endpoint_ids, now)


def judge(troubles: Mapping[str, Trouble], now: datetime) -> None:
    """Disable the endpoints that have failed long enough, and warn the owners of others.

    Args:
        troubles: endpoint → what it met.
        now: the moment it is.
    """
    if not troubles:
        return
    with transaction():
        rows = db.execute(_STANDING, {"endpoints": sorted(troubles)}).fetchall()
        for standing in (_Standing(*row) for row in rows):
            trouble = troubles[standing.endpoint_id]
            reason = standing.reason(now, trouble)
            if reason is not None:
                _disable([standing.endpoint_id], reason, now)
            elif standing.is_worth_a_warning(now, trouble):
                _warn(standing, now)


def give_up(limit: int = 1000) -> int:
    """Cancel what waits for endpoints that were disabled too long ago; return how many."""
    now = clock.now()
    parameters = {"now": now, "before": now - RECOVERABLE_FOR, "limit": limit}
    with transaction():
        return db.execute(_GIVE_UP, parameters).rowcount


def close_lanes(limit: int = 1000) -> int:
    """Forget that lanes are due which lead to nobody any more; return how many were looked at."""
    with transaction():
        found = [row[0] for row in db.execute(_EMPTY, {"limit": limit}).fetchall()]
        # Looked at again once they are ours: a delivery may have come in between.
        lanes.lock(found)
        db.execute(_CLOSE, {"endpoints": found})
    return len(found)


def _disable(endpoint_ids: Sequence[str], reason: str, now: datetime) -> None:
    parameters = {"endpoints": list(endpoint_ids), "reason": reason, "now": now}
    for endpoint_id, user_id, url in db.execute(_DISABLE, parameters).fetchall():
        data = {
            "id": endpoint_id,
            "userId": user_id,
            "url": url,
            "disabledReason": reason,
            "disabledAt": clock.to_text(now),
        }
        publish(events.WEBHOOK_DISABLED, user_id, data)
        _tell(user_id, notices.WEBHOOK_DISABLED, f"webhook_disabled_{reason}", url=url)


def _warn(standing: _Standing, now: datetime) -> None:
    parameters = {"endpoint": standing.endpoint_id, "now": now}
    warned = db.execute(_WARN, parameters).fetchone()
    if warned is None:
        return
    said = {"url": standing.url, "since": clock.to_text(warned[0])}
    _tell(standing.user_id, notices.WEBHOOK_FAILING, "webhook_failing", **said)


def _tell(user_id: str, kind: str, template: str, **values: str) -> None:
    owner = users.get(user_id)
    page = office.address("/app/webhooks")
    tell(owner, kind, template, {"name": owner.name, **values}, page=page)
