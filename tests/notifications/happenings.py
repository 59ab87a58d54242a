"""What happens to an account, and what goes wrong in it, for tests of who is told."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from protonpay.kernel import clock
from protonpay.store import db, events
from protonpay.webhooks import service as webhooks
from protonpay.webhooks.samples import SAMPLES
from tests.actors import Actor
from tests.overview.test_lists import deposit

HOOK = {"url": "https://example.com/hook", "events": ["deposit.confirmed"]}


def happen(to: Actor, *names: str, audience: str | None = None) -> list[str]:
    """Let events happen, and be numbered; return their ids."""
    with db.transaction():
        told = [
            events.publish(name, to.id, SAMPLES[name] | {"userId": to.id}, audience=audience)
            for name in names
        ]
    while webhooks.dispatch():
        pass
    return told


def hook(of: Actor, **more: Any) -> str:
    """Register an endpoint."""
    answer = of.post("/client/webhooks", {**HOOK, **more})
    assert answer.status_code == 200, answer.get_json()
    return str(answer.get_json()["webhook"]["id"])


def fail(endpoint_id: str) -> None:
    """Let an endpoint fail for so long that its owner is warned."""
    _set_lane(endpoint_id, "failing_since = %(before)s, warned_at = %(now)s")


def recover(endpoint_id: str) -> None:
    """Let it take an event."""
    _set_lane(endpoint_id, "failing_since = NULL, warned_at = NULL")


def disable(endpoint_id: str, reason: str) -> None:
    """Let it be told nothing more."""
    with db.transaction():
        sql = "UPDATE webhook_endpoints SET disabled_at = %(now)s, disabled_reason = %(reason)s"
        asked = {"id": endpoint_id, "now": clock.now(), "reason": reason}
        db.execute(f"{sql} WHERE id = %(id)s", asked)


def hold(of: Actor) -> str:
    """Let a deposit be held; return its id."""
    return deposit(of, clock.now(), "ON_HOLD")


def seen(by: Any, **query: Any) -> list[Mapping[str, Any]]:
    """Return the notifications that somebody is shown."""
    answer = by.get("/client/notifications", query_string=query)
    assert answer.status_code == 200, answer.get_json()
    rows: list[Mapping[str, Any]] = answer.get_json()["notifications"]
    return rows


def unread(by: Any) -> int:
    """Return how many somebody has not read, by the count."""
    return int(by.get("/client/notifications/unread").get_json()["unreadCount"])


def read(by: Any, **told: Any) -> int:
    """Say what somebody has read; return how much is unread."""
    answer = by.post("/client/notifications/read", told)
    assert answer.status_code == 200, answer.get_json()
    return int(answer.get_json()["unreadCount"])


def _set_lane(endpoint_id: str, change: str) -> None:
    now = clock.now()
    asked = {"id": endpoint_id, "now": now, "before": now - timedelta(hours=1)}
    with db.transaction():
        lane = "INSERT INTO webhook_lanes (endpoint_id) VALUES (%(id)s) ON CONFLICT DO NOTHING"
        db.execute(lane, asked)
        db.execute(f"UPDATE webhook_lanes SET {change} WHERE endpoint_id = %(id)s", asked)
