"""What operators see of deliveries."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from protonpay.kernel import clock
from protonpay.store.db import db, transaction
from protonpay.webhooks import delivery
from protonpay.webhooks.standing import standing
from tests.actors import Actor
from tests.raw_server import answering, http
from tests.webhooks.test_lanes import happen, subscribe
from tests.wire.posting import listed


def attempts(outcome: str, status: str) -> float:
    labels = {"outcome": outcome, "status": status}
    return REGISTRY.get_sample_value("protonpay_webhook_attempts_total", labels) or 0


def test_what_waits_is_counted_by_when_it_comes(alice: Actor, bob: Actor, client: FlaskClient):
    good = subscribe(alice, "https://a.example.com/")
    off = subscribe(alice, "https://b.example.com/")
    happen(alice, 3)
    alice.call("PATCH", f"/client/webhooks/{off}", json={"enabled": False})
    ids = "SELECT id FROM webhook_deliveries WHERE endpoint_id = :hook LIMIT 1"
    with transaction() as session:
        later = f"UPDATE webhook_deliveries SET due_at = now() + interval '1 h' WHERE id = ({ids})"
        session.execute(text(later), {"hook": good})
    with clock.frozen(clock.now() + timedelta(seconds=90)):
        found = standing()
    assert found.waiting == {"due": 2, "later": 1, "held": 3}
    assert 90 <= found.oldest_due_seconds < 120
    assert found.lanes == {"due": 1, "in_hand": 0, "slow": 0, "broken": 0}
    assert found.endpoints == {"enabled": 1, "by_owner": 1}
    shown = {f.name: f for f in text_string_to_metric_families(client.get("/metrics").text)}
    samples = shown["protonpay_webhook_deliveries_waiting"].samples
    assert {each.labels["when"]: each.value for each in samples} == found.waiting
    assert shown["protonpay_webhook_oldest_due_seconds"].samples[0].value < 90


@pytest.mark.parametrize("asked", ["test", "resend"])
def test_what_was_asked_for_is_not_late_at_once(alice: Actor, asked: str):
    path = f"/client/webhooks/{subscribe(alice, 'https://a.example.com/')}"
    if asked == "test":
        alice.post(f"{path}/test", {})
    happen(alice, 2)
    if asked == "resend":
        newest = db.session.scalar(text("SELECT event_id FROM webhook_deliveries LIMIT 1"))
        assert alice.post(f"{path}/deliveries/{newest}/resend").status_code == 202
    assert standing().oldest_due_seconds < 60


def test_attempts_are_counted_by_how_they_ended(alice: Actor):
    statuses = iter(["200 OK", "503 No"])
    before = attempts("delivered", "2xx"), attempts("http_error", "5xx")
    act = answering(lambda connection, _: connection.sendall(http(status=next(statuses))))
    with act as server, listed(server.url):
        subscribe(alice, server.url)
        happen(alice, 2)
        assert delivery.deliver_due() == 2
    after = attempts("delivered", "2xx"), attempts("http_error", "5xx")
    assert after == (before[0] + 1, before[1] + 1)


def test_a_broken_endpoint_does_not_make_us_late(alice: Actor):
    with answering(http(status="500 No")) as server, listed(server.url):
        subscribe(alice, server.url)
        happen(alice, 12)
        assert delivery.deliver_due(100) == 10
    with clock.frozen(clock.now() + timedelta(hours=1)):
        found = standing()
    assert (found.waiting["due"], found.lanes["broken"]) == (12, 1)
    assert found.oldest_due_seconds == 0
