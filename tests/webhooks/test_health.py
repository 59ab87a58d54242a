"""How an endpoint has answered lately, as its owner sees it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from protonpay.kernel import clock
from protonpay.store import db as store
from protonpay.store.db import db, transaction
from protonpay.webhooks import delivery
from tests.actors import Actor
from tests.raw_server import answering, http
from tests.refusals import refused
from tests.webhooks.test_lanes import happen, subscribe
from tests.wire.posting import listed


def health(actor: Actor, hook: str) -> dict:
    answer = actor.get(f"/client/webhooks/{hook}/health")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict = answer.json["health"]
    return found


def took(outcome: str, *milliseconds: int, ago: timedelta = timedelta(0)) -> None:
    """Let the attempts that ended so, oldest first, have taken so long, and so long ago."""
    ids = db.session.scalars(
        text("SELECT id FROM webhook_attempts WHERE outcome = :outcome ORDER BY id"),
        {"outcome": outcome},
    ).all()
    with transaction():
        for row, each in zip(ids, milliseconds, strict=True):
            db.session.execute(
                text(
                    "UPDATE webhook_attempts SET milliseconds = :each, began_at = began_at - :ago"
                    " WHERE id = :row"
                ),
                {"each": each, "row": row, "ago": ago},
            )


def test_what_was_never_tried_has_no_share(alice: Actor):
    found = health(alice, subscribe(alice, "https://a.example.com/"))
    assert (found["state"], found["failingSince"]) == ("HEALTHY", None)
    assert (found["delivered"], found["failed"]) == (0, 0)
    assert (found["successPercent"], found["p95Milliseconds"]) == (None, None)
    assert len(found["hours"]) == 24
    begins = [clock.from_text(hour["beginsAt"]) for hour in found["hours"]]
    assert begins[-1] <= clock.now() < begins[-1] + timedelta(hours=1)
    assert all(later - sooner == timedelta(hours=1) for sooner, later in zip(begins, begins[1:]))  # noqa: B905, RUF007


def test_successes_failures_and_how_long_they_took(alice: Actor):
    statuses = iter(["200 OK", "200 OK", "503 No"])
    act = answering(lambda connection, _: connection.sendall(http(status=next(statuses))))
    with act as server, listed(server.url):
        hook = subscribe(alice, server.url)
        happen(alice, 3)
        while delivery.deliver_due():
            pass
    took("delivered", 40, 70)
    took("http_error", 900)
    found = health(alice, hook)
    assert (found["delivered"], found["failed"]) == (2, 1)
    assert found["successPercent"] == 66, "rounded down: 100 is all of them"
    assert found["p95Milliseconds"] == 900
    now = [hour for hour in found["hours"] if hour["delivered"] or hour["failed"]]
    assert sum(hour["delivered"] for hour in now) == 2
    assert sum(hour["failed"] for hour in now) == 1
    took("delivered", 40, 70, ago=timedelta(hours=25))
    assert health(alice, hook)["delivered"] == 0


def test_it_fails_since_its_first_failure_and_disabled_is_said_before(alice: Actor):
    with answering(http(status="500 No")) as server, listed(server.url):
        hook = subscribe(alice, server.url)
        happen(alice)
        delivery.deliver_due()
    found = health(alice, hook)
    assert found["state"] == "FAILING"
    assert clock.now() - clock.from_text(found["failingSince"]) < timedelta(minutes=1)
    alice.call("PATCH", f"/client/webhooks/{hook}", json={"enabled": False})
    assert health(alice, hook)["state"] == "DISABLED"


def test_somebody_elses_is_not_seen(alice: Actor, mallory: Actor):
    hook = subscribe(alice, "https://a.example.com/")
    refused(mallory.get(f"/client/webhooks/{hook}/health"), 404, "not_found")


def test_all_endpoints_are_told_of_at_once_and_in_pages(
    alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
):
    """Each as alone, with as many questions for twelve as for one, and none of a stranger's."""
    execute, asked = store.execute, []

    def counted(statement: str, *parameters: Any) -> Any:
        asked.append(statement)
        return execute(statement, *parameters)

    monkeypatch.setattr(store, "execute", counted)
    statuses = iter(["200 OK", "503 No"])
    act = answering(lambda connection, _: connection.sendall(http(status=next(statuses))))
    with act as server, listed(server.url):
        hooks = [subscribe(alice, server.url)]
        happen(alice, 2)
        while delivery.deliver_due():
            pass
    asked.clear()
    alice.get("/client/webhooks/health")
    of_one = len(asked)
    hooks += [subscribe(alice, f"https://a{number}.example.com/") for number in range(11)]
    subscribe(bob, "https://b.example.com/")
    alice.call("PATCH", f"/client/webhooks/{hooks[5]}", json={"enabled": False})
    asked.clear()
    told = alice.get("/client/webhooks/health?limit=100").json["webhooks"]
    assert len(asked) == of_one > 0
    assert [one["id"] for one in told] == list(reversed(hooks))
    for one in told:
        alone = health(alice, one["id"])
        assert {**one, "hours": alone["hours"]} == {**alone, "id": one["id"]}
    assert (told[-1]["successPercent"], told[-1]["state"]) == (50, "FAILING")
    assert told[6]["state"] == "DISABLED"

    first = alice.get("/client/webhooks?limit=5").json
    path = f"/client/webhooks/health?limit=5&cursor={first['nextCursor']}"
    assert [one["id"] for one in alice.get(path).json["webhooks"]] == list(reversed(hooks))[5:10]
